//! What became of a list: when it is read next, and what its failure says.

use super::schedule::{ListId, Lists, Reading, Worth};
use crate::engine::access::belief::Access;
use crate::engine::artifacts::Artifacts;
use crate::engine::artifacts::belief::Intent;
use crate::engine::backoff::Jitter;
use crate::engine::config::Config;
use crate::engine::discovery::Discovery;
use crate::engine::evidence::settled_at;
use crate::engine::input::Failure;
use crate::model::{ArtifactId, Kind};
use crate::time::Instant;

/// Notes what became of lists.
pub(in crate::engine) struct ListOutcome<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) jitter: &'a mut Jitter,
    pub(in crate::engine) discovery: &'a Discovery,
    pub(in crate::engine) artifacts: &'a mut Artifacts,
    pub(in crate::engine) access: &'a mut Access,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) now: Instant,
}

impl ListOutcome<'_> {
    /// A list was read. This is noted before it is merged: what it leaves open wants another.
    pub(in crate::engine) fn succeeded(&mut self, id: &ListId, worth: Worth) -> Reading {
        let slack = self.jitter.up_to(self.config.resync_interval / 10);
        let next = self.now.after(self.config.resync_interval.saturating_sub(slack));
        self.lists.succeeded(id, worth, next)
    }

    /// A list failed. A missing route is a refusal like any other (law 14): a control plane that
    /// is still starting answers so (FB-71).
    pub(in crate::engine) fn failed(&mut self, id: &ListId, failure: &Failure) {
        match id {
            ListId::Subscriptions(artifact) if self.has_no_list(artifact, failure) => {
                self.lists.remove(id);
                if self.access.forget_absences(artifact) && self.discovery.has_existence_check() {
                    let at = settled_at(self.now, self.config.read_lag_max);
                    self.artifacts.existence.want(artifact, at);
                }
            }
            // Some builds list no keys of these kinds (`docs/controller.md` §2.5).
            ListId::Keys(Kind::WebSubApi | Kind::WebBrokerApi | Kind::Mcp)
                if matches!(failure, Failure::RouteMissing | Failure::Status(404)) =>
            {
                self.lists.absent(id);
            }
            _ => self.retry(id, failure),
        }
    }

    /// What is not deployed here may have no list of subscriptions; those that are held stay, and
    /// the list is read again once something about the artifact changes. Where some were missing,
    /// the artifact may be deleted, so whether it exists is asked.
    fn has_no_list(&self, artifact: &ArtifactId, failure: &Failure) -> bool {
        let known = self.artifacts.beliefs.get(artifact);
        known.is_none_or(|known| known.intent != Intent::Deployed)
            && matches!(
                failure,
                Failure::RouteMissing | Failure::Refused(403) | Failure::Status(404)
            )
    }

    fn retry(&mut self, id: &ListId, failure: &Failure) {
        let failures = self.lists.failures(id) + 1;
        let (min, max) = (self.config.backoff_min, self.config.backoff_max);
        let delay = self.jitter.backoff(failures, min, max);
        self.lists.failed(id, failure, self.now.after(delay));
    }
}
