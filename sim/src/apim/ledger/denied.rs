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
pub enum Subject {
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

/// Whether an answer names a subject that it should name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naming {
    /// What it should name.
    pub subject: Subject,
    /// Whether it does.
    pub is_named: bool,
    /// When it was asked for, as APIM saw it.
    pub at: Instant,
}

/// What the answers that reached a gateway said of each subject, from the first on that denied it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Denied {
    said: BTreeMap<Subject, Vec<(Instant, bool)>>,
}

impl Denied {
    /// Whether anything was ever denied.
    pub(in crate::apim) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Whether a subject was ever denied.
    pub(in crate::apim) fn knows(&self, subject: &Subject) -> bool {
        self.said.contains_key(subject)
    }

    /// An answer reached the gateway.
    pub(in crate::apim) fn note(&mut self, naming: Naming) {
        let Naming { subject, is_named, at } = naming;
        match self.said.get_mut(&subject) {
            Some(known) => known.push((at, is_named)),
            None if is_named => {}
            None => drop(self.said.insert(subject, vec![(at, is_named)])),
        }
    }

    /// How often a subject was denied in a row, the longest time, and how far apart the first and
    /// the last of these answers were asked for.
    pub fn longest(&self, subject: &Subject) -> (usize, Duration) {
        let said = self.said.get(subject).map_or(&[][..], Vec::as_slice);
        let runs = said.split(|(_, is_named)| *is_named).filter_map(|run| {
            let ((first, _), (last, _)) = (run.first()?, run.last()?);
            Some((run.len(), last.since(*first)))
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
        let subject = Subject::Row(ArtifactId::new("a"));
        let naming = |is_named, second: u64| Naming {
            subject: subject.clone(),
            is_named,
            at: Instant::from_millis(second * 1000),
        };
        denied.note(naming(true, 1));
        assert!(denied.is_empty(), "what nobody denied is not kept");
        for (is_named, second) in [(false, 2), (true, 3), (false, 10), (false, 14), (true, 15)] {
            denied.note(naming(is_named, second));
        }
        assert_eq!(denied.longest(&subject), (2, Duration::from_secs(4)));
        let other = Subject::Row(ArtifactId::new("b"));
        assert_eq!(denied.longest(&other), (0, Duration::ZERO));
    }
}
