//! Which faults are armed: for people to see, and to switch off one by one.

use driftless_gateway::time::Instant;
use serde_json::json;

use super::{Faults, Node, SharedFaults, Window, WrongAnswers};
use crate::apim::ApiManager;
use crate::story::aim::GatewayIndex;

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
    fn left(&self, now: Instant) -> Option<String> {
        let more = match (self.until, self.left) {
            (Some(end), _) => until(end, now)?,
            (None, Some(left)) => counted(left)?,
            (None, None) => return None,
        };
        Some(format!("{} with {}, {more}", self.to.name(), json!(self.with)))
    }
}

impl Node {
    fn left(&self, now: Instant) -> Option<String> {
        until(self.starting_until.max(self.down_until), now)
    }
}

impl SharedFaults {
    fn armed(&self, now: Instant) -> [(&'static str, Option<String>); 3] {
        [
            ("break_keys", counted(self.break_keys)),
            ("odd_key_events", counted(self.odd_key_events)),
            ("delay_events", self.late_events.left(now)),
        ]
    }

    fn disarm(&mut self, name: &str) {
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
    fn armed(&self, now: Instant) -> [(&'static str, Option<String>); 9] {
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

    fn disarm(&mut self, name: &str) {
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

impl ApiManager {
    /// The faults that go on for a gateway, each wrong answer by itself.
    pub fn armed(&self, gateway: GatewayIndex, now: Instant) -> Vec<Armed> {
        let faults = &self.environments.at(gateway).faults;
        let frozen = self.clock.is_frozen(now).then(|| "every stamp is the same".to_owned());
        let clock = ("freeze_stamps", frozen);
        let node = ("restart_manager", self.node.left(now));
        let answers = faults.answers.iter().map(|wrong| ("answer", wrong.left(now)));
        let all = faults.armed(now).into_iter().chain(self.faults.armed(now));
        let all = all.chain([clock, node]).chain(answers);
        all.filter_map(|(name, left)| left.map(|left| Armed { name, left })).collect()
    }

    /// Switches one fault off for every gateway; answers whether it was on anywhere. What it did
    /// so far stays done.
    pub fn disarm(&mut self, name: &str, now: Instant) -> bool {
        let is_on =
            self.gateways().any(|one| self.armed(one, now).iter().any(|armed| armed.name == name));
        match name {
            "freeze_stamps" => self.clock.thaw(),
            "restart_manager" => self.node = Node::default(),
            _ => self.faults.disarm(name),
        }
        self.environments.iter_mut().for_each(|environment| environment.faults.disarm(name));
        is_on
    }
}
