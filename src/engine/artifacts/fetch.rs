//! Fetching definitions, and what the answers prove.

use super::fetch_queue::Job;
use super::reconcile::{Task, plan_one};
use crate::engine::action::Request;
use crate::engine::artifacts::belief::{Doubt, Intent};
use crate::engine::input::Failure;
use crate::engine::{Asked, Engine};
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

impl Engine {
    /// Brings one artifact's queue, writes and acks in line with the plan.
    pub(in crate::engine) fn reconcile(&mut self, id: &ArtifactId) {
        let Some(desired) = self.desired.get(id) else { return };
        let lag = self.config.read_lag_max;
        let (row, tombstone) = self.observed.latest(id);
        match plan_one(desired, row, tombstone, lag) {
            Some(Task::Fetch { due }) => {
                let deployment = desired.generation.deployment.as_ref();
                let deployment = if desired.check_wanted { None } else { deployment };
                self.queue.want(id, desired.kind, deployment, desired.epoch, due);
            }
            Some(Task::Write(row)) => {
                self.observed.write(id.clone(), ArtifactWrite::Put { row, content: None });
                self.reconcile(id);
            }
            Some(Task::Bury(tombstone)) => {
                self.queue.drop_job(id);
                self.observed.write(id.clone(), ArtifactWrite::Bury(tombstone));
            }
            None => self.queue.drop_job(id),
        }
    }

    /// Sends the fetches that are due, as far as the limit of requests in flight allows.
    pub(in crate::engine) fn launch_fetches(&mut self, now: Instant) {
        let size_max = if self.batch_route.is_some() { self.config.batch_size_max } else { 1 };
        while self.queue.next_due().is_some_and(|due| due <= now) && self.has_room_for_fetches() {
            let jobs = self.queue.take_due(now, size_max);
            if jobs.is_empty() {
                return;
            }
            let request = self.fetch_request(&jobs);
            let route = match request {
                Request::FetchBatch(route, _) => Some(route),
                _ => None,
            };
            let wanted = jobs
                .into_iter()
                .map(|(id, job)| Wanted { id, epoch: job.epoch, deployment: job.deployment })
                .collect();
            self.ask(request, Asked::Fetch(wanted, route), now);
        }
    }

    fn fetch_request(&self, jobs: &[(ArtifactId, Job)]) -> Request {
        match (jobs, self.batch_route) {
            ([_, _, ..], Some(route)) => {
                let ids = jobs.iter().filter_map(|(_, job)| job.deployment.clone()).collect();
                Request::FetchBatch(route, ids)
            }
            _ => {
                let (id, job) = &jobs[0];
                Request::Fetch(id.clone(), job.kind)
            }
        }
    }

    /// Whether another fetch may be sent.
    pub(in crate::engine) fn has_room_for_fetches(&self) -> bool {
        let in_flight = self.requests.values().filter(|a| matches!(a.what, Asked::Fetch(..)));
        in_flight.count() < self.config.fetches_in_flight_max
    }

    /// One artifact's definition arrived, asked for at `asked_at`.
    pub(in crate::engine) fn fetched(
        &mut self,
        wanted: &Wanted,
        content: Content,
        asked_at: Instant,
        now: Instant,
    ) {
        self.touched.insert(wanted.id.clone());
        let lag = self.config.read_lag_max;
        let id = &wanted.id;
        let Some(desired) = self.desired.get(id).filter(|d| d.epoch == wanted.epoch) else {
            self.queue.answered(id, wanted.epoch);
            return;
        };
        if let Some(known_at) = desired.ending.as_ref().map(|ending| ending.known_at)
            && asked_at < known_at.after(lag)
        {
            self.still_handed_out(id, asked_at);
            self.queue.postpone(id, wanted.epoch, known_at.after(lag));
            return;
        }
        let is_checked = desired.check_wanted && desired.ending.is_none();
        let is_settled = asked_at >= desired.confirmable_at(lag);
        let is_replaceable = asked_at >= desired.replaceable_at(lag);
        let row = self.observed.latest_row(id);
        let held = row.and_then(|row| row.held);
        let same = held.filter(|held| held.digest == content.digest);
        if held.is_some() && same.is_none() && !is_replaceable {
            // Something else was read a moment ago, and this may be the older of the two.
            self.queue.postpone(id, wanted.epoch, desired.replaceable_at(lag));
            return;
        }
        let keeps_label =
            row.is_some_and(|row| row.generation.deployment == desired.generation.deployment);
        let confirmed = same.is_some_and(|held| held.confirmed && keeps_label);
        let fetched = Row {
            kind: desired.kind,
            state: DeployState::Deployed,
            generation: desired.generation.clone(),
            held: Some(Held { digest: content.digest, confirmed }),
        };
        self.queue.answered(id, wanted.epoch);
        if row.is_none_or(|row| !row.says_the_same_as(&fetched)) {
            let content = same.is_none().then_some(content);
            self.observed.write(id.clone(), ArtifactWrite::Put { row: fetched, content });
        }
        self.desired.update(id, |desired| {
            if same.is_none() || desired.read_at.is_none() {
                desired.read_at = Some(now);
            }
            if is_settled && !confirmed {
                desired.settled_read_at = Some(now);
                desired.read_confirmed = false;
            }
            desired.doubt = None;
            desired.ending = None;
            desired.check_wanted = false;
            desired.missing_since = None;
            desired.scrub_wanted = false;
            if is_checked {
                // Absent from the lists and still handed out: the row is lost, not the API.
                desired.absent_since = None;
                desired.doubt = Some(Doubt::ServedWithoutListing);
            }
        });
        if is_settled && !confirmed {
            self.relist(now.after(lag));
        }
    }

