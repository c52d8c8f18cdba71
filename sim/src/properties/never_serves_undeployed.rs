//! `never_serves_undeployed`: an undeployed item stops being served within the bound (law 7).
//!
//! The bound is short once the gateway heard of it and long when the event was lost; it runs from
//! the last disturbance, because a gateway that is cut off serves its last good state (law 10).

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, Event};
use driftless_gateway::time::Instant;

use super::{Property, Verdicts, heard_bound, unheard_bound};
use crate::observe::{Context, Observation};

/// When the gateway last heard that each artifact is to go.
#[derive(Clone, Debug, Default)]
pub(super) struct NeverServesUndeployed {
    heard: BTreeMap<ArtifactId, Instant>,
}

impl Property for NeverServesUndeployed {
    fn name(&self) -> &'static str {
        "never_serves_undeployed"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Crashed(_) | Observation::Heard(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        _verdicts: &mut Verdicts,
    ) {
        if matches!(observation, Observation::Crashed(_)) {
            // What it heard and had not written yet died with the process.
            self.heard.clear();
        }
        if let Observation::Heard(event) = observation
            && let Some(artifact) = ending(event)
        {
            self.heard.insert(artifact.clone(), context.now);
        }
    }

    fn tick(&mut self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (id, record) in context.ledger.records() {
            if record.must_serve().is_some() || !context.served.contains_key(id) {
                continue;
            }
            let Some(since) = record.not_served_since() else { continue };
            let readable = record.current().map_or(since, |issue| issue.readable_from).max(since);
            let heard = self.heard.get(id).copied().filter(|heard| *heard >= since);
            let bound = match heard {
                Some(_) => heard_bound(context.config),
                None => unheard_bound(context.config),
            };
            let from = readable.max(context.disturbed_at).max(heard.unwrap_or(since));
            if context.now > from.after(bound) {
                verdicts.violated(
                    self.name(),
                    context.now,
                    context.name(id),
                    format!("not served {} ms after {from}", bound.as_millis()),
                    format!("served; undeployed at {since}"),
                );
            }
        }
    }
}

fn ending(event: &Event) -> Option<&ArtifactId> {
    match event {
        Event::Undeployed(head) => Some(&head.artifact),
        Event::Deleted { artifact, .. } => Some(artifact),
        _ => None,
    }
}
