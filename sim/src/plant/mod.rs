//! Planted defects: each breaks one law at a boundary of the world, to show that what watches the
//! law can fail. None is a switch in the engine.
//!
//! [`ALL`] says what each breaks and what finds it; [`Sabotage`] does the harm.

mod access;
mod memory;
mod sabotage;

pub use sabotage::Sabotage;

/// A defect of the gateway or of what stands around it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Plant {
    /// Events are not understood.
    Deaf,
    /// An undeploy event is believed against every read.
    EventsAreFacts,
    /// What only a list names is not read.
    EventsOnly,
    /// Events that arrive while something is being read are lost.
    DeafWhileReading,
    /// Every list is answered as the first one was.
    StuckList,
    /// Reads are believed however old they may be.
    TrustStaleReads,
    /// A failed read is taken for an empty one.
    FailureIsEmpty,
    /// What one list lacks counts as deleted.
    AbsentIsGone,
    /// What was ended is not known any more after a start.
    ForgetEndings,
    /// Every other read of a definition is answered as the first one was.
    CachedDefinitions,
    /// What a list calls undeployed is taken for deployed.
    StateIgnored,
    /// The engine is told that a write is durable before it is.
    EarlyAck,
    /// Acks are not sent.
    NoAcks,
    /// The disk says that it synced and did not.
    LoseSyncs,
    /// There is no list after the first of a session.
    NeverResync,
    /// A silent session is never given up.
    EternalLease,
    /// A failed step is never tried again.
    NeverRetry,
    /// One definition that cannot be read stops all others.
    Poison,
    /// The store is empty at each start.
    Amnesia,
    /// What a store held is served only after the control plane says so again.
    ColdStart,
    /// Nothing is served while there is no session.
    ServesOnlyConnected,
    /// The status says synced whatever the matter.
    LyingStatus,
    /// A failed discovery changes the base path for good.
    GuessedBase,
    /// One refusal is taken for the last word.
    RefusalIsFinal,
    /// What was read before a start is read again after it.
    ReadAgain,
    /// Lists are asked without end.
    BusyLoop,
    /// What failed is tried again at once.
    NoBackoff,
    /// An error is logged in a healthy run.
    ErrorLine,
    /// Revocations of keys are not understood.
    DeafToRevocations,
    /// A key list names every key that it ever named.
    DeadKeysListed,
    /// Key lists are answered empty after the first two.
    EmptiedKeyLists,
    /// A key list puts every key on one API.
    MisplacedKeys,
    /// Lists of keys, subscriptions and plans are answered as the first one was.
    StuckLists,
    /// Keys go while their API is not deployed.
    KeysFollowApis,
    /// Keys are not known any more after a start.
    KeysForgotten,
    /// What ended a key is not known any more after a start.
    RevocationsForgotten,
    /// A batch is written without its keys and subscriptions.
    KeylessWrites,
    /// A key that is the same counts as changed.
    RestlessKeys,
    /// The snapshot does not follow keys and subscriptions.
    StuckSnapshot,
    /// The snapshot does not know when a key expires.
    ExpiryIgnored,
    /// A subscription opens whatever its status.
    BlockedIsOpen,
    /// A definition that the store did not give once is never given.
    UnreadForEver,
    /// Every operation is open to everyone.
    OpenToAll,
    /// A regenerated key goes on under the UUID of the one before it.
    FirstUuid,
    /// Events reach the first gateway only.
    FirstGatewayOnly,
    /// Every gateway shows the token of the first one.
    OneTokenForAll,
    /// An ack of one gateway counts for all.
    OneAckForAll,
    /// The trace depends on something outside the seed.
    Chance,
}

/// A plant by name, what it breaks and what finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlantEntry {
    /// The defect.
    pub plant: Plant,
    /// Its name.
    pub name: &'static str,
    /// What it breaks: laws of sync by number, or what else must hold.
    pub breaks: &'static str,
    /// What is wrong.
    pub says: &'static str,
    /// The properties of which at least one finds it.
    pub found_by: &'static [&'static str],
}

