//! The existence check: whether what is not deployed here still exists at all (law 4, FB-10).

use crate::engine::action::Request;
use crate::engine::artifacts::belief::Intent;
use crate::engine::{Asked, Engine};
use crate::model::ArtifactId;
use crate::time::Instant;

impl Engine {
    /// When the next check is due; never in a dialect that has none (FB-09).
    pub(in crate::engine) fn existence_due(&self) -> Option<Instant> {
        if self.existence.is_empty() {
            return None;
        }
        let is_asking = self.requests.values().any(|asked| matches!(asked.what, Asked::Exists(_)));
        if !self.has_existence_check() || is_asking {
            return None;
        }
        // A moment's wait gathers what becomes due together into one request.
        self.existence.values().min().map(|at| at.after(self.config.list_spacing))
    }

    /// Wants to know, at `at` or later, whether an artifact exists; in vain where the dialect has
    /// no check.
    pub(in crate::engine) fn want_existence(&mut self, id: &ArtifactId, at: Instant) {
        if self.has_existence_check() {
            let wanted = self.existence.entry(id.clone()).or_insert(at);
            *wanted = (*wanted).max(at);
        }
    }

    /// Whether the control plane answers `POST /artifacts/exists`. APIM does not, and its 404 is a
    /// missing route, not an answer (FB-09).
    pub(in crate::engine) fn has_existence_check(&self) -> bool {
        self.is_platform()
    }

    /// Asks about what is due, in one request at a time.
    pub(in crate::engine) fn launch_existence(&mut self, now: Instant) {
        if self.existence_due().is_none_or(|due| due > now) {
            return;
        }
        let due: Vec<ArtifactId> = self
            .existence
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| id.clone())
            .take(self.config.batch_size_max)
            .collect();
        self.ask(Request::CheckExists(due.clone()), Asked::Exists(due), now);
    }

    /// Only a definite "no" removes; what the answer leaves out is asked again (C-H05).
    pub(in crate::engine) fn existence_answered(
        &mut self,
        asked: &[ArtifactId],
        answers: &[(ArtifactId, bool)],
        asked_at: Instant,
        now: Instant,
    ) {
        let lag = self.config.read_lag_max;
        for id in asked {
            self.existence.remove(id);
            self.touched.insert(id.clone());
            let answer = answers.iter().find(|(named, _)| named == id).map(|(_, exists)| *exists);
            let Some(known) = self.desired.get(id).filter(|d| d.intent == Intent::Undeployed)
            else {
                continue;
            };
            match answer {
                Some(true) => {}
                Some(false) if asked_at >= known.settled_at(lag) => {
                    self.desired.update(id, |desired| desired.intend(Intent::Deleted, now));
                }
                Some(false) => {
                    self.existence.insert(id.clone(), known.settled_at(lag));
                }
                None => {
                    self.existence.insert(id.clone(), now.after(self.config.backoff_max));
                }
            }
        }
    }

    /// The check failed: nothing is removed, and it is asked again (FB-08).
    pub(in crate::engine) fn existence_failed(&mut self, asked: &[ArtifactId], now: Instant) {
        let retry =
            now.after(self.config.backoff_max / 2 + self.jitter.up_to(self.config.backoff_max / 2));
        for id in asked {
            self.existence.insert(id.clone(), retry);
        }
    }
}
