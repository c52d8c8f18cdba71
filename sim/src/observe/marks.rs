//! Situations that a sweep must reach; one that is never reached turns the sweep red, because
//! nothing was shown about it.

/// A situation that a sweep should reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Whether a sweep that never reaches it fails.
    pub required: bool,
    /// Whether it takes several gateways.
    pub fleet: bool,
}

/// Every mark.
pub const fn marks() -> &'static [Mark] {
    ALL
}

const ALL: &[Mark] = &[
    mark("deploy_during_list", "a deploy event arrived while a list was being read (R1)"),
    mark("delete_during_list", "a delete event arrived while a list was being read (R2)"),
    mark("undeploy_during_fetch", "an undeploy event arrived while a definition was being read"),
    mark("content_newer_than_event", "a fetch answered a later generation than asked for (R7)"),
    mark("content_older_than_event", "a fetch answered the generation before the event (A-H15)"),
    mark("event_before_ack", "an event arrived before connection.ack (A-H7)"),
    mark("event_repeated", "the same event arrived twice (A-H1)"),
    mark("late_undeploy", "an undeploy arrived after the redeploy that followed it (A-H2)"),
    mark("late_deploy_of_deleted", "a deploy event arrived after the artifact's delete event"),
    mark("session_lost_during_list", "the session ended while a list was being read"),
    mark("list_failed", "a list was answered with something that is no list"),
    mark("list_empty_by_fault", "a list was answered empty while something is deployed"),
    mark("batch_failed", "a batch fetch was answered with something unusable"),
    mark("orphan_candidate", "a complete list lacked an artifact that is served"),
    mark("zombie_listed", "a list had an artifact that has nothing to fetch (A-H14)"),
    mark("crash_during_commit", "the process died while a batch was being written"),
    mark("commit_failed", "a commit failed and was repeated"),
    mark("restart_cut_off", "the gateway restarted while APIM could not be reached (law 10)"),
    mark("restored_backup", "APIM went back to an older backup"),
    mark("half_open", "a session died without either side being told (A-H5)"),
    mark("create_during_key_list", "a key was created while the key list was being read (R3)"),
    mark("revoke_during_key_list", "a key was ended while the key list was being read (R4)"),
    mark(
        "subscription_change_during_list",
        "a subscription changed while the subscriptions were being read (R5)",
    ),
    mark("plan_change_during_list", "a plan changed while the plans were being read (R6)"),
    mark("reconnect_during_key_list", "a new session began while the key list was read (R10)"),
    mark("key_before_its_api", "a key event came before its API was known (A-H34, C-H47)"),
    mark("key_events_of_one_stamp", "two events about one key name have equal stamps (A-H3)"),
    mark("key_list_empty", "a key list came empty while keys were held (A-H35)"),
    mark(
        "application_key_beside_list",
        "a key list was read while a key was held that it never names (A-H28)",
    ),
    mark("two_keys_of_one_name", "two keys of one name were in force (A-H29)"),
    mark("regenerated_key_listed", "a list told the UUID of a regenerated key (A-H31)"),
    mark("definition_not_read", "the store did not give a definition that was asked of it"),
    mark("expired_key_refused", "a key was refused because it had expired"),
    mark(
        "snapshot_swapped_before_revocation",
        "a snapshot was swapped while a key that was dead at APIM was in force",
    ),
    of_fleet(
        "key_revoked_while_one_is_cut_off",
        "a gateway heard of a revoked key while another of its organization had no session (FB-74)",
    ),
    of_fleet(
        "event_of_another_organization",
        "a gateway heard of something while one of another organization was connected",
    ),
    of_fleet(
        "deployed_on_some_gateways_only",
        "a gateway heard of an API that another of its organization does not have",
    ),
];

const fn of_fleet(name: &'static str, says: &'static str) -> Mark {
    Mark { name, says, required: true, fleet: true }
}

const fn mark(name: &'static str, says: &'static str) -> Mark {
    Mark { name, says, required: true, fleet: false }
}
