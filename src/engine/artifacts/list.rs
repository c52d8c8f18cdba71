//! The list of artifacts, merged into what is believed (laws 2 to 6) by the rule of
//! [`evidence`](crate::engine::evidence).

use std::cmp::Ordering;

use super::Artifacts;
use super::belief::{ArtifactBelief, Doubt, Intent, Presence};
use crate::engine::config::Config;
use crate::engine::evidence::may_contradict;
use crate::engine::lists::schedule::{ListId, Lists, Reading};
use crate::engine::status::report::{Anomalies, NameCounts};
use crate::model::{ArtifactId, Generation, Kind, ListedArtifact, ListedState, Listing};
use crate::time::{Instant, Timestamp};

/// Takes a well-formed list of artifacts in.
pub(in crate::engine) struct ArtifactList<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) artifacts: &'a mut Artifacts,
    pub(in crate::engine) lists: &'a mut Lists,
    /// When the list was asked for.
    pub(in crate::engine) asked_at: Instant,
    pub(in crate::engine) now: Instant,
}

impl ArtifactList<'_> {
    /// Merges the list. Returns what is held and undeployed and not on it: whether that still
    /// exists is worth a question.
    pub(in crate::engine) fn merge(
        &mut self,
        listing: &Listing,
        reading: Reading,
    ) -> Vec<ArtifactId> {
        self.artifacts.lists_merged += 1;
        for row in &listing.rows {
            self.merge_row(row);
        }
        let mut undeployed = Vec::new();
        if listing.is_complete() {
            undeployed = self.merge_absences();
        }
        if reading.is_periodic {
            self.scrub();
        }
        if self.leaves_open(listing) {
            self.relist(self.now.after(self.config.backoff_max));
        }
        undeployed
    }

    /// Some definitions are read again at every periodic list, in turn. A backup restored between
    /// two reads can put another definition under a known id, and no list shows that.
    fn scrub(&mut self) {
        let size = self.config.batch_size_max;
        let after = self.artifacts.scrubbed.take();
        let beliefs = self.artifacts.beliefs.iter_after(after.as_ref());
        let deployed = beliefs.filter(|(_, belief)| belief.intent == Intent::Deployed);
        let ids: Vec<ArtifactId> = deployed.take(size).map(|(id, _)| id.clone()).collect();
        self.artifacts.scrubbed = if ids.len() == size { ids.last().cloned() } else { None };
        for id in ids {
            self.artifacts.beliefs.update(&id, |belief| belief.scrub_wanted = true);
            self.artifacts.touched.insert(id);
        }
    }

    /// Whether the list said nothing that can be used of something that is not at rest: its row
    /// is unclear or cannot be read.
    fn leaves_open(&self, listing: &Listing) -> bool {
        let number = self.artifacts.lists_merged;
        let beliefs = &self.artifacts.beliefs;
        let is_unclear = |row: &&ListedArtifact| {
            row.kind.is_err() || matches!(row.state, ListedState::Unclear(_))
        };
        let mut unclear = listing.rows.iter().filter(is_unclear);
        unclear.any(|row| beliefs.get(&row.artifact).is_some_and(|known| !known.is_at_rest()))
            || !listing.is_complete()
                && beliefs.iter().any(|(_, known)| known.listed_in != number && !known.is_at_rest())
    }

    fn relist(&mut self, at: Instant) {
        self.lists.relist(&ListId::Artifacts, at);
    }

    fn merge_row(&mut self, row: &ListedArtifact) {
        let id = &row.artifact;
        let number = self.artifacts.lists_merged;
        let (kind, intent) = match (&row.kind, &row.state) {
            (Ok(kind), ListedState::Deployed) => (*kind, Intent::Deployed),
            (Ok(kind), ListedState::Undeployed) => (*kind, Intent::Undeployed),
            (Err(_), _) | (_, ListedState::Unclear(_)) => {
                // Not understood, and yet not absent.
                self.artifacts.beliefs.update(id, |belief| belief.listed(number));
                self.artifacts.touched.insert(id.clone());
                return;
            }
        };
        let Some(known) = self.artifacts.beliefs.get(id) else {
            self.learn(row, kind, intent);
            return;
        };
        let agrees = known.intent == intent
            && known.withdrawal.is_none()
            && (intent != Intent::Deployed
                || known.generation.deployment.as_ref() == Some(&row.deployment));
        if agrees && known.is_at_rest() && known.generation.listed_at == row.listed_at {
            // By far the most rows say what is known and settled: nothing is to be done for them.
            self.artifacts.beliefs.update(id, |belief| belief.listed(number));
            return;
        }
        let is_believed = self.asked_at >= known.contradictable_at(self.config.read_lag_max);
        if agrees {
            self.agree(row);
        } else if is_believed {
            self.believe(row, kind, intent);
        } else {
            self.doubt(id);
        }
        self.artifacts.touched.insert(id.clone());
    }

    fn learn(&mut self, row: &ListedArtifact, kind: Kind, intent: Intent) {
        let generation = Generation {
            deployment: Some(row.deployment.clone()),
            performed_at: None,
            listed_at: row.listed_at,
        };
        let mut belief = ArtifactBelief::new(kind, intent, generation, self.now);
        belief.listed_in = self.artifacts.lists_merged;
        self.artifacts.beliefs.insert(row.artifact.clone(), belief);
        self.artifacts.touched.insert(row.artifact.clone());
    }

    fn agree(&mut self, row: &ListedArtifact) {
        let number = self.artifacts.lists_merged;
        self.artifacts.beliefs.update(&row.artifact, |belief| {
            belief.listed(number);
            let is_rebuilt = is_rebuilt(belief.generation.listed_at, row.listed_at);
            belief.confirm(is_rebuilt, self.asked_at, self.config.read_lag_max);
            belief.generation.listed_at = row.listed_at;
            belief.doubt = None;
        });
    }

    /// A row that has nothing to fetch stays in doubt: it is asked for again at every list, and
    /// the status says so in between.
    fn believe(&mut self, row: &ListedArtifact, kind: Kind, intent: Intent) {
        let until = self.now.after(self.config.resync_interval);
        let number = self.artifacts.lists_merged;
        self.artifacts.beliefs.update(&row.artifact, |belief| {
            let unanswered = belief.withdrawal.take().filter(|_| intent == Intent::Deployed);
            belief.kind = kind;
            belief.intend(intent, self.now);
            belief.contradict_withdrawal(unanswered, until);
            belief.generation.listed_at = row.listed_at;
            belief.generation.deployment = Some(row.deployment.clone());
            if belief.doubt != Some(Doubt::ListedWithoutContent) {
                belief.doubt = None;
            }
            belief.listed(number);
        });
    }

    fn doubt(&mut self, id: &ArtifactId) {
        let number = self.artifacts.lists_merged;
        let mut again = None;
        self.artifacts.beliefs.update(id, |belief| {
            belief.listed(number);
            // A zombie row is looked at by the periodic list.
            if belief.doubt != Some(Doubt::ListedWithoutContent) {
                again = Some(belief.contradictable_at(self.config.read_lag_max));
            }
            belief.doubt.get_or_insert(Doubt::Contradicted);
        });
        if let Some(again) = again {
            self.relist(again.max(self.now));
        }
    }

    fn merge_absences(&mut self) -> Vec<ArtifactId> {
        let number = self.artifacts.lists_merged;
        let beliefs = self.artifacts.beliefs.iter();
        let absent = beliefs.filter(|(_, belief)| belief.listed_in != number);
        let absent: Vec<ArtifactId> = absent.map(|(id, _)| id.clone()).collect();
        let mut undeployed = Vec::new();
        for id in absent {
            if self.merge_absence(&id) {
                undeployed.push(id.clone());
            }
            self.artifacts.touched.insert(id);
        }
        undeployed
    }

    /// A complete list lacks an artifact. Returns whether it is undeployed, and was when the list
    /// was asked for.
    fn merge_absence(&mut self, id: &ArtifactId) -> bool {
        let lag = self.config.read_lag_max;
        let Some(known) = self.artifacts.beliefs.get(id) else { return false };
        let settled_at = known.contradictable_at(lag);
        match known.intent {
            Intent::Deleted | Intent::Undeployed => {
                let is_undeployed = known.intent == Intent::Undeployed;
                self.artifacts.beliefs.update(id, |belief| belief.doubt = None);
                is_undeployed && self.asked_at >= settled_at
            }
            Intent::Deployed if self.asked_at < settled_at => {
                self.relist(settled_at.max(self.now));
                false
            }
            Intent::Deployed => {
                self.miss(id, known.presence);
                false
            }
        }
    }

    /// A deployed artifact is absent from a complete list: an orphan candidate. Two such lists
    /// some time apart, then a question about the artifact itself (law 4).
    fn miss(&mut self, id: &ArtifactId, presence: Presence) {
        let delay = self.config.orphan_delay;
        let beliefs = &mut self.artifacts.beliefs;
        match presence {
            Presence::Listed => {
                let since = Presence::AbsentSince(self.asked_at);
                beliefs.update(id, |belief| belief.presence = since);
                self.relist(self.now.after(delay));
            }
            Presence::AbsentSince(since) if !may_contradict(self.asked_at, since, delay) => {
                self.relist(since.after(delay).max(self.now));
            }
            Presence::AbsentSince(_) => beliefs.update(id, |belief| {
                belief.ask_for(|belief| belief.presence = Presence::CheckWanted);
            }),
            Presence::CheckWanted => {}
        }
    }
}

impl Anomalies {
    /// Notes what of a list cannot be used; returns it in words.
    pub(in crate::engine) fn note_list(
        &mut self,
        listing: &Listing,
        names_max: usize,
    ) -> Option<String> {
        self.unknown_kinds = NameCounts::default();
        self.unclear_states = NameCounts::default();
        self.unreadable_rows = listing.unreadable.len() as u64;
        for row in &listing.rows {
            if let Err(kind) = &row.kind {
                self.unknown_kinds.count(&kind.0, names_max);
            }
            if let ListedState::Unclear(state) = &row.state {
                self.unclear_states.count(state, names_max);
            }
        }
        let why = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let mut unusable = why(self.unreadable_rows, "list rows could not be read")
            .or_else(|| why(self.unknown_kinds.total(), "list rows of an unknown kind"))
            .or_else(|| why(self.unclear_states.total(), "list rows in an unclear state"));
        if let (Some(why), Some(first)) = (&mut unusable, listing.unreadable.first()) {
            why.push_str(": ");
            why.push_str(first);
        }
        unusable
    }
}

/// Whether two list times of one deployment are certainly different moments.
fn is_rebuilt(before: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            !matches!(before.order(&after), None | Some(Ordering::Equal))
        }
        _ => false,
    }
}
