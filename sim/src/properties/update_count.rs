//! `update_count`: changes of what is served and held, against what APIM issued. Churn is a bug:
//! every change is a reload in a data plane (FB-11).

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, ResourceId};

use super::{Moment, Property, Scene, Verdicts};

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

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(
            moment,
            Moment::Served { .. }
                | Moment::Held(_)
                | Moment::Wiped
                | Moment::Recovered(_)
                | Moment::Rest
        )
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        match moment {
            Moment::Served { artifact, .. } if scene.engine.is_some() => {
                *self.served.entry((*artifact).clone()).or_default() += 1;
            }
            Moment::Held(change) => {
                *self.held.entry(change.id.clone()).or_default() += 1;
            }
            Moment::Wiped => self.wipes += 1,
            Moment::Recovered(_) => self.starts += 1,
            Moment::Rest => self.compare(scene, verdicts),
            _ => {}
        }
    }
}

impl UpdateCount {
    fn compare(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for (id, changes) in &self.served {
            let issued = scene.ledger.record(id).map_or(0, |record| record.issues.len() as u64);
            let most = SLACK * issued + SLACK * (self.wipes + self.starts);
            if *changes > most {
                let expected = format!("at most {most} changes for {issued} statements");
                let found = format!("{changes}");
                verdicts.violated(self.name(), scene.now, scene.name(id), expected, found);
            }
        }
        for (id, changes) in &self.held {
            let events = scene.ledger.access_events().iter().filter(|event| event.about == *id);
            let issued = events.count() as u64 + 1 + scene.ledger.restores().len() as u64;
            let most = SLACK * issued + SLACK * (self.wipes + self.starts);
            if *changes > most {
                let expected = format!("at most {most} changes for {issued} statements");
                let found = format!("{changes}");
                verdicts.violated(self.name(), scene.now, id.to_string(), expected, found);
            }
        }
    }
}
