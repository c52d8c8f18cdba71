//! What was said to a gateway that may end something there, and what was handed out to it.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::model::{
    ArtifactId, ArtifactWrite, Batch, ContentDigest, DeployState, Event, ListedState, Recovered,
};
use driftless_gateway::wire::{self, ArchiveLimits, HttpRequest, HttpResponse};

/// What arrived, as far as a removal or a definition may rest on it. It counts what arrived
/// whether or not the engine could use it, so it allows too much rather than too little.
#[derive(Default)]
pub(super) struct Evidence {
    /// Artifacts of which something said that they are to go.
    ended: BTreeSet<ArtifactId>,
    /// How many complete lists lacked an artifact, of those that any list or event named.
    lacked: BTreeMap<ArtifactId, u32>,
    /// Definitions that were handed out.
    definitions: BTreeSet<ContentDigest>,
}

impl Evidence {
    /// A frame arrived.
    pub(super) fn heard(&mut self, frame: &[u8]) {
        match wire::decode_event(frame) {
            Ok(Event::Undeployed(head)) => drop(self.ended.insert(head.artifact)),
            Ok(Event::Deleted { artifact, .. }) => drop(self.ended.insert(artifact)),
            Ok(Event::Deployed(head)) => drop(self.lacked.entry(head.artifact).or_default()),
            _ => {}
        }
    }

    /// An answer arrived.
    pub(super) fn answered(&mut self, request: &HttpRequest, response: &HttpResponse) {
        let body = response.body.as_slice();
        let path = request.path.as_str();
        if response.status == 404 {
            let last = path.rsplit('/').next().unwrap_or_default();
            self.ended.insert(ArtifactId::new(last));
        }
        if response.status != 200 {
            return;
        }
        let limits = ArchiveLimits::recommended();
        let one = wire::decode_definition(body, &limits);
        self.definitions.extend(one.map(|content| content.digest));
        let batch = wire::decode_batch(body, &limits).into_iter().flatten();
        self.definitions.extend(batch.map(|packed| packed.content.digest));
        for (artifact, exists) in wire::decode_existence(body).into_iter().flatten() {
            if !exists {
                self.ended.insert(artifact);
            }
        }
        if path.ends_with("/deployments") {
            self.listed(body);
        }
    }

    fn listed(&mut self, body: &[u8]) {
        let Ok(listing) = wire::decode_listing(body) else { return };
        for row in &listing.rows {
            self.lacked.entry(row.artifact.clone()).or_default();
            if row.state == ListedState::Undeployed {
                self.ended.insert(row.artifact.clone());
            }
        }
        if listing.is_complete() {
            for (artifact, lacked) in &mut self.lacked {
                *lacked += u32::from(!listing.rows.iter().any(|row| row.artifact == *artifact));
            }
        }
    }

    /// Nothing is removed on absence alone, and nothing is served that nobody handed out (laws 3
    /// and 4).
    ///
    /// # Panics
    /// When the batch removes or serves something for which there is no evidence.
    pub(super) fn allows(&self, batch: &Batch, durable: &Recovered) {
        for (artifact, write) in &batch.artifacts {
            let was_served = durable.rows.get(artifact).is_some_and(|row| row.is_served());
            match write {
                ArtifactWrite::Put { row, .. } if row.state == DeployState::Deployed => {
                    let digest = row.held.map(|held| held.digest);
                    let is_known = digest.is_none_or(|digest| self.definitions.contains(&digest));
                    assert!(is_known, "{artifact} would serve what nobody handed out");
                }
                ArtifactWrite::Put { .. } if !was_served => {}
                ArtifactWrite::Forget => {}
                ArtifactWrite::Put { .. } | ArtifactWrite::Bury(_) => {
                    let lacked = self.lacked.get(artifact).copied().unwrap_or_default();
                    let is_told = self.ended.contains(artifact) || lacked >= 2;
                    assert!(is_told, "{artifact} would go, and nothing said so");
                }
            }
        }
    }
}
