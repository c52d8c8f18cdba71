//! `generation_never_regresses`: no artifact goes back to an older generation (law 6).
//!
//! A definition does not say which generation it is, and a revision may be deployed again. So the
//! property keeps, per artifact, the oldest generation that what was served so far can have been; a
//! definition that was issued only before that is a step back. APIM itself goes back when a backup
//! is restored.

use std::collections::BTreeMap;

use driftless_gateway::model::ArtifactId;

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// By artifact, the number of the statement reached.
#[derive(Clone, Debug, Default)]
pub(super) struct GenerationNeverRegresses {
    reached: BTreeMap<ArtifactId, u32>,
}

impl Property for GenerationNeverRegresses {
    fn name(&self) -> &'static str {
        "generation_never_regresses"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Wiped | Observation::Served { .. })
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        if matches!(observation, Observation::Wiped) {
            self.reached.clear();
        }
        let name = self.name();
        let Observation::Served { artifact, after: Some(after), .. } = observation else { return };
        let Some(record) = context.ledger.record(artifact) else { return };
        let reached = self.reached.entry((*artifact).clone()).or_insert(0);
        let mut candidates = record.issues_of(after.digest);
        let reached_at = record.issue(*reached).map(|issue| issue.at);
        let is_restored = context.ledger.restores().last().copied() >= reached_at;
        match candidates.find(|issue| issue.number >= *reached) {
            Some(issue) => *reached = issue.number,
            None if is_restored => {}
            None => {
                if let Some(newest) = record.issues_of(after.digest).next_back() {
                    verdicts.violated(
                        name,
                        context.now,
                        context.name(artifact),
                        format!("statement {reached} or later"),
                        format!("the definition of statement {}", newest.number),
                    );
                }
            }
        }
    }
}
