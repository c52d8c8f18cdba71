//! Ground truth: everything ever issued, with its virtual time.
//!
//! Properties ask the ledger and never the wire; the simulated API Manager writes it and never
//! reads it. Artifacts are here, who may use them is in `access`.

mod access;
pub(super) mod cause;
mod denied;
mod secret;

use std::collections::BTreeMap;
use std::sync::Arc;

use driftless_gateway::model::{
    AckAction, AckStatus, ArtifactId, ContentDigest, DeploymentId, Kind,
};
use driftless_gateway::time::Instant;

pub use access::{
    AccessEvent, ApplicationRecord, Expiry, KeyReach, KeyRecord, KeyScope, KeyState, PlanRecord,
    SubscriptionRecord,
};
pub use cause::Cause;
pub use denied::{Denied, Naming, Subject};
pub use secret::Secret;

use super::rest::definition::Outline;

pub(super) use access::validity;

/// Everything ever issued.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    records: BTreeMap<ArtifactId, ArtifactRecord>,
    names: BTreeMap<Arc<str>, ArtifactId>,
    events: Vec<EventRecord>,
    acks: Vec<AckRecord>,
    restores: Vec<Instant>,
    access: access::IssuedAccess,
    denied: Denied,
}

/// Everything issued about one artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArtifactRecord {
    /// Its name in the story.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: Kind,
    /// Which artifact of that name this is, from 1.
    pub incarnation: u32,
    /// What was issued, oldest first; numbers rise by one.
    pub issues: Vec<Issue>,
}

/// One statement of the control plane about an artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// When it was made.
    pub at: Instant,
    /// Its number, from 1 for each artifact.
    pub number: u32,
    /// What it says.
    pub what: Issued,
    /// From when on a fresh read sees it and nothing older.
    pub readable_from: Instant,
    /// Why it was made.
    pub cause: Cause,
}

/// What a statement says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Issued {
    /// The artifact is to be served.
    Deployed {
        /// The deployment id.
        deployment: DeploymentId,
        /// The revision.
        revision: u32,
        /// The definition's digest.
        digest: ContentDigest,
        /// What the definition says.
        outline: Outline,
    },
    /// The artifact is not to be served.
    Undeployed,
    /// The artifact is gone.
    Deleted,
}

/// What a gateway must serve of an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MustServe<'a> {
    /// The statement that says so.
    pub issue: &'a Issue,
    /// The deployment id.
    pub deployment: &'a DeploymentId,
    /// The definition's digest.
    pub digest: ContentDigest,
    /// Its kind.
    pub kind: Kind,
    /// Whether a gateway can read the definition. Where not, the last good one stays served.
    pub is_readable: bool,
}

/// An event that was raised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// When.
    pub at: Instant,
    /// Its type.
    pub event_type: &'static str,
    /// The artifact.
    pub artifact: ArtifactId,
    /// The number of the statement that it tells of; that of the new deployment for the undeploy
    /// that precedes a redeploy.
    pub issue: u32,
    /// The deployment id it names.
    pub deployment: Option<DeploymentId>,
    /// Its `performedAt` and `timestamp` as sent.
    pub performed_text: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an event when it was raised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// It is in the event store, and was sent directly where that was possible.
    Stored,
    /// It was sent directly and not stored.
    Direct,
    /// It was not stored and nobody was connected.
    Unheard,
    /// It never came to exist (A-H10).
    Lost,
}

/// A `deployment.ack` that was received and well-formed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AckRecord {
    /// When.
    pub at: Instant,
    /// The artifact, by the id in the ack.
    pub artifact: ArtifactId,
    /// The deployment id in the ack.
    pub deployment: Option<DeploymentId>,
    /// What was done.
    pub action: AckAction,
    /// How it ended.
    pub status: AckStatus,
    /// The `performedAt` that it echoes.
    pub performed_text: Option<String>,
    /// Whether the control plane could tell what it is about; otherwise it dropped it (A-H38).
    pub resolved: bool,
}

impl Ledger {
    /// The id of the artifact that last had that name.
    pub fn artifact(&self, name: &str) -> Option<&ArtifactId> {
        self.names.get(name)
    }

    /// Everything issued about an artifact.
    pub fn record(&self, artifact: &ArtifactId) -> Option<&ArtifactRecord> {
        self.records.get(artifact)
    }

    /// Every artifact with everything issued about it, by id.
    pub fn records(&self) -> impl Iterator<Item = (&ArtifactId, &ArtifactRecord)> {
        self.records.iter()
    }

    /// The statement in force about an artifact.
    pub fn current(&self, artifact: &ArtifactId) -> Option<&Issue> {
        self.records.get(artifact)?.current()
    }

    /// What the gateway must serve now, by id; everything else must not be served.
    pub fn must_serve(&self) -> impl Iterator<Item = (&ArtifactId, MustServe<'_>)> {
        self.records.iter().filter_map(|(id, record)| Some((id, record.must_serve()?)))
    }

    /// The artifacts that are deployed with a definition that no gateway can read.
    pub fn unreadable(&self) -> impl Iterator<Item = &ArtifactId> {
        self.must_serve().filter(|(_, wanted)| !wanted.is_readable).map(|(id, _)| id)
    }

    /// Every event raised, oldest first.
    pub fn events(&self) -> &[EventRecord] {
        &self.events
    }

    /// Every well-formed ack received, oldest first.
    pub fn acks(&self) -> &[AckRecord] {
        &self.acks
    }

    /// When backups were restored.
    pub fn restores(&self) -> &[Instant] {
        &self.restores
    }

