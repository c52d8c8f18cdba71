//! The keys of one name: what events and lists do to them, as pure functions.

use std::cmp::Ordering;

use crate::model::{Credential, KeySlot, Resource, SecretHash};
use crate::time::Timestamp;

/// The slot as a resource; one without keys is gone.
pub(in crate::engine) fn there(slot: KeySlot) -> Option<Resource> {
    (!slot.credentials.is_empty()).then_some(Resource::ApiKey(slot))
}

/// How an event sent at `at` relates to the newest one that ended something: `Greater` is newer
/// beyond doubt, `None` cannot be told.
pub(in crate::engine) fn order(
    at: Option<&Timestamp>,
    fence: Option<&Timestamp>,
) -> Option<Ordering> {
    match (at, fence) {
        (_, None) => Some(Ordering::Greater),
        (None, Some(_)) => None,
        (Some(at), Some(fence)) => at.order(fence),
    }
}

/// The later of two fences.
pub(in crate::engine) fn later(
    one: Option<Timestamp>,
    other: Option<Timestamp>,
) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) if other.unix_nanos() > one.unix_nanos() => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

/// The slot with one more key. A hash that is there already keeps what only one side knows.
pub(in crate::engine) fn with(slot: &KeySlot, credential: &Credential) -> KeySlot {
    let mut credentials = slot.credentials.to_vec();
    match credentials.binary_search_by(|known| known.hash.cmp(&credential.hash)) {
        Ok(found) => {
            if let Some(known) = credentials.get_mut(found) {
                *known = joined(known, credential);
            }
        }
        Err(place) => credentials.insert(place, credential.clone()),
    }
    KeySlot { credentials: credentials.into() }
}

/// A key that took the place of those of a slot. Its event has no UUID (A-H31), so whether a list
/// names it is known by what it replaces: where each of them was listable, so is it.
pub(in crate::engine) fn successor(slot: &KeySlot, credential: Credential) -> Credential {
    let mut replaced = slot.credentials.iter().filter(|known| known.hash != credential.hash);
    let is_listable = replaced.clone().next().is_some() && replaced.all(|known| known.is_listable);
    Credential { is_listable: credential.is_listable || is_listable, ..credential }
}

/// The slot without one key, and that key as it is known.
pub(in crate::engine) fn without(
    slot: &KeySlot,
    credential: Option<&Credential>,
) -> (KeySlot, Option<Credential>) {
    let hash = credential.map(|credential| credential.hash);
    let (spared, others): (Vec<Credential>, Vec<Credential>) =
        slot.credentials.iter().cloned().partition(|known| Some(known.hash) == hash);
    (KeySlot { credentials: others.into() }, spared.into_iter().next())
}

/// Two statements about one key, the later one second.
fn joined(known: &Credential, said: &Credential) -> Credential {
    Credential {
        hash: said.hash,
        uuid: said.uuid.clone().or_else(|| known.uuid.clone()),
        expires_at: said.expires_at.or(known.expires_at),
        created_at: known.created_at.or(said.created_at),
        is_listable: known.is_listable || said.is_listable,
    }
}

/// Whether a key of the slot may be newer than an ending sent at `at`: the ending may have been
/// meant for one that went by its name before it.
pub(in crate::engine) fn may_be_newer(slot: &KeySlot, at: Option<&Timestamp>) -> bool {
    let order = |key: &Credential| key.created_at.as_ref()?.order(at?);
    slot.credentials.iter().any(|key| order(key) != Some(Ordering::Less))
}

/// What it means that a list does not name a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// Nothing: the list would not name the key, or is not complete.
    SaysNothing,
    /// The key may be gone; a second list has to say so, too.
    IsNoted,
    /// The key is gone.
    Ends,
}

/// What a complete or partial list makes of a slot.
pub(super) struct AfterList {
    /// The slot as the list has it, with what the list cannot speak of.
    pub(super) slot: KeySlot,
    /// The keys among them that it should name and does not.
    pub(super) missing: Vec<SecretHash>,
}

/// The slot after a list that named some keys, and `dead` ones as no longer active. `silence` tells
/// what it means that it does not name a key; each key is counted by itself.
pub(super) fn listed(
    slot: &KeySlot,
    named: &[Credential],
    dead: &[Credential],
    silence: impl Fn(&Credential) -> Silence,
) -> AfterList {
    let is_named =
        |key: &Credential, list: &[Credential]| list.iter().any(|named| named.hash == key.hash);
    let mut kept = Vec::new();
    let mut missing = Vec::new();
    for known in slot.credentials.iter() {
        if is_named(known, named) || is_named(known, dead) {
            continue;
        }
        match silence(known) {
            Silence::Ends => continue,
            Silence::IsNoted => missing.push(known.hash),
            Silence::SaysNothing => {}
        }
        kept.push(known.clone());
    }
    let mut kept = KeySlot { credentials: kept.into() };
    for key in named {
        let known = slot.credentials.iter().find(|known| known.hash == key.hash);
        kept = with(&kept, &known.map_or_else(|| key.clone(), |known| relisted(known, key)));
    }
    AfterList { slot: kept, missing }
}

