//! The work queue of fetches: one job an artifact, capped, with backoff.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::input::UnreadableContent;
use crate::model::{ArtifactId, ContentDigest, DeploymentId, Kind};
use crate::time::Instant;

/// One artifact's fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct FetchJob {
    /// The artifact's kind; tells the route.
    pub(in crate::engine) kind: Kind,
    /// The deployment to name in a batch; without one the artifact is fetched alone.
    pub(in crate::engine) deployment: Option<DeploymentId>,
    /// The epoch of the belief that asked.
    pub(in crate::engine) epoch: u64,
    /// Failed attempts since the epoch began.
    pub(in crate::engine) attempts: u32,
    /// Whether it must not share a batch: a batch with it failed or lacked it (A-H13).
    pub(in crate::engine) alone: bool,
    /// What went wrong last.
    pub(in crate::engine) last_failure: Option<String>,
    /// The definition that it was given and that cannot be read.
    pub(in crate::engine) unreadable: Option<ContentDigest>,
    due: Instant,
    not_before: Instant,
    in_flight: bool,
}

impl FetchJob {
    /// When it is asked for, unless it is in flight.
    #[cfg(test)]
    pub(in crate::engine) const fn due(&self) -> Instant {
        self.due
    }
}

/// Fetches to do, by artifact and by due time.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct FetchQueue {
    jobs: BTreeMap<ArtifactId, FetchJob>,
    due: BTreeSet<(Instant, ArtifactId)>,
    /// Jobs that failed, by how often; what fails most is asked for after every input.
    failing: BTreeSet<(u32, ArtifactId)>,
}

impl FetchQueue {
    /// Wants an artifact fetched at `due` or later. A job of the same epoch keeps its attempts
    /// and its backoff; one in flight is left alone.
    pub(in crate::engine) fn want(
        &mut self,
        id: &ArtifactId,
        kind: Kind,
        deployment: Option<&DeploymentId>,
        epoch: u64,
        due: Instant,
    ) {
        if let Some(job) = self.jobs.get(id)
            && job.epoch == epoch
        {
            if !job.in_flight && job.due != due.max(job.not_before) {
                self.reschedule(id, |job| job.due = due.max(job.not_before));
            }
            return;
        }
        self.drop_job(id);
        let job = FetchJob {
            kind,
            deployment: deployment.cloned(),
            epoch,
            attempts: 0,
            alone: false,
            last_failure: None,
            unreadable: None,
            due,
            not_before: Instant::START,
            in_flight: false,
        };
        self.jobs.insert(id.clone(), job);
        self.due.insert((due, id.clone()));
    }

    /// The artifact needs no fetch any more.
    pub(in crate::engine) fn drop_job(&mut self, id: &ArtifactId) {
        if let Some(job) = self.jobs.remove(id) {
            self.due.remove(&(job.due, id.clone()));
            self.failing.remove(&(job.attempts, id.clone()));
        }
    }

    /// The job of an artifact.
    pub(in crate::engine) fn get(&self, id: &ArtifactId) -> Option<&FetchJob> {
        self.jobs.get(id)
    }

    /// When the next job is due.
    pub(in crate::engine) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes what the next request should carry: one job alone, or up to `size_max` that may
    /// share a batch. Empty when nothing is due.
    pub(in crate::engine) fn take_due(
        &mut self,
        now: Instant,
        size_max: usize,
    ) -> Vec<(ArtifactId, FetchJob)> {
        let mut taken: Vec<ArtifactId> = Vec::new();
        for (at, id) in &self.due {
            if *at > now || taken.len() >= size_max.max(1) {
                break;
            }
            let Some(job) = self.jobs.get(id) else { continue };
            let shares = size_max > 1 && !job.alone && job.deployment.is_some();
            if shares {
                taken.push(id.clone());
            } else if taken.is_empty() {
                taken.push(id.clone());
                break;
            }
        }
        taken.into_iter().filter_map(|id| self.launch(id)).collect()
    }

    fn launch(&mut self, id: ArtifactId) -> Option<(ArtifactId, FetchJob)> {
        let job = self.jobs.get_mut(&id)?;
        job.in_flight = true;
        self.due.remove(&(job.due, id.clone()));
        Some((id, job.clone()))
    }

    /// The artifact was answered; whether more is needed is up to the next plan.
    pub(in crate::engine) fn answered(&mut self, id: &ArtifactId, epoch: u64) {
        if self.jobs.get(id).is_some_and(|job| job.epoch == epoch) {
            self.drop_job(id);
        }
    }

    /// The attempt gave nothing that may be used before `not_before`; not a failure.
    pub(in crate::engine) fn postpone(&mut self, id: &ArtifactId, epoch: u64, not_before: Instant) {
        self.land(id, epoch, |job| job.not_before = not_before);
    }

    /// The attempt failed and may be repeated at `not_before`, alone when `alone`. Returns how
    /// many attempts failed.
    pub(in crate::engine) fn failed(
        &mut self,
        id: &ArtifactId,
        epoch: u64,
        why: &str,
        alone: bool,
        not_before: Instant,
    ) -> u32 {
        self.land(id, epoch, |job| {
            job.attempts += 1;
            job.alone |= alone;
            job.last_failure = Some(why.to_owned());
            job.not_before = not_before;
        });
        let Some(job) = self.jobs.get(id) else { return 0 };
        if job.epoch == epoch {
            self.failing.remove(&(job.attempts - 1, id.clone()));
            self.failing.insert((job.attempts, id.clone()));
        }
        job.attempts
    }

