//! Planted defects: each breaks one law at a boundary of the world, to show that its property can
//! fail. None is a switch in the engine.

use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::wire::HttpResponse;

/// A defect of the gateway or of what stands around it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Plant {
    /// Reads are believed however old they may be (laws 2, 5, 6).
    TrustStaleReads,
    /// A failed read is taken for an empty one (law 3).
    FailureIsEmpty,
    /// A list that says an item is undeployed is read as if it said deployed (law 7).
    StateIgnored,
    /// There is no resync after the first (law 9).
    NeverResync,
    /// Events are not understood (laws 8 and 11 of liveness: nothing is heard).
    Deaf,
    /// The engine is told that a write is durable before it is (law 8).
    EarlyAck,
    /// The disk says that it synced and did not (law 8).
    LoseSyncs,
    /// The store forgets what it knew of deletions and undeploys at each start (law 5).
    ForgetEndings,
    /// The store is empty at each start (law 10).
    Amnesia,
    /// The status says synced whatever the matter (law 12).
    LyingStatus,
    /// Work is repeated without end (law 15).
    BusyLoop,
    /// An error is logged in a healthy run.
    ErrorLine,
    /// The trace depends on something outside the seed.
    Chance,
}

/// A plant by name, and the property that finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlantEntry {
    /// The defect.
    pub plant: Plant,
    /// Its name.
    pub name: &'static str,
    /// The properties of which at least one finds it.
    pub found_by: &'static [&'static str],
}

/// Every planted defect.
pub const ALL: &[PlantEntry] = &[
    entry(
        Plant::TrustStaleReads,
        "trust_stale_reads",
        &["generation_never_regresses", "no_resurrection", "safe_read"],
    ),
    entry(Plant::FailureIsEmpty, "failure_is_empty", &["safe_read"]),
    entry(Plant::StateIgnored, "state_ignored", &["never_serves_undeployed", "converges"]),
    entry(Plant::NeverResync, "never_resync", &["converges", "converged_or_loud"]),
    entry(Plant::Deaf, "deaf", &["bounded_work", "converges", "expect"]),
    entry(Plant::EarlyAck, "early_ack", &["ack_truth"]),
    entry(Plant::LoseSyncs, "lose_syncs", &["store_recovers"]),
    entry(Plant::ForgetEndings, "forget_endings", &["no_resurrection", "store_recovers"]),
    entry(Plant::Amnesia, "amnesia", &["store_recovers", "safe_read"]),
    entry(Plant::LyingStatus, "lying_status", &["converged_or_loud"]),
    entry(Plant::BusyLoop, "busy_loop", &["bounded_work"]),
    entry(Plant::ErrorLine, "error_line", &["no_error_log"]),
    entry(Plant::Chance, "chance", &["same_trace"]),
];

const fn entry(plant: Plant, name: &'static str, found_by: &'static [&'static str]) -> PlantEntry {
    PlantEntry { plant, name, found_by }
}

impl Plant {
    /// The plant of that name.
    pub fn parse(name: &str) -> Option<Self> {
        ALL.iter().find(|entry| entry.name == name).map(|entry| entry.plant)
    }

    /// Breaks the limits that the law rests on.
    pub fn configure(self, config: &mut Config) {
        match self {
            Self::TrustStaleReads => {
                config.read_lag_max = Duration::ZERO;
                config.orphan_delay = Duration::ZERO;
            }
            Self::NeverResync => config.resync_interval = Duration::from_secs(1_000_000),
            _ => {}
        }
    }

    /// Breaks an answer on its way to the gateway.
    pub fn distort(self, name: &str, answer: &mut HttpResponse) {
        match (self, name) {
            (Self::FailureIsEmpty, "list")
                if answer.status != 200 || !answer.body.starts_with(b"{\"deployments\":[") =>
            {
                answer.status = 200;
                answer.body = br#"{"deployments":[]}"#.to_vec();
            }
            (Self::FailureIsEmpty, "fetch" | "fetch_batch") if answer.status != 200 => {
                answer.status = 404;
                answer.body.clear();
            }
            (Self::StateIgnored, "list") => {
                let text = String::from_utf8_lossy(&answer.body).replace("undeployed", "deployed");
                answer.body = text.into_bytes();
            }
            _ => {}
        }
    }
}
