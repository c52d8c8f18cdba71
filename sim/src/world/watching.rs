//! Watching the gateway: what it serves, holds, logs and says of itself, and when it was disturbed.

use std::rc::Rc;

use driftless_gateway::engine::{ResourceKind, SyncState};

use super::World;
use super::gateway::process::ServedChange;
use crate::observe::Observation;
use crate::plant::Plant;
use crate::story::step::Observable;

impl World<'_> {
    /// Looks at what is served, and shows what changed.
    pub(super) fn watch_served(&mut self) {
        let is_cut_off = self.site.sabotage.is(Plant::ServesOnlyConnected)
            && self.site.gateway.engine().is_some_and(|engine| !engine.is_live());
        let changes = if is_cut_off {
            self.site.gateway.look_again();
            let served = self.site.served.iter();
            let withdrawn = served.map(|(id, served)| ServedChange {
                artifact: id.clone(),
                before: Some(served.clone()),
                after: None,
            });
            withdrawn.collect()
        } else {
            self.site.gateway.served_changes(&self.site.served)
        };
        for change in &changes {
            match &change.after {
                Some(after) => self.site.served.insert(change.artifact.clone(), after.clone()),
                None => self.site.served.remove(&change.artifact),
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
            self.site.history.ever_served.insert(id.clone());
        } else if self.site.gateway.engine().is_some() {
            self.site.history.interrupted.entry(id.clone()).or_insert(self.now);
        }
        self.mark_label(id, after.as_ref());
        let (before, after) = (before.as_ref(), after.as_ref());
        self.show(&Observation::Served { artifact: id, before, after });
        let digest = after.map(|served| served.digest.0);
        let what = if after.is_some() { "serves" } else { "withdraws" };
        let name = || {
            self.manager.ledger(self.site.index).record(id).map(|record| record.name.to_string())
        };
        let detail = || match after {
            Some(served) => format!(
                "api={} artifact={id} content={}",
                name().unwrap_or_default(),
                served.digest
            ),
            None => format!("api={} artifact={id}", name().unwrap_or_default()),
        };
        self.trace.record(self.now, "engine", what, &digest.unwrap_or_default(), detail);
    }

    /// Looks at keys, subscriptions, plans and applications in force, and shows what changed.
    pub(super) fn watch_held(&mut self) {
        for change in self.site.gateway.untold() {
            self.mark_held(&change);
            let what = match (&change.before, &change.after) {
                (None, _) => "holds",
                (Some(_), Some(_)) => "replaces",
                (Some(_), None) => "drops",
            };
            let id = change.id.to_string();
            self.trace.record(self.now, "engine", what, id.as_bytes(), || id.clone());
            self.show(&Observation::Held(&change));
        }
    }

    /// Shows every line at level ERROR.
    pub(super) fn watch_errors(&mut self) {
        if self.errors.is_quiet() {
            return;
        }
        for line in self.errors.take() {
            self.show(&Observation::ErrorLogged(&line));
        }
    }

    /// Notes when something last went wrong between the gateway and APIM, or in the machine.
    pub(super) fn watch_disturbances(&mut self) {
        let is_live = self.site.gateway.engine().is_some_and(|engine| engine.is_live());
        let faults = self.fault_total();
        if !is_live || faults != self.site.faults_seen {
            self.site.faults_seen = faults;
            self.site.disturbed_at = self.now;
        }
        if is_live && !self.site.was_live {
            self.observe(|| Observable::State("live".to_owned()));
        }
        if self.site.was_live && !is_live && self.site.listing {
            self.mark("session_lost_during_list");
        }
        self.site.was_live = is_live;
    }

    /// Notes every state that the gateway's status had.
    pub(super) fn watch_state(&mut self) {
        if let Some(engine) = self.site.gateway.engine() {
            let kind = driftless_gateway::model::Kind::RestApi;
            let state = engine.state(ResourceKind::Artifact(kind));
            let said = (ResourceKind::Artifact(kind), state);
            let is_news =
                self.site.last_state != Some(state) && self.site.history.states.insert(said);
            self.site.last_state = Some(state);
            if is_news && state == SyncState::Synced {
                self.observe(|| Observable::State("synced".to_owned()));
            }
        }
        let story = Rc::clone(&self.story);
        if let Some(engine) = self.site.gateway.engine() {
            let claimed = story.expect.was_status.iter().map(|claim| claim.kind);
            for kind in claimed.filter(|kind| !matches!(kind, ResourceKind::Artifact(_))) {
                self.site.history.states.insert((kind, engine.state(kind)));
            }
        }
    }
}
