//! Merging a list into what is known (laws 2 to 6).
//!
//! One rule covers every race between reads and events: a read that was asked for at `t` speaks
//! of a state no older than `t - read_lag_max`. Where it contradicts something learnt at `k`, it
//! is believed only when `t >= k + read_lag_max`, and asked again until then.

use crate::engine::Engine;
use crate::engine::artifacts::belief::{Desired, Doubt, Intent, PendingEnding};
use crate::engine::lists::schedule::{ListId, Reading, Worth};
use crate::model::{
    ArtifactId, ControlPlane, Dialect, Generation, Kind, Listed, ListedState, Listing,
};
use crate::time::{Instant, Timestamp};

impl Engine {
    /// Merges a well-formed list that was asked for at `asked_at`.
    pub(in crate::engine) fn merge(&mut self, listing: &Listing, asked_at: Instant, now: Instant) {
        let complete = listing.is_complete();
        let unusable = self.surface(listing);
        let worth = Worth { is_complete: complete, unusable };
        let Reading { is_periodic, is_first } = self.list_read(&ListId::Artifacts, worth, now);
        let is_full = is_periodic || is_first;
        self.learn_dialect(listing.has_state, now);
        let number = self.lists_merged + 1;
        self.lists_merged = number;
        for row in &listing.rows {
            self.merge_row(row, number, asked_at, now);
        }
        if complete {
            self.merge_absences(number, is_full, asked_at, now);
        }
        if is_periodic {
            self.scrub();
        }
        if self.leaves_open(listing, number) {
            self.relist(now.after(self.config.backoff_max));
        }
    }

    /// Some definitions are read again at every periodic list, in turn. A backup restored between
    /// two reads can put another definition under a known id, and no list shows that.
    fn scrub(&mut self) {
        let size = self.config.batch_size_max;
        let after = self.scrubbed.take();
        let is_due = |(_, desired): &(&ArtifactId, &Desired)| desired.intent == Intent::Deployed;
        let ids: Vec<ArtifactId> = self
            .desired
            .iter_after(after.as_ref())
            .filter(is_due)
            .take(size)
            .map(|(id, _)| id.clone())
            .collect();
        self.scrubbed = if ids.len() == size { ids.last().cloned() } else { None };
        for id in ids {
            self.desired.update(&id, |desired| desired.scrub_wanted = true);
            self.touched.insert(id);
        }
    }

    /// Whether the list said nothing that can be used of something that is not at rest: its row
    /// is unclear or cannot be read.
    fn leaves_open(&self, listing: &Listing, number: u64) -> bool {
        let is_open = |known: &Desired| !known.is_at_rest();
        let is_unclear =
            |row: &&Listed| row.kind.is_err() || matches!(row.state, ListedState::Unclear(_));
        let mut unclear = listing.rows.iter().filter(is_unclear);
        unclear.any(|row| self.desired.get(&row.artifact).is_some_and(is_open))
            || !listing.is_complete()
                && self.desired.iter().any(|(_, known)| known.listed_in != number && is_open(known))
    }

    /// Wants the list of artifacts, asked for at `at` or later.
    pub(in crate::engine) fn relist(&mut self, at: Instant) {
        self.lists.relist(&ListId::Artifacts, at);
    }

    /// Notes what of a list cannot be used; returns it in words.
    fn surface(&mut self, listing: &Listing) -> Option<String> {
        let names_max = self.config.names_max;
        let surfaced = &mut self.surfaced;
        surfaced.unknown_kinds = crate::engine::NameCounts::default();
        surfaced.unclear_states = crate::engine::NameCounts::default();
        surfaced.unreadable_rows = listing.unreadable.len() as u64;
        for row in &listing.rows {
            if let Err(kind) = &row.kind {
                surfaced.unknown_kinds.count(&kind.0, names_max);
            }
            if let ListedState::Unclear(state) = &row.state {
                surfaced.unclear_states.count(state, names_max);
            }
        }
        let why = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let mut unusable = why(surfaced.unreadable_rows, "list rows could not be read")
            .or_else(|| why(surfaced.unknown_kinds.total(), "list rows of an unknown kind"))
            .or_else(|| why(surfaced.unclear_states.total(), "list rows in an unclear state"));
        if let (Some(why), Some(first)) = (&mut unusable, listing.unreadable.first()) {
            why.push_str(": ");
            why.push_str(first);
        }
        unusable
    }

