//! Every limit and interval of the engine, in one place.

use std::time::Duration;

use crate::model::{BasePath, Dialect};

/// The engine's limits and intervals. There is no `Default`: [`Config::recommended`] is named for
/// what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Pins the dialect; `None` finds it by behaviour.
    pub dialect: Option<Dialect>,
    /// Pins the base path and skips discovery; `None` discovers.
    pub base: Option<BasePath>,
    /// How old an answer of the control plane may be. A read that contradicts what is known is
    /// believed only when it was asked at least this long after the knowledge was gained; until
    /// then it may be a stale view, or an event may have run ahead of its effect.
    pub read_lag_max: Duration,
    /// The least time between two complete lists that both lack an artifact before it counts as
    /// not deployed (law 4).
    pub orphan_delay: Duration,
    /// The least time between two complete lists that both lack a key, a subscription or a plan
    /// before it counts as gone; longer than for artifacts, for no question about a single one
    /// can confirm it (law 4).
    pub credential_orphan_delay: Duration,
    /// How far the clocks of event times and list times may disagree.
    pub clock_margin: Duration,
    /// How long an undeploy or delete waits before the artifact itself is asked for: a redeploy is
    /// sent as an undeploy and a deploy (A-H20) and must not interrupt service.
    pub undeploy_grace: Duration,
    /// Time between two lists while nothing happens; jittered down by up to a tenth.
    pub resync_interval: Duration,
    /// The least time between two lists.
    pub list_spacing: Duration,
    /// How long a session may stay silent. APIM pings every 15 s.
    pub lease: Duration,
    /// How long to wait for `connection.ack`.
    pub ack_timeout: Duration,
    /// How long to wait for an answer.
    pub request_timeout: Duration,
    /// The first retry delay; doubled at each failure, drawn with full jitter.
    pub backoff_min: Duration,
    /// The longest retry delay.
    pub backoff_max: Duration,
    /// A session that lived less than this counts as a failure for the backoff.
    pub session_young: Duration,
    /// Failed attempts after which a deploy event is acked as failed; the work goes on.
    pub ack_failure_attempts: u32,
    /// Most fetches in flight.
    pub fetches_in_flight_max: usize,
    /// Most lists of one family in flight: of artifacts, of keys, of subscriptions, of plans.
    pub lists_in_flight_max: usize,
    /// Most keys and subscriptions kept for artifacts that are not known; an event about a
    /// further one is dropped and counted.
    pub parked_max: usize,
    /// Most artifacts remembered as gone, and most keys, subscriptions, plans and applications;
    /// the oldest are forgotten and counted.
    pub gone_max: usize,
    /// Most deployment ids in one batch fetch, and most artifacts in one existence check.
    pub batch_size_max: usize,
    /// Most artifacts in one durable write.
    pub write_size_max: usize,
    /// Most acks owed at once; a further one is dropped and counted.
    pub acks_owed_max: usize,
    /// Most distinct names kept per counter of unknown things.
    pub names_max: usize,
}

impl Config {
    /// Intervals and limits for production; the simulation runs the same.
    pub const fn recommended() -> Self {
        Self {
            dialect: None,
            base: None,
            read_lag_max: Duration::from_secs(5),
            orphan_delay: Duration::from_secs(5),
            credential_orphan_delay: Duration::from_secs(30),
            clock_margin: Duration::from_secs(3),
            undeploy_grace: Duration::from_millis(250),
            resync_interval: Duration::from_secs(120),
            list_spacing: Duration::from_secs(2),
            lease: Duration::from_secs(35),
            ack_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            session_young: Duration::from_secs(30),
            ack_failure_attempts: 5,
            fetches_in_flight_max: 4,
            lists_in_flight_max: 4,
            parked_max: 50_000,
            gone_max: 10_000,
            batch_size_max: 50,
            write_size_max: 500,
            acks_owed_max: 10_000,
            names_max: 32,
        }
    }
}
