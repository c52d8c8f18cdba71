//! `safe_read`: a failed, partial or malformed read removes and replaces nothing (law 3).
//!
//! What is withdrawn must have been undeployed or deleted since it was served; what is served
//! must be something that APIM issued for that very artifact.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, Event, EventHead};

use super::{Moment, Property, Scene, Verdicts};
use crate::manager::Issued;

/// The number of the newest statement when each artifact began to be served as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct SafeRead {
    served_since: BTreeMap<ArtifactId, u32>,
    /// The newest statement that an undeploy heard by the gateway belongs to; the one before a
    /// redeploy belongs to the new deployment.
    heard: BTreeMap<ArtifactId, u32>,
}

impl Property for SafeRead {
    fn name(&self) -> &'static str {
        "safe_read"
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        if let Moment::Heard(Event::Undeployed(head)) = moment {
            self.hear(scene, head);
        }
        let Moment::Served { artifact, before, after } = moment else { return };
        let Some(record) = scene.ledger.record(artifact) else {
            let found = "served, and never issued";
            verdicts.violated(self.name(), scene.now, artifact.as_str(), "not served", found);
            return;
        };
        if let Some(after) = after {
            match record.issues_of(after.digest).next_back() {
                Some(issue) => {
                    let since = self.served_since.entry((*artifact).clone()).or_insert(0);
                    *since = (*since).max(issue.number);
                }
                None => verdicts.violated(
                    self.name(),
                    scene.now,
                    scene.name(artifact),
                    "a definition that APIM issued for this artifact",
                    format!("{} instead", after.digest),
                ),
            }
            return;
        }
        let since = self.served_since.get(*artifact).copied().unwrap_or(0);
        let heard = self.heard.get(*artifact).is_some_and(|issue| *issue > since);
        let ended = heard
            || record.issues.iter().any(|issue| {
                issue.number > since && matches!(issue.what, Issued::Undeployed | Issued::Deleted)
            });
        if before.is_some() && !ended && scene.engine.is_some() {
            verdicts.violated(
                self.name(),
                scene.now,
                scene.name(artifact),
                "served: APIM neither undeployed nor deleted it",
                "withdrawn",
            );
        }
    }
}

impl SafeRead {
    fn hear(&mut self, scene: &Scene<'_>, head: &EventHead) {
        let issue = scene.ledger.events().iter().rev().find(|event| {
            event.artifact == head.artifact
                && event.event_type == "api.undeployed"
                && Some(event.performed_text.as_str()) == head.performed_text.as_deref()
        });
        if let Some(issue) = issue.map(|event| event.issue) {
            let known = self.heard.entry(head.artifact.clone()).or_insert(0);
            *known = (*known).max(issue);
        }
    }
}
