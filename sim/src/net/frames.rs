//! Faults on event frames: what a broker or a proxy does to a stream of messages.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::step::{FrameFault, Frames};

/// What becomes of an event frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FrameFate {
    /// It goes on as it is.
    Pass,
    /// It vanishes.
    Drop,
    /// It goes on twice.
    Twice,
    /// It goes on out of order, this much later.
    Late(Duration),
    /// It goes on with this text instead.
    Replaced(String),
}

/// Faults that wait for event frames.
#[derive(Clone, Debug, Default)]
pub struct FrameFaults {
    waiting: VecDeque<(FrameFault, u32)>,
    delivered: BTreeMap<&'static str, u64>,
}

impl FrameFaults {
    /// The next frames go wrong.
    pub fn add(&mut self, frames: Frames) {
        self.waiting.push_back((frames.fault, frames.count));
    }

    /// Ends every fault.
    pub fn lift(&mut self) {
        self.waiting.clear();
    }

    /// What becomes of the next event frame.
    pub fn next(&mut self, text: &str) -> FrameFate {
        while self.waiting.front().is_some_and(|(_, left)| *left == 0) {
            self.waiting.pop_front();
        }
        let Some((fault, left)) = self.waiting.front_mut() else { return FrameFate::Pass };
        *left -= 1;
        let (name, fate) = match *fault {
            FrameFault::Drop => ("frame_drop", FrameFate::Drop),
            FrameFault::Duplicate => ("frame_duplicate", FrameFate::Twice),
            FrameFault::DelayMs(ms) => ("frame_delay", FrameFate::Late(Duration::from_millis(ms))),
            // A swap is a delay beyond the next frame of the same burst.
            FrameFault::Swap => ("frame_swap", FrameFate::Late(Duration::from_millis(30))),
            FrameFault::Cut => ("frame_cut", FrameFate::Replaced(cut(text))),
            FrameFault::UnknownType => ("frame_unknown_type", FrameFate::Replaced(unknown())),
        };
        *self.delivered.entry(name).or_insert(0) += 1;
        fate
    }

    /// How often each fault took effect.
    pub fn delivered(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.delivered.iter().map(|(name, count)| (*name, *count))
    }
}

fn cut(text: &str) -> String {
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..half].to_owned()
}

fn unknown() -> String {
    r#"{"type":"api.renamed","payload":{},"timestamp":"2026-06-17T09:15:00Z"}"#.to_owned()
}
