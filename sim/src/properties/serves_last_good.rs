//! `serves_last_good`: what was served when the process died is served as soon as it is back,
//! APIM or no APIM (law 10).

use std::collections::BTreeMap;

use driftless_gateway::model::ArtifactId;

use super::{Moment, Property, Scene, Served, Verdicts};
use crate::manager::Issued;

/// What was served when the process died, until the next one was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct ServesLastGood {
    served: BTreeMap<ArtifactId, Served>,
    is_back: bool,
}

impl Property for ServesLastGood {
    fn name(&self) -> &'static str {
        "serves_last_good"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Crashed(_) | Moment::Wiped | Moment::Recovered(_))
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, _verdicts: &mut Verdicts) {
        match moment {
            // One that died before it was looked at changes nothing.
            Moment::Crashed(_) if self.is_back => self.is_back = false,
            Moment::Crashed(_) => self.served.clone_from(scene.served),
            Moment::Wiped => self.served.clear(),
            Moment::Recovered(_) => self.is_back = true,
            _ => {}
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        if !std::mem::take(&mut self.is_back) {
            return;
        }
        for (id, served) in std::mem::take(&mut self.served) {
            let Some(record) = scene.ledger.record(&id) else { continue };
            let since = record.issues_of(served.digest).next().map_or(0, |issue| issue.number);
            let is_ended = record.issues.iter().any(|issue| {
                issue.number > since && matches!(issue.what, Issued::Undeployed | Issued::Deleted)
            });
            if !scene.served.contains_key(&id) && !is_ended {
                let expected = "served as it was when the process died";
                verdicts.violated(self.name(), scene.now, scene.name(&id), expected, "not served");
            }
        }
    }
}
