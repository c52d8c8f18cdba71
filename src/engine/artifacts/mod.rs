//! Artifacts: what is believed of them, and how events, lists and answers change that.
//!
//! `events` and `list` turn what the control plane says into beliefs; `withdrawal` holds back what
//! says that something goes; `fetch` and `existence` ask about single artifacts; [`reconcile`] is
//! the pure comparison with what is durable, and `acks` says of each event what became of it.

pub(super) mod acks;
pub(super) mod belief;
pub(super) mod events;
pub(super) mod existence;
pub(super) mod fetch;
pub(super) mod fetch_queue;
pub(super) mod list;
pub mod reconcile;
pub(super) mod withdrawal;

use std::collections::BTreeSet;

use super::status::counts::{ArtifactCounts, Counts};
use acks::AckLedger;
use belief::{ArtifactBeliefs, Intent};
use existence::ExistenceChecks;
use fetch_queue::FetchQueue;
use reconcile::{Task, plan_one};

use super::config::Config;
use super::durable::ObservedSet;
use crate::model::{ArtifactId, ArtifactWrite};
use crate::time::Instant;

/// What is believed of artifacts, and what is under way for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Artifacts {
    /// What the control plane is believed to want.
    pub(super) beliefs: ArtifactBeliefs,
    /// Definitions to read.
    pub(super) queue: FetchQueue,
    /// Artifacts whose existence is in question.
    pub(super) existence: ExistenceChecks,
    /// Acks owed.
    pub(super) acks: AckLedger,
    /// How artifacts stand.
    pub(super) counts: ArtifactCounts,
    /// Artifacts to be reconciled before this input is over.
    pub(super) touched: BTreeSet<ArtifactId>,
    /// How many lists were merged.
    pub(super) lists_merged: u64,
    /// The artifact up to which definitions were read again in this round.
    pub(super) scrubbed: Option<ArtifactId>,
}

impl Artifacts {
    /// Brings one artifact's reading, writes and counts in line with the plan.
    pub(super) fn reconcile(
        &mut self,
        id: &ArtifactId,
        observed: &mut ObservedSet,
        config: &Config,
    ) {
        let Some(belief) = self.beliefs.get(id) else { return };
        let (row, tombstone) = observed.latest(id);
        match plan_one(belief, row, tombstone, config.read_lag_max) {
            Some(Task::Fetch { due }) => {
                let deployment = belief.generation.deployment.as_ref();
                let deployment = deployment.filter(|_| !belief.is_asked_for());
                self.queue.want(id, belief.kind, deployment, belief.epoch, due);
            }
            Some(Task::Write(row)) => {
                observed.write(id.clone(), ArtifactWrite::Put { row, content: None });
                self.reconcile(id, observed, config);
            }
            Some(Task::Bury(tombstone)) => {
                self.queue.drop_job(id);
                observed.write(id.clone(), ArtifactWrite::Bury(tombstone));
            }
            None => self.queue.drop_job(id),
        }
    }

    /// Releases the acks that have become true of one artifact, and says of deployments whose
    /// definition could not be read that often that they failed. `listed_at` is when the last
    /// complete list of this session was asked for.
    pub(super) fn settle_acks(
        &mut self,
        id: &ArtifactId,
        observed: &ObservedSet,
        config: &Config,
        listed_at: Option<Instant>,
    ) {
        if !self.acks.owes(id) {
            return;
        }
        if let Some(belief) = self.beliefs.get(id) {
            self.acks.settle(id, belief, observed.durable().rows.get(id), listed_at);
        }
        if self.queue.get(id).is_some_and(|job| job.attempts >= config.ack_failure_attempts) {
            self.acks.fail(id);
        }
    }

    /// Counts one artifact anew after something about it changed.
    pub(super) fn recount(&mut self, id: &ArtifactId, observed: &ObservedSet) {
        let share = self.beliefs.get(id).map(|belief| {
            let is_pending = self.queue.get(id).is_some()
                || !observed.is_settled(id)
                || belief.withdrawal.is_some()
                || self.existence.is_wanted(id);
            let is_held = belief.intent != Intent::Deleted && observed.latest_row(id).is_some();
            let is_served = observed.is_served(id);
            let is_missing = belief.presence.is_absent();
            let is_doubtful = belief.doubt.is_some();
            let is_settled = !is_pending && !is_missing && !is_doubtful;
            let counts = Counts {
                held: usize::from(is_served),
                retained: usize::from(is_held && !is_served),
                gone: usize::from(!is_held && !is_served && is_settled),
                pending: usize::from(is_pending),
                doubtful: usize::from(is_doubtful),
                missing: usize::from(is_missing),
                unlisted: 0,
            };
            (belief.kind, counts)
        });
        self.counts.set(id, share);
    }

    /// Whether an artifact is believed to be deleted: no key or subscription is its own any more.
    pub(super) fn is_deleted(&self, id: &ArtifactId) -> bool {
        self.beliefs.get(id).is_some_and(|belief| belief.intent == Intent::Deleted)
    }

    /// Whether the last list that was merged has the artifact.
    pub(super) fn is_listed(&self, id: &ArtifactId) -> bool {
        let last = self.lists_merged;
        last > 0 && self.beliefs.get(id).is_some_and(|belief| belief.listed_in == last)
    }
}
