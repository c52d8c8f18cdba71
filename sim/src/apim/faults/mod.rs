//! What a control plane does wrong: the faults that are armed, and how a story arms them.
//!
//! A restart closes sessions and loses events, a backup takes every table and the ledgers back, and
//! lifting faults completes all that is on its way, so a part of [`ApiManager`] stands here.

mod armed;
pub(super) mod wrong_answers;

use std::collections::BTreeMap;
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::ApiManager;
use super::ids::Spot;
use super::ledger::{Cause, Issued};
use super::tables::history::{ApiState, earlier};
use crate::story::aim::{Aim, GatewayIndex};
use crate::story::step::{Answer, Endpoint, RestartManager, Verb, Wrong};

pub use armed::Armed;

/// How often each kind of fault took effect on something that was sent or answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Delivered {
    /// By kind.
    pub(super) by_kind: BTreeMap<&'static str, u64>,
    /// Of all kinds, on every gateway at once.
    pub(super) shared: u64,
}

impl Delivered {
    /// A fault took effect.
    pub(super) fn count(&mut self, kind: &'static str) {
        self.add(kind, 1);
    }

    /// A fault took effect several times.
    pub(super) fn add(&mut self, kind: &'static str, times: u64) {
        self.add_kind(kind, times);
        self.shared += times;
    }

    /// A fault took effect several times on one gateway.
    pub(super) fn add_kind(&mut self, kind: &'static str, times: u64) {
        if times > 0 {
            *self.by_kind.entry(kind).or_default() += times;
        }
    }
}

/// A duration that applies until some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    until: Instant,
    length: Duration,
}

impl Window {
    fn new(now: Instant, for_ms: u64, length_ms: u64) -> Self {
        let length = Duration::from_millis(length_ms);
        Self { until: now.after(Duration::from_millis(for_ms)), length }
    }

    /// The duration, while the window lasts.
    pub(super) fn length(&self, now: Instant) -> Option<Duration> {
        (now < self.until).then_some(self.length)
    }

    fn is_open(&self, now: Instant) -> bool {
        now < self.until
    }
}

/// Answers that go wrong.
#[derive(Clone, Debug)]
struct WrongAnswers {
    to: Endpoint,
    with: Wrong,
    left: Option<u32>,
    until: Option<Instant>,
}

/// The faults that are armed for everyone: what goes wrong with the tables that an organization
/// has once, whatever its gateways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SharedFaults {
    /// Keys still to be written half way.
    pub(super) break_keys: u32,
    /// Key events still to have no hash that can be read.
    pub(super) odd_key_events: u32,
    /// How much later than their effect events about keys and subscriptions are raised.
    pub(super) late_events: Window,
    /// How much later changes of keys, subscriptions and plans become readable.
    pub(super) delay: Window,
}

/// The faults that are armed for one gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Events still to be lost.
    pub(super) lose_events: u32,
    /// Whether the next poll strands what it claims.
    pub(super) strand_poll: bool,
    /// Whether the next session gets an event before its ack.
    pub(super) event_before_ack: bool,
    /// Artifact rows still to be left behind.
    pub(super) keep_rows: u32,
    /// Undeploy events still to name a wrong deployment.
    pub(super) wrong_undeploy_ids: u32,
    /// How much later changes of artifacts become readable.
    pub(super) delay: Window,
    /// How long a redeploy maps two revisions.
    pub(super) redeploy: Window,
    no_direct: Window,
    refuse_tokens: Window,
    answers: Vec<WrongAnswers>,
}

impl Faults {
    /// Whether tokens are refused now.
    pub(super) fn refuses_tokens(&self, now: Instant) -> bool {
        self.refuse_tokens.is_open(now)
    }

    /// Whether direct sends are suppressed.
    pub(super) fn suppress_direct(&self, now: Instant) -> bool {
        self.no_direct.is_open(now)
    }

    /// The oldest armed wrong answer for an endpoint, with its place.
    pub(super) fn wrong_for(&mut self, endpoint: Endpoint, now: Instant) -> Option<(usize, Wrong)> {
        if self.answers.is_empty() {
            return None;
        }
        self.answers.retain(|wrong| wrong.until.is_none_or(|until| now < until));
        let place = self
            .answers
            .iter()
            .position(|wrong| wrong.to == endpoint || wrong.to == Endpoint::Any)?;
        Some((place, self.answers.get(place)?.with))
    }

