//! What opens an API: its text, which only probes may see, and its hash.

use std::fmt;

use driftless_gateway::model::SecretHash;
use sha2::{Digest as _, Sha256};

use crate::random::Key;

/// The text of a key or a token. It prints as `…` (law 16): a probe asks for it, a report never.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// 32 bytes drawn from a key, in base64url without padding (`docs/apim.md` §5.5).
    pub(in crate::apim) fn draw(key: Key) -> Self {
        let mut bytes = [0; 32];
        for (place, name) in bytes.chunks_exact_mut(8).zip(["first", "second", "third", "fourth"]) {
            place.copy_from_slice(&key.draw(name).to_be_bytes());
        }
        Self(base64url(&bytes).into())
    }

    /// The text itself, for a request that is judged.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text, unsalted.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text without all but its last four characters, as an event shows it (§2.4).
    pub(in crate::apim) fn masked(&self) -> String {
        let shown = self.0.len().saturating_sub(4);
        format!("****{}", self.0.get(shown..).unwrap_or_default())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Bytes in base64 with the letters for URLs, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            // Six bits are below 64.
            let letter = (group >> (18 - 6 * place) & 0x3f) as usize;
            out.push(char::from(LETTERS[letter]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64_without_padding() {
        assert_eq!(base64url(b""), "");
        assert_eq!(base64url(b"M"), "TQ");
        assert_eq!(base64url(b"Ma"), "TWE");
        assert_eq!(base64url(b"Man"), "TWFu");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_secret_has_43_letters_and_shows_none_of_them() {
        let secret = Secret::draw(Key::new(1));
        assert_eq!(secret.reveal().len(), 43);
        assert_eq!(format!("{secret:?}"), "…");
        assert_eq!(secret.masked().len(), 8);
        assert!(secret.reveal().ends_with(&secret.masked()[4..]));
        assert_ne!(secret.hash(), Secret::draw(Key::new(2)).hash());
    }
}
