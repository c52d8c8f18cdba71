//! The wire world: the production shell and the served APIM, over simulated sockets.

mod bytes; // what goes wrong with bytes takes effect and is recovered from
mod determinism; // one story, one trace
mod network; // partitions, resets and crashes, over sockets
mod planted; // what is broken on purpose is seen
mod sweep; // seeds of every profile

use driftless::run::{Outcome, RunOptions};
use driftless::sockets::Place;
use driftless::story::file::Scenario;

/// Tells a story in the wire world.
fn told(story: &Scenario) -> Outcome {
    Place::Wire.run(story, RunOptions::default())
}

/// A story of the wire world alone.
fn story(dialect: &str, steps: &str, expect: &str) -> Scenario {
    let text = format!(
        r#"{{ "schema": 1, "why": "It is told over sockets.", "covers": ["R1"],
        "dialect": "{dialect}", "seed": 5,
        "only": {{ "world": "wire", "why": "It is about sockets." }},
        "steps": [{steps}], "expect": {{ {expect} }} }}"#
    );
    Scenario::parse(&text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}

/// Every violation as a line.
fn violations(outcome: &Outcome) -> Vec<String> {
    let line = |found: &driftless::properties::Violation| {
        let (property, at, subject) = (found.property, found.at, &found.subject);
        format!("{property} at {at}: {subject}: {}; {}", found.expected, found.found)
    };
    outcome.violations.iter().map(line).collect()
}