    /// A wrong answer was given.
    pub(super) fn use_up(&mut self, place: usize) {
        let Some(wrong) = self.answers.get_mut(place) else { return };
        if let Some(left) = &mut wrong.left {
            *left -= 1;
            if *left == 0 {
                self.answers.remove(place);
            }
        }
    }

    fn arm(&mut self, answer: &Answer, now: Instant) -> bool {
        let left = match (answer.count, answer.for_ms) {
            (None, None) => Some(1),
            (count, _) => count,
        };
        if left == Some(0) || answer.for_ms == Some(0) {
            return false;
        }
        let until = answer.for_ms.map(|ms| now.after(Duration::from_millis(ms)));
        self.answers.push(WrongAnswers { to: answer.to, with: answer.with, left, until });
        true
    }
}

/// Whether the node serves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeOutage {
    down_until: Instant,
    starting_until: Instant,
}

impl NodeOutage {
    /// Whether nothing listens.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        now < self.down_until
    }

    /// Whether it listens and its applications are not there yet.
    pub(super) fn is_starting(&self, now: Instant) -> bool {
        now < self.starting_until && !self.is_down(now)
    }
}

/// Something armed a count of zero or an empty window: a step without effect.
fn arm_count(place: &mut u32, count: u32) -> bool {
    *place = place.saturating_add(count);
    count > 0
}

impl ApiManager {
    /// Arms or carries out a fault of the control plane; returns whether that did anything.
    pub(super) fn apply_fault(&mut self, verb: &Verb, aim: &Aim, now: Instant) -> bool {
        let faults = &mut self.faults;
        match verb {
            Verb::DelayEvents(delay) => {
                faults.late_events = Window::new(now, delay.for_ms, delay.delay_ms);
                delay.for_ms > 0 && delay.delay_ms > 0
            }
            Verb::BreakKeys(count) => arm_count(&mut faults.break_keys, count.count),
            Verb::OddKeyEvents(count) => arm_count(&mut faults.odd_key_events, count.count),
            Verb::FreezeStamps(span) => {
                self.clock.freeze(now, Duration::from_millis(span.for_ms));
                span.for_ms > 0
            }
            Verb::StepClock(step) => {
                self.clock.step(step.by_ms);
                step.by_ms != 0
            }
            Verb::RestoreBackup(ago) => self.restore_backup(ago.ago_ms, now),
            Verb::RestartManager(restart) => self.restart(*restart, now),
            fault => {
                if let Verb::DelayEffects(delay) = fault {
                    faults.delay = Window::new(now, delay.for_ms, delay.delay_ms);
                }
                let aimed = self.gateways.all().filter(|gateway| aim.is_at(*gateway));
                aimed
                    .fold(false, |did, gateway| self.apply_fault_at(fault, aim, gateway, now) | did)
            }
        }
    }

    /// Arms or carries out a fault for one gateway; returns whether that did anything.
    fn apply_fault_at(
        &mut self,
        verb: &Verb,
        aim: &Aim,
        gateway: GatewayIndex,
        now: Instant,
    ) -> bool {
        let (is_apim, nodes) =
            (self.contract.keeps_events(), u32::from(self.contract.switches.nodes.get()));
        let environment = self.gateways.at_mut(gateway);
        let faults = &mut environment.faults;
        match verb {
            Verb::LoseEvents(count) => arm_count(&mut faults.lose_events, count.count),
            Verb::KeepRows(count) => is_apim && arm_count(&mut faults.keep_rows, count.count),
            Verb::WrongUndeployIds(count) => arm_count(&mut faults.wrong_undeploy_ids, count.count),
            Verb::NoDirectSend(span) => {
                faults.no_direct = Window::new(now, span.for_ms, 0);
                is_apim && span.for_ms > 0
            }
            Verb::StrandPoll(_) => is_apim && !std::mem::replace(&mut faults.strand_poll, is_apim),
            Verb::KillPoll(_) => environment.sessions.kill_polls(),
            Verb::DelayEffects(delay) => {
                faults.delay = Window::new(now, delay.for_ms, delay.delay_ms);
                delay.for_ms > 0 && delay.delay_ms > 0
            }
            Verb::RedeployWindow(window) => {
                faults.redeploy = Window::new(now, window.for_ms, window.window_ms);
                is_apim && window.for_ms > 0 && window.window_ms > 0
            }
            Verb::LoseRow(api) => self.lose_row(aim, &api.api, gateway, now),
            Verb::CloseSession(close) => {
                let reason = if close.code == 4401 { "Invalid or expired API key" } else { "" };
                let closed = environment.sessions.close_all(close.code, reason);
                self.gateways.count_at(gateway, "close_session", closed);
                closed > 0
            }
            Verb::SwitchNode(_) => {
                let has_nodes = is_apim && nodes > 1;
                if has_nodes {
                    environment.sessions.switch_node(nodes);
                }
                has_nodes
            }
            Verb::RefuseTokens(span) => {
                faults.refuse_tokens = Window::new(now, span.for_ms, 0);
                span.for_ms > 0
            }
            Verb::EventBeforeAck(_) => {
                is_apim && !std::mem::replace(&mut faults.event_before_ack, is_apim)
            }
            Verb::Answer(answer) => faults.arm(answer, now),
            _ => false,
        }
    }

