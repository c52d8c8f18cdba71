//! How many items of a kind stand how, kept by differences: a change costs the same in a large
//! gateway.

use std::collections::BTreeMap;

use crate::model::{ArtifactId, Kind};

/// What is counted of the items of one kind. One item's share is a count of ones and zeros; of the
/// keys of one name each counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct Counts {
    /// Artifacts served; keys, subscriptions, plans and applications that are there.
    pub(in crate::engine) held: usize,
    /// Artifacts held and not served.
    pub(in crate::engine) retained: usize,
    /// Gone, and only remembered.
    pub(in crate::engine) gone: usize,
    /// With work under way.
    pub(in crate::engine) pending: usize,
    /// In doubt: what was said of them contradicts itself, or could not be understood.
    pub(in crate::engine) doubtful: usize,
    /// Missing from the last list.
    pub(in crate::engine) missing: usize,
    /// Keys that no list of APIM names (A-H28).
    pub(in crate::engine) unlisted: usize,
}

impl Counts {
    /// Adds an item's share.
    pub(in crate::engine) fn add(&mut self, share: &Self) {
        self.apply(share, |total, part| *total += part);
    }

    /// Takes an item's share away.
    pub(in crate::engine) fn remove(&mut self, share: &Self) {
        self.apply(share, |total, part| *total -= part);
    }

    fn apply(&mut self, share: &Self, change: impl Fn(&mut usize, usize)) {
        change(&mut self.held, share.held);
        change(&mut self.retained, share.retained);
        change(&mut self.gone, share.gone);
        change(&mut self.pending, share.pending);
        change(&mut self.doubtful, share.doubtful);
        change(&mut self.missing, share.missing);
        change(&mut self.unlisted, share.unlisted);
    }
}

/// The counts of artifacts, by kind.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct ArtifactCounts {
    shares: BTreeMap<ArtifactId, (Kind, Counts)>,
    totals: [Counts; Kind::ALL.len()],
}

impl ArtifactCounts {
    /// Replaces an artifact's share, or forgets it.
    pub(in crate::engine) fn set(&mut self, id: &ArtifactId, share: Option<(Kind, Counts)>) {
        let before = match (share, self.shares.get_mut(id)) {
            (Some(share), Some(known)) if *known == share => return,
            (Some(share), Some(known)) => Some(std::mem::replace(known, share)),
            (Some(share), None) => self.shares.insert(id.clone(), share),
            (None, _) => self.shares.remove(id),
        };
        if let Some((kind, before)) = before {
            self.totals[kind as usize].remove(&before);
        }
        if let Some((kind, after)) = share {
            self.totals[kind as usize].add(&after);
        }
    }

    /// The counts of a kind.
    pub(in crate::engine) const fn of(&self, kind: Kind) -> Counts {
        self.totals[kind as usize]
    }

    /// How many artifacts are only remembered: deleted, or never held.
    pub(in crate::engine) fn gone(&self) -> usize {
        self.totals.iter().map(|counts| counts.gone).sum()
    }

    /// The artifacts that are only remembered.
    pub(in crate::engine) fn gone_ids(&self) -> impl Iterator<Item = &ArtifactId> {
        self.shares.iter().filter(|(_, (_, share))| share.gone > 0).map(|(id, _)| id)
    }
}
