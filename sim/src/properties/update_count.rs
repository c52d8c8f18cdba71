//! `update_count`: changes of what is served and held, against what APIM issued. Churn is a bug:
//! every change is a reload in a data plane (FB-11).

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, ResourceId};

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// How often what is served of each artifact changed, and each resource.
#[derive(Clone, Debug, Default)]
pub(super) struct UpdateCount {
    served: BTreeMap<ArtifactId, u64>,
    held: BTreeMap<ResourceId, u64>,
    /// How often the gateway began again with nothing.
    wipes: u64,
    /// How often a process started: what was not durable may change once more.
    starts: u64,
}

/// What may happen beyond one change for each statement: a definition read early is the one
/// before, and what a read shows may be older than what an event said.
const SLACK: u64 = 2;

impl Property for UpdateCount {
    fn name(&self) -> &'static str {
        "update_count"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(
            observation,
            Observation::Served { .. }
                | Observation::Held(_)
                | Observation::Wiped
                | Observation::Recovered(_)
                | Observation::Rest(_)
        )
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        match observation {
            Observation::Served { artifact, .. } if context.engine.is_some() => {
                *self.served.entry((*artifact).clone()).or_default() += 1;
            }
            Observation::Held(change) => {
                *self.held.entry(change.id.clone()).or_default() += 1;
            }
            Observation::Wiped => self.wipes += 1,
            Observation::Recovered(_) => self.starts += 1,
            Observation::Rest(_) => self.compare(context, verdicts),
            _ => {}
        }
    }
}

impl UpdateCount {
    fn compare(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (id, changes) in &self.served {
            let issued = context.ledger.record(id).map_or(0, |record| record.issues.len() as u64);
            let most = SLACK * issued + SLACK * (self.wipes + self.starts);
            if *changes > most {
                let expected = format!("at most {most} changes for {issued} statements");
                let found = format!("{changes}");
                verdicts.violated(self.name(), context.now, context.name(id), expected, found);
            }
        }
        for (id, changes) in &self.held {
            let events = context.ledger.access_events().iter().filter(|event| event.about == *id);
            let issued = events.count() as u64 + 1 + context.ledger.restores().len() as u64;
            let most = SLACK * issued + SLACK * (self.wipes + self.starts);
            if *changes > most {
                let expected = format!("at most {most} changes for {issued} statements");
                let found = format!("{changes}");
                verdicts.violated(self.name(), context.now, context.about(id), expected, found);
            }
        }
    }
}
