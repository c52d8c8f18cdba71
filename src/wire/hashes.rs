//! `apiKeyHashes`: the hashes of one API key, in every form that is sent (A-H30: hash forms).
//!
//! Events carry a text that holds JSON, lists an object, and the column behind both has the bare
//! hexadecimal digits with the prefix `$sha256$` (`docs/apim.md` §2.4, §3.7, §5.5).

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::DecodeError;
use super::json::{self, Value, other_shapes};
use crate::model::{SecretHash, from_hex};

/// What the database puts in front of a hash.
const PREFIX: &str = "$sha256$";

/// The field as it came. It has no `Debug`: its texts are as good as secrets (law 16).
#[derive(Default)]
pub(super) enum Hashes<'a> {
    /// Not there, or `null`.
    #[default]
    Missing,
    /// A text: JSON, or a hash alone.
    Text(Cow<'a, str>),
    /// Hashes by algorithm.
    ByAlgorithm(ByAlgorithm<'a>),
    /// Something else.
    Other,
}

/// The one algorithm that is used; any other is of no use to a gateway.
#[derive(serde::Deserialize)]
pub(super) struct ByAlgorithm<'a> {
    #[serde(borrow, default)]
    sha256: Value<'a>,
}

impl Hashes<'_> {
    /// The SHA-256 of the key.
    ///
    /// # Errors
    /// A reason that names `apiKeyHashes` and nothing of what it holds.
    pub(super) fn sha256(self) -> Result<SecretHash, DecodeError> {
        let refuse = |why: &str| Err(DecodeError::new(format!("apiKeyHashes {why}")));
        match self {
            Self::Missing => refuse("is missing"),
            Self::Other => refuse("is neither an object nor a text"),
            Self::ByAlgorithm(hashes) => hashes.sha256(),
            Self::Text(text) if text.trim().is_empty() => refuse("is empty"),
            Self::Text(text) if text.trim_start().starts_with('{') => {
                let hashes: ByAlgorithm<'_> = json::read_object(text.as_bytes(), "apiKeyHashes")?;
                hashes.sha256()
            }
            Self::Text(text) => parse(&text, "apiKeyHashes"),
        }
    }
}

impl ByAlgorithm<'_> {
    fn sha256(self) -> Result<SecretHash, DecodeError> {
        let field = "apiKeyHashes.sha256";
        parse(&self.sha256.required(field)?, field)
    }
}

/// Reads hexadecimal digits of either case, with or without the prefix.
fn parse(text: &str, field: &str) -> Result<SecretHash, DecodeError> {
    let text = text.trim();
    let digits = match text.split_at_checked(PREFIX.len()) {
        Some((prefix, digits)) if prefix.eq_ignore_ascii_case(PREFIX) => digits,
        _ => text,
    };
    from_hex(digits)
        .map(SecretHash)
        .ok_or_else(|| DecodeError::new(format!("{field} is not 64 hexadecimal digits")))
}

impl<'de: 'a, 'a> Deserialize<'de> for Hashes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HashesVisitor)
    }
}

struct HashesVisitor;

impl<'de> Visitor<'de> for HashesVisitor {
    type Value = Hashes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hashes")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Hashes::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Hashes::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Hashes::ByAlgorithm)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Hashes::Other)
    }

    other_shapes!(visit_bool(bool), visit_u64(u64), visit_i64(i64), visit_f64(f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `test`.
    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn read(json: &str) -> Result<SecretHash, DecodeError> {
        let hashes: Hashes<'_> = serde_json::from_str(json).unwrap();
        hashes.sha256()
    }

    #[track_caller]
    fn refuse(json: &str, reason: &str) {
        assert_eq!(read(json).map(|_| ()), Err(DecodeError::new(reason)), "{json}");
    }

    #[test]
    fn every_form_says_the_same_hash() {
        let plain = read(&format!("\"{HEX}\"")).unwrap();
        assert_eq!(plain.0[..3], [0x9f, 0x86, 0xd0]);
        let upper = HEX.to_uppercase();
        for json in [
            format!(r#"{{"sha256":"{HEX}"}}"#),
            format!(r#"{{"md5":"x","sha256":"$sha256${HEX}","sha512":7}}"#),
            format!(r#""{{\"sha256\":\"{HEX}\"}}""#),
            format!(r#"" {{\"sha256\":\"$SHA256${upper}\"}} ""#),
            format!(r#""{{\u0022sha256\u0022:\u0022{HEX}\u0022}}""#),
            format!(r#""$sha256${HEX}""#),
            format!(r#"" {upper}""#),
        ] {
            assert_eq!(read(&json).unwrap(), plain, "{json}");
        }
    }

    #[test]
    fn what_is_no_sha_256_is_refused_by_its_field() {
        refuse("null", "apiKeyHashes is missing");
        refuse("[]", "apiKeyHashes is neither an object nor a text");
        refuse("7", "apiKeyHashes is neither an object nor a text");
        refuse("true", "apiKeyHashes is neither an object nor a text");
        refuse("\"\"", "apiKeyHashes is empty");
        refuse("{}", "apiKeyHashes.sha256 is missing");
        refuse(r#"{"sha512":"hunter2"}"#, "apiKeyHashes.sha256 is missing");
        refuse(r#"{"sha256":null}"#, "apiKeyHashes.sha256 is missing");
        refuse(r#"{"sha256":["hunter2"]}"#, "apiKeyHashes.sha256 is not a text");
        refuse(r#"{"sha256":""}"#, "apiKeyHashes.sha256 is empty");
        let digits = "apiKeyHashes.sha256 is not 64 hexadecimal digits";
        refuse(&format!(r#"{{"sha256":"{}"}}"#, &HEX[1..]), digits);
        refuse(&format!(r#"{{"sha256":"{HEX}0"}}"#), digits);
        refuse(&format!(r#"{{"sha256":"$sha512${HEX}"}}"#), digits);
        refuse(&format!(r#"{{"sha256":"{}"}}"#, HEX.replace('f', "g")), digits);
        refuse(&format!(r#"{{"sha256":"{}"}}"#, "é".repeat(32)), digits);
        refuse(&format!(r#""{}""#, "ab".repeat(64)), "apiKeyHashes is not 64 hexadecimal digits");
        refuse(r#""{\"sha512\":\"hunter2\"}""#, "apiKeyHashes.sha256 is missing");
        refuse(r#""{\"sha256\":""#, "apiKeyHashes is cut off at line 1 column 10");
        refuse(r#""{hunter2""#, "apiKeyHashes is not JSON at line 1 column 2");
    }
}
