//! A shrunk story as a scenario: why it is told, and what it claims.
//!
//! The claims say what the violated property says, of the one item that it was violated of. So the
//! story fails until the defect is mended, and says in its own words what must hold then.

use super::Shrunk;
use crate::properties::Violation;
use crate::story::file::{AccessClaim, Expect, Scenario};
use crate::story::step::{CreateKey, Verb};

/// The story with its reason and claims; what it covers is for people to say.
pub fn filled(shrunk: &Shrunk) -> Scenario {
    let mut story = shrunk.story.clone();
    story.why = shrunk.violation.sentence();
    story.covers.clear();
    story.source = None;
    story.expect = claims(&story, &shrunk.violation);
    story
}

/// That a dead key is refused, where that is what was violated. Of other items nothing is claimed,
/// for the property itself is asked in every run.
fn claims(story: &Scenario, violation: &Violation) -> Expect {
    let mut claims = Expect::default();
    let Some(mut claim) = claim_about_key(story, violation) else { return claims };
    claim.at_ms = Some(violation.at.as_millis());
    match violation.property {
        "revocation_bound" | "no_resurrection" => claims.refuses.push(claim),
        _ => {}
    }
    claims
}

/// The key of a violation, as the step that made it names it.
fn claim_about_key(story: &Scenario, violation: &Violation) -> Option<AccessClaim> {
    let words: Vec<&str> = violation.subject.split_whitespace().collect();
    let ["key", name, "of", api, ..] = words[..] else { return None };
    let is_it = |key: &&CreateKey| {
        key.name.eq_ignore_ascii_case(name) && key.api.as_deref().is_none_or(|of| of == api)
    };
    let mut keys = story.steps.iter().filter_map(|step| match &step.verb {
        Verb::CreateKey(key) => Some(key),
        _ => None,
    });
    let key = keys.find(is_it)?;
    Some(AccessClaim {
        api: api.to_owned(),
        application: key.application.clone(),
        name: key.name.clone(),
        user: key.user.clone(),
        nth: None,
        subscriber: None,
        at_ms: None,
    })
}
