//! The end of a run: the gateways against each other, and what is left. Nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driftless_gateway::engine::StateDigest;
use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;

use super::gateway::host::Host;
use crate::apim::{ApiManager, Issued, Ledger, PerGateway};
use crate::properties::Violation;
use crate::properties::replicas_agree::{self, Replica};
use crate::story::file::{Expect, Scenario};

/// What a gateway has in force when a run is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FinalState {
    /// Its name, where the story names gateways.
    pub gateway: Option<String>,
    /// The canonical digest.
    pub digest: StateDigest,
    /// The digest of each item, by its name.
    pub items: BTreeMap<String, StateDigest>,
}

/// What each gateway that runs has in force.
pub(super) fn final_states(hosts: &PerGateway<Host>) -> Vec<FinalState> {
    let state = |host: &Host| {
        let observed = host.gateway.engine()?.observed();
        Some(FinalState {
            gateway: host.name.clone(),
            digest: observed.digest(),
            items: observed.item_digests().into_iter().collect(),
        })
    };
    hosts.iter().filter_map(state).collect()
}

/// Where two gateways of one organization hold something else of what both must hold.
pub(super) fn disagreement(
    hosts: &PerGateway<Host>,
    manager: &ApiManager,
    dialect: Dialect,
    now: Instant,
) -> Option<Violation> {
    if hosts.count() == 1 {
        return None;
    }
    let wanted = |host: &Host| {
        let must_serve = manager.ledger(host.index).must_serve();
        must_serve
            .filter(|(_, must)| must.is_readable)
            .map(|(id, must)| (id.clone(), must.digest))
            .collect()
    };
    let replica = |host: &Host| Replica {
        name: host.name.clone().unwrap_or_default(),
        index: host.index,
        organization: manager.organization_of(host.index),
        served: host.served.clone(),
        held: host.gateway.view().held().clone(),
        wanted: wanted(host),
    };
    let replicas: Vec<Replica> = hosts.iter().map(replica).collect();
    replicas_agree::first_disagreement(&replicas, dialect, now)
}

/// What the ledgers say that each gateway must serve, as claims.
pub(super) fn serving(story: &Scenario, hosts: &PerGateway<Host>, manager: &ApiManager) -> Expect {
    let mut serving = Expect::default();
    for host in hosts.iter() {
        let own = revisions(story, manager.ledger(host.index));
        match host.name.clone().filter(|_| hosts.count() > 1) {
            Some(name) => {
                let expect = Expect { serving: own, ..Expect::default() };
                serving.gateways.insert(name, expect);
            }
            None => serving.serving = own,
        }
    }
    serving
}

/// By API, the revision that the ledger says a gateway must serve, or 0.
fn revisions(story: &Scenario, ledger: &Ledger) -> BTreeMap<String, u32> {
    let revision = |name: &str| {
        let issue = ledger.artifact(name).and_then(|id| ledger.current(id))?;
        match issue.what {
            Issued::Deployed { revision, .. } => Some(revision),
            _ => None,
        }
    };
    let names = story.apis();
    names.into_iter().map(|name| (name.to_owned(), revision(name).unwrap_or(0))).collect()
}

/// What is left when a run is over.
pub struct Finished {
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// The hash of everything that happened.
    pub trace_hash: u128,
    /// How many things happened.
    pub events: u64,
    /// How much virtual time passed.
    pub simulated: Duration,
    /// How often each fault took effect.
    pub delivered: BTreeMap<&'static str, u64>,
    /// The situations reached.
    pub marks: BTreeSet<&'static str>,
    /// How often a gateway process died.
    pub crashes: u64,
    /// The steps whose trigger never came, and those of people that found nothing to do.
    pub idle: BTreeSet<usize>,
    /// What the ledger says must be served at the end, as claims.
    pub serving: Expect,
}
