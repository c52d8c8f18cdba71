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
];

const fn mark(name: &'static str, says: &'static str) -> Mark {
    Mark { name, says, required: true }
}
