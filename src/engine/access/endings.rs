//! What is remembered of the keys of a name that ended, and of the events that ended them.
//!
//! An ending names no key (A-H29), comes twice (A-H1) and is stamped by a clock that may be set
//! back (FB-239: compared by wall clock). So a stamp tells which ending it is and not when it was;
//! and a key that went is known by its hash, which no later key has.

use std::cmp::Ordering;

use super::keys::later;
use crate::model::{Credential, KeyEnding, KeySlot, Resource, ResourceRow, SecretHash};
use crate::time::Timestamp;

/// How many endings and ended keys of one name are remembered. An older ending that comes again
/// counts as another, which closes what it may have meant.
const REMEMBERED_MAX: usize = 8;

/// What an event that ends a key of a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// One that was not heard before.
    New,
    /// A copy of one that was heard, or another of its very stamp (A-H1, A-H3).
    Again,
    /// One without a stamp.
    Unordered,
}

/// What an ending is to a name; `None` is one without a stamp.
pub(super) fn ending(said: Option<&KeyEnding>, known: Option<&ResourceRow>) -> Ending {
    let Some(known) = known else { return Ending::New };
    let knows_none = known.endings.is_empty();
    match said {
        None if knows_none && known.fence.is_none() => Ending::New,
        None => Ending::Unordered,
        Some(said) if known.endings.iter().any(|it| it.is_copy_of(said)) => Ending::Again,
        // A store of an older schema knows the last one by its stamp alone.
        Some(said) if knows_none && known.fence == Some(said.at) => Ending::Again,
        Some(_) => Ending::New,
    }
}

/// The endings to be remembered after one more.
pub(super) fn with_ending(endings: &[KeyEnding], said: Option<&KeyEnding>) -> Vec<KeyEnding> {
    let is_new = |said: &&KeyEnding| !endings.iter().any(|it| it.is_copy_of(said));
    last([endings, said.filter(is_new).map_or(&[], std::slice::from_ref)].concat())
}

/// The row once an ending that found no key is known to have ended this one; `None` where there is
/// no such ending.
pub(super) fn explained(row: &ResourceRow, hash: SecretHash) -> Option<ResourceRow> {
    let mut row = row.clone();
    row.endings.iter_mut().find(|ending| !ending.found)?.found = true;
    row.ended = last(row.ended.into_iter().chain([hash]).collect());
    Some(row)
}

/// The keys that survive an ending that was heard before, or another of its very stamp: those that
/// are newer beyond doubt, and those without a stamp. The first hearing ended every key that was
/// known then, so a key without a stamp was learned of later.
pub(super) fn ended_again(slot: &KeySlot, at: Option<&Timestamp>) -> KeySlot {
    let survives = |key: &&Credential| {
        let order = key.created_at.as_ref().zip(at).map(|(created, at)| created.order(at));
        order.is_none_or(|order| order == Some(Ordering::Greater))
    };
    KeySlot { credentials: slot.credentials.iter().filter(survives).cloned().collect() }
}

/// The row once `left` is all that is left of its resource. Its fence is no earlier than the
/// creation of any key that goes, and the hash of each is remembered, so that a late copy of that
/// creation does not bring it back (law 5).
pub(super) fn row_with(row: &ResourceRow, left: Option<Resource>) -> ResourceRow {
    let is_left = |key: &&Credential| match &left {
        Some(Resource::ApiKey(left)) => left.credentials.iter().any(|kept| kept.hash == key.hash),
        _ => false,
    };
    let known = match &row.resource {
        Some(Resource::ApiKey(slot)) => &slot.credentials[..],
        _ => &[],
    };
    let gone: Vec<&Credential> = known.iter().filter(|key| !is_left(key)).collect();
    let fence = gone.iter().fold(row.fence, |fence, key| later(key.created_at, fence));
    let is_new = |hash: &SecretHash| !row.ended.contains(hash);
    let hashes = gone.iter().map(|key| key.hash).filter(is_new);
    let ended = last(row.ended.iter().copied().chain(hashes).collect());
    ResourceRow { resource: left, fence, endings: row.endings.clone(), ended }
}

/// The last of what is to be remembered.
fn last<T>(mut all: Vec<T>) -> Vec<T> {
    all.drain(..all.len().saturating_sub(REMEMBERED_MAX));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::access::keys::{there, with};

    fn at(second: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-06-17T09:15:{second:02}.000000Z")).unwrap()
    }

    fn key(number: u8, created: u32) -> Credential {
        Credential {
            hash: SecretHash([number; 32]),
            uuid: None,
            expires_at: None,
            created_at: Some(at(created)),
            is_listable: true,
        }
    }

    fn slot(keys: &[Credential]) -> KeySlot {
        keys.iter().fold(KeySlot::default(), |slot, key| with(&slot, key))
    }

    fn revoked(second: u32) -> KeyEnding {
        KeyEnding { at: at(second), successor: None, found: true }
    }

    #[test]
    fn an_ending_is_known_by_its_stamp_and_successor_and_the_oldest_is_forgotten() {
        assert_eq!(ending(None, None), Ending::New);
        let mut row = ResourceRow::default();
        for second in 1..=9 {
            assert_eq!(ending(Some(&revoked(second)), Some(&row)), Ending::New);
            row.endings = with_ending(&row.endings, Some(&revoked(second)));
            row.endings = with_ending(&row.endings, Some(&revoked(second)));
        }
        assert_eq!(row.endings, (2..=9).map(revoked).collect::<Vec<_>>());
        let copy = KeyEnding { found: false, ..revoked(5) };
        assert_eq!(ending(Some(&copy), Some(&row)), Ending::Again);
        let regenerated = KeyEnding { successor: Some(SecretHash([1; 32])), ..revoked(5) };
        assert_eq!(ending(Some(&regenerated), Some(&row)), Ending::New);
        assert_eq!(ending(Some(&revoked(1)), Some(&row)), Ending::New);
        assert_eq!(ending(None, Some(&row)), Ending::Unordered);
        row = ResourceRow::new(None, Some(at(7)));
        assert_eq!(ending(Some(&revoked(7)), Some(&row)), Ending::Again, "of an older store");
    }

    #[test]
    fn what_goes_leaves_a_fence_no_earlier_than_its_creation_and_its_hash() {
        let row = ResourceRow::new(there(slot(&[key(1, 7), key(2, 4)])), Some(at(5)));
        assert_eq!(row_with(&row, row.resource.clone()), row);
        let left = row_with(&row, there(slot(&[key(1, 7)])));
        assert_eq!((left.fence, &left.ended[..]), (Some(at(5)), &[key(2, 4).hash][..]));
        let none = row_with(&left, None);
        assert_eq!((none.fence, none.ended.len()), (Some(at(7)), 2));
    }

    #[test]
    fn an_ending_that_comes_again_spares_what_is_newer() {
        let left = ended_again(&slot(&[key(1, 1), key(2, 5), key(3, 9)]), Some(&at(5)));
        assert_eq!(left, slot(&[key(3, 9)]));
    }

    #[test]
    fn an_ending_that_found_no_key_is_explained_once() {
        let ended = KeyEnding { found: false, ..revoked(5) };
        let row = ResourceRow { endings: vec![ended], ..ResourceRow::new(None, Some(at(5))) };
        let explained_row = explained(&row, key(1, 1).hash).unwrap();
        assert_eq!(explained_row.ended, [key(1, 1).hash]);
        assert_eq!(explained(&explained_row, key(2, 1).hash), None);
    }
}
