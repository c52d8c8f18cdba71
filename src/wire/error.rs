//! Why bytes could not be read. Never repeats what they said: a frame or a body may carry a
//! secret, and a reason ends up in logs and in the status (C-H52: secrets
//! in logs; law 16).

use serde_json::error::Category;

/// Bytes that are not what they should be. The reason is made of field names, entry paths and
/// positions only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct DecodeError {
    reason: String,
}

impl DecodeError {
    /// An error with this reason.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The reason, a few words without a full stop.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The same error, told to be inside `place`.
    #[must_use]
    pub(super) fn within(self, place: &str) -> Self {
        Self::new(format!("{place}: {}", self.reason))
    }

    /// The same error, told of a field of `parent`; the reason begins with the field's name.
    #[must_use]
    pub(super) fn of(self, parent: &str) -> Self {
        Self::new(format!("{parent}.{}", self.reason))
    }

    /// Why `what` could not be read as JSON. The parser's own message is not used: it quotes the
    /// value that it stumbled over.
    pub(super) fn json(what: &str, error: &serde_json::Error) -> Self {
        let at = format!("at line {} column {}", error.line(), error.column());
        Self::new(match (error.classify(), field_given_twice(error)) {
            (_, Some(field)) => format!("{what} gives {field} twice, {at}"),
            (Category::Eof, None) => format!("{what} is cut off {at}"),
            (Category::Data, None) => format!("{what} has another shape {at}"),
            (Category::Syntax | Category::Io, None) => format!("{what} is not JSON {at}"),
        })
    }
}

/// The field that a derived reader met twice. Such a reader can only name a field that it
/// declares, so the name is ours and not the sender's.
fn field_given_twice(error: &serde_json::Error) -> Option<String> {
    if error.classify() != Category::Data {
        return None;
    }
    let message = error.to_string();
    let (field, _) = message.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(field.to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    struct One {
        #[expect(dead_code, reason = "only read by the parser")]
        name: u8,
    }

    #[track_caller]
    fn check(json: &str, reason: &str) {
        let error = serde_json::from_str::<One>(json).unwrap_err();
        assert_eq!(DecodeError::json("body", &error).reason(), reason);
    }

    #[test]
    fn a_reason_tells_the_place_and_never_the_content() {
        check("<html>hunter2", "body is not JSON at line 1 column 1");
        check("{\"name\":1,", "body is cut off at line 1 column 10");
        check("{\"name\":\"hunter2\"}", "body has another shape at line 1 column 17");
        check("{\"name\":1,\"name\":2}", "body gives name twice, at line 1 column 16");
    }

    #[test]
    fn a_place_is_put_in_front() {
        let error = DecodeError::new("kind is missing").within("row 3");
        assert_eq!(error.to_string(), "row 3: kind is missing");
        assert_eq!(DecodeError::new("a is empty").of("b").to_string(), "b.a is empty");
    }
}
