//! `converged_or_loud`: at rest, faults or no faults, every difference from the ledger is covered
//! by a status that says so (law 12). Silent drift is the worst bug there is.

use driftless_gateway::engine::SyncState;
use driftless_gateway::model::Kind;

use super::converges::difference;

use super::{Moment, Property, Scene, Verdicts, access};

/// The property; it has no books.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvergedOrLoud;

impl Property for ConvergedOrLoud {
    fn name(&self) -> &'static str {
        "converged_or_loud"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Rest)
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        let (Moment::Rest, Some(engine)) = (moment, scene.engine) else { return };
        if let Some(access::Difference { kind, subject, expected, found }) =
            access::difference(scene)
            && scene.said_of(engine, kind) == SyncState::Synced
        {
            let expected = format!("{expected}, or a status other than synced");
            verdicts.violated(self.name(), scene.now, subject, expected, found);
        }
        let Some((subject, expected, found)) = difference(scene) else { return };
        if scene.said(engine, Kind::RestApi) == SyncState::Synced {
            let expected = format!("{expected}, or a status other than synced");
            verdicts.violated(self.name(), scene.now, subject, expected, found);
        }
    }
}