    /// What answers denied although it was so.
    pub const fn denied(&self) -> &Denied {
        &self.denied
    }

    /// Notes what an answer denied or named.
    pub(in crate::apim) const fn denied_mut(&mut self) -> &mut Denied {
        &mut self.denied
    }

    /// Notes a new artifact.
    pub(super) fn add(
        &mut self,
        artifact: &ArtifactId,
        name: &Arc<str>,
        kind: Kind,
        incarnation: u32,
    ) {
        self.names.insert(Arc::clone(name), artifact.clone());
        let record =
            ArtifactRecord { name: Arc::clone(name), kind, incarnation, issues: Vec::new() };
        self.records.insert(artifact.clone(), record);
    }

    /// Notes a statement and answers its number.
    pub(super) fn issue(
        &mut self,
        artifact: &ArtifactId,
        at: Instant,
        what: Issued,
        readable_from: Instant,
        cause: Cause,
    ) -> u32 {
        let Some(record) = self.records.get_mut(artifact) else { return 0 };
        let number = record.current().map_or(1, |last| last.number + 1);
        record.issues.push(Issue { at, number, what, readable_from, cause });
        number
    }

    /// Notes that every statement can be read from now on.
    pub(super) fn readable_now(&mut self, now: Instant) {
        let last = self.records.values_mut().filter_map(|record| record.issues.last_mut());
        last.for_each(|issue| issue.readable_from = issue.readable_from.min(now));
        self.access.readable_now(now);
    }

    /// Notes an event.
    pub(super) fn event(&mut self, event: EventRecord) {
        self.events.push(event);
    }

    /// Notes an ack.
    pub(super) fn ack(&mut self, ack: AckRecord) {
        self.acks.push(ack);
    }

    /// Notes that a name belongs to this artifact again.
    pub(super) fn named(&mut self, artifact: &ArtifactId) {
        if let Some(record) = self.records.get(artifact) {
            self.names.insert(Arc::clone(&record.name), artifact.clone());
        }
    }

    /// Notes a restore.
    pub(super) fn restored(&mut self, at: Instant) {
        self.restores.push(at);
    }
}

impl ArtifactRecord {
    /// The statement in force.
    pub fn current(&self) -> Option<&Issue> {
        self.issues.last()
    }

    /// The statement with that number.
    pub fn issue(&self, number: u32) -> Option<&Issue> {
        self.issues.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// What must be served of the artifact now.
    pub fn must_serve(&self) -> Option<MustServe<'_>> {
        let issue = self.current()?;
        let Issued::Deployed { deployment, digest, outline, .. } = &issue.what else { return None };
        let is_readable = outline.is_readable;
        Some(MustServe { issue, deployment, digest: *digest, kind: self.kind, is_readable })
    }

    /// The statements, oldest first, that told to serve this definition. Several, when a revision
    /// was redeployed.
    pub fn issues_of(&self, digest: ContentDigest) -> impl DoubleEndedIterator<Item = &Issue> {
        self.issues.iter().filter(move |issue| {
            matches!(&issue.what, Issued::Deployed { digest: of, .. } if *of == digest)
        })
    }

    /// Since when the artifact is not to be served; `None` when it is to be served, or when
    /// nothing was ever said.
    pub fn not_served_since(&self) -> Option<Instant> {
        let served = |issue: &Issue| matches!(issue.what, Issued::Deployed { .. });
        let since = self.issues.iter().rposition(served).map_or(0, |last| last + 1);
        self.issues.get(since).map(|issue| issue.at)
    }

    /// Since when the artifact is deleted.
    pub fn deleted_since(&self) -> Option<Instant> {
        self.current().filter(|issue| issue.what == Issued::Deleted).map(|issue| issue.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_tells_what_must_be_served_and_since_when_not() {
        let mut ledger = Ledger::default();
        let id = ArtifactId::new("a1");
        ledger.add(&id, &Arc::from("orders"), Kind::RestApi, 1);
        let at = Instant::from_millis;
        let digest = ContentDigest([1; 32]);
        let deployed = |revision| Issued::Deployed {
            deployment: DeploymentId::new("d"),
            revision,
            digest,
            outline: Outline {
                revision,
                lifecycle: crate::story::step::Lifecycle::Published,
                validates_subscriptions: false,
                is_readable: true,
            },
        };
        assert_eq!(ledger.issue(&id, at(1), deployed(1), at(1), Cause::People), 1);
        assert_eq!(ledger.must_serve().count(), 1);
        assert_eq!(ledger.issue(&id, at(2), Issued::Undeployed, at(9), Cause::People), 2);
        assert_eq!(ledger.issue(&id, at(3), Issued::Deleted, at(9), Cause::People), 3);
        let record = ledger.record(&id).unwrap();
        assert_eq!(record.not_served_since(), Some(at(2)));
        assert_eq!(record.deleted_since(), Some(at(3)));
        assert_eq!(ledger.must_serve().count(), 0);
        ledger.readable_now(at(4));
        assert_eq!(ledger.current(&id).unwrap().readable_from, at(4));
        assert_eq!(ledger.issue(&id, at(5), deployed(1), at(5), Cause::Restore), 4);
        let record = ledger.record(&id).unwrap();
        assert_eq!(record.issues_of(digest).map(|issue| issue.number).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(record.not_served_since(), None);
        assert_eq!(record.issue(2).unwrap().what, Issued::Undeployed);
        assert_eq!(record.issue(0), None);
        assert_eq!(ledger.artifact("orders"), Some(&id));
    }
}
