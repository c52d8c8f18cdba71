//! What is remembered of things that are gone is bounded (law 15): the oldest endings are
//! forgotten, a quarter at a time, and counted. A late event can bring back only what ended before
//! so many others did, and the next complete list takes it away again.

use super::Engine;
use crate::model::{ArtifactId, ArtifactWrite, ResourceId};
use crate::time::Instant;

impl Engine {
    /// Forgets what is more than the limit.
    pub(super) fn forget_the_oldest(&mut self) {
        if self.artifact_counts.gone() > self.config.gone_max {
            self.forget_artifacts();
        }
        if self.roster.gone() > self.config.gone_max {
            self.forget_resources();
        }
    }

    fn forget_artifacts(&mut self) {
        let ids = self.artifact_counts.gone_ids();
        let known = |id: &ArtifactId| Some((self.desired.get(id)?.known_at, id.clone()));
        let mut gone: Vec<(Instant, ArtifactId)> = ids.filter_map(known).collect();
        gone.sort();
        for (_, id) in gone.into_iter().take(self.config.gone_max / 4 + 1) {
            self.desired.remove(&id);
            self.artifact_counts.set(&id, None);
            if self.observed.latest(&id) != (None, None) {
                self.observed.write(id, ArtifactWrite::Forget);
            }
            self.surfaced.endings_forgotten += 1;
        }
    }

    fn forget_resources(&mut self) {
        let gone = self.roster.iter().filter(|(_, belief)| belief.is_gone());
        let mut gone: Vec<(Instant, ResourceId)> =
            gone.map(|(id, belief)| (belief.learnt, id.clone())).collect();
        gone.sort();
        for (_, id) in gone.into_iter().take(self.config.gone_max / 4 + 1) {
            self.roster.set(&id, None);
            self.observed.write_resource(id, None);
            self.surfaced.endings_forgotten += 1;
        }
    }
}
