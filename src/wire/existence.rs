//! The existence check of the Platform API: which artifacts are there at all
//! (`docs/controller.md` §2.2).

use serde::{Deserialize, Serialize};

use super::DecodeError;
use super::json::{self, Array, Collect, Object, Value};
use crate::model::ArtifactId;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExistenceQuestion<'a> {
    artifact_ids: Vec<&'a str>,
}

#[derive(Deserialize)]
struct ExistenceBody {
    #[serde(default)]
    artifacts: Array<Answers>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerIn<'a> {
    #[serde(borrow, default)]
    artifact_id: Value<'a>,
    #[serde(default)]
    exists: Value<'a>,
}

/// The body that asks about `artifacts`.
pub fn encode_existence_check(artifacts: &[ArtifactId]) -> Vec<u8> {
    let artifact_ids = artifacts.iter().map(ArtifactId::as_str).collect();
    json::write(&ExistenceQuestion { artifact_ids }).into_bytes()
}

/// Reads the answer, sorted by artifact.
///
/// # Errors
/// A body without an array named `artifacts`: an answer that says nothing does not say that
/// nothing exists (C-H05: missing means none). Also one unreadable item, or two that contradict
/// each other, for a deletion may hang on it.
pub fn decode_existence(body: &[u8]) -> Result<Vec<(ArtifactId, bool)>, DecodeError> {
    let body: ExistenceBody = json::read_object(body, "existence answer")?;
    let mut answers = body.artifacts.items("artifacts")?.read?;
    answers.sort_unstable();
    answers.dedup();
    if answers.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(DecodeError::new("one artifact is said to exist and not to exist"));
    }
    Ok(answers)
}

/// The answers so far, or the first that could not be read.
struct Answers {
    index: usize,
    read: Result<Vec<(ArtifactId, bool)>, DecodeError>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { index: 0, read: Ok(Vec::new()) }
    }
}

impl<'de> Collect<'de> for Answers {
    type Item = Object<AnswerIn<'de>>;

    fn add(&mut self, item: Self::Item) {
        let Ok(answers) = &mut self.read else { return };
        match read_answer(item) {
            Ok(answer) => answers.push(answer),
            Err(error) => self.read = Err(error.within(&format!("item {}", self.index))),
        }
        self.index += 1;
    }
}

fn read_answer(item: Object<AnswerIn<'_>>) -> Result<(ArtifactId, bool), DecodeError> {
    let answer = item.fields("it")?;
    let exists = answer.exists.flag("exists")?;
    Ok((ArtifactId::new(&answer.artifact_id.id("artifactId")?), exists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: &[(&str, bool)]) {
        let found = decode_existence(body.as_bytes()).unwrap();
        let found: Vec<_> = found.iter().map(|(id, exists)| (id.as_str(), *exists)).collect();
        assert_eq!(found, expect, "{body}");
    }

    #[track_caller]
    fn refuse(body: &str, reason: &str) {
        assert_eq!(decode_existence(body.as_bytes()), Err(DecodeError::new(reason)), "{body}");
    }

    #[test]
    fn the_question_lists_the_ids() {
        let ids = [ArtifactId::new("a"), ArtifactId::new("b\"")];
        assert_eq!(encode_existence_check(&ids), br#"{"artifactIds":["a","b\""]}"#);
    }

    #[test]
    fn only_what_was_answered_is_answered() {
        check(r#"{"artifacts":[]}"#, &[]);
        check(
            r#"{"artifacts":[{"artifactId":"b","exists":true},{"artifactId":"a","exists":false,"kind":"x"},{"artifactId":"b","exists":true}]}"#,
            &[("a", false), ("b", true)],
        );
    }

    #[test]
    fn an_answer_that_says_nothing_is_an_error() {
        refuse("{}", "artifacts is missing");
        refuse("[]", "existence answer is not an object");
        refuse(r#"{"artifacts":null}"#, "artifacts is missing");
        refuse(r#"{"artifacts":{"a":true}}"#, "artifacts is not an array");
        refuse(r#"{"artifacts":[{"artifactId":"a"}]}"#, "item 0: exists is missing");
        refuse(
            r#"{"artifacts":[{"artifactId":"a","exists":true},{"artifactId":"b","exists":"no"}]}"#,
            "item 1: exists is not true or false",
        );
        refuse(r#"{"artifacts":[{"exists":true}]}"#, "item 0: artifactId is missing");
        refuse(r#"{"artifacts":["a"]}"#, "item 0: it is not an object");
        refuse(
            r#"{"artifacts":[{"artifactId":"a","exists":true},{"artifactId":"a","exists":false}]}"#,
            "one artifact is said to exist and not to exist",
        );
        refuse("404 page not found", "existence answer is not JSON at line 1 column 5");
    }
}
