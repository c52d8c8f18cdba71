//! Several gateways in a story, and which of them each step is about. What is deployed, and what
//! goes wrong, is mostly not the same on all of them.

use crate::random::Key;
use crate::story::file::{DEFAULT_ORGANIZATION, GatewayEntry};
use crate::story::step::{Scope, Step, Verb, When};

use super::scene::Scene;

/// The names of gateways.
const NAMES: [&str; 3] = ["east", "west", "north"];

/// The organization of the last gateway, where there are two.
const OTHER: &str = "acme.example";

/// Two or three gateways, in one organization or in two.
pub(super) fn gateways(key: Key) -> Vec<GatewayEntry> {
    let key = key.child("fleet");
    let has_other = key.chance("two organizations", 2, 5);
    let count = if key.chance("three", 1, 2) { 3 } else { 2 };
    let names = NAMES.into_iter().take(count).enumerate();
    let of =
        |place: usize| if has_other && place + 1 == count { OTHER } else { DEFAULT_ORGANIZATION };
    names.map(|(place, name)| GatewayEntry::new(name, of(place))).collect()
}

/// Says of each step where it happens.
pub(super) fn spread(
    key: Key,
    gateways: &[GatewayEntry],
    steps: &mut [Step],
    scenes: &mut [Scene],
) {
    if gateways.len() < 2 {
        return;
    }
    for (scene, nth) in scenes.iter_mut().zip(0..) {
        let key = key.child("fleet").child("scenes").nth(nth);
        let place = usize::try_from(key.below("gateway", gateways.len() as u64)).unwrap_or(0);
        let only = gateways.get(place).filter(|_| key.chance("some", 3, 4));
        spread_scene(only, scene);
    }
    let key = key.child("fleet").child("steps");
    let has_other = gateways.iter().any(|entry| entry.organization == OTHER);
    for (step, nth) in steps.iter_mut().zip(0..) {
        let key = key.nth(nth);
        let organization = if has_other { organization(key, &step.verb) } else { None };
        let wanted = organization.unwrap_or(DEFAULT_ORGANIZATION);
        let is_people = step.verb.is_of_organization();
        let mut names: Vec<&str> = gateways
            .iter()
            .filter(|entry| !is_people || entry.organization == wanted)
            .map(|entry| entry.name.as_str())
            .collect();
        let share = if step.verb.is_fault() { (3, 4) } else { (1, 3) };
        let is_some = step.verb.is_of_gateways() && key.chance("some", share.0, share.1);
        if is_some && names.len() > 1 {
            let only = key.pick("gateway", &names).copied();
            names = only.into_iter().collect();
        } else {
            names.clear();
        }
        step.scope = Scope {
            organization: organization.map(str::to_owned),
            gateways: names.into_iter().map(str::to_owned).collect(),
        };
    }
}

/// A scene is played at one gateway, where it is to be, and what it changes is changed in the
/// gateway's organization.
fn spread_scene(only: Option<&GatewayEntry>, scene: &mut Scene) {
    let Some(gateway) = only else { return };
    for step in &mut scene.steps {
        if let When::On(trigger) = &mut step.when {
            trigger.gateway = Some(gateway.name.clone());
        }
        let is_other = gateway.organization != DEFAULT_ORGANIZATION;
        let is_own = is_other && step.verb.is_of_organization();
        step.scope.organization = is_own.then(|| gateway.organization.clone());
        if step.verb.is_of_gateways() && step.verb.is_fault() {
            step.scope.gateways = vec![gateway.name.clone()];
        }
    }
}

/// The other organization, where a step is about something of its: a third of the APIs, and some
/// of what has no API.
fn organization(key: Key, verb: &Verb) -> Option<&'static str> {
    if !verb.is_of_organization() {
        return None;
    }
    let is_other = match verb.api() {
        Some(api) => api.bytes().last().is_some_and(|last| last % 3 == 0),
        None => key.chance("other", 1, 3),
    };
    is_other.then_some(OTHER)
}
