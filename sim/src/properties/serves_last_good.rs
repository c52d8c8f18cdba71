//! `serves_last_good`: what was served and held when the process died is served and held as soon
//! as it is back, APIM or no APIM (law 10).

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::model::{ArtifactId, Resource, ResourceId};

use super::{Property, Verdicts, closure};
use crate::apim::Issued;
use crate::observe::{Context, Observation, Served};

/// What was served and held when the process died, until the next one was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct ServesLastGood {
    served: BTreeMap<ArtifactId, Served>,
    held: BTreeMap<ResourceId, Resource>,
    /// What failed to be written since the last write.
    attempted: BTreeSet<ResourceId>,
    is_back: bool,
}

impl Property for ServesLastGood {
    fn name(&self) -> &'static str {
        "serves_last_good"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(
            observation,
            Observation::Crashed(_)
                | Observation::Wiped
                | Observation::Recovered(_)
                | Observation::Committed(_)
                | Observation::CommitFailed(_)
        )
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        _verdicts: &mut Verdicts,
    ) {
        match observation {
            Observation::Crashed(in_flight) => {
                // One that died before it was looked at changes nothing.
                if !std::mem::take(&mut self.is_back) {
                    self.served.clone_from(context.served);
                    let rows = context.committed.resources.iter();
                    let there = rows.filter_map(|(id, row)| Some((id, row.resource.as_ref()?)));
                    self.held = there.map(|(id, held)| (id.clone(), held.clone())).collect();
                }
                // What was being written, or failed to be, may be there or not.
                self.attempted
                    .extend(in_flight.iter().flat_map(|batch| batch.resources.keys().cloned()));
                let attempted = std::mem::take(&mut self.attempted);
                self.held.retain(|id, _| !attempted.contains(id));
            }
            Observation::Committed(batch) => {
                self.attempted.clear();
                // What is written after a restart is another state, and judged by other
                // properties. The process may die again before it is looked at.
                self.held.retain(|id, _| !batch.resources.contains_key(id));
                self.served.retain(|id, _| !batch.artifacts.contains_key(id));
            }
            Observation::CommitFailed(batch) => {
                self.attempted.extend(batch.resources.keys().cloned());
            }
            Observation::Wiped => {
                self.served.clear();
                self.held.clear();
            }
            Observation::Recovered(_) => self.is_back = true,
            _ => {}
        }
    }

    fn tick(&mut self, context: &Context<'_>, verdicts: &mut Verdicts) {
        if !std::mem::take(&mut self.is_back) {
            return;
        }
        for (id, before) in std::mem::take(&mut self.held) {
            if closure::is_lost(context, &id, &before, context.held.get(&id)) {
                let expected = "held as it was when the process died";
                verdicts.violated(
                    self.name(),
                    context.now,
                    context.about(&id),
                    expected,
                    "not held",
                );
            }
        }
        for (id, served) in std::mem::take(&mut self.served) {
            let Some(record) = context.ledger.record(&id) else { continue };
            let since = record.issues_of(served.digest).next().map_or(0, |issue| issue.number);
            let is_ended = record.issues.iter().any(|issue| {
                issue.number > since && matches!(issue.what, Issued::Undeployed | Issued::Deleted)
            });
            if !context.served.contains_key(&id) && !is_ended {
                let expected = "served as it was when the process died";
                verdicts.violated(
                    self.name(),
                    context.now,
                    context.name(&id),
                    expected,
                    "not served",
                );
            }
        }
    }
}
