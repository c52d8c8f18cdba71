//! `ack_truth`: an ack of success is sent only for what the control plane asked for, and only
//! when the store has said that it is durable (law 8).

use driftless_gateway::model::{AckAction, AckStatus, DeployState};

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// The property; it keeps nothing: what it needs is in the context.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AckTruth;

impl Property for AckTruth {
    fn name(&self) -> &'static str {
        "ack_truth"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Acked(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let Observation::Acked(ack) = observation else { return };
        let id = &ack.artifact;
        let is_asked = context.ledger.events().iter().rev().any(|event| {
            event.artifact == *id
                && event.performed_text == ack.performed_text.as_deref().unwrap_or_default()
        });
        if !is_asked {
            let found = format!("an ack for an event that was never raised: {ack:?}");
            verdicts.violated(self.name(), context.now, context.name(id), "no ack", found);
        }
        if ack.status == AckStatus::Failed {
            return;
        }
        let row = context.committed.rows.get(id);
        let is_true = match ack.action {
            AckAction::Deploy => row
                .is_some_and(|row| row.is_served() && row.generation.deployment == ack.deployment),
            AckAction::Undeploy => row.is_none_or(|row| row.state == DeployState::Undeployed),
        };
        if !is_true {
            let found = format!("{:?} acked, durable is {row:?}", ack.action);
            let expected = "an ack after the write is durable";
            verdicts.violated(self.name(), context.now, context.name(id), expected, found);
        }
    }
}
