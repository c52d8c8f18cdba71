//! `replicas_agree`: what a gateway ends with depends on what APIM said, not on how it learnt it.
//!
//! One story is told to gateways with different faults of their own: as it is; with neither
//! network nor machine faults; to one that is down until the story ends and learns everything by
//! lists; and to one that is restarted in the middle (FB-05). What people and APIM do is the same
//! for all. At the end they must serve and hold the same, as far as lists can tell them.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, Credential, Dialect, KeySlot, Resource, ResourceId};
use driftless_gateway::time::Instant;

use crate::plant::Plant;
use crate::properties::{Served, Violation};
use crate::runner::{ending, story_end};
use crate::scenario::{Actor, Scenario, VERBS};
use crate::step::{Crash, CrashDisk, Step, Verb, When};

/// What a gateway has at the end of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// What it serves, by artifact.
    pub served: BTreeMap<ArtifactId, Served>,
    /// The keys, subscriptions, plans and applications in force.
    pub held: BTreeMap<ResourceId, Resource>,
}

/// Another way to learn the same story.
struct Replica {
    name: &'static str,
    story: Scenario,
}

/// Where gateways that were told one story ended otherwise. Nothing for a story whose steps wait
/// for something: what they wait for comes at another time, or never, for another gateway.
pub fn disagreement(story: &Scenario, plant: Option<Plant>) -> Option<Violation> {
    if story.steps.iter().any(|step| matches!(step.when, When::On(_))) {
        return None;
    }
    let first = ending(story, plant).told_by_lists(story.dialect);
    replicas(story).into_iter().find_map(|replica| {
        let other = ending(&replica.story, plant).told_by_lists(story.dialect);
        let subject = first.difference(&other)?;
        Some(Violation {
            property: "replicas_agree",
            at: story_end(story),
            subject,
            expected: "the same as in the story as it is".to_owned(),
            found: format!("otherwise by a gateway {}", replica.name),
            last_events: Vec::new(),
        })
    })
}

fn replicas(story: &Scenario) -> [Replica; 3] {
    let is_own = |step: &Step| {
        let mut entries = VERBS.iter();
        let entry = entries.find(|entry| entry.name == step.verb.name());
        entry.is_some_and(|entry| matches!(entry.actor, Actor::Network | Actor::Machine))
    };
    let mut calm = story.clone();
    calm.steps.retain(|step| !is_own(step));
    let end = story_end(story).since(Instant::START).as_millis();
    let end = u64::try_from(end).unwrap_or(u64::MAX);
    let with_crash = |at_ms: u64, down_ms: u64| {
        let mut told = calm.clone();
        let verb = Verb::Crash(Crash { down_ms, disk: CrashDisk::Kept });
        told.steps.push(Step { when: When::AtMs(at_ms), verb });
        told
    };
    let (late, restarted) = (with_crash(1, end), with_crash(end / 2, 500));
    [
        Replica { name: "without faults of its own", story: calm },
        Replica { name: "that was down all the time", story: late },
        Replica { name: "that was restarted in the middle", story: restarted },
    ]
}

impl Ending {
    /// What lists tell of it: an APIM of artifacts, once fixed also of the keys of one API, the
    /// Platform API of everything; and of what is served.
    fn told_by_lists(mut self, dialect: Dialect) -> Self {
        let is_served = |id: &ArtifactId| self.served.contains_key(id);
        self.held.retain(|id, held| match (dialect, id, held) {
            (Dialect::Apim470, ..) => false,
            (_, ResourceId::ApiKey(artifact, _), Resource::ApiKey(slot)) => {
                if dialect == Dialect::Apim470Fixed {
                    slot.credentials.retain(|key| key.is_listable);
                }
                *slot = as_listed(slot);
                is_served(artifact) && !slot.credentials.is_empty()
            }
            (Dialect::Apim470Fixed, ..) => false,
            (_, _, Resource::Subscription(subscription)) => is_served(&subscription.artifact),
            (_, ResourceId::Plan(_), _) => true,
            _ => false,
        });
        self
    }

    /// The first thing that is otherwise.
    fn difference(&self, other: &Self) -> Option<String> {
        let artifacts = self.served.keys().chain(other.served.keys());
        let mut artifacts = artifacts.filter(|id| self.served.get(*id) != other.served.get(*id));
        let resources = self.held.keys().chain(other.held.keys());
        let mut resources = resources.filter(|id| self.held.get(*id) != other.held.get(*id));
        artifacts
            .next()
            .map(ToString::to_string)
            .or_else(|| resources.next().map(ToString::to_string))
    }
}

/// Keys without what only the first word about them decides.
fn as_listed(slot: &KeySlot) -> KeySlot {
    let keys = slot.credentials.iter();
    let plain =
        |key: &Credential| Credential { created_at: None, is_listable: true, ..key.clone() };
    KeySlot { credentials: keys.map(plain).collect() }
}