    fn restart(&mut self, restart: RestartManager, now: Instant) -> bool {
        let down_until = now.after(Duration::from_millis(restart.down_ms));
        self.node.down_until = down_until;
        self.node.starting_until = down_until.after(Duration::from_millis(restart.starting_ms));
        let reason = "The web application is stopping";
        let environments = self.gateways.iter_mut();
        let closed = environments.map(|of| of.sessions.close_all(1001, reason)).sum();
        self.gateways.delivered.add("restart_manager", closed);
        for told in self.access.take_late() {
            self.access_events().lose_told(&told, now);
        }
        closed > 0 || restart.down_ms > 0 || restart.starting_ms > 0
    }

    /// A-H14: the API stays mapped and deployed, and the list lacks it.
    fn lose_row(&mut self, aim: &Aim, name: &str, gateway: GatewayIndex, now: Instant) -> bool {
        if !self.contract.keeps_events() {
            return false;
        }
        let Some(api) = self.catalog.existing(aim.organization, name) else { return false };
        self.catalog.change_rows(Spot { api, gateway }, now, |rows| rows.cached.take().is_some())
    }

    /// The database goes back in time; sockets and the node's memory stay. No event tells.
    fn restore_backup(&mut self, ago_ms: u64, now: Instant) -> bool {
        if ago_ms == 0 {
            return false;
        }
        let then = earlier(now, ago_ms);
        let environments = self.gateways.iter_mut();
        let mut changed = environments.fold(false, |did, of| of.events.restore(then) | did);
        while self.pending.pop().is_some() {}
        for index in 0..self.catalog.len() {
            for gateway in self.gateways.all() {
                changed |= self.restore_api(Spot { api: index, gateway }, then, now);
            }
        }
        self.catalog.reclaim_names();
        changed |= self.access.restore(then, now);
        let environments = self.gateways.iter_mut();
        environments.for_each(|environment| environment.ledger.restore_access(then, now));
        if changed {
            let environments = self.gateways.iter_mut();
            environments.for_each(|environment| environment.ledger.restored(now));
            self.gateways.delivered.count("restore_backup");
        }
        changed
    }

    /// What was said of an API on a gateway goes back in time; returns whether that is news.
    fn restore_api(&mut self, spot: Spot, then: Option<Instant>, now: Instant) -> bool {
        let (stamp, keeps_undeployed) = (self.clock.row(now), !self.contract.keeps_events());
        let Some(api) = self.catalog.get_mut(spot.api) else { return false };
        let there = api.gateways.at_mut(spot.gateway);
        let (before, mut after) = (there.state, there.history.at(then));
        after.settle(stamp, keeps_undeployed);
        if before == after {
            return false;
        }
        there.state = after;
        there.history.note(now, after);
        if let Some(revision) = after.truth.deployed {
            api.note_deployed(spot.gateway, revision, after.truth.deployed_as);
        }
        self.note_restored(spot, before, after, now);
        true
    }

