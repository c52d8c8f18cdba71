//! What a snapshot holds depends on the facts, not on how they came.

use driftless_gateway::model::Resource;
use driftless_gateway::runtime::Snapshot;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Fact, Facts, KEPT, fact};
use crate::holding::hold;

fn one_by_one<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Snapshot {
    let facts = facts.into_iter();
    facts.fold(Snapshot::default(), |snapshot, fact| snapshot.with([fact.change()]))
}

/// Facts one by one, in batches, and only the last of each, forwards and backwards, come to the
/// same.
#[test]
fn a_snapshot_that_was_changed_equals_one_that_was_built() {
    hold(1_000, KEPT, &vec(vec(fact(), 0..8), 0..12), |batches| {
        let facts: Vec<Fact> = batches.concat();
        let last = Facts::after(&facts);
        let built = last.snapshot();
        prop_assert_eq!(built.version(), 1);
        let mut changed = Snapshot::default();
        for batch in &batches {
            changed = changed.with(batch.iter().map(Fact::change));
        }
        prop_assert_eq!(changed.version(), batches.len() as u64);
        prop_assert!(changed.holds_the_same_as(&built));
        prop_assert!(one_by_one(&facts).holds_the_same_as(&built));
        prop_assert!(one_by_one(last.facts().iter().rev()).holds_the_same_as(&built));
        Ok(())
    });
}

/// Every fact can be told from what is held, and what is taken back leaves nothing.
#[test]
fn a_snapshot_tells_every_fact_and_forgets_what_is_gone() {
    hold(1_000, KEPT, &vec(fact(), 0..20), |facts| {
        let last = Facts::after(&facts);
        let mut held = last.snapshot();
        for fact in last.facts() {
            let fewer = held.with([fact.taken_back().change()]);
            prop_assert_eq!(fewer.holds_the_same_as(&held), is_silent(&fact), "{:?}", fact);
            held = fewer;
        }
        prop_assert!(held.holds_the_same_as(&Snapshot::default()));
        Ok(())
    });
}

/// A name without keys says nothing.
fn is_silent(fact: &Fact) -> bool {
    let Fact::Resource(_, Some(resource)) = fact else { return false };
    matches!(&**resource, Resource::ApiKey(slot) if slot.credentials.is_empty())
}
