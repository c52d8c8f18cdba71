//! Definitions: what their answers prove.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Artifacts;
use super::belief::{Answer, ArtifactBelief, Doubt, Intent, Presence};
use super::fetch_queue::FetchJob;
use crate::engine::action::Request;
use crate::engine::backoff::Jitter;
use crate::engine::config::Config;
use crate::engine::discovery::Discovery;
use crate::engine::durable::ObservedSet;
use crate::engine::evidence::{may_contradict, settled_at};
use crate::engine::input::{Failure, UnreadableContent};
use crate::engine::lists::schedule::{ListId, Lists};
use crate::model::{
    ArtifactId, ArtifactWrite, BatchRoute, Content, DeployState, DeploymentId, Held, Packed, Row,
};
use crate::time::Instant;

/// What a fetch is for: the artifact, the epoch that asked and the deployment named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct Wanted {
    pub(in crate::engine) id: ArtifactId,
    pub(in crate::engine) epoch: u64,
    pub(in crate::engine) deployment: Option<DeploymentId>,
}

/// The request for what is due together, by `route` where it is more than one.
pub(in crate::engine) fn request(
    jobs: Vec<(ArtifactId, FetchJob)>,
    route: Option<BatchRoute>,
) -> Option<(Request, Vec<Wanted>)> {
    let (first, job) = jobs.first()?;
    let request = match (jobs.len(), route) {
        (2.., Some(route)) => {
            let ids = jobs.iter().filter_map(|(_, job)| job.deployment.clone()).collect();
            Request::FetchBatch(route, ids)
        }
        _ => Request::Fetch(first.clone(), job.kind),
    };
    let wanted = jobs
        .into_iter()
        .map(|(id, job)| Wanted { id, epoch: job.epoch, deployment: job.deployment })
        .collect();
    Some((request, wanted))
}

/// Takes answers about definitions in.
pub(in crate::engine) struct FetchAnswers<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) jitter: &'a mut Jitter,
    pub(in crate::engine) discovery: &'a mut Discovery,
    pub(in crate::engine) artifacts: &'a mut Artifacts,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) observed: &'a mut ObservedSet,
    /// When the definitions were asked for.
    pub(in crate::engine) asked_at: Instant,
    pub(in crate::engine) now: Instant,
}

