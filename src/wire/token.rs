//! The token of a subscription, which comes as plain text (`docs/controller.md` §2.4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

use super::DecodeError;
use super::json::other_shapes;
use crate::model::SecretHash;

/// The field as it came, but for its text: that is hashed while it is read and never kept
/// (law 16).
#[derive(Default)]
pub(super) enum Token {
    /// Not there, `null` or empty.
    #[default]
    Missing,
    /// A text with this hash.
    Text(SecretHash),
    /// Something else.
    Other,
}

impl Token {
    /// The hash of the token, when there is one.
    pub(super) fn optional(self) -> Result<Option<SecretHash>, DecodeError> {
        match self {
            Self::Missing => Ok(None),
            Self::Text(hash) => Ok(Some(hash)),
            Self::Other => Err(DecodeError::new("subscriptionToken is not a text")),
        }
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(Token::Missing);
        }
        Ok(Token::Text(SecretHash(Sha256::digest(text).into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Token::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map)?;
        Ok(Token::Other)
    }

    other_shapes!(visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<SecretHash>, DecodeError> {
        serde_json::from_str::<Token>(json).unwrap().optional()
    }

    #[test]
    fn a_token_is_the_hash_of_its_text() {
        // SHA-256 of `test`.
        let hash = read("\"test\"").unwrap().unwrap();
        assert_eq!(hash.0[..4], [0x9f, 0x86, 0xd0, 0x81]);
        assert_eq!(read(r#""\u0074est""#), Ok(Some(hash)));
        assert_ne!(read("\"Test\""), Ok(Some(hash)));
    }

    #[test]
    fn no_token_is_not_a_strange_one() {
        assert_eq!(read("null"), Ok(None));
        assert_eq!(read("\"\""), Ok(None));
        for json in ["7", "-7", "0.5", "false", "[\"hunter2\"]", "{\"hunter2\":{}}"] {
            let refused = DecodeError::new("subscriptionToken is not a text");
            assert_eq!(read(json), Err(refused), "{json}");
        }
    }
}
