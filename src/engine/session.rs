//! The session: discover, dial, await the ack, live on a lease, back off.

use std::fmt;
use std::time::Duration;

use super::backoff::Jitter;
use super::config::Config;
use super::timers::Timer;
use crate::model::{RequestId, SessionId};
use crate::time::Instant;

/// Where the session stands.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Phase {
    /// Finding out where the control plane serves.
    Discovering(RequestId),
    /// Connecting.
    Dialing {
        /// The attempt.
        session: SessionId,
        /// When it is given up.
        deadline: Instant,
    },
    /// Connected; the control plane has not yet said that it knows this gateway.
    AwaitingAck {
        /// The session.
        session: SessionId,
        /// When it is given up.
        deadline: Instant,
    },
    /// Established.
    Live {
        /// The session.
        session: SessionId,
        /// Since when.
        since: Instant,
        /// When it counts as dead unless something arrives.
        lease: Instant,
    },
    /// Waiting before the next attempt.
    Backoff {
        /// Until when.
        until: Instant,
    },
}

/// The session's machine.
#[derive(Clone, Debug)]
pub(super) struct Session {
    phase: Phase,
    failures: u32,
    next_id: u64,
    last_failure: Option<String>,
}

impl Session {
    /// A session that connects at once.
    pub(super) const fn new(now: Instant) -> Self {
        Self { phase: Phase::Backoff { until: now }, failures: 0, next_id: 0, last_failure: None }
    }

    /// The session in use, established or not.
    pub(super) const fn id(&self) -> Option<SessionId> {
        match &self.phase {
            Phase::Dialing { session, .. }
            | Phase::AwaitingAck { session, .. }
            | Phase::Live { session, .. } => Some(*session),
            Phase::Discovering(_) | Phase::Backoff { .. } => None,
        }
    }

    /// The established session.
    pub(super) const fn live(&self) -> Option<SessionId> {
        match &self.phase {
            Phase::Live { session, .. } => Some(*session),
            _ => None,
        }
    }

    /// Whether this request finds out where the control plane serves.
    pub(super) fn is_discovering(&self, id: RequestId) -> bool {
        matches!(self.phase, Phase::Discovering(request) if request == id)
    }

    /// Discovery was asked.
    pub(super) fn discovering(&mut self, request: RequestId) {
        self.phase = Phase::Discovering(request);
    }

    /// A new attempt to connect.
    pub(super) fn dial(&mut self, now: Instant, timeout: Duration) -> SessionId {
        self.next_id += 1;
        let session = SessionId(self.next_id);
        self.phase = Phase::Dialing { session, deadline: now.after(timeout) };
        session
    }

    /// The upgrade succeeded.
    pub(super) fn opened(&mut self, id: SessionId, now: Instant, timeout: Duration) {
        if matches!(self.phase, Phase::Dialing { session, .. } if session == id) {
            self.phase = Phase::AwaitingAck { session: id, deadline: now.after(timeout) };
        }
    }

    /// The control plane acknowledged the connection; returns whether that is news.
    pub(super) fn acknowledged(&mut self, id: SessionId, now: Instant, lease: Duration) -> bool {
        let is_news = matches!(
            self.phase,
            Phase::Dialing { session, .. } | Phase::AwaitingAck { session, .. } if session == id
        );
        if is_news {
            self.phase = Phase::Live { session: id, since: now, lease: now.after(lease) };
        }
        is_news
    }

    /// Something arrived: the lease is renewed.
    pub(super) fn renewed(&mut self, id: SessionId, now: Instant, duration: Duration) {
        if let Phase::Live { session, lease, .. } = &mut self.phase
            && *session == id
        {
            *lease = now.after(duration);
        }
    }

    /// The attempt or the session ended. One that died young counts as a failure, so that a
    /// control plane that accepts and closes is not hammered (C-H15).
    pub(super) fn ended(
        &mut self,
        why: String,
        config: &Config,
        jitter: &mut Jitter,
        now: Instant,
    ) {
        let lived = match self.phase {
            Phase::Live { since, .. } => now.since(since),
            _ => Duration::ZERO,
        };
        self.failures = if lived >= config.session_young { 1 } else { self.failures + 1 };
        let delay = jitter.backoff(self.failures, config.backoff_min, config.backoff_max);
        self.phase = Phase::Backoff { until: now.after(delay) };
        self.last_failure = Some(why);
    }

    /// When the phase ends by itself.
    pub(super) const fn deadline(&self) -> Option<(Instant, Timer)> {
        match &self.phase {
            Phase::Discovering(_) => None,
            Phase::Dialing { deadline, .. } => Some((*deadline, Timer::Dial)),
            Phase::AwaitingAck { deadline, .. } => Some((*deadline, Timer::ConnectionAck)),
            Phase::Live { lease, .. } => Some((*lease, Timer::Lease)),
            Phase::Backoff { until } => Some((*until, Timer::Reconnect)),
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.phase {
            Phase::Discovering(_) => f.write_str("discovering")?,
            Phase::Dialing { .. } => f.write_str("connecting")?,
            Phase::AwaitingAck { .. } => f.write_str("connected, not yet acknowledged")?,
            Phase::Live { .. } => return f.write_str("live"),
            Phase::Backoff { .. } => f.write_str("waiting to reconnect")?,
        }
        match &self.last_failure {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}
