//! The form of a step: a time or a trigger, and exactly one verb.

use super::document::{Node, TextKey, Value};
use super::fleet::GatewayEntry;
use super::names::{ACTIONS, EVENTS, REQUESTS, STATES};
use super::reader::{read, read_entry};
use super::refusal::{Refusal, hint};
use super::step_limits::within;
use super::{fleet, step_limits};
use crate::story::step::{COUNT_MAX, Observable, Step, TIME_MS_MAX, Trigger, VERBS, Verb, When};

/// Reads the list of steps.
pub(super) fn steps(node: &Node, gateways: &[GatewayEntry]) -> Result<Vec<Step>, Refusal> {
    if !matches!(node.value, Value::Array(_)) {
        return Err(node.place.refuse("`steps` is not a list", None));
    }
    node.items().iter().enumerate().map(|(index, item)| step(item, index, gateways)).collect()
}

/// The fields of a step beside its verb.
const FIELDS: [&str; 4] = ["at_ms", "on", "organization", "gateways"];

fn step(node: &Node, index: usize, gateways: &[GatewayEntry]) -> Result<Step, Refusal> {
    if !matches!(node.value, Value::Object(_)) {
        return Err(node.place.refuse(format!("steps[{index}] is not an object"), None));
    }
    let when = when(node, index, gateways)?;
    let verb = one_verb(node, &format!("steps[{index}]"), &FIELDS, |key| !FIELDS.contains(&key))?;
    let scope = fleet::scope(node, &verb, gateways)?;
    Ok(Step { when, scope, verb })
}

/// The one verb of an object, among other fields whose names are `beside` it.
fn one_verb(
    node: &Node,
    place: &str,
    beside: &[&str],
    is_verb: impl Fn(&str) -> bool,
) -> Result<Verb, Refusal> {
    let verbs: Vec<&(TextKey, Node)> =
        node.entries().iter().filter(|(key, _)| is_verb(&key.name)).collect();
    for (key, _) in &verbs {
        if !VERBS.iter().any(|verb| verb.name == key.name) {
            let names = VERBS.iter().map(|verb| verb.name).chain(beside.iter().copied());
            let names: Vec<&str> = names.collect();
            let problem = format!("unknown verb `{}` in {place}", key.name);
            return Err(key.place.refuse(problem, Some(hint(&key.name, &names))));
        }
    }
    let [(key, value)] = verbs.as_slice() else {
        let hint = "a step is a time and exactly one verb".to_owned();
        let at = verbs.get(1).map_or(node.place, |(key, _)| key.place);
        return Err(at.refuse(format!("{place} has {} verbs", verbs.len()), Some(hint)));
    };
    let verb: Verb = read_entry(key, value)?;
    step_limits::verb(&verb, value)?;
    Ok(verb)
}

/// Reads verbs that happen now: one step without its time, or a list of them.
pub(super) fn verbs(node: &Node) -> Result<Vec<Verb>, Refusal> {
    let verb = |node: &Node, place: &str| match node.value {
        Value::Object(_) => one_verb(node, place, &[], |_| true),
        _ => Err(node.place.refuse(format!("{place} is not an object"), None)),
    };
    match node.value {
        Value::Array(_) => {
            let items = node.items().iter().enumerate();
            items.map(|(index, item)| verb(item, &format!("steps[{index}]"))).collect()
        }
        _ => Ok(vec![verb(node, "the step")?]),
    }
}

fn when(node: &Node, index: usize, gateways: &[GatewayEntry]) -> Result<When, Refusal> {
    match (node.get("at_ms"), node.get("on")) {
        (Some(at), None) => {
            let at_ms = read(at)?;
            within("at_ms", at_ms, 0, TIME_MS_MAX, at.place)?;
            Ok(When::AtMs(at_ms))
        }
        (None, Some(on)) => trigger(on, gateways).map(When::On),
        (None, None) => {
            let hint = Some("give `at_ms` or `on`".to_owned());
            Err(node.place.refuse(format!("steps[{index}] does not say when"), hint))
        }
        (Some(_), Some(on)) => {
            let hint = Some("give `at_ms` or `on`, not both".to_owned());
            Err(on.place.refuse(format!("steps[{index}] says twice when"), hint))
        }
    }
}

/// The fields that say what is waited for, and the names each can wait for.
const OBSERVABLES: [(&str, &[&str]); 4] =
    [("action", ACTIONS), ("event", EVENTS), ("answer", REQUESTS), ("state", STATES)];

fn trigger(node: &Node, gateways: &[GatewayEntry]) -> Result<Trigger, Refusal> {
    let (mut nth, mut from_ms, mut after_ms, mut seen, mut gateway) = (1, 0, 0, None, None);
    if !matches!(node.value, Value::Object(_)) {
        return Err(node.place.refuse("`on` is not an object", None));
    }
    for (key, value) in node.entries() {
        match key.name.as_str() {
            "nth" => {
                let number = read(value)?;
                within("nth", number, 1, COUNT_MAX, value.place)?;
                nth = u32::try_from(number).unwrap_or(u32::MAX);
            }
            "from_ms" => {
                from_ms = read(value)?;
                within("from_ms", from_ms, 0, TIME_MS_MAX, value.place)?;
            }
            "after_ms" => {
                after_ms = read(value)?;
                within("after_ms", after_ms, 0, TIME_MS_MAX, value.place)?;
            }
            "gateway" => {
                let name: String = read(value)?;
                fleet::known_gateway(&name, gateways, value.place)?;
                gateway = Some(name);
            }
            _ if seen.is_some() => {
                return Err(key.place.refuse("`on` waits for one thing only", None));
            }
            _ => seen = Some(observable(key, value)?),
        }
    }
    let seen = seen.ok_or_else(|| {
        let hint = "give `action`, `event`, `answer` or `state`".to_owned();
        node.place.refuse("`on` does not say what is waited for", Some(hint))
    })?;
    Ok(Trigger { seen, gateway, nth, from_ms, after_ms })
}

fn observable(key: &TextKey, value: &Node) -> Result<Observable, Refusal> {
    let Some((_, names)) = OBSERVABLES.iter().find(|(field, _)| *field == key.name) else {
        let fields: Vec<&str> = OBSERVABLES
            .iter()
            .map(|(field, _)| *field)
            .chain(["nth", "from_ms", "after_ms", "gateway"])
            .collect();
        let problem = format!("unknown field `{}` in `on`", key.name);
        return Err(key.place.refuse(problem, Some(hint(&key.name, &fields))));
    };
    let name: String = read(value)?;
    if !names.contains(&name.as_str()) {
        let problem = format!("nothing emits the {} `{name}`", key.name);
        return Err(value.place.refuse(problem, Some(hint(&name, names))));
    }
    Ok(match key.name.as_str() {
        "action" => Observable::Action(name),
        "event" => Observable::Event(name),
        "answer" => Observable::Answer(name),
        _ => Observable::State(name),
    })
}
