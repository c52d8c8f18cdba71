//! `scenario_file`: a story is read or refused at its place, and written again it is the same.

use crate::story::file::{Refusal, Scenario};

/// Checks one file.
///
/// # Panics
/// When a story was read that reads back as another one or has other steps than its text, or when
/// a refusal is about a place that is not there.
pub fn check_scenario(bytes: &[u8], parse: fn(&str) -> Result<Scenario, Refusal>) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match parse(text) {
        Ok(scenario) => {
            let written = scenario.to_json();
            let again = parse(&written);
            assert_eq!(again.as_ref(), Ok(&scenario), "written again it is another story");
            assert_eq!(again.map(|again| again.to_json()).as_ref(), Ok(&written));
            says_the_same(text, &scenario);
        }
        Err(refusal) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let line = lines.get(refusal.line.wrapping_sub(1));
            let is_there =
                line.is_some_and(|line| (1..=line.chars().count() + 2).contains(&refusal.column));
            assert!(is_there, "{refusal} is no place in {} lines", lines.len());
            assert!(!refusal.problem.is_empty());
        }
    }
}

/// What a reader that knows nothing of stories sees in the text.
fn says_the_same(text: &str, scenario: &Scenario) {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        panic!("a story was read from what is not JSON");
    };
    assert_eq!(value["why"].as_str(), Some(scenario.why.as_str()));
    assert_eq!(value["seed"].as_u64(), Some(scenario.seed));
    assert_eq!(value["dialect"].as_str(), Some(scenario.dialect.name()));
    assert_eq!(value["steps"].as_array().map(Vec::len), Some(scenario.steps.len()));
    for (told, step) in value["steps"].as_array().into_iter().flatten().zip(&scenario.steps) {
        let name = step.verb.name();
        assert!(told.get(name).is_some(), "{told} is no {name}");
    }
}
