//! `converged_or_loud`: at rest, faults or no faults, every difference from the ledger is covered
//! by a status that says so (law 12). Silent drift is the worst bug there is.

use driftless_gateway::engine::SyncState;
use driftless_gateway::model::Kind;

use super::converges::difference;

use super::{Property, Verdicts, access};
use crate::observe::{Context, Observation};

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvergedOrLoud;

impl Property for ConvergedOrLoud {
    fn name(&self) -> &'static str {
        "converged_or_loud"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Rest)
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let (Observation::Rest, Some(engine)) = (observation, context.engine) else { return };
        if let Some(access::Difference { kind, subject, expected, found }) =
            access::difference(context)
            && context.said_of(engine, kind) == SyncState::Synced
        {
            let expected = format!("{expected}, or a status other than synced");
            verdicts.violated(self.name(), context.now, subject, expected, found);
        }
        let Some((subject, expected, found)) = difference(context) else { return };
        if context.said(engine, Kind::RestApi) == SyncState::Synced {
            let expected = format!("{expected}, or a status other than synced");
            verdicts.violated(self.name(), context.now, subject, expected, found);
        }
    }
}
