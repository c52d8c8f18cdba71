//! Answers that are wrong at the level of meaning.
//!
//! A wrong answer that makes no sense for a request, or would not differ from the right one, does
//! nothing and is not counted.

use std::time::Duration;

use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpResponse;

use crate::apim::rest::bodies;
use crate::apim::tables::history::{Rows, StateHistory, earlier};
use crate::apim::tables::timeline::Timeline;
use crate::story::step::Wrong;

/// The wrong answer that is armed for a request, and whether it took effect.
pub(in crate::apim) struct WrongAnswer {
    wrong: Option<Wrong>,
    took: bool,
    now: Instant,
}

impl WrongAnswer {
    /// The wrong answer to a request.
    pub(in crate::apim) const fn new(wrong: Option<Wrong>, now: Instant) -> Self {
        Self { wrong, took: false, now }
    }

    /// What is armed.
    pub(in crate::apim) const fn wrong(&self) -> Option<Wrong> {
        self.wrong
    }

    /// The kind of fault that took effect.
    pub(in crate::apim) fn taken(&self) -> Option<&'static str> {
        self.wrong.filter(|_| self.took).map(Wrong::delivered_as)
    }

    /// Whether exactly this is armed; if so, it takes effect.
    pub(in crate::apim) fn take(&mut self, wrong: Wrong) -> bool {
        let is_armed = self.wrong == Some(wrong);
        self.took |= is_armed;
        is_armed
    }

    /// How much longer the answer takes.
    pub(in crate::apim) fn delay(&mut self) -> Duration {
        match self.wrong {
            Some(Wrong::SlowMs(ms)) => {
                self.took = true;
                Duration::from_millis(ms)
            }
            _ => Duration::ZERO,
        }
    }

    /// The tables as the n-th item of an answer sees them.
    pub(in crate::apim) fn rows(&mut self, nth: usize, rows: Rows, history: &StateHistory) -> Rows {
        let ago = match self.wrong {
            Some(Wrong::StaleMs(ms)) => ms,
            Some(Wrong::MixedMs(ms)) if nth % 2 == 1 => ms,
            _ => return rows,
        };
        let seen = history.at(earlier(self.now, ago)).rows;
        self.took |= seen != rows;
        seen
    }

    /// What the n-th item of an answer sees of something that changes over time.
    pub(in crate::apim) fn seen<'a, T: Clone + PartialEq>(
        &mut self,
        nth: usize,
        line: &'a Timeline<T>,
    ) -> Option<&'a T> {
        let fresh = line.read(Some(self.now));
        let ago = match self.wrong {
            Some(Wrong::StaleMs(ms)) => ms,
            Some(Wrong::MixedMs(ms)) if nth % 2 == 1 => ms,
            _ => return fresh,
        };
        let seen = line.read(earlier(self.now, ago));
        self.took |= seen != fresh;
        seen
    }

    /// Whether the answer shows the present.
    pub(in crate::apim) const fn is_present(&self) -> bool {
        !matches!(self.wrong, Some(Wrong::StaleMs(_) | Wrong::MixedMs(_)))
    }

    /// Drops items as armed.
    pub(in crate::apim) fn select<T>(&mut self, items: &mut Vec<T>) {
        let count = items.len();
        match self.wrong {
            Some(Wrong::Empty) => items.clear(),
            Some(Wrong::WithoutTail) => items.truncate(count - count.div_ceil(4)),
            Some(Wrong::WithoutMiddle) if count > 0 => drop(items.remove(count / 2)),
            Some(Wrong::FirstOnly) => items.truncate(1),
            _ => {}
        }
        self.took |= items.len() != count;
    }

    /// Makes the n-th item of a list, which is all of `out` from `start`, unreadable where that
    /// is armed: every third is, each in another way.
    pub(in crate::apim) fn spoil(&mut self, out: &mut String, start: usize, nth: usize) {
        if self.wrong != Some(Wrong::OddItems) || !nth.is_multiple_of(3) {
            return;
        }
        let item = out.split_off(start);
        let ways: Vec<_> = SPOILED.iter().filter(|(from, _)| item.contains(from)).collect();
        match ways.get(nth / 3 % ways.len().max(1)) {
            Some((from, to)) => out.push_str(&item.replacen(from, to, 1)),
            None => out.push_str(&item),
        }
        self.took |= !ways.is_empty();
    }

    /// What is answered instead of anything, before the request is even looked at.
    pub(in crate::apim) fn instead(&mut self) -> Option<Option<HttpResponse>> {
        let instead = match self.wrong? {
            Wrong::Status(status) => Some(bodies::status(status)),
            Wrong::RouteMissing => Some(bodies::container_page(404)),
            Wrong::NoAnswer => None,
            _ => return None,
        };
        self.took = true;
        Some(instead)
    }

    /// What becomes of a good answer as a whole.
    pub(in crate::apim) fn reshape(
        &mut self,
        good: &mut HttpResponse,
        other_shape: impl FnOnce() -> String,
    ) {
        let body = match self.wrong {
            Some(Wrong::EmptyObject) => "{}".to_owned(),
            Some(Wrong::OtherShape) => other_shape(),
            Some(Wrong::Html) => {
                *good = bodies::container_page(200);
                self.took = true;
                return;
            }
            Some(Wrong::Truncated) if good.body.len() > 1 => {
                good.body.truncate(good.body.len() / 2);
                self.took = true;
                return;
            }
            _ => return,
        };
        self.took |= body.as_bytes() != good.body;
        *good = bodies::json(200, body);
    }
}

/// How an item is made unreadable: its id goes by another name, or its hash has another algorithm
/// or length.
const SPOILED: [(&str, &str); 4] = [
    (r#""uuid":"#, r#""uid":"#),
    (r#""sha256":"#, r#""md5":"#),
    (r#""sha256":""#, r#""sha256":"00"#),
    (r#"{"id":"#, r#"{"no":"#),
];