    /// The dialect is told by behaviour: only the Platform API serves below its own base path,
    /// and only GA lists rows without `state`.
    fn learn_dialect(&mut self, has_state: Option<bool>, now: Instant) {
        let Some(base) = self.base.clone() else { return };
        let known = self.observed.latest_control_plane().and_then(|known| known.dialect);
        let is_platform = base == crate::model::BasePath::platform_api();
        let dialect = self.config.dialect.or(match has_state {
            _ if is_platform => Some(Dialect::PlatformApi11),
            Some(true) => Some(Dialect::Apim470Fixed),
            Some(false) => Some(Dialect::Apim470),
            None => known,
        });
        let found = ControlPlane { base, dialect };
        if self.observed.latest_control_plane() != Some(&found) {
            self.observed.write_control_plane(found);
            self.note_dialect(now);
        }
        if !self.has_existence_check() {
            self.touched.extend(std::mem::take(&mut self.existence).into_keys());
        }
    }

    fn merge_row(&mut self, row: &Listed, number: u64, asked_at: Instant, now: Instant) {
        let id = &row.artifact;
        let (kind, intent) = match (&row.kind, &row.state) {
            (Ok(kind), ListedState::Deployed) => (*kind, Intent::Deployed),
            (Ok(kind), ListedState::Undeployed) => (*kind, Intent::Undeployed),
            (Err(_), _) | (_, ListedState::Unclear(_)) => {
                // Not understood, and yet not absent.
                self.desired.update(id, |desired| desired.listed(number));
                self.touched.insert(id.clone());
                return;
            }
        };
        let Some(known) = self.desired.get(id) else {
            self.learn_row(row, kind, intent, number, now);
            return;
        };
        let agrees = known.intent == intent
            && known.ending.is_none()
            && (intent != Intent::Deployed
                || known.generation.deployment.as_ref() == Some(&row.deployment));
        let believed = asked_at >= known.settled_at(self.config.read_lag_max);
        if agrees && known.is_at_rest() && known.generation.listed_at == row.listed_at {
            // By far the most rows say what is known and settled: nothing is to be done for them.
            self.desired.update(id, |desired| desired.listed(number));
            return;
        }
        if agrees {
            self.agree(row, number, asked_at);
        } else if believed {
            self.believe_row(row, kind, intent, now);
            self.desired.update(id, |desired| desired.listed(number));
        } else {
            self.doubt(id, number, now);
        }
        self.touched.insert(id.clone());
    }

    fn learn_row(&mut self, row: &Listed, kind: Kind, intent: Intent, number: u64, now: Instant) {
        let generation = Generation {
            deployment: Some(row.deployment.clone()),
            performed_at: None,
            listed_at: row.listed_at,
        };
        let mut desired = Desired::new(kind, intent, generation, now);
        desired.listed_in = number;
        self.desired.insert(row.artifact.clone(), desired);
        self.touched.insert(row.artifact.clone());
    }

    fn agree(&mut self, row: &Listed, number: u64, asked_at: Instant) {
        let lag = self.config.read_lag_max;
        self.desired.update(&row.artifact, |desired| {
            desired.listed(number);
            let rebuilt = is_rebuilt(desired.generation.listed_at, row.listed_at);
            if rebuilt {
                // Deployed anew between the reads, perhaps with another revision in between.
                desired.settled_read_at = None;
            }
            desired.read_confirmed |=
                desired.settled_read_at.is_some_and(|read_at| asked_at >= read_at.after(lag));
            desired.generation.listed_at = row.listed_at;
            desired.check_wanted = false;
            desired.doubt = None;
        });
    }