/// The slot after a list named some of its keys that no list had named before; `None` where there
/// are no such keys.
pub(super) fn listable(slot: &KeySlot, named: &[Credential]) -> Option<KeySlot> {
    let is_new =
        |key: &Credential| !key.is_listable && named.iter().any(|named| named.hash == key.hash);
    slot.credentials.iter().any(is_new).then(|| KeySlot {
        credentials: slot
            .credentials
            .iter()
            .map(|key| Credential { is_listable: key.is_listable || is_new(key), ..key.clone() })
            .collect(),
    })
}

/// A key as a list names it: the list is the newer word on everything but when an event first
/// named it.
fn relisted(known: &Credential, key: &Credential) -> Credential {
    Credential { created_at: known.created_at.or(key.created_at), ..key.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretHash;

    fn at(second: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-06-17T09:15:{second:02}.000000Z")).unwrap()
    }

    fn key(number: u8, created: Option<u32>) -> Credential {
        Credential {
            hash: SecretHash([number; 32]),
            uuid: None,
            expires_at: None,
            created_at: created.map(at),
            is_listable: number < 100,
        }
    }

    fn slot(keys: &[Credential]) -> KeySlot {
        keys.iter().fold(KeySlot::default(), |slot, key| with(&slot, key))
    }

    #[test]
    fn only_what_was_created_before_an_ending_is_older_than_it() {
        assert!(!may_be_newer(&slot(&[key(1, Some(1)), key(2, Some(4))]), Some(&at(5))));
        for newer in [key(2, Some(5)), key(2, Some(9)), key(2, None)] {
            assert!(may_be_newer(&slot(&[key(1, Some(1)), newer]), Some(&at(5))));
        }
        assert!(may_be_newer(&slot(&[key(1, Some(1))]), None));
    }

    #[test]
    fn a_list_speaks_of_the_keys_it_covers() {
        let known = slot(&[key(1, None), key(2, None), key(100, None)]);
        let noted = |key: &Credential| match key.is_listable {
            true => Silence::IsNoted,
            false => Silence::SaysNothing,
        };
        let first = listed(&known, &[key(2, None)], &[], noted);
        assert_eq!((first.slot, first.missing), (known.clone(), vec![key(1, None).hash]));
        let ends = |key: &Credential| match key.is_listable {
            true => Silence::Ends,
            false => Silence::SaysNothing,
        };
        let second = listed(&known, &[key(2, None)], &[], ends);
        assert_eq!(second.slot, slot(&[key(2, None), key(100, None)]));
        let named_dead = listed(&known, &[key(2, None)], &[key(1, None)], noted);
        assert_eq!(named_dead.slot, slot(&[key(2, None), key(100, None)]));
    }

    #[test]
    fn each_key_that_a_list_lacks_is_counted_by_itself() {
        let known = slot(&[key(1, None), key(2, None)]);
        let silence = |credential: &Credential| {
            if credential.hash == key(1, None).hash { Silence::Ends } else { Silence::IsNoted }
        };
        let left = listed(&known, &[], &[], silence);
        assert_eq!((left.slot, left.missing), (slot(&[key(2, None)]), vec![key(2, None).hash]));
    }

    #[test]
    fn a_key_that_a_list_names_is_listable_from_then_on() {
        let known = slot(&[key(1, None), key(100, None)]);
        assert_eq!(listable(&known, &[key(1, None), key(2, None)]), None);
        let after = listable(&known, &[key(100, None)]);
        let is_listable = |slot: KeySlot| slot.credentials.iter().all(|key| key.is_listable);
        assert!(after.is_some_and(is_listable));
    }

    #[test]
    fn a_listed_key_keeps_when_an_event_named_it() {
        let known = slot(&[key(1, Some(3))]);
        let said = Credential { uuid: Some("u".into()), ..key(1, Some(2)) };
        let merged = listed(&known, &[said], &[], |_| Silence::IsNoted).slot;
        assert_eq!(merged.credentials[0].created_at, Some(at(3)));
        assert_eq!(merged.credentials[0].uuid, Some("u".into()));
    }
}