impl FetchAnswers<'_> {
    /// One artifact's definition arrived.
    pub(in crate::engine) fn fetched(&mut self, wanted: &Wanted, content: Content) {
        self.artifacts.touched.insert(wanted.id.clone());
        let (lag, asked_at) = (self.config.read_lag_max, self.asked_at);
        let id = &wanted.id;
        let Some(belief) = self.artifacts.beliefs.get(id).filter(|b| b.epoch == wanted.epoch)
        else {
            self.artifacts.queue.answered(id, wanted.epoch);
            return;
        };
        let waits = belief.withdrawal.as_ref().map(|withdrawal| withdrawal.known_at);
        if let Some(known_at) = waits.filter(|known| !may_contradict(asked_at, *known, lag)) {
            self.artifacts.beliefs.update(id, |belief| belief.still_handed_out(asked_at));
            self.artifacts.queue.postpone(id, wanted.epoch, settled_at(known_at, lag));
            return;
        }
        let job = self.artifacts.queue.get(id);
        if job.is_some_and(|job| job.unreadable == Some(content.digest)) {
            self.unreadable_again(id);
            return;
        }
        let is_settled = asked_at >= belief.confirmable_at(lag);
        let row = self.observed.latest_row(id);
        let held = row.and_then(|row| row.held);
        let same = held.filter(|held| held.digest == content.digest);
        if held.is_some() && same.is_none() && asked_at < belief.replaceable_at(lag) {
            // Something else was read a moment ago, and this may be the older of the two.
            let replaceable_at = belief.replaceable_at(lag);
            self.artifacts.queue.postpone(id, wanted.epoch, replaceable_at);
            return;
        }
        let keeps_label =
            row.is_some_and(|row| row.generation.deployment == belief.generation.deployment);
        let confirmed = same.is_some_and(|held| held.confirmed && keeps_label);
        let fetched = Row {
            kind: belief.kind,
            state: DeployState::Deployed,
            generation: belief.generation.clone(),
            held: Some(Held { digest: content.digest, confirmed }),
        };
        self.artifacts.queue.answered(id, wanted.epoch);
        if row.is_none_or(|row| !row.says_the_same_as(&fetched)) {
            let content = same.is_none().then_some(content);
            self.observed.write(id.clone(), ArtifactWrite::Put { row: fetched, content });
        }
        self.handed_out(id, same.is_none(), is_settled && !confirmed);
    }

    /// A definition that was to be stored cannot be read. What is held stays, and is served; only
    /// another definition helps, so it is asked for rarely, and whoever waits for the deployment is
    /// told that it failed.
    pub(in crate::engine) fn unreadable(&mut self, content: &UnreadableContent) {
        let id = &content.artifact;
        self.artifacts.touched.insert(id.clone());
        let Some(belief) = self.artifacts.beliefs.get(id) else { return };
        if belief.intent != Intent::Deployed {
            return;
        }
        let deployment = belief.generation.deployment.as_ref();
        let (kind, epoch) = (belief.kind, belief.epoch);
        self.artifacts.queue.want(id, kind, deployment, epoch, self.now);
        self.artifacts.beliefs.update(id, ArtifactBelief::reject_read);
        let (attempts, retry_at) = (self.config.ack_failure_attempts, self.rare_retry());
        self.artifacts.queue.unreadable(id, content, attempts, retry_at);
    }

    /// The same definition came again; it is still handed out.
    fn unreadable_again(&mut self, id: &ArtifactId) {
        let (epoch, why) = match self.artifacts.queue.get(id) {
            Some(job) => (job.epoch, job.last_failure.clone().unwrap_or_default()),
            None => return,
        };
        let retry_at = self.rare_retry();
        self.artifacts.queue.failed(id, epoch, &why, true, retry_at);
        self.handed_out(id, false, false);
        self.artifacts.beliefs.update(id, ArtifactBelief::reject_read);
    }

    /// Half of the longest backoff or more from now.
    fn rare_retry(&mut self) -> Instant {
        let half = self.config.backoff_max / 2;
        self.now.after(half + self.jitter.up_to(half))
    }

    /// The control plane still hands an artifact out: another definition than the one held, or
    /// one that was read late enough to belong to the deployment.
    fn handed_out(&mut self, id: &ArtifactId, is_other: bool, is_settled: bool) {
        let now = self.now;
        self.artifacts.beliefs.update(id, |belief| {
            belief.read(is_other, is_settled, now);
            belief.doubt = None;
            belief.void_withdrawal();
            belief.answer = Answer::HandedOut(now);
            belief.scrub_wanted = false;
            if belief.presence == Presence::CheckWanted {
                // Absent from the lists and still handed out: the row is lost, not the API.
                belief.presence = Presence::Listed;
                belief.doubt = Some(Doubt::ServedWithoutListing);
            }
        });
        if is_settled {
            self.relist(settled_at(now, self.config.read_lag_max));
        }
    }

    /// The control plane answered that the artifact is not deployed here.
    pub(in crate::engine) fn not_deployed(&mut self, wanted: &Wanted) {
        self.artifacts.touched.insert(wanted.id.clone());
        let lag = self.config.read_lag_max;
        let id = &wanted.id;
        let Some(belief) = self.artifacts.beliefs.get(id).filter(|b| b.epoch == wanted.epoch)
        else {
            self.artifacts.queue.answered(id, wanted.epoch);
            return;
        };
        if let Some(withdrawal) = &belief.withdrawal
            && self.asked_at >= withdrawal.known_at
        {
            let provable = withdrawal.provable;
            self.withdrawal_agrees(wanted, provable);
            return;
        }
        let believable_at = belief.confirmable_at(lag);
        if self.asked_at < believable_at {
            self.artifacts.queue.postpone(id, wanted.epoch, believable_at);
            return;
        }
        // The answer alone does not withdraw what is served: a missing route looks the same. Two
        // lists without the artifact make it count, or that nothing else was said for long.
        let is_corroborated = belief.is_asked_for() || !self.observed.is_served(id);
        let since = match belief.answer {
            Answer::NotFoundSince(since) => since,
            Answer::None | Answer::HandedOut(_) => self.asked_at,
        };
        if is_corroborated || may_contradict(self.asked_at, since, self.config.resync_interval) {
            let is_zombie = !belief.is_asked_for() && self.artifacts.is_listed(id);
            self.gone(wanted, is_zombie);
        } else {
            self.not_found(wanted, since);
        }
    }

    /// An event said that the artifact goes, and it is no longer handed out.
    fn withdrawal_agrees(&mut self, wanted: &Wanted, provable: bool) {
        let id = &wanted.id;
        self.artifacts.queue.answered(id, wanted.epoch);
        if provable {
            self.artifacts.beliefs.update(id, ArtifactBelief::believe_withdrawal);
            self.want_existence(id);
        } else {
            self.artifacts.beliefs.update(id, ArtifactBelief::suspect_withdrawal);
        }
    }

    /// "Not deployed" against all other evidence, since `since`.
    fn not_found(&mut self, wanted: &Wanted, since: Instant) {
        let id = &wanted.id;
        self.artifacts.beliefs.update(id, |belief| {
            belief.answer = Answer::NotFoundSince(since);
            belief.doubt = Some(Doubt::ListedWithoutContent);
        });
        self.relist(self.now);
        let retry_at = self.rare_retry();
        let why = "answered as not deployed";
        self.artifacts.queue.failed(id, wanted.epoch, why, true, retry_at);
    }

    /// The artifact is not deployed here. Where a list still has it, its row is a zombie (A-H14).
    fn gone(&mut self, wanted: &Wanted, is_zombie: bool) {
        let id = &wanted.id;
        let tombstone = self.observed.latest_tombstone(id).map(|tombstone| tombstone.deleted_at);
        self.artifacts.queue.answered(id, wanted.epoch);
        self.artifacts.beliefs.update(id, |belief| {
            match tombstone {
                Some(deleted_at) => {
                    belief.intend(Intent::Deleted, self.now);
                    belief.generation.performed_at = deleted_at;
                }
                None => belief.intend(Intent::Undeployed, self.now),
            }
            belief.doubt = is_zombie.then_some(Doubt::ListedWithoutContent);
        });
        if tombstone.is_none() {
            self.want_existence(id);
        }
    }

    /// A batch arrived. What it lacks is asked for alone: the control plane leaves out ids in
    /// silence (A-H13), and only the artifact itself can say why.
    pub(in crate::engine) fn batch_arrived(&mut self, wanted: &[Wanted], packed: Vec<Packed>) {
        let mut by_deployment: BTreeMap<DeploymentId, Content> =
            packed.into_iter().map(|packed| (packed.deployment, packed.content)).collect();
        for item in wanted {
            let content = item.deployment.as_ref().and_then(|id| by_deployment.remove(id));
            match content {
                Some(content) => self.fetched(item, content),
                None => {
                    let why = "not in the batch";
                    self.artifacts.queue.failed(&item.id, item.epoch, why, true, self.now);
                    self.artifacts.touched.insert(item.id.clone());
                }
            }
        }
    }

    /// A fetch failed: each artifact of it is tried again, alone and with its own backoff, so
    /// that one bad item does not hold back others.
    pub(in crate::engine) fn failed(
        &mut self,
        wanted: &[Wanted],
        route: Option<BatchRoute>,
        failure: &Failure,
    ) {
        if let Some(route) = route
            && *failure == Failure::RouteMissing
        {
            self.discovery.route_missing(route);
            for item in wanted {
                self.artifacts.queue.retry_now(&item.id, item.epoch, self.now);
            }
            return;
        }
        let why = failure.to_string();
        for item in wanted {
            let delay = self.retry_delay(&item.id);
            let delay = if route.is_some() { Duration::ZERO } else { delay };
            let (id, retry_at) = (&item.id, self.now.after(delay));
            let queue = &mut self.artifacts.queue;
            queue.failed(id, item.epoch, &why, route.is_some(), retry_at);
            self.artifacts.touched.insert(id.clone());
        }
    }

    fn retry_delay(&mut self, id: &ArtifactId) -> Duration {
        let attempts = self.artifacts.queue.get(id).map_or(0, |job| job.attempts) + 1;
        self.jitter.backoff(attempts, self.config.backoff_min, self.config.backoff_max)
    }

    /// Wants to know, once reads have settled, whether an artifact still exists; in vain where
    /// there is no such check.
    fn want_existence(&mut self, id: &ArtifactId) {
        if self.discovery.has_existence_check() {
            let at = settled_at(self.now, self.config.read_lag_max);
            self.artifacts.existence.want(id, at);
        }
    }

    fn relist(&mut self, at: Instant) {
        self.lists.relist(&ListId::Artifacts, at);
    }
}
