//! The limits of a step's numbers and names, held against its place in the text.

use super::document::{Node, TextPlace};
use super::names::NameForm;
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
    let (key, user) = verb.key().unzip();
    for (field, name, what, form) in [
        ("api", verb.api(), "an API", NameForm::API),
        ("application", verb.application(), "an application", NameForm::API),
        ("name", key, "a key", NameForm::FREE),
        ("user", user, "a user", NameForm::FREE),
        ("plan", verb.plan(), "a plan", NameForm::FREE),
    ] {
        if let Some((problem, hint)) = name.and_then(|name| form.refusal(name, what)) {
            return Err(node.place_of(&[field]).refuse(problem, Some(hint)));
        }
    }
    Ok(())
}
