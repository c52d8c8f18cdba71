//! API keys: what opens an API, known by a hash and never by its text.

use std::fmt;
use std::sync::Arc;

use super::KeyUuid;
use crate::time::Timestamp;

/// The name of an API key, in lower case: events fold it and lists may not (`docs/apim.md`
/// §2.4, §3.7). Events address a key by its API and this name alone
/// (A-H29: names collide).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyName(Arc<str>);

impl KeyName {
    /// The name, folded as APIM folds it.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name.to_lowercase()))
    }

    /// The folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a credential's text. A hash is as good as a secret in a log, so it prints as `…`
/// (law 16).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// One API key that opens one API.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Credential {
    /// The hash of the key.
    pub hash: SecretHash,
    /// Its UUID. Keys of applications come without one (A-H28: on no list), and so do regenerated
    /// keys (A-H31: UUID left out).
    pub uuid: Option<KeyUuid>,
    /// From when on it is refused; `None` for a key that does not expire.
    pub expires_at: Option<Timestamp>,
    /// When the control plane made it known: an event's `timestamp`, or a list's `createdAt`.
    pub created_at: Option<Timestamp>,
    /// Whether a key list ever named it, or an event did with its UUID. The key list of APIM
    /// names keys of one API only, so its silence says nothing about any other (A-H28: on no
    /// list).
    pub is_listable: bool,
}

/// The keys that go by one name on one API: several where two people chose the same name, none
/// after a revocation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeySlot {
    /// The keys, in order of their hashes, each hash once. They are shared: what is believed, what
    /// is durable and what is served hold the same ones.
    pub credentials: Arc<[Credential]>,
}
