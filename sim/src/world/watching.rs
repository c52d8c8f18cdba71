//! Watching a gateway: what it serves, holds, asks, logs and says of itself, when it was
//! disturbed, and who is told of it: the trace, the marks, the properties and the story's triggers.

use std::collections::BTreeMap;

use driftless_gateway::engine::{Config, StatusKind, SyncState};
use driftless_gateway::model::{Dialect, Kind, SessionId};
use driftless_gateway::time::Instant;

use super::gateway::host::{Awaited, Host};
use super::gateway::process::ServedChange;
use super::marking::{Marking, Reached};
use super::schedule::Schedule;
use crate::apim::Ledger;
use crate::observe::{Context, ErrorWatch, History, Observation, Phase, Trace, with_names};
use crate::plant::Plant;
use crate::properties::{self, Claims, Property, Verdicts};
use crate::story::aim::GatewayIndex;
use crate::story::file::{Expect, Scenario};
use crate::story::step::Observable;

/// The limits that properties hold a gateway to, whatever a planted defect makes of its own.
static PROMISED: Config = Config::recommended();

/// Whoever is told of all gateways, and what everybody is told of the run.
pub(super) struct Watchers<'t> {
    /// The log of the run.
    pub(super) trace: Trace<'t>,
    /// The situations that were reached.
    pub(super) marks: Reached,
    /// What is logged at level ERROR.
    pub(super) errors: ErrorWatch,
    /// Which part of the run this is.
    pub(super) phase: Phase,
    /// The contract that APIM speaks.
    pub(super) dialect: Dialect,
    /// The planted defect.
    pub(super) plant: Option<Plant>,
}

impl Watchers<'_> {
    /// What properties may look at of a gateway.
    pub(super) fn context<'a>(
        &self,
        host: &'a Host,
        ledger: &'a Ledger,
        now: Instant,
    ) -> Context<'a> {
        Context {
            now,
            ledger,
            engine: host.gateway.engine(),
            config: &PROMISED,
            served: &host.served,
            heard: &host.heard,
            held: host.gateway.view().held(),
            holders: host.gateway.view().holders(),
            snapshot: host.gateway.snapshot(),
            dialect: self.dialect,
            committed: &host.gateway.committed,
            disturbed_at: host.disturbed_at,
            phase: self.phase,
            claims_synced: self.plant == Some(Plant::LyingStatus),
        }
    }
}

/// What may be touched when something is seen at a gateway.
pub(super) struct Watch<'a, 't> {
    /// The gateway, and what is noted about it.
    pub(super) host: &'a mut Host,
    /// What was issued to it.
    pub(super) ledger: &'a Ledger,
    /// The time, and the triggers that wait for what is seen.
    pub(super) schedule: &'a mut Schedule,
    /// Whoever is told of it.
    pub(super) watchers: &'a mut Watchers<'t>,
}

impl Watch<'_, '_> {
    /// Something happened at the gateway.
    pub(super) fn record(
        &mut self,
        who: &'static str,
        what: &'static str,
        bytes: &[u8],
        detail: impl FnOnce() -> String,
    ) {
        let (gateway, now) = (self.host.index, self.schedule.now());
        let ledger = self.ledger;
        let named = || with_names(ledger, detail());
        self.watchers.trace.record(gateway, now, who, what, bytes, named);
    }

    /// A situation was reached.
    pub(super) fn mark(&mut self, mark: &'static str) {
        self.watchers.marks.mark(mark);
    }

