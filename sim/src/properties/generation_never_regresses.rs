//! `generation_never_regresses`: no artifact goes back to an older generation (law 6).
//!
//! A definition does not say which generation it is, and a revision may be deployed again. So the
//! books keep, per artifact, the oldest generation that what was served so far can have been; a
//! definition that was issued only before that is a step back.

use std::collections::BTreeMap;

use driftless_gateway::model::ArtifactId;

use super::{Moment, Property, Scene, Verdicts};

/// By artifact, the number of the statement reached.
#[derive(Clone, Debug, Default)]
pub(super) struct GenerationNeverRegresses {
    reached: BTreeMap<ArtifactId, u32>,
}

impl Property for GenerationNeverRegresses {
    fn name(&self) -> &'static str {
        "generation_never_regresses"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Wiped | Moment::Served { .. })
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        if matches!(moment, Moment::Wiped) {
            self.reached.clear();
        }
        let name = self.name();
        let Moment::Served { artifact, after: Some(after), .. } = moment else { return };
        let Some(record) = scene.ledger.record(artifact) else { return };
        let reached = self.reached.entry((*artifact).clone()).or_insert(0);
        let mut candidates = record.issues_of(after.digest);
        match candidates.find(|issue| issue.number >= *reached) {
            Some(issue) => *reached = issue.number,
            None => {
                if let Some(newest) = record.issues_of(after.digest).next_back() {
                    verdicts.violated(
                        name,
                        scene.now,
                        scene.name(artifact),
                        format!("statement {reached} or later"),
                        format!("the definition of statement {}", newest.number),
                    );
                }
            }
        }
    }
}
