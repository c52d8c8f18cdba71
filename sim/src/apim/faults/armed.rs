//! Which faults are armed: for people to see, and to switch off one by one.

use driftless_gateway::time::Instant;
use serde_json::json;

use super::{Faults, NodeOutage, SharedFaults, Window, WrongAnswers};

/// A fault that has not done all it may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Armed {
    /// The verb that armed it.
    pub name: &'static str,
    /// How much of it is left, in words.
    pub left: String,
}

fn counted(count: u32) -> Option<String> {
    (count > 0).then(|| format!("{count} more"))
}

fn once(is_armed: bool) -> Option<String> {
    is_armed.then(|| "the next one".to_owned())
}

fn until(end: Instant, now: Instant) -> Option<String> {
    (now < end).then(|| format!("{} ms more", end.since(now).as_millis()))
}

impl Window {
    fn left(&self, now: Instant) -> Option<String> {
        until(self.until, now)
    }
}

impl WrongAnswers {
    pub(super) fn left(&self, now: Instant) -> Option<String> {
        let more = match (self.until, self.left) {
            (Some(end), _) => until(end, now)?,
            (None, Some(left)) => counted(left)?,
            (None, None) => return None,
        };
        Some(format!("{} with {}, {more}", self.to.name(), json!(self.with)))
    }
}

impl NodeOutage {
    pub(super) fn left(&self, now: Instant) -> Option<String> {
        until(self.starting_until.max(self.down_until), now)
    }
}

impl SharedFaults {
    pub(super) fn armed(&self, now: Instant) -> [(&'static str, Option<String>); 3] {
        [
            ("break_keys", counted(self.break_keys)),
            ("odd_key_events", counted(self.odd_key_events)),
            ("delay_events", self.late_events.left(now)),
        ]
    }

    pub(super) fn disarm(&mut self, name: &str) {
        match name {
            "break_keys" => self.break_keys = 0,
            "odd_key_events" => self.odd_key_events = 0,
            "delay_events" => self.late_events = Window::default(),
            "delay_effects" => self.delay = Window::default(),
            _ => {}
        }
    }
}

impl Faults {
    pub(super) fn armed(&self, now: Instant) -> [(&'static str, Option<String>); 9] {
        [
            ("lose_events", counted(self.lose_events)),
            ("no_direct_send", self.no_direct.left(now)),
            ("strand_poll", once(self.strand_poll)),
            ("delay_effects", self.delay.left(now)),
            ("redeploy_window", self.redeploy.left(now)),
            ("keep_rows", counted(self.keep_rows)),
            ("refuse_tokens", self.refuse_tokens.left(now)),
            ("event_before_ack", once(self.event_before_ack)),
            ("wrong_undeploy_ids", counted(self.wrong_undeploy_ids)),
        ]
    }

    pub(super) fn disarm(&mut self, name: &str) {
        match name {
            "lose_events" => self.lose_events = 0,
            "no_direct_send" => self.no_direct = Window::default(),
            "strand_poll" => self.strand_poll = false,
            "delay_effects" => self.delay = Window::default(),
            "redeploy_window" => self.redeploy = Window::default(),
            "keep_rows" => self.keep_rows = 0,
            "refuse_tokens" => self.refuse_tokens = Window::default(),
            "event_before_ack" => self.event_before_ack = false,
            "wrong_undeploy_ids" => self.wrong_undeploy_ids = 0,
            "answer" => self.answers.clear(),
            _ => {}
        }
    }
}