    /// Notes the situations that it meets.
    pub(super) const fn marking(&mut self) -> Marking<'_> {
        Marking { host: self.host, ledger: self.ledger, marks: &mut self.watchers.marks }
    }

    /// Something observable happened: triggers that wait for it come closer.
    pub(super) fn observe(&mut self, seen: impl FnOnce() -> Observable) {
        self.schedule.observe(self.host.name.as_deref(), seen);
    }

    /// Lets those who judge the gateway look at it.
    fn judge(&mut self, mut judge: impl FnMut(&mut dyn Property, &Context<'_>, &mut Verdicts)) {
        let mut judges = std::mem::take(&mut self.host.properties);
        let mut verdicts = std::mem::take(&mut self.host.verdicts);
        let context = self.watchers.context(self.host, self.ledger, self.schedule.now());
        for property in &mut judges {
            judge(property.as_mut(), &context, &mut verdicts);
        }
        self.host.properties = judges;
        self.host.verdicts = verdicts;
    }

    /// Shows something that happened to every property that judges the gateway.
    pub(super) fn show(&mut self, observation: &Observation<'_>) {
        self.judge(|property, context, verdicts| {
            if property.looks_at(observation) {
                property.look(context, observation, verdicts);
            }
        });
    }

    /// Lets every property look at the passing of time.
    pub(super) fn tick(&mut self) {
        self.watch_snapshot();
        self.judge(|property, context, verdicts| property.tick(context, verdicts));
    }

    /// The run came to rest.
    pub(super) fn rest(&mut self) {
        self.watch_snapshot();
        let context = self.watchers.context(self.host, self.ledger, self.schedule.now());
        let differences = properties::differences(&context);
        self.show(&Observation::Rest(&differences));
    }

    /// The run came to its end.
    pub(super) fn end(&mut self) {
        self.show(&Observation::End);
    }

    /// Checks claims of the story, with what was seen of the gateway.
    fn claim(&mut self, check: impl FnOnce(&Context<'_>, &History, &mut Verdicts)) {
        let mut verdicts = std::mem::take(&mut self.host.verdicts);
        let context = self.watchers.context(self.host, self.ledger, self.schedule.now());
        check(&context, &self.host.history, &mut verdicts);
        self.host.verdicts = verdicts;
    }

    /// Checks what the story claims about requests made at that time, which is now.
    pub(super) fn check_access(&mut self, story: &Scenario, at_ms: u64) {
        let name = self.host.name.clone();
        self.claim(|context, history, verdicts| {
            for expect in story.expect.of(name.as_deref()) {
                Claims { expect, history }.check_access(context, Some(at_ms), verdicts);
            }
        });
    }

    /// Checks what the story claims of the gateway; of faults, once for all gateways.
    pub(super) fn check_all_claims(
        &mut self,
        story: &Scenario,
        delivered: &BTreeMap<&'static str, u64>,
    ) {
        let (index, name) = (self.host.index, self.host.name.clone());
        self.claim(|context, history, verdicts| {
            for expect in story.expect.of(name.as_deref()) {
                Claims { expect, history }.check(context, verdicts);
            }
            if index == GatewayIndex::FIRST {
                let claims = Claims { expect: &story.expect, history };
                claims.check_delivered(context, delivered, verdicts);
            }
        });
    }

    /// Notes when the snapshot was swapped for another one.
    fn watch_snapshot(&mut self) {
        let version = self.host.gateway.snapshot().version();
        let seen = std::mem::replace(&mut self.host.swaps_seen, version);
        if version != seen {
            self.marking().swapped();
        }
    }

    /// Looks at what is served, and shows what changed.
    pub(super) fn watch_served(&mut self) {
        let is_up = self.host.gateway.engine().is_some();
        let is_cut_off =
            self.host.sabotage.is(Plant::ServesOnlyConnected) && is_up && !self.host.is_live();
        let changes = if is_cut_off {
            self.host.gateway.look_again();
            let served = self.host.served.iter();
            let withdrawn = served.map(|(id, served)| ServedChange {
                artifact: id.clone(),
                before: Some(served.clone()),
                after: None,
            });
            withdrawn.collect()
        } else {
            self.host.gateway.served_changes(&self.host.served)
        };
        for change in &changes {
            match &change.after {
                Some(after) => self.host.served.insert(change.artifact.clone(), after.clone()),
                None => self.host.served.remove(&change.artifact),
            };
        }
        for change in &changes {
            self.served_changed(change);
        }
    }

    /// What is served of one artifact changed.
    fn served_changed(&mut self, change: &ServedChange) {
        let ServedChange { artifact: id, before, after } = change;
        if after.is_some() {
            self.host.history.ever_served.insert(id.clone());
        } else if self.host.gateway.engine().is_some() {
            self.host.history.interrupted.entry(id.clone()).or_insert(self.schedule.now());
        }
        self.marking().label(id, after.as_ref());
        let (before, after) = (before.as_ref(), after.as_ref());
        self.show(&Observation::Served { artifact: id, before, after });
        let digest = after.map(|served| served.digest.0);
        let what = if after.is_some() { "serves" } else { "withdraws" };
        let record = self.ledger.record(id);
        let name = || record.map(|record| record.name.to_string());
        let detail = || match after {
            Some(served) => format!(
                "api={} artifact={id} content={}",
                name().unwrap_or_default(),
                served.digest
            ),
            None => format!("api={} artifact={id}", name().unwrap_or_default()),
        };
        self.record("engine", what, &digest.unwrap_or_default(), detail);
    }

    /// Looks at keys, subscriptions, plans and applications in force, and shows what changed.
    pub(super) fn watch_held(&mut self) {
        for change in self.host.gateway.untold() {
            self.marking().held(&change);
            let what = match (&change.before, &change.after) {
                (None, _) => "holds",
                (Some(_), Some(_)) => "replaces",
                (Some(_), None) => "drops",
            };
            let id = change.id.to_string();
            self.record("engine", what, id.as_bytes(), || id.clone());
            self.show(&Observation::Held(&change));
        }
    }

    /// Shows every line at level ERROR.
    pub(super) fn watch_errors(&mut self) {
        if self.watchers.errors.is_quiet() {
            return;
        }
        for line in self.watchers.errors.take() {
            self.show(&Observation::ErrorLogged(&line));
        }
    }

    /// Notes when something last went wrong between the gateway and APIM, or in the machine;
    /// `at_apim` is how many faults of APIM's took effect on the gateway.
    pub(super) fn watch_disturbances(&mut self, at_apim: u64) {
        let is_live = self.host.is_live();
        let faults = self.host.fault_total() + at_apim;
        if !is_live || faults != self.host.faults_seen {
            self.host.faults_seen = faults;
            self.host.disturbed_at = self.schedule.now();
        }
        if is_live && !self.host.was_live {
            self.observe(|| Observable::State("live".to_owned()));
        }
        if self.host.was_live && !is_live && self.host.listing {
            self.mark("session_lost_during_list");
        }
        self.host.was_live = is_live;
    }

    /// Notes every state that the gateway's status had, of REST APIs and of what is claimed.
    pub(super) fn watch_state(&mut self, expect: &Expect) {
        let Some(engine) = self.host.gateway.engine() else { return };
        let kind = StatusKind::Artifact(Kind::RestApi);
        let state = engine.state(kind);
        let claimed = expect.was_status.iter().map(|claim| claim.kind);
        for kind in claimed.filter(|kind| !matches!(kind, StatusKind::Artifact(_))) {
            self.host.history.states.insert((kind, engine.state(kind)));
        }
        let is_news =
            self.host.last_state != Some(state) && self.host.history.states.insert((kind, state));
        self.host.last_state = Some(state);
        if is_news && state == SyncState::Synced {
            self.observe(|| Observable::State("synced".to_owned()));
        }
    }

    /// The gateway asked for something.
    pub(super) fn asked(&mut self, what: &'static str) {
        *self.host.history.asked.entry(what).or_insert(0) += 1;
        self.show(&Observation::Asked(what));
        self.observe(|| Observable::Action(what.to_owned()));
    }

    /// The gateway wants a session.
    pub(super) fn note_dial(&mut self, session: SessionId, path: &str) {
        self.asked("open_session");
        self.record("engine", "open_session", path.as_bytes(), || {
            format!("session={session} path={path}")
        });
    }

    /// A request that is waited for will not be answered.
    pub(super) fn given_up(&mut self, asked: &Awaited) {
        if asked.name == "read_keys" {
            self.mark("reconnect_during_key_list");
        }
    }
}
