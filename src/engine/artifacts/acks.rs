//! The ack ledger: acks owed, released when what they say is durable (law 8).

use std::collections::{BTreeMap, VecDeque};

use crate::model::{Ack, AckAction, AckStatus, ArtifactId, DeployState, Row};
use crate::time::Instant;

use super::belief::{ArtifactBelief, Intent};

/// An ack that waits for its truth.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Owed {
    ack: Ack,
    failed_sent: bool,
    /// A list asked for at this instant or later tells whether what was deleted is back.
    told_at: Instant,
}

/// Acks owed by artifact, and those that are due at this moment.
///
/// An ack becomes due only while a session is live, so that it is still true when it is sent.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct AckLedger {
    owed: BTreeMap<ArtifactId, Vec<Owed>>,
    count: usize,
    due: VecDeque<Ack>,
    /// How many were dropped because too many were owed.
    pub(in crate::engine) dropped: u64,
    /// How many were never sent because their artifact moved on.
    pub(in crate::engine) superseded: u64,
}

impl AckLedger {
    /// Owes an ack for an event; a redelivered event does not owe it twice.
    /// Past `owed_max` it is dropped and counted. A list asked for at `told_at` or later tells
    /// whether something deleted is back.
    pub(in crate::engine) fn owe(&mut self, ack: Ack, told_at: Instant, owed_max: usize) {
        let known = self.owed.get(&ack.artifact).map_or(&[][..], Vec::as_slice);
        if known.iter().any(|known| known.ack == ack) {
            return;
        }
        if self.count >= owed_max {
            self.dropped += 1;
            return;
        }
        self.count += 1;
        let owed = self.owed.entry(ack.artifact.clone()).or_default();
        owed.push(Owed { ack, failed_sent: false, told_at });
    }

    /// The artifacts that acks are owed for.
    pub(in crate::engine) fn artifacts(&self) -> impl Iterator<Item = &ArtifactId> {
        self.owed.keys()
    }

    /// Whether an ack is owed for an artifact.
    pub(in crate::engine) fn owes(&self, id: &ArtifactId) -> bool {
        self.owed.contains_key(id)
    }

    /// Releases what has become true of an artifact and drops what no longer can. `listed_at` is
    /// when the last complete list was asked for.
    pub(in crate::engine) fn settle(
        &mut self,
        id: &ArtifactId,
        belief: &ArtifactBelief,
        durable: Option<&Row>,
        listed_at: Option<Instant>,
    ) {
        let Some(owed) = self.owed.get_mut(id) else { return };
        let before = owed.len();
        owed.retain(|item| {
            let is_told = listed_at >= Some(item.told_at);
            match verdict(&item.ack, belief, durable, is_told) {
                Verdict::True => self.due.push_back(item.ack.clone()),
                Verdict::Waits => return true,
                Verdict::Superseded => self.superseded += 1,
            }
            false
        });
        self.count -= before - owed.len();
        if owed.is_empty() {
            self.owed.remove(id);
        }
    }

    /// Says once of every deploy owed for an artifact that it failed; it stays owed, because the
    /// work goes on.
    pub(in crate::engine) fn fail(&mut self, id: &ArtifactId) {
        for item in self.owed.get_mut(id).into_iter().flatten() {
            if item.ack.action == AckAction::Deploy && !item.failed_sent {
                item.failed_sent = true;
                self.due.push_back(Ack { status: AckStatus::Failed, ..item.ack.clone() });
            }
        }
    }

    /// The next ack to send.
    pub(in crate::engine) fn pop_due(&mut self) -> Option<Ack> {
        self.due.pop_front()
    }
}

enum Verdict {
    True,
    Waits,
    Superseded,
}

fn verdict(ack: &Ack, belief: &ArtifactBelief, durable: Option<&Row>, is_told: bool) -> Verdict {
    match ack.action {
        AckAction::Deploy => {
            if belief.intent != Intent::Deployed {
                // A deploy of something deleted waits for a read to tell whether it is back.
                let may_return = belief.intent == Intent::Deleted && !is_told;
                return if may_return { Verdict::Waits } else { Verdict::Superseded };
            }
            if belief.generation.deployment != ack.deployment {
                return Verdict::Superseded;
            }
            let is_true = durable.is_some_and(|row| {
                row.is_served()
                    && row.generation.deployment == ack.deployment
                    && row.generation.performed_at == belief.generation.performed_at
            });
            if is_true { Verdict::True } else { Verdict::Waits }
        }
        AckAction::Undeploy => {
            if belief.withdrawal.is_some() {
                return Verdict::Waits;
            }
            if belief.intent == Intent::Deployed {
                return Verdict::Superseded;
            }
            let is_true = durable.is_none_or(|row| row.state == DeployState::Undeployed);
            if is_true { Verdict::True } else { Verdict::Waits }
        }
    }
}