    /// Tells the ledger when the truth about an API changed back.
    fn note_restored(&mut self, spot: Spot, before: ApiState, after: ApiState, now: Instant) {
        let served = |state: ApiState| {
            let truth = state.truth;
            let deployed = truth.deployed.filter(|_| truth.is_there());
            deployed.map(|revision| (revision, truth.deployed_as))
        };
        let same =
            served(before) == served(after) && before.truth.is_there() == after.truth.is_there();
        let Some(api) = self.catalog.get(spot.api) else { return };
        let ledger = &mut self.gateways.at_mut(spot.gateway).ledger;
        if after.truth.exists {
            ledger.named(&api.id);
        }
        let said_nothing = ledger.current(&api.id).is_none();
        if same || (said_nothing && served(after).is_none()) {
            return;
        }
        let what = match served(after) {
            Some((revision, lifecycle)) => {
                match self.catalog.deployed_issue(spot, revision, lifecycle) {
                    Some(what) => what,
                    None => return,
                }
            }
            None if after.truth.is_there() => Issued::Undeployed,
            None => Issued::Deleted,
        };
        let Some(api) = self.catalog.get(spot.api) else { return };
        let ledger = &mut self.gateways.at_mut(spot.gateway).ledger;
        ledger.issue(&api.id, now, what, now, Cause::Restore);
    }

    /// Ends every fault at once: from here on the API Manager is healthy. Changes on their way
    /// are completed, a stopped node is started, dead polls run again, and, where the switch says
    /// so, an operator repairs the artifact rows. The clock keeps its offset.
    pub fn lift_faults(&mut self, now: Instant) {
        self.advance(now);
        self.faults = SharedFaults::default();
        self.node = NodeOutage::default();
        self.clock.thaw();
        for environment in self.gateways.iter_mut() {
            environment.faults = Faults::default();
            environment.sessions.revive_polls();
        }
        while let Some(pending) = self.pending.pop() {
            self.catalog.carry_out(pending.spot, pending.effect, now);
        }
        self.access.readable_now(now);
        for told in self.access.take_late() {
            self.access_events().raise_told(&told, now);
        }
        if self.contract.switches.repair_rows && self.contract.keeps_events() {
            for api in 0..self.catalog.len() {
                for gateway in self.gateways.all() {
                    self.repair_row(Spot { api, gateway }, now);
                }
            }
        }
        let environments = self.gateways.iter_mut();
        environments.for_each(|environment| environment.ledger.readable_now(now));
    }

    fn repair_row(&mut self, spot: Spot, now: Instant) {
        let stamp = self.clock.row(now);
        let Some(api) = self.catalog.get(spot.api) else { return };
        let state = api.gateways.at(spot.gateway).state;
        let mut repaired = state;
        repaired.settle(stamp, false);
        if repaired.rows != state.rows {
            self.catalog.change_rows(spot, now, |rows| {
                *rows = repaired.rows;
                true
            });
        }
    }

    /// The faults that go on for a gateway, each wrong answer by itself.
    pub fn armed(&self, gateway: GatewayIndex, now: Instant) -> Vec<Armed> {
        let faults = &self.gateways.at(gateway).faults;
        let frozen = self.clock.is_frozen(now).then(|| "every stamp is the same".to_owned());
        let clock = ("freeze_stamps", frozen);
        let node = ("restart_manager", self.node.left(now));
        let answers = faults.answers.iter().map(|wrong| ("answer", wrong.left(now)));
        let all = faults.armed(now).into_iter().chain(self.faults.armed(now));
        let all = all.chain([clock, node]).chain(answers);
        all.filter_map(|(name, left)| left.map(|left| Armed { name, left })).collect()
    }

    /// Switches one fault off for every gateway; returns whether it was on anywhere. What it did
    /// so far stays done.
    pub fn disarm(&mut self, name: &str, now: Instant) -> bool {
        let is_on = self
            .gateways
            .all()
            .any(|one| self.armed(one, now).iter().any(|armed| armed.name == name));
        match name {
            "freeze_stamps" => self.clock.thaw(),
            "restart_manager" => self.node = NodeOutage::default(),
            _ => self.faults.disarm(name),
        }
        self.gateways.iter_mut().for_each(|environment| environment.faults.disarm(name));
        is_on
    }
}
