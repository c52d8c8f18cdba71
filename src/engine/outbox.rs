//! What goes out: actions in their order, and the requests among them that wait for an answer.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::action::{Action, Request};
use super::artifacts::fetch::Wanted;
use crate::model::{BasePath, RequestId};
use crate::time::Instant;

/// A request that was sent and not yet answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Awaited {
    /// What was asked.
    pub(super) request: Request,
    /// The artifacts whose definitions were asked for.
    pub(super) wanted: Vec<Wanted>,
    /// When.
    pub(super) asked_at: Instant,
    /// When it is given up.
    pub(super) deadline: Instant,
}

/// Actions to poll, and requests in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    actions: VecDeque<Action>,
    awaited: BTreeMap<RequestId, Awaited>,
    pub(super) last_request: u64,
}

impl Outbox {
    /// Adds an action.
    pub(super) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// The next action.
    pub(super) fn pop(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Sends a request below a base path; it is given up after `timeout`.
    pub(super) fn ask(
        &mut self,
        base: BasePath,
        request: Request,
        wanted: Vec<Wanted>,
        now: Instant,
        timeout: Duration,
    ) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.push(Action::Request(id, base, request.clone()));
        let awaited = Awaited { request, wanted, asked_at: now, deadline: now.after(timeout) };
        self.awaited.insert(id, awaited);
        id
    }

    /// The answer to a request is not wanted any more.
    pub(super) fn cancel(&mut self, id: RequestId) -> Option<Awaited> {
        let awaited = self.awaited.remove(&id)?;
        self.push(Action::Cancel(id));
        Some(awaited)
    }

    /// A request is answered.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<Awaited> {
        self.awaited.remove(&id)
    }

    /// What a request asked for that is in flight.
    pub(super) fn request(&self, id: RequestId) -> Option<&Request> {
        self.awaited.get(&id).map(|awaited| &awaited.request)
    }

    /// Requests that were not answered in time.
    pub(super) fn overdue(&self, now: Instant) -> Vec<RequestId> {
        let late = self.awaited.iter().filter(|(_, awaited)| awaited.deadline <= now);
        late.map(|(id, _)| *id).collect()
    }

    /// When the first request is given up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.awaited.values().map(|awaited| awaited.deadline).min()
    }

    /// What is in flight.
    pub(super) fn awaited(&self) -> impl Iterator<Item = (RequestId, &Request)> {
        self.awaited.iter().map(|(id, awaited)| (*id, &awaited.request))
    }

    /// How many definitions, alone or as batches, are being asked for.
    pub(super) fn fetches(&self) -> usize {
        let is_fetch = |(_, request): &(RequestId, &Request)| {
            matches!(request, Request::Fetch(..) | Request::FetchBatch(..))
        };
        self.awaited().filter(is_fetch).count()
    }
}
