//! The API keys of one API, to be found by hash.

use std::sync::Arc;

use constant_time_eq::constant_time_eq_32;

use super::multimap::{Map, MultiMap};
use crate::model::{Credential, KeyName, KeySlot, SecretHash};

/// The keys of one API.
///
/// They are looked up by the first eight bytes of the hash, and what is found there is compared
/// in constant time, all of it. The time of the look-up can tell no more than those bytes of the
/// hash of a live key, and a guess with such a hash costs as much work as those bits say: the
/// caller chooses the key and not its hash, and a hash does not open anything.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Keyring {
    slots: Map<KeyName, Arc<[u64]>>,
    by_prefix: MultiMap<u64, (KeyName, Credential)>,
}

impl Keyring {
    /// Replaces the keys of one name.
    pub(super) fn set(&mut self, name: &KeyName, slot: Option<&KeySlot>) {
        if let Some(prefixes) = self.slots.get(name).cloned() {
            for prefix in prefixes.iter() {
                self.by_prefix.remove(prefix, |(held, _)| held == name);
            }
            self.slots.remove_mut(name);
        }
        let credentials = slot.map_or(&[][..], |slot| &*slot.credentials);
        if credentials.is_empty() {
            return;
        }
        let mut prefixes: Vec<u64> = Vec::with_capacity(credentials.len());
        for credential in credentials {
            let prefix = prefix_of(&credential.hash);
            self.by_prefix.insert(&prefix, (name.clone(), credential.clone()));
            prefixes.push(prefix);
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        self.slots.insert_mut(name.clone(), Arc::from(prefixes));
    }

    /// The keys with that hash, live or not: several where one key goes by several names.
    pub(super) fn with_hash(&self, hash: &SecretHash) -> impl Iterator<Item = &Credential> {
        let found = self.by_prefix.get(&prefix_of(hash)).iter();
        let hash = *hash;
        found.map(|(_, credential)| credential).filter(move |held| same(&held.hash, &hash))
    }

    /// Whether there is no key.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// Compares two hashes in a time that does not depend on them.
pub(super) fn same(one: &SecretHash, other: &SecretHash) -> bool {
    constant_time_eq_32(&one.0, &other.0)
}

/// The first eight bytes of a hash.
pub(super) fn prefix_of(hash: &SecretHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(first: u8, last: u8) -> Credential {
        let mut hash = [0; 32];
        (hash[0], hash[31]) = (first, last);
        Credential {
            hash: SecretHash(hash),
            uuid: None,
            expires_at: None,
            created_at: None,
            is_listable: false,
        }
    }

    #[test]
    fn a_key_is_found_by_its_whole_hash_and_gone_with_its_name() {
        let (one, two, three) = (credential(1, 1), credential(1, 2), credential(3, 3));
        let mut keys = Keyring::default();
        let (red, blue) = (KeyName::new("red"), KeyName::new("blue"));
        keys.set(&red, Some(&KeySlot { credentials: [one.clone(), two.clone()].into() }));
        keys.set(&blue, Some(&KeySlot { credentials: [one.clone()].into() }));
        assert_eq!(keys.with_hash(&one.hash).count(), 2);
        assert_eq!(keys.with_hash(&two.hash).count(), 1);
        assert_eq!(keys.with_hash(&three.hash).count(), 0);
        keys.set(&red, Some(&KeySlot { credentials: [three.clone()].into() }));
        assert_eq!(keys.with_hash(&one.hash).count(), 1);
        assert_eq!(keys.with_hash(&two.hash).count(), 0);
        assert_eq!(keys.with_hash(&three.hash).count(), 1);
        keys.set(&red, Some(&KeySlot::default()));
        keys.set(&blue, None);
        assert!(keys == Keyring::default() && keys.is_empty());
    }
}