    /// The control plane answered that the artifact is not deployed here.
    pub(in crate::engine) fn not_deployed(
        &mut self,
        wanted: &Wanted,
        asked_at: Instant,
        now: Instant,
    ) {
        self.touched.insert(wanted.id.clone());
        let lag = self.config.read_lag_max;
        let id = &wanted.id;
        let Some(desired) = self.desired.get(id).filter(|d| d.epoch == wanted.epoch) else {
            self.queue.answered(id, wanted.epoch);
            return;
        };
        if let Some(ending) = desired.ending.as_ref().filter(|ending| asked_at >= ending.known_at) {
            let provable = ending.provable;
            self.queue.answered(id, wanted.epoch);
            if provable {
                self.believe_ending(id);
                self.want_existence(id, now.after(lag));
            } else {
                self.suspect(id);
            }
            return;
        }
        let believable_at = desired.confirmable_at(lag);
        if asked_at < believable_at {
            self.queue.postpone(id, wanted.epoch, believable_at);
            return;
        }
        // The answer alone does not withdraw what is served: a missing route looks the same. Two
        // lists without the artifact make it count, or that nothing else was said for long.
        let is_corroborated = desired.check_wanted || !self.observed.is_served(id);
        let missing_since = desired.missing_since.unwrap_or(asked_at);
        if !is_corroborated && asked_at < missing_since.after(self.config.resync_interval) {
            self.desired.update(id, |desired| {
                desired.missing_since = Some(missing_since);
                desired.doubt = Some(Doubt::ListedWithoutContent);
            });
            self.relist(now);
            let delay =
                self.config.backoff_max / 2 + self.jitter.up_to(self.config.backoff_max / 2);
            self.queue.failed(id, wanted.epoch, "answered as not deployed", true, now.after(delay));
            return;
        }
        let was_deleted = self.observed.latest_tombstone(id).is_some();
        let is_listed = !desired.check_wanted
            && self.lists_merged > 0
            && desired.listed_in == self.lists_merged;
        self.queue.answered(id, wanted.epoch);
        self.desired.update(id, |desired| {
            desired.intend(if was_deleted { Intent::Deleted } else { Intent::Undeployed }, now);
            desired.doubt = is_listed.then_some(Doubt::ListedWithoutContent);
        });
        if was_deleted {
            let deleted_at = self.observed.latest_tombstone(id).and_then(|t| t.deleted_at);
            self.desired.update(id, |desired| desired.generation.performed_at = deleted_at);
        } else {
            self.want_existence(id, now.after(lag));
        }
    }

    /// A batch arrived. What it lacks is asked for alone: the control plane leaves out ids in
    /// silence (A-H13), and only the artifact itself can say why.
    pub(in crate::engine) fn batch_arrived(
        &mut self,
        wanted: &[Wanted],
        packed: Vec<Packed>,
        asked_at: Instant,
        now: Instant,
    ) {
        let mut by_deployment: std::collections::BTreeMap<DeploymentId, Content> =
            packed.into_iter().map(|packed| (packed.deployment, packed.content)).collect();
        for item in wanted {
            let content = item.deployment.as_ref().and_then(|id| by_deployment.remove(id));
            match content {
                Some(content) => self.fetched(item, content, asked_at, now),
                None => {
                    self.queue.failed(&item.id, item.epoch, "not in the batch", true, now);
                    self.touched.insert(item.id.clone());
                }
            }
        }
    }

    /// A fetch failed: each artifact of it is tried again, alone and with its own backoff, so
    /// that one bad item does not hold back others.
    pub(in crate::engine) fn fetch_failed(
        &mut self,
        wanted: &[Wanted],
        route: Option<BatchRoute>,
        failure: &Failure,
        now: Instant,
    ) {
        let is_batch = route.is_some();
        if is_batch && *failure == Failure::RouteMissing {
            // Of several batches in flight, only the first to say so is news about the route.
            if self.batch_route == route {
                self.batch_route = match route {
                    Some(BatchRoute::FetchBatch) => Some(BatchRoute::Batch),
                    Some(BatchRoute::Batch) | None => None,
                };
            }
            for item in wanted {
                self.queue.retry_now(&item.id, item.epoch, now);
            }
            return;
        }
        let why = failure.to_string();
        for item in wanted {
            let attempts = self.queue.get(&item.id).map_or(0, |job| job.attempts) + 1;
            let delay =
                self.jitter.backoff(attempts, self.config.backoff_min, self.config.backoff_max);
            let delay = if is_batch { std::time::Duration::ZERO } else { delay };
            let failed = self.queue.failed(&item.id, item.epoch, &why, is_batch, now.after(delay));
            if failed >= self.config.ack_failure_attempts && self.is_live() {
                self.acks.fail(&item.id);
            }
            self.touched.insert(item.id.clone());
        }
    }
}