    /// The attempt gave a definition that cannot be read, which counts as `attempts` failures:
    /// only another one helps. It is asked for again at `not_before`.
    pub(in crate::engine) fn unreadable(
        &mut self,
        id: &ArtifactId,
        content: &UnreadableContent,
        attempts: u32,
        not_before: Instant,
    ) {
        let Some(job) = self.jobs.get(id) else { return };
        let (epoch, failed) = (job.epoch, job.attempts);
        self.land(id, epoch, |job| {
            job.attempts = attempts.max(failed);
            job.alone = true;
            job.last_failure = Some(content.why.clone());
            job.unreadable = Some(content.digest);
            job.not_before = not_before;
        });
        self.failing.remove(&(failed, id.clone()));
        self.failing.insert((attempts.max(failed), id.clone()));
    }

    /// The attempt was not the artifact's fault; it is due again at once.
    pub(in crate::engine) fn retry_now(&mut self, id: &ArtifactId, epoch: u64, now: Instant) {
        self.land(id, epoch, |job| job.not_before = now);
    }

    fn land(&mut self, id: &ArtifactId, epoch: u64, change: impl FnOnce(&mut FetchJob)) {
        if self.jobs.get(id).is_some_and(|job| job.epoch == epoch) {
            self.reschedule(id, |job| {
                job.in_flight = false;
                change(job);
                job.due = job.not_before;
            });
        }
    }

    fn reschedule(&mut self, id: &ArtifactId, change: impl FnOnce(&mut FetchJob)) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        self.due.remove(&(job.due, id.clone()));
        change(job);
        if !job.in_flight {
            self.due.insert((job.due, id.clone()));
        }
    }

    /// The artifacts whose definition was given and cannot be read, and why.
    pub(in crate::engine) fn unreadable_ids(&self) -> impl Iterator<Item = (&ArtifactId, &str)> {
        self.failing.iter().filter_map(|(_, id)| {
            let job = self.jobs.get(id).filter(|job| job.unreadable.is_some())?;
            Some((id, job.last_failure.as_deref()?))
        })
    }

    /// The most telling failure among jobs for a kind that failed at least `attempts_min` times.
    pub(in crate::engine) fn stuck(
        &self,
        kind: Kind,
        attempts_min: u32,
    ) -> Option<(&ArtifactId, &str)> {
        let failing = self.failing.iter().rev();
        let mut stuck = failing.take_while(|(attempts, _)| *attempts >= attempts_min);
        stuck.find_map(|(_, id)| {
            let job = self.jobs.get(id).filter(|job| job.kind == kind)?;
            Some((id, job.last_failure.as_deref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn want(queue: &mut FetchQueue, id: &str, epoch: u64, due: u64) {
        let deployment = DeploymentId::new(id);
        queue.want(&id.into(), Kind::RestApi, Some(&deployment), epoch, at(due));
    }

    fn take(queue: &mut FetchQueue, now: u64, size_max: usize) -> Vec<String> {
        let taken = queue.take_due(at(now), size_max);
        taken.into_iter().map(|(id, _)| id.as_str().to_owned()).collect()
    }

    #[test]
    fn what_is_due_first_is_taken_first_and_nothing_twice() {
        let mut queue = FetchQueue::default();
        for (id, due) in [("b", 1), ("a", 3), ("c", 9)] {
            want(&mut queue, id, 0, due);
        }
        assert_eq!(take(&mut queue, 5, 10), ["b", "a"]);
        assert_eq!(take(&mut queue, 5, 10), [""; 0]);
        assert_eq!(queue.next_due(), Some(at(9)));
    }

    #[test]
    fn what_must_go_alone_shares_no_batch() {
        let mut queue = FetchQueue::default();
        for id in ["a", "b", "c"] {
            want(&mut queue, id, 0, 1);
        }
        take(&mut queue, 1, 1);
        assert_eq!(queue.failed(&"a".into(), 0, "why", true, at(0)), 1);
        assert_eq!(take(&mut queue, 1, 10), ["a"]);
        assert_eq!(take(&mut queue, 1, 10), ["b", "c"]);
    }

    #[test]
    fn a_job_of_the_same_epoch_keeps_its_backoff_and_a_new_epoch_starts_anew() {
        let mut queue = FetchQueue::default();
        want(&mut queue, "a", 0, 1);
        take(&mut queue, 1, 1);
        queue.failed(&"a".into(), 0, "why", false, at(50));
        want(&mut queue, "a", 0, 1);
        assert_eq!(queue.next_due(), Some(at(50)));
        want(&mut queue, "a", 1, 2);
        assert_eq!(queue.next_due(), Some(at(2)));
        assert_eq!(queue.get(&"a".into()).map(|job| job.attempts), Some(0));
    }

    #[test]
    fn an_answer_to_an_earlier_epoch_leaves_the_job_alone() {
        let mut queue = FetchQueue::default();
        want(&mut queue, "a", 0, 1);
        take(&mut queue, 1, 1);
        want(&mut queue, "a", 1, 2);
        queue.answered(&"a".into(), 0);
        assert_eq!(queue.failed(&"a".into(), 0, "why", true, at(90)), 0);
        assert_eq!(queue.next_due(), Some(at(2)));
        queue.answered(&"a".into(), 1);
        assert_eq!((queue.get(&"a".into()), queue.next_due()), (None, None));
    }
}
