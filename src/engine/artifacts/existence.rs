//! The existence check: whether what is not deployed here still exists at all (law 4, FB-10).

use std::collections::BTreeMap;
use std::time::Duration;

use super::Artifacts;
use super::belief::Intent;
use crate::engine::config::Config;
use crate::model::ArtifactId;
use crate::time::Instant;

/// Artifacts whose existence is in question, each with when to ask.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct ExistenceChecks {
    wanted: BTreeMap<ArtifactId, Instant>,
}

impl ExistenceChecks {
    /// Wants to know, at `at` or later, whether an artifact exists.
    pub(in crate::engine) fn want(&mut self, id: &ArtifactId, at: Instant) {
        let wanted = self.wanted.entry(id.clone()).or_insert(at);
        *wanted = (*wanted).max(at);
    }

    /// Whether the artifact's existence is in question.
    pub(in crate::engine) fn is_wanted(&self, id: &ArtifactId) -> bool {
        self.wanted.contains_key(id)
    }

    /// When the next check is due. A moment's wait gathers what becomes due together into one
    /// request.
    pub(in crate::engine) fn next_due(&self, gathering: Duration) -> Option<Instant> {
        self.wanted.values().min().map(|at| at.after(gathering))
    }

    /// What to ask about now, at most `size_max` artifacts.
    pub(in crate::engine) fn due(&self, now: Instant, size_max: usize) -> Vec<ArtifactId> {
        let due = self.wanted.iter().filter(|(_, at)| **at <= now);
        due.map(|(id, _)| id.clone()).take(size_max).collect()
    }

    /// The control plane has no such check; returns what was in question.
    pub(in crate::engine) fn drop_all(&mut self) -> impl Iterator<Item = ArtifactId> + use<> {
        std::mem::take(&mut self.wanted).into_keys()
    }

    /// The check failed: nothing is removed, and it is asked again at `retry_at` (FB-08).
    pub(in crate::engine) fn failed(&mut self, asked: &[ArtifactId], retry_at: Instant) {
        for id in asked {
            self.wanted.insert(id.clone(), retry_at);
        }
    }
}

impl Artifacts {
    /// Takes the answers of a check in. Only a definite "no" removes; what the answer leaves out
    /// is asked again (C-H05).
    pub(in crate::engine) fn existence_answered(
        &mut self,
        asked: &[ArtifactId],
        answers: &[(ArtifactId, bool)],
        asked_at: Instant,
        config: &Config,
        now: Instant,
    ) {
        for id in asked {
            self.existence.wanted.remove(id);
            self.touched.insert(id.clone());
            let known = self.beliefs.get(id);
            let Some(known) = known.filter(|known| known.intent == Intent::Undeployed) else {
                continue;
            };
            let settled_at = known.settled_at(config.read_lag_max);
            let answer = answers.iter().find(|(named, _)| named == id).map(|(_, exists)| *exists);
            match answer {
                Some(true) => {}
                Some(false) if asked_at >= settled_at => {
                    self.beliefs.update(id, |belief| belief.intend(Intent::Deleted, now));
                }
                Some(false) => self.existence.want(id, settled_at),
                None => self.existence.want(id, now.after(config.backoff_max)),
            }
        }
    }
}
