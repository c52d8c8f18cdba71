//! Text to [`Scenario`]: the fields of the file and their form.

use driftless_gateway::model::Dialect;

use super::document::{Node, Value};
use super::names::{dialects, is_covered_id, is_sentence};
use super::reader::read;
use super::refusal::{Refusal, hint};
use super::step_limits::within;
use super::{Expect, Only, SCHEMA, Scenario, WorldName, expect, fleet, step_form};
use crate::story::step::{Step, TIME_MS_MAX};
use crate::story::switches::GivenSwitches;

/// The fields of a file, in their order.
const FIELDS: &[&str] = &[
    "schema",
    "why",
    "covers",
    "source",
    "dialect",
    "seed",
    "switches",
    "store",
    "only",
    "gateways",
    "faults_stay_ms",
    "steps",
    "expect",
];

/// What a sentence is.
const SENTENCE: &str =
    "a sentence begins with a capital, has three words or more, and ends with a full stop";

/// The fields that every file has.
const REQUIRED: [&str; 7] = ["schema", "why", "covers", "dialect", "seed", "steps", "expect"];

/// Reads a whole file. Its `expect` may be left out unless `is_claim_due`.
pub(super) fn scenario(text: &str, is_claim_due: bool) -> Result<Scenario, Refusal> {
    let root = Node::parse(text)?;
    if !matches!(root.value, Value::Object(_)) {
        return Err(root.place.refuse("a scenario is an object", None));
    }
    for (key, _) in root.entries() {
        if !FIELDS.contains(&key.name.as_str()) {
            let problem = format!("unknown field `{}`", key.name);
            return Err(key.place.refuse(problem, Some(hint(&key.name, FIELDS))));
        }
    }
    schema(required(&root, "schema")?)?;
    let due = REQUIRED.iter().filter(|name| is_claim_due || **name != "expect");
    let missing: Vec<&str> = due.copied().filter(|name| root.get(name).is_none()).collect();
    if let [_, _, ..] = missing.as_slice() {
        let problem = format!("these fields are missing: `{}`", missing.join("`, `"));
        return Err(root.place.refuse(problem, None));
    }
    let gateways = root.get("gateways").map(fleet::gateways).transpose()?.unwrap_or_default();
    let steps = step_form::steps(required(&root, "steps")?, &gateways)?;
    let only = root.get("only").map(only).transpose()?;
    only_in_wire(&steps, only.as_ref(), required(&root, "steps")?)?;
    let expect = match root.get("expect") {
        None if !is_claim_due => Expect::default(),
        _ => expect::parse(required(&root, "expect")?, &steps, &gateways)?,
    };
    let dialect = dialect(required(&root, "dialect")?)?;
    let switches: GivenSwitches = root.get("switches").map(read).transpose()?.unwrap_or_default();
    Ok(Scenario {
        why: why(required(&root, "why")?)?,
        covers: covers(required(&root, "covers")?)?,
        source: root.get("source").map(source).transpose()?,
        dialect,
        seed: read(required(&root, "seed")?)?,
        switches: switches.over(dialect),
        store: root.get("store").map(read).transpose()?.unwrap_or_default(),
        only,
        faults_stay_ms: root.get("faults_stay_ms").map(faults_stay_ms).transpose()?,
        gateways,
        steps,
        expect,
    })
}

fn required<'a>(root: &'a Node, name: &str) -> Result<&'a Node, Refusal> {
    root.get(name).ok_or_else(|| root.place.refuse(format!("`{name}` is missing"), None))
}

fn schema(node: &Node) -> Result<(), Refusal> {
    let schema: u64 = read(node)?;
    if schema == SCHEMA {
        return Ok(());
    }
    let hint = format!("this version reads schema {SCHEMA}");
    Err(node.place.refuse(format!("schema {schema} is not known"), Some(hint)))
}

fn why(node: &Node) -> Result<String, Refusal> {
    let why: String = read(node)?;
    if is_sentence(&why) {
        return Ok(why);
    }
    let hint = SENTENCE.to_owned();
    Err(node.place.refuse("`why` is not a sentence", Some(hint)))
}

fn covers(node: &Node) -> Result<Vec<String>, Refusal> {
    let covers: Vec<String> = read(node)?;
    for (index, id) in covers.iter().enumerate() {
        let place = node.items().get(index).unwrap_or(node).place;
        if !is_covered_id(id) {
            let hint = "expected an id like `R4`, `C-H25`, `A-H2` or `FB-04`".to_owned();
            return Err(place.refuse(format!("`{id}` is not an id"), Some(hint)));
        }
        if covers.iter().take(index).any(|other| other == id) {
            return Err(place.refuse(format!("`{id}` is there twice"), None));
        }
    }
    Ok(covers)
}

fn source(node: &Node) -> Result<String, Refusal> {
    let source: String = read(node)?;
    if source.trim() == source && source.contains('/') && !source.contains(char::is_whitespace) {
        return Ok(source);
    }
    let hint = "expected `owner/repository#number` or an address".to_owned();
    Err(node.place.refuse("`source` names no place", Some(hint)))
}

fn only(node: &Node) -> Result<Only, Refusal> {
    let only: Only = read(node)?;
    if is_sentence(&only.why) {
        return Ok(only);
    }
    let hint = SENTENCE.to_owned();
    Err(node.place_of(&["why"]).refuse("`why` is not a sentence", Some(hint)))
}

/// Refuses what only the wire world can do in a story that is told in the fast world, too.
fn only_in_wire(steps: &[Step], only: Option<&Only>, node: &Node) -> Result<(), Refusal> {
    if only.is_some_and(|only| only.world == WorldName::Wire) {
        return Ok(());
    }
    let mut steps = steps.iter().zip(node.items());
    let only = steps.find(|(step, _)| step.verb.entry().is_only_in_wire());
    let Some((step, item)) = only else { return Ok(()) };
    let hint = r#"add `"only": { "world": "wire", "why": "…" }`"#.to_owned();
    let problem = format!("only the wire world has `{}`", step.verb.name());
    Err(item.place_of_key(step.verb.name()).refuse(problem, Some(hint)))
}

fn dialect(node: &Node) -> Result<Dialect, Refusal> {
    let name: String = read(node)?;
    Dialect::parse(&name).map_err(|_| {
        node.place.refuse(format!("unknown dialect `{name}`"), Some(hint(&name, &dialects())))
    })
}

fn faults_stay_ms(node: &Node) -> Result<u64, Refusal> {
    let value = read(node)?;
    within("faults_stay_ms", value, 1, TIME_MS_MAX, node.place)?;
    Ok(value)
}
