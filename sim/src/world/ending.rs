//! The end of a run: the story's claims, the gateways against each other, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::engine::StateDigest;
use driftless_gateway::time::Instant;

use super::World;
use crate::apim::Issued;
use crate::observe::Observation;
use crate::properties;
use crate::properties::replicas_agree::{self, Replica};
use crate::story::file::Expect;

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

impl World<'_> {
    /// What each gateway that runs has in force.
    pub fn final_states(&self) -> Vec<FinalState> {
        let mut sites: Vec<&super::Host> = self.sites().collect();
        sites.sort_by_key(|site| site.index);
        let state = |site: &super::Host| {
            let observed = site.gateway.engine()?.observed();
            Some(FinalState {
                gateway: site.name.clone(),
                digest: observed.digest(),
                items: observed.item_digests().into_iter().collect(),
            })
        };
        sites.into_iter().filter_map(state).collect()
    }

    /// Ends the run.
    pub fn finish(mut self) -> Finished {
        let delivered = self.delivered();
        let mut serving = Expect::default();
        self.each_site(|world| {
            world.show(&Observation::End);
            if !world.stopped {
                world.check_all_claims(&delivered);
            }
            let own = world.serving();
            match world.site.name.clone().filter(|_| !world.others.is_empty()) {
                Some(name) => {
                    let expect = Expect { serving: own, ..Expect::default() };
                    serving.gateways.insert(name, expect);
                }
                None => serving.serving = own,
            }
        });
        let mut violations = Vec::new();
        self.each_site(|world| {
            let verdicts = &mut world.site.verdicts;
            violations.append(&mut verdicts.violations);
            world.marks.append(&mut verdicts.reached);
        });
        violations.extend(self.disagreement().filter(|_| !self.stopped));
        if !self.others.is_empty() {
            violations.sort_by_key(|violation| violation.at);
        }
        Finished {
            violations,
            trace_hash: self.trace.hash(),
            events: self.trace.events(),
            simulated: self.now.since(Instant::START),
            crashes: self.sites().map(|site| site.crashes).sum(),
            delivered,
            marks: self.marks,
            unfired: self.unfired,
            serving,
        }
    }

    /// Checks what the story claims of a gateway; of faults, once for all of them.
    fn check_all_claims(&mut self, delivered: &BTreeMap<&'static str, u64>) {
        let story = Rc::clone(&self.story);
        let mut verdicts = std::mem::take(&mut self.site.verdicts);
        let (context, history) = (self.context(), &self.site.history);
        for expect in story.expect.of(self.site.name.as_deref()) {
            properties::Claims { expect, history }.check(&context, &mut verdicts);
        }
        if self.site.index == crate::story::aim::GatewayIndex::FIRST {
            let claims = properties::Claims { expect: &story.expect, history };
            claims.check_delivered(&context, delivered, &mut verdicts);
        }
        self.site.verdicts = verdicts;
    }

    /// Where two gateways of one organization hold something else of what both must hold.
    fn disagreement(&self) -> Option<properties::Violation> {
        if self.others.is_empty() {
            return None;
        }
        let replica = |site: &super::Host| Replica {
            name: site.name.clone().unwrap_or_default(),
            index: site.index,
            organization: self.manager.organization_of(site.index),
            served: site.served.clone(),
            held: site.gateway.view().held().clone(),
            wanted: self
                .manager
                .ledger(site.index)
                .must_serve()
                .map(|(id, must)| (id.clone(), must.digest))
                .collect(),
        };
        let mut replicas: Vec<Replica> = self.sites().map(replica).collect();
        replicas.sort_by_key(|replica| replica.index);
        replicas_agree::first_disagreement(&replicas, self.story.dialect, self.now)
    }

    /// By API, the revision that the ledger says a gateway must serve, or 0.
    fn serving(&self) -> BTreeMap<String, u32> {
        let ledger = self.manager.ledger(self.site.index);
        let revision = |name: &str| {
            let issue = ledger.artifact(name).and_then(|id| ledger.current(id))?;
            match issue.what {
                Issued::Deployed { revision, .. } => Some(revision),
                _ => None,
            }
        };
        let names = self.story.apis();
        names.into_iter().map(|name| (name.to_owned(), revision(name).unwrap_or(0))).collect()
    }
}

/// What is left when a run is over.
pub struct Finished {
    /// What did not hold.
    pub violations: Vec<properties::Violation>,
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
    /// The steps whose trigger never came.
    pub unfired: BTreeSet<usize>,
    /// What the ledger says must be served at the end, as claims.
    pub serving: Expect,
}