/// Every planted defect.
pub const ALL: &[PlantEntry] = &[
    PlantEntry {
        plant: Plant::Deaf,
        name: "deaf",
        breaks: "law 1",
        says: "events arrive and are not understood",
        found_by: &["never_serves_undeployed", "expect"],
    },
    PlantEntry {
        plant: Plant::StuckList,
        name: "stuck_list",
        breaks: "law 1",
        says: "every list is answered as the first one was",
        found_by: &["converges", "converged_or_loud"],
    },
    PlantEntry {
        plant: Plant::EventsAreFacts,
        name: "events_are_facts",
        breaks: "law 1",
        says: "an undeploy event is believed against every read",
        found_by: &["converges", "expect"],
    },
    PlantEntry {
        plant: Plant::EventsOnly,
        name: "events_only",
        breaks: "law 1",
        says: "what only a list names is not read",
        found_by: &["converges", "expect"],
    },
    PlantEntry {
        plant: Plant::DeafWhileReading,
        name: "deaf_while_reading",
        breaks: "law 2",
        says: "events that arrive while something is being read are lost",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::TrustStaleReads,
        name: "trust_stale_reads",
        breaks: "laws 2 5 6",
        says: "reads are believed however old they may be",
        found_by: &["converged_or_loud", "no_resurrection"],
    },
    PlantEntry {
        plant: Plant::FailureIsEmpty,
        name: "failure_is_empty",
        breaks: "law 3",
        says: "a failed read is taken for an empty one",
        found_by: &["safe_read"],
    },
    PlantEntry {
        plant: Plant::AbsentIsGone,
        name: "absent_is_gone",
        breaks: "law 4",
        says: "what one list lacks counts as deleted",
        found_by: &["safe_read"],
    },
    PlantEntry {
        plant: Plant::ForgetEndings,
        name: "forget_endings",
        breaks: "law 5",
        says: "what was undeployed or deleted is not known any more after a start",
        found_by: &["no_resurrection"],
    },
    PlantEntry {
        plant: Plant::CachedDefinitions,
        name: "cached_definitions",
        breaks: "law 6",
        says: "every other read of a definition is answered as the first one was",
        found_by: &["generation_never_regresses"],
    },
    PlantEntry {
        plant: Plant::StateIgnored,
        name: "state_ignored",
        breaks: "law 7",
        says: "what a list calls undeployed is taken for deployed",
        found_by: &["never_serves_undeployed", "converges"],
    },
    PlantEntry {
        plant: Plant::EarlyAck,
        name: "early_ack",
        breaks: "law 8",
        says: "the engine is told that a write is durable before it is",
        found_by: &["ack_truth"],
    },
    PlantEntry {
        plant: Plant::NoAcks,
        name: "no_acks",
        breaks: "law 8",
        says: "acks are not sent",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::LoseSyncs,
        name: "lose_syncs",
        breaks: "law 8",
        says: "the disk says that it synced and did not",
        found_by: &["store_recovers"],
    },
    PlantEntry {
        plant: Plant::NeverResync,
        name: "never_resync",
        breaks: "law 9",
        says: "there is no list after the first of a session",
        found_by: &["converges"],
    },
    PlantEntry {
        plant: Plant::EternalLease,
        name: "eternal_lease",
        breaks: "law 9",
        says: "a silent session is never given up",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::NeverRetry,
        name: "never_retry",
        breaks: "law 9",
        says: "what failed is never tried again",
        found_by: &["converges"],
    },
    PlantEntry {
        plant: Plant::Poison,
        name: "poison",
        breaks: "law 9",
        says: "one definition that cannot be read stops all others",
        found_by: &["converges"],
    },
    PlantEntry {
        plant: Plant::Amnesia,
        name: "amnesia",
        breaks: "law 10",
        says: "the store is empty at each start",
        found_by: &["store_recovers"],
    },
    PlantEntry {
        plant: Plant::ColdStart,
        name: "cold_start",
        breaks: "law 10",
        says: "what a store held is served only after the control plane says so again",
        found_by: &["serves_last_good"],
    },
    PlantEntry {
        plant: Plant::ServesOnlyConnected,
        name: "serves_only_connected",
        breaks: "law 10",
        says: "nothing is served while there is no session",
        found_by: &["safe_read"],
    },
    PlantEntry {
        plant: Plant::LyingStatus,
        name: "lying_status",
        breaks: "law 12",
        says: "the status says synced whatever the matter",
        found_by: &["converged_or_loud"],
    },
    PlantEntry {
        plant: Plant::GuessedBase,
        name: "guessed_base",
        breaks: "law 13",
        says: "a failed discovery changes the base path for good",
        found_by: &["converges"],
    },
    PlantEntry {
        plant: Plant::RefusalIsFinal,
        name: "refusal_is_final",
        breaks: "law 14",
        says: "one refusal is taken for the last word",
        found_by: &["converges"],
    },
    PlantEntry {
        plant: Plant::ReadAgain,
        name: "read_again",
        breaks: "law 15",
        says: "what was read before a start is read again after it",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::BusyLoop,
        name: "busy_loop",
        breaks: "law 15",
        says: "lists are asked without end",
        found_by: &["bounded_work"],
    },
    PlantEntry {
        plant: Plant::NoBackoff,
        name: "no_backoff",
        breaks: "law 15",
        says: "what failed is tried again at once",
        found_by: &["bounded_work"],
    },
    PlantEntry {
        plant: Plant::ErrorLine,
        name: "error_line",
        breaks: "logs",
        says: "an error is logged in a healthy run",
        found_by: &["no_error_log"],
    },
    PlantEntry {
        plant: Plant::DeafToRevocations,
        name: "deaf_to_revocations",
        breaks: "law 11",
        says: "revocations of keys arrive and are not understood",
        found_by: &["revocation_bound"],
    },
    PlantEntry {
        plant: Plant::DeadKeysListed,
        name: "dead_keys_listed",
        breaks: "law 11",
        says: "a key list names every key that it ever named",
        found_by: &["no_resurrection", "revocation_bound"],
    },
    PlantEntry {
        plant: Plant::EmptiedKeyLists,
        name: "emptied_key_lists",
        breaks: "laws 3 4",
        says: "key lists are answered empty after the first two",
        found_by: &["closure", "converged_or_loud"],
    },
    PlantEntry {
        plant: Plant::MisplacedKeys,
        name: "misplaced_keys",
        breaks: "law 3",
        says: "a key list puts every key on one API",
        found_by: &["safe_read"],
    },
    PlantEntry {
        plant: Plant::StuckLists,
        name: "stuck_lists",
        breaks: "laws 9 12",
        says: "lists of keys, subscriptions and plans are answered as the first one was",
        found_by: &["converges", "converged_or_loud"],
    },
    PlantEntry {
        plant: Plant::KeysFollowApis,
        name: "keys_follow_apis",
        breaks: "law 4",
        says: "keys go while their API is not deployed",
        found_by: &["closure"],
    },
    PlantEntry {
        plant: Plant::KeysForgotten,
        name: "keys_forgotten",
        breaks: "law 10",
        says: "keys are not known any more after a start",
        found_by: &["serves_last_good"],
    },
    PlantEntry {
        plant: Plant::RevocationsForgotten,
        name: "revocations_forgotten",
        breaks: "law 5",
        says: "what ended a key is not known any more after a start",
        found_by: &["no_resurrection"],
    },
    PlantEntry {
        plant: Plant::KeylessWrites,
        name: "keyless_writes",
        breaks: "law 8",
        says: "a batch is written without its keys and subscriptions",
        found_by: &["store_recovers"],
    },
    PlantEntry {
        plant: Plant::RestlessKeys,
        name: "restless_keys",
        breaks: "churn",
        says: "a key that is the same counts as changed",
        found_by: &["update_count"],
    },
    PlantEntry {
        plant: Plant::StuckSnapshot,
        name: "stuck_snapshot",
        breaks: "decisions",
        says: "the snapshot does not follow keys and subscriptions",
        found_by: &["same_decision"],
    },
    PlantEntry {
        plant: Plant::ExpiryIgnored,
        name: "expiry_ignored",
        breaks: "law 11",
        says: "the snapshot does not know when a key expires",
        found_by: &["same_decision"],
    },
    PlantEntry {
        plant: Plant::UnreadForEver,
        name: "unread_for_ever",
        breaks: "law 10",
        says: "a definition that the store did not give once is never given",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::BlockedIsOpen,
        name: "blocked_is_open",
        breaks: "decisions",
        says: "a subscription opens whatever its status",
        found_by: &["same_decision"],
    },
    PlantEntry {
        plant: Plant::OpenToAll,
        name: "open_to_all",
        breaks: "decisions",
        says: "every operation is open to everyone",
        found_by: &["same_decision"],
    },
    PlantEntry {
        plant: Plant::FirstUuid,
        name: "first_uuid",
        breaks: "agreement",
        says: "a regenerated key goes on under the UUID of the one before it",
        found_by: &["replicas_agree"],
    },
    PlantEntry {
        plant: Plant::FirstGatewayOnly,
        name: "first_gateway_only",
        breaks: "law 1",
        says: "of several gateways the first alone is sent events",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::OneTokenForAll,
        name: "one_token_for_all",
        breaks: "organizations",
        says: "every gateway shows the first one's token and is told what is the first one's",
        found_by: &["converges", "expect"],
    },
    PlantEntry {
        plant: Plant::OneAckForAll,
        name: "one_ack_for_all",
        breaks: "law 8",
        says: "a gateway does not ack what another one acked",
        found_by: &["expect"],
    },
    PlantEntry {
        plant: Plant::Chance,
        name: "chance",
        breaks: "determinism",
        says: "the trace depends on something outside the seed",
        found_by: &["same_trace"],
    },
];

impl Plant {
    /// The plant of that name.
    pub fn parse(name: &str) -> Option<Self> {
        ALL.iter().find(|entry| entry.name == name).map(|entry| entry.plant)
    }
}

impl PlantEntry {
    /// Whether that property finds it.
    pub fn is_found_by(&self, property: &str) -> bool {
        self.found_by.contains(&property)
    }
}
