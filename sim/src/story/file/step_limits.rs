//! The limits of a step's numbers and names, held against its place in the text.

use super::document::{Node, TextPlace};
use super::names::{is_api_name, is_free_name};
use super::refusal::{Refusal, hint};
use crate::story::step::{Broken, Expected, Verb};

/// Checks a number against its bounds.
pub(super) fn within(
    field: &str,
    value: u64,
    least: u64,
    most: u64,
    place: TextPlace,
) -> Result<(), Refusal> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let hint = format!("expected {least} to {most}");
    Err(place.refuse(format!("`{field}` is {value}"), Some(hint)))
}

/// Checks one verb; `node` is the value below its name.
pub(super) fn verb(verb: &Verb, node: &Node) -> Result<(), Refusal> {
    names(verb, node)?;
    let Some(Broken { path, problem, expected }) = verb.broken_limit() else { return Ok(()) };
    let hint = match expected {
        Expected::Said(hint) => hint,
        Expected::OneOf(found, names) => hint(&found, &names),
    };
    Err(node.place_of(&path).refuse(problem, Some(hint)))
}

/// Checks every name that a verb has.
fn names(verb: &Verb, node: &Node) -> Result<(), Refusal> {
    let refuse = |field: &str, problem: String, hint: &str| {
        Err(node.place_of(&[field]).refuse(problem, Some(hint.to_owned())))
    };
    for (field, name, what) in
        [("api", verb.api(), "an API"), ("application", verb.application(), "an application")]
    {
        if let Some(name) = name.filter(|name| !is_api_name(name)) {
            let problem = format!("`{name}` is not a name for {what}");
            return refuse(field, problem, "expected lower-case words joined by dashes");
        }
    }
    let (key, user) = verb.key().unzip();
    for (field, name, what) in
        [("name", key, "a key"), ("user", user, "a user"), ("plan", verb.plan(), "a plan")]
    {
        if let Some(name) = name.filter(|name| !is_free_name(name)) {
            let problem = format!("`{name}` is not a name for {what}");
            return refuse(field, problem, "expected letters, digits and `-_.@`");
        }
    }
    Ok(())
}
