//! What answers denied although it was so: items that a complete list lacked, and definitions that
//! were refused.
//!
//! One such answer is a fault, and takes nothing away. A gateway that is told the same for long
//! enough, by all that it can ask, has to believe it (law 4), so the properties ask how long.

use std::collections::BTreeMap;
use std::time::Duration;

use driftless_gateway::model::{ArtifactId, PlanId, SecretHash, SubscriptionId};
use driftless_gateway::time::Instant;

/// Something that an answer should have named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Item {
    /// The row of an artifact.
    Row(ArtifactId),
    /// The definition of an artifact.
    Definition(ArtifactId),
    /// A key.
    Key(SecretHash),
    /// A subscription.
    Subscription(SubscriptionId),
    /// A plan.
    Plan(PlanId),
}

/// What one answer said of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Said {
    at: Instant,
    is_denied: bool,
}

/// What answers said of each item, from the first on that denied it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Denied {
    said: BTreeMap<Item, Vec<Said>>,
}

impl Denied {
    /// Whether anything was ever denied.
    pub(in crate::apim) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// An answer of this moment should name an item, and does or does not.
    pub(in crate::apim) fn note(&mut self, item: Item, is_named: bool, at: Instant) {
        let said = Said { at, is_denied: !is_named };
        match self.said.get_mut(&item) {
            Some(known) => known.push(said),
            None if is_named => {}
            None => drop(self.said.insert(item, vec![said])),
        }
    }

    /// How often an item was denied in a row, the longest time, and how far apart the first and
    /// the last of these answers were asked for.
    pub fn longest(&self, item: &Item) -> (usize, Duration) {
        let said = self.said.get(item).map_or(&[][..], Vec::as_slice);
        let runs = said.split(|said| !said.is_denied).filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            Some((run.len(), last.at.since(first.at)))
        });
        runs.max_by_key(|(_, time)| *time).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_of_denials_counts_and_a_good_answer_ends_one() {
        let mut denied = Denied::default();
        let item = Item::Row(ArtifactId::new("a"));
        let at = Instant::from_millis;
        denied.note(item.clone(), true, at(1));
        assert!(denied.is_empty(), "what nobody denied is not kept");
        for (is_named, second) in [(false, 2), (true, 3), (false, 10), (false, 14), (true, 15)] {
            denied.note(item.clone(), is_named, at(second * 1000));
        }
        assert_eq!(denied.longest(&item), (2, Duration::from_secs(4)));
        let other = Item::Row(ArtifactId::new("b"));
        assert_eq!(denied.longest(&other), (0, Duration::ZERO));
    }
}