    /// A row that has nothing to fetch stays in doubt: it is asked for again at every list, and
    /// the status says so in between. An ending that the artifact itself has not answered yet is
    /// still asked about, for the row may be a zombie (A-H14).
    fn believe_row(&mut self, row: &Listed, kind: Kind, intent: Intent, now: Instant) {
        let until = now.after(self.config.resync_interval);
        self.desired.update(&row.artifact, |desired| {
            desired.kind = kind;
            let unanswered = desired.ending.take().filter(|_| intent == Intent::Deployed);
            desired.intend(intent, now);
            if let Some(ending) = unanswered {
                let due = if ending.asked { until } else { ending.due };
                desired.ending = Some(PendingEnding { contradicted: true, due, ..ending });
                desired.check_wanted = ending.asked;
            }
            desired.generation.listed_at = row.listed_at;
            desired.generation.deployment = Some(row.deployment.clone());
            if desired.doubt != Some(Doubt::ListedWithoutContent) {
                desired.doubt = None;
            }
        });
    }

    fn doubt(&mut self, id: &ArtifactId, number: u64, now: Instant) {
        let lag = self.config.read_lag_max;
        let again = self.desired.get(id).map_or(now, |known| known.settled_at(lag)).max(now);
        let mut is_zombie = false;
        self.desired.update(id, |desired| {
            desired.listed(number);
            is_zombie = desired.doubt == Some(Doubt::ListedWithoutContent);
            desired.doubt.get_or_insert(Doubt::Contradicted);
        });
        if !is_zombie {
            self.relist(again);
        }
    }

    fn merge_absences(&mut self, number: u64, is_full: bool, asked_at: Instant, now: Instant) {
        let absent: Vec<ArtifactId> = self
            .desired
            .iter()
            .filter(|(_, desired)| desired.listed_in != number)
            .map(|(id, _)| id.clone())
            .collect();
        for id in absent {
            self.merge_absence(&id, is_full, asked_at, now);
            self.touched.insert(id);
        }
    }

    fn merge_absence(&mut self, id: &ArtifactId, is_full: bool, asked_at: Instant, now: Instant) {
        let Some(known) = self.desired.get(id) else { return };
        let lag = self.config.read_lag_max;
        match known.intent {
            Intent::Deleted => {
                self.desired.update(id, |desired| desired.doubt = None);
            }
            Intent::Undeployed => {
                self.desired.update(id, |desired| desired.doubt = None);
                let is_held = self.observed.latest_row(id).is_some();
                if is_full && is_held && asked_at >= self.settled_at(id) {
                    self.want_existence(id, now);
                }
            }
            Intent::Deployed if asked_at < known.settled_at(lag) => {
                let again = known.settled_at(lag).max(now);
                self.relist(again);
            }
            Intent::Deployed => self.orphan(id, asked_at, now),
        }
    }

    fn settled_at(&self, id: &ArtifactId) -> Instant {
        let lag = self.config.read_lag_max;
        self.desired.get(id).map_or(Instant::START, |known| known.settled_at(lag))
    }

    /// A deployed artifact is absent from a complete list: an orphan candidate. Two such lists
    /// some time apart, then a question about the artifact itself (law 4).
    fn orphan(&mut self, id: &ArtifactId, asked_at: Instant, now: Instant) {
        let delay = self.config.orphan_delay;
        let since = self.desired.get(id).and_then(|known| known.absent_since);
        match since {
            None => {
                self.desired.update(id, |desired| desired.absent_since = Some(asked_at));
                self.relist(now.after(delay));
            }
            Some(since) if asked_at < since.after(delay) => {
                self.relist(since.after(delay).max(now));
            }
            Some(_) => {
                self.desired.update(id, Desired::want_check);
            }
        }
    }
}

/// Whether two list times of one deployment are certainly different moments.
fn is_rebuilt(before: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            !matches!(before.order(&after), None | Some(std::cmp::Ordering::Equal))
        }
        _ => false,
    }
}
