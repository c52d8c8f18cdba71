//! `no_resurrection`: what was undeployed or deleted and withdrawn is not served again until APIM
//! deploys it again (law 5).

use std::collections::BTreeMap;

use driftless_gateway::model::ArtifactId;

use super::{Moment, Property, Scene, Verdicts};
use crate::manager::Issued;

/// By artifact, the number of the newest ending that the gateway honoured.
#[derive(Clone, Debug, Default)]
pub(super) struct NoResurrection {
    honoured: BTreeMap<ArtifactId, u32>,
}

impl Property for NoResurrection {
    fn name(&self) -> &'static str {
        "no_resurrection"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Wiped | Moment::Served { .. })
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        if matches!(moment, Moment::Wiped) {
            self.honoured.clear();
        }
        let Moment::Served { artifact, before, after } = moment else { return };
        let Some(record) = scene.ledger.record(artifact) else { return };
        if before.is_some() && after.is_none() && scene.engine.is_none() {
            // A process that is down withdraws nothing for good.
            return;
        }
        if before.is_some() && after.is_none() {
            let ending = record
                .issues
                .iter()
                .rev()
                .find(|issue| matches!(issue.what, Issued::Undeployed | Issued::Deleted));
            // A withdrawal that could not be written comes back with the next crash.
            let is_durable = scene.committed.rows.get(*artifact).is_none_or(|row| !row.is_served());
            if let Some(ending) = ending.filter(|_| is_durable) {
                self.honoured.insert((*artifact).clone(), ending.number);
            }
            return;
        }
        let (None, Some(_)) = (before, after) else { return };
        let Some(honoured) = self.honoured.get(*artifact).copied() else { return };
        let is_deployed_since = record
            .issues
            .iter()
            .any(|issue| issue.number > honoured && matches!(issue.what, Issued::Deployed { .. }));
        if !is_deployed_since {
            verdicts.violated(
                self.name(),
                scene.now,
                scene.name(artifact),
                format!("gone since statement {honoured}"),
                "served again",
            );
        }
    }
}
