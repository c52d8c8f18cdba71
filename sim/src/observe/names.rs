//! The names that the ids in a text have in the story.

use driftless_gateway::model::{ApplicationId, ArtifactId, PlanId, SubscriptionId};

use crate::apim::Ledger;

/// How long a UUID is as text.
const UUID_LEN: usize = 36;

/// The text, with the names of its ids behind it; names that are in it already are not repeated.
pub fn with_names(ledger: &Ledger, mut text: String) -> String {
    let mut names: Vec<String> = Vec::new();
    for id in uuids(&text) {
        let Some(name) = name_of(ledger, id) else { continue };
        if !names.contains(&name) && !has_word(&text, &name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        text.push_str(&format!(" ({})", names.join(", ")));
    }
    text
}

/// Whether a text has a word, which no letter, digit or dash goes on.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
    };
    text.match_indices(word).any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        !goes_on(before.chars().next_back()) && !goes_on(after.chars().next())
    })
}

/// Every UUID in a text.
fn uuids(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
    let words = text.split(move |letter| !is_part(letter));
    words.filter(|word| word.len() == UUID_LEN && word.matches('-').count() == 4)
}

fn name_of(ledger: &Ledger, id: &str) -> Option<String> {
    if let Some(record) = ledger.record(&ArtifactId::new(id)) {
        return Some(record.name.to_string());
    }
    let application = |id: &ApplicationId| Some(ledger.application(id)?.name.to_string());
    if let Some(held) = ledger.subscription(&SubscriptionId::new(id)) {
        let api = ledger.record(&held.artifact)?;
        return Some(format!("{} to {}", application(&held.application)?, api.name));
    }
    let plan = ledger.plan(&PlanId::new(id)).map(|plan| plan.name.to_string());
    plan.or_else(|| application(&ApplicationId::new(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_whatever_stands_around_it() {
        let text = r#"GET /apis/1b25f7d7-7509-4ab5-a3f8-6d5cb2add791/x {"id":"0609f59a-7dae-450b-b687-1ae5ecf08ff4"}"#;
        let found: Vec<&str> = uuids(text).collect();
        let expected =
            ["1b25f7d7-7509-4ab5-a3f8-6d5cb2add791", "0609f59a-7dae-450b-b687-1ae5ecf08ff4"];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_word_is_whole() {
        assert!(has_word(r#"{"api":"api-1"}"#, "api-1"));
        assert!(!has_word(r#"{"api":"api-10"}"#, "api-1"));
        assert!(!has_word("myapi-1", "api-1"));
    }
}
