//! `converged_or_loud`: at rest, faults or no faults, every difference from the ledger is covered
//! by a status that says so (law 12). Silent drift is the worst bug there is.

use driftless_gateway::engine::SyncState;
use driftless_gateway::model::Kind;

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvergedOrLoud;

impl Property for ConvergedOrLoud {
    fn name(&self) -> &'static str {
        "converged_or_loud"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Rest(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let (Observation::Rest(differences), Some(engine)) = (observation, context.engine) else {
            return;
        };
        if let Some(id) = context.ledger.unreadable().next()
            && context.said(engine, Kind::RestApi) == SyncState::Synced
        {
            let (subject, expected) = (context.name(id), "a status other than synced");
            let found = "synced, with a definition that cannot be read";
            verdicts.violated(self.name(), context.now, subject, expected, found);
        }
        for difference in differences.access.iter().chain(&differences.served) {
            if context.said_of(engine, difference.kind) == SyncState::Synced {
                let expected = format!("{}, or a status other than synced", difference.expected);
                let (subject, found) = (difference.subject.as_str(), difference.found.as_str());
                verdicts.violated(self.name(), context.now, subject, expected, found);
            }
        }
    }
}
