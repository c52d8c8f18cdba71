//! What is remembered of things that are gone is bounded (law 15): the oldest are evicted, and a
//! quarter of the bound with them, and counted. A late event can bring back only what ended before so many
//! others did, and later lists take away again what they cover.

use super::access::belief::Access;
use super::artifacts::Artifacts;
use super::durable::ObservedSet;
use crate::model::{ArtifactId, ArtifactWrite, ResourceId};
use crate::time::Instant;

/// Evicts what is more than `gone_max`; returns how much.
pub(super) fn evict_the_oldest(
    artifacts: &mut Artifacts,
    access: &mut Access,
    observed: &mut ObservedSet,
    gone_max: usize,
) -> u64 {
    let mut evicted = 0;
    if artifacts.counts.gone() > gone_max {
        evicted += evict_artifacts(artifacts, observed, gone_max);
    }
    if access.gone() > gone_max {
        evicted += evict_access(access, observed, gone_max);
    }
    evicted
}

fn evict_artifacts(artifacts: &mut Artifacts, observed: &mut ObservedSet, gone_max: usize) -> u64 {
    let ids = artifacts.counts.gone_ids();
    let known = |id: &ArtifactId| Some((artifacts.beliefs.get(id)?.known_at, id.clone()));
    let oldest = oldest(ids.filter_map(known).collect(), gone_max);
    for id in &oldest {
        artifacts.beliefs.remove(id);
        artifacts.counts.set(id, None);
        if observed.latest(id) != (None, None) {
            observed.write(id.clone(), ArtifactWrite::Forget);
        }
    }
    oldest.len() as u64
}

fn evict_access(access: &mut Access, observed: &mut ObservedSet, gone_max: usize) -> u64 {
    let gone = access.iter().filter(|(_, belief)| belief.is_forgettable());
    let gone: Vec<(Instant, ResourceId)> =
        gone.map(|(id, belief)| (belief.known_at, id.clone())).collect();
    let oldest = oldest(gone, gone_max);
    let count = oldest.len() as u64;
    for id in oldest {
        access.forget(id, observed);
    }
    count
}

/// The oldest, so that three quarters of what may be remembered are left.
fn oldest<Id: Ord>(mut gone: Vec<(Instant, Id)>, gone_max: usize) -> Vec<Id> {
    gone.sort();
    let count = gone.len().saturating_sub(gone_max - gone_max / 4);
    gone.into_iter().take(count).map(|(_, id)| id).collect()
}
