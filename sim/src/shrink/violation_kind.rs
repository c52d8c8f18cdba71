//! What has to stay while a story gets smaller.

use crate::properties::Violation;

/// A property, and the kind of subject that it is violated of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViolationKind {
    property: &'static str,
    kind: String,
}

impl ViolationKind {
    /// What a violation is an example of.
    pub fn of(violation: &Violation) -> Self {
        Self { property: violation.property, kind: kind_of(&violation.subject) }
    }

    /// The property.
    pub const fn property(&self) -> &'static str {
        self.property
    }

    /// The first of the violations that is another example.
    pub fn found_in<'a>(&self, violations: &'a [Violation]) -> Option<&'a Violation> {
        violations.iter().find(|violation| Self::of(violation) == *self)
    }
}

/// The kind of a subject: "key mobile of 1b25…" is a key, "api-02 (da65…)" an artifact, and what
/// names no item is of its own kind.
fn kind_of(subject: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().collect();
    match words[..] {
        [_, id] if id.starts_with('(') && id.ends_with(')') => "artifact".to_owned(),
        ["key", ..] => "key".to_owned(),
        [kind @ ("subscription" | "plan" | "application"), ..] => kind.to_owned(),
        _ => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_of_a_kind_whatever_its_name() {
        for (subject, kind) in [
            ("key mobile of 1b25f7d7-7509", "key"),
            ("api-02 (da65aca1-5098)", "artifact"),
            ("subscription df38052b", "subscription"),
            ("status of ApiKey", "status of ApiKey"),
            ("store", "store"),
        ] {
            assert_eq!(kind_of(subject), kind);
        }
    }
}
