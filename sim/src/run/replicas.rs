//! A story of one gateway, told to several with other faults of their own.
//!
//! Beside the gateway of the story there is one without faults, one that is down until the story
//! ends and learns everything by lists, and one that is restarted in the middle (FB-05). What
//! people and APIM do is the same for all.

use driftless_gateway::time::Instant;

use super::outcome::RunOptions;
use super::run_story;
use crate::plant::Plant;
use crate::properties::Violation;
use crate::story::file::{DEFAULT_ORGANIZATION, Expect, GatewayEntry, Scenario, story_end};
use crate::story::step::{Actor, Crash, CrashDisk, Scope, Step, Verb, When};

/// The names of the gateways that a story of one becomes.
const NAMES: [&str; 4] = ["as-told", "without-faults", "always-down", "restarted"];

/// What goes wrong when a story of one gateway is told to several with other faults of their own.
/// A story of several gateways is such a world already.
pub fn disagreement(story: &Scenario, plant: Option<Plant>) -> Option<Violation> {
    if story.gateways.len() > 1 {
        return None;
    }
    let told = told_to_several(story);
    let options = RunOptions { plant, ..RunOptions::default() };
    let mut violations = run_story(&told, options).violations.into_iter();
    violations.find(|violation| violation.property == "replicas_agree")
}

/// The story with gateways beside its own.
fn told_to_several(story: &Scenario) -> Scenario {
    let [own, _, down, restarted] = NAMES;
    let mut told = story.clone();
    told.expect = Expect::default();
    told.gateways =
        NAMES.iter().map(|name| GatewayEntry::new(name, DEFAULT_ORGANIZATION)).collect();
    for step in &mut told.steps {
        let is_own = matches!(step.verb.actor(), Actor::Network | Actor::Machine);
        let gateways = if is_own { vec![own.to_owned()] } else { Vec::new() };
        step.scope = Scope { gateways, organization: None };
        if let When::On(trigger) = &mut step.when {
            trigger.gateway = Some(own.to_owned());
        }
    }
    let end = story_end(story).since(Instant::START).as_millis();
    let end = u64::try_from(end).unwrap_or(u64::MAX);
    for (name, at_ms, down_ms) in [(down, 1, end), (restarted, end / 2, 500)] {
        let verb = Verb::Crash(Crash { down_ms, disk: CrashDisk::Kept });
        let scope = Scope { gateways: vec![name.to_owned()], organization: None };
        told.steps.push(Step { when: When::AtMs(at_ms), scope, verb });
    }
    told
}
