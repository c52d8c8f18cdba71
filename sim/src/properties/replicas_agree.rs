//! `replicas_agree`: what a gateway ends with depends on what APIM said, not on how it learnt it.
//!
//! Wherever a world has several gateways of one organization, they must end with the same of what
//! is deployed on both, as far as lists can tell them.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::model::{
    ArtifactId, ContentDigest, Credential, Dialect, KeySlot, Resource, ResourceId,
};
use driftless_gateway::time::Instant;

use crate::observe::Served;
use crate::properties::Violation;
use crate::story::aim::{GatewayIndex, OrganizationIndex};

/// What a gateway has at the end of a run.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The gateway's name.
    pub name: String,
    /// Which gateway it is.
    pub index: GatewayIndex,
    /// The organization that it belongs to.
    pub organization: OrganizationIndex,
    /// What it serves, by artifact.
    pub served: BTreeMap<ArtifactId, Served>,
    /// The keys, subscriptions, plans and applications in force.
    pub held: BTreeMap<ResourceId, Resource>,
    /// What is deployed on it.
    pub wanted: BTreeMap<ArtifactId, ContentDigest>,
}

/// The first two gateways of one organization that hold something else of what both must hold.
pub fn first_disagreement(
    replicas: &[Replica],
    dialect: Dialect,
    at: Instant,
) -> Option<Violation> {
    replicas.iter().enumerate().find_map(|(place, replica)| {
        let mut before = replicas.iter().take(place);
        let first = before.find(|other| other.organization == replica.organization)?;
        let subject = first.difference(replica, dialect)?;
        Some(Violation {
            property: "replicas_agree",
            gateway: Some(replica.name.clone()),
            at,
            subject,
            expected: format!("the same as at the gateway {}", first.name),
            found: "something else".to_owned(),
            cause: None,
            last_events: Vec::new(),
        })
    })
}

impl Replica {
    /// What of `common` lists tell of it: an APIM of artifacts, once fixed also of the keys of one
    /// API, the Platform API of everything.
    fn told_by_lists(
        &self,
        dialect: Dialect,
        common: &BTreeSet<&ArtifactId>,
    ) -> BTreeMap<&ResourceId, Resource> {
        let is_common = |id: &ArtifactId| common.contains(id) && self.served.contains_key(id);
        let held = self.held.iter().filter_map(|(id, held)| match (dialect, id, held) {
            (Dialect::Apim470, ..) => None,
            (_, ResourceId::ApiKey(artifact, _), Resource::ApiKey(slot)) => {
                let is_listed =
                    |key: &&Credential| dialect != Dialect::Apim470Fixed || key.is_listable;
                let credentials = slot.credentials.iter().filter(is_listed).cloned().collect();
                let slot = KeySlot { credentials };
                let is_told = is_common(artifact) && !slot.credentials.is_empty();
                is_told.then(|| (id, Resource::ApiKey(as_listed(&slot))))
            }
            (Dialect::Apim470Fixed, ..) => None,
            (_, _, Resource::Subscription(subscription)) => {
                is_common(&subscription.artifact).then(|| (id, held.clone()))
            }
            (_, ResourceId::Plan(_), _) => Some((id, held.clone())),
            _ => None,
        });
        held.collect()
    }

    /// The first thing that is otherwise, of what is deployed alike on both.
    fn difference(&self, other: &Self, dialect: Dialect) -> Option<String> {
        let alike =
            |(id, digest): &(&ArtifactId, &ContentDigest)| other.wanted.get(*id) == Some(*digest);
        let common: BTreeSet<&ArtifactId> =
            self.wanted.iter().filter(alike).map(|(id, _)| id).collect();
        // Deployment ids differ from gateway to gateway (§5.2).
        let served = |of: &Self, id: &ArtifactId| of.served.get(id).map(|served| served.digest);
        if let Some(id) = common.iter().find(|id| served(self, id) != served(other, id)) {
            return Some(id.to_string());
        }
        let own = self.told_by_lists(dialect, &common);
        let others = other.told_by_lists(dialect, &common);
        let mut ids = own.keys().chain(others.keys());
        let differs = ids.find(|id| own.get(*id) != others.get(*id));
        differs.map(ToString::to_string)
    }
}

/// Keys without what only the first word about them decides.
fn as_listed(slot: &KeySlot) -> KeySlot {
    let keys = slot.credentials.iter();
    let plain =
        |key: &Credential| Credential { created_at: None, is_listable: true, ..key.clone() };
    KeySlot { credentials: keys.map(plain).collect() }
}
