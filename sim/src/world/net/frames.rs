//! Faults on event frames: what a broker or a proxy does to a stream of messages.

use std::collections::VecDeque;
use std::time::Duration;

use crate::story::step::{FrameFault, Frames};

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
    delivered: u64,
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
        self.delivered += 1;
        match *fault {
            FrameFault::Drop => FrameFate::Drop,
            FrameFault::Duplicate => FrameFate::Twice,
            FrameFault::DelayMs(ms) => FrameFate::Late(Duration::from_millis(ms)),
            // A swap is a delay beyond the next frame of the same burst.
            FrameFault::Swap => FrameFate::Late(Duration::from_millis(30)),
            FrameFault::Cut => FrameFate::Replaced(cut(text)),
            FrameFault::UnknownType => FrameFate::Replaced(unknown()),
        }
    }

    /// How many frames went wrong.
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }
}

fn cut(text: &str) -> String {
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..half].to_owned()
}

fn unknown() -> String {
    r#"{"type":"api.renamed","payload":{},"timestamp":"2026-06-17T09:15:00Z"}"#.to_owned()
}
