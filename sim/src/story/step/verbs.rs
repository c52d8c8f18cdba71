//! What every verb is called, says and looks like: the table behind `driftless list steps`, and
//! the names that `expect.delivered` counts by.

use super::Verb;

/// Who does what a verb says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Actor {
    /// People at APIM: what a gateway must follow.
    People,
    /// A control plane that goes wrong at the level of meaning.
    ControlPlane,
    /// A network.
    Network,
    /// The gateway's own machine.
    Machine,
}

impl Actor {
    /// The word printed for the actor.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::ControlPlane => "control-plane",
            Self::Network => "network",
            Self::Machine => "machine",
        }
    }
}

/// One verb of the vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerbEntry {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// Who does it.
    pub actor: Actor,
    /// What it says, in a few words.
    pub says: &'static str,
    /// Its fields by example, as JSON.
    pub example: &'static str,
}

const fn entry(
    name: &'static str,
    actor: Actor,
    says: &'static str,
    example: &'static str,
) -> VerbEntry {
    VerbEntry { name, actor, says, example }
}

use Actor::{ControlPlane, Machine, Network, People};

/// The whole vocabulary, in the order of [`Verb`].
pub const VERBS: &[VerbEntry] = &[
    entry("publish", People, "create an API and publish it", r#"{ "api": "orders" }"#),
    entry("revise", People, "save a new revision, not deployed yet", r#"{ "api": "orders" }"#),
    entry(
        "deploy",
        People,
        "deploy a revision to the named `gateways`, or to all of the organization",
        r#"{ "api": "orders", "revision": 2 }"#,
    ),
    entry(
        "undeploy",
        People,
        "undeploy an API from the named `gateways`, or from all",
        r#"{ "api": "orders" }"#,
    ),
    entry("delete", People, "delete an API", r#"{ "api": "orders" }"#),
    entry(
        "lifecycle",
        People,
        "move an API to a lifecycle state",
        r#"{ "api": "orders", "state": "retired" }"#,
    ),
    entry("rotate_token", People, "issue new registration tokens", "{}"),
    entry(
        "create_key",
        People,
        "create a key of an API, or of an application",
        r#"{ "api": "orders", "name": "Mobile", "valid_for_ms": 60000 }"#,
    ),
    entry(
        "regenerate_key",
        People,
        "revoke a key and issue another under its name",
        r#"{ "application": "shop", "name": "Mobile" }"#,
    ),
    entry(
        "revoke_key",
        People,
        "revoke a key",
        r#"{ "api": "orders", "name": "Mobile", "user": "alice" }"#,
    ),
    entry(
        "import_keys",
        People,
        "add keys that no event tells of",
        r#"{ "api": "orders", "count": 1000 }"#,
    ),
    entry(
        "subscribe",
        People,
        "subscribe an application to an API",
        r#"{ "application": "shop", "api": "orders", "plan": "Gold" }"#,
    ),
    entry(
        "unsubscribe",
        People,
        "remove a subscription",
        r#"{ "application": "shop", "api": "orders" }"#,
    ),
    entry(
        "change_subscription",
        People,
        "change the status or the plan of a subscription",
        r#"{ "application": "shop", "api": "orders", "status": "blocked" }"#,
    ),
    entry("create_plan", People, "create a plan", r#"{ "plan": "Platinum", "per_minute": 50 }"#),
    entry(
        "change_plan",
        People,
        "change the limit of a plan",
        r#"{ "plan": "Gold", "per_minute": 9 }"#,
    ),
    entry("delete_plan", People, "delete a plan", r#"{ "plan": "Gold" }"#),
    entry(
        "map_key",
        People,
        "let a key of an API belong to an application",
        r#"{ "application": "shop", "api": "orders", "name": "Mobile" }"#,
    ),
    entry(
        "unmap_key",
        People,
        "let a key belong to its application no more",
        r#"{ "application": "shop", "api": "orders", "name": "Mobile" }"#,
    ),
    entry(
        "delete_application",
        People,
        "delete an application, its subscriptions and its keys",
        r#"{ "application": "shop" }"#,
    ),
    entry("lose_events", ControlPlane, "the next events never come to exist", r#"{ "count": 1 }"#),
    entry("no_direct_send", ControlPlane, "only the poll sends events", r#"{ "for_ms": 10000 }"#),
    entry("strand_poll", ControlPlane, "the next poll claims its events and sends none", "{}"),
    entry("kill_poll", ControlPlane, "the poll of the running session dies", "{}"),
    entry(
        "delay_effects",
        ControlPlane,
        "effects become readable later than their event",
        r#"{ "for_ms": 10000, "delay_ms": 2000 }"#,
    ),
    entry(
        "redeploy_window",
        ControlPlane,
        "a read during a redeploy may give the old revision",
        r#"{ "for_ms": 10000, "window_ms": 500 }"#,
    ),
    entry(
        "delay_events",
        ControlPlane,
        "events about keys and subscriptions come later than their effect",
        r#"{ "for_ms": 10000, "delay_ms": 2000 }"#,
    ),
    entry("break_keys", ControlPlane, "the next keys are written half way", r#"{ "count": 1 }"#),
    entry(
        "odd_key_events",
        ControlPlane,
        "the next key events have no hash that can be read",
        r#"{ "count": 1 }"#,
    ),
    entry("lose_row", ControlPlane, "an API's artifact row is lost", r#"{ "api": "orders" }"#),
    entry("keep_rows", ControlPlane, "the next undeploys keep their row", r#"{ "count": 1 }"#),
    entry("freeze_stamps", ControlPlane, "every stamp is the same", r#"{ "for_ms": 1000 }"#),
    entry("step_clock", ControlPlane, "APIM's wall clock jumps", r#"{ "by_ms": -60000 }"#),
    entry("restore_backup", ControlPlane, "APIM's data go back in time", r#"{ "ago_ms": 60000 }"#),
    entry(
        "restart_manager",
        ControlPlane,
        "the node stops, then answers 404 while it starts",
        r#"{ "down_ms": 5000, "starting_ms": 20000 }"#,
    ),
    entry("close_session", ControlPlane, "APIM closes the session", r#"{ "code": 1000 }"#),
    entry("switch_node", ControlPlane, "the next connection goes to another node", "{}"),
    entry("refuse_tokens", ControlPlane, "token verification throws", r#"{ "for_ms": 30000 }"#),
    entry("event_before_ack", ControlPlane, "an event precedes `connection.ack`", "{}"),
    entry(
        "wrong_undeploy_ids",
        ControlPlane,
        "undeploy events name an unknown deployment",
        r#"{ "count": 1 }"#,
    ),
    entry(
        "answer",
        ControlPlane,
        "answers go wrong",
        r#"{ "to": "list", "with": "empty_object", "count": 1 }"#,
    ),
    entry("partition", Network, "nothing passes", r#"{ "for_ms": 60000, "direction": "both" }"#),
    entry("hold", Network, "what is sent waits and comes in order", r#"{ "for_ms": 5000 }"#),
    entry(
        "latency",
        Network,
        "messages take longer",
        r#"{ "for_ms": 10000, "min_ms": 50, "max_ms": 900 }"#,
    ),
    entry("half_open", Network, "open connections die silently", "{}"),
    entry("reset", Network, "every connection is reset", "{}"),
    entry(
        "frames",
        Network,
        "event frames are lost, doubled, delayed, swapped or cut",
        r#"{ "fault": "drop", "count": 1 }"#,
    ),
    entry(
        "bytes",
        Network,
        "in the wire world: bytes of APIM are cut off, trickle, have a bit flipped or are split",
        r#"{ "fault": "cut", "count": 1 }"#,
    ),
    entry(
        "crash",
        Machine,
        "the gateway dies and comes back",
        r#"{ "down_ms": 1000, "disk": "lost" }"#,
    ),
    entry("disk_full", Machine, "writes fail for lack of space", r#"{ "for_ms": 5000 }"#),
    entry("fail_writes", Machine, "the next writes fail", r#"{ "count": 1 }"#),
    entry(
        "fail_reads",
        Machine,
        "the next readings of a stored definition fail",
        r#"{ "count": 1 }"#,
    ),
    entry("wipe_store", Machine, "the gateway crashes and its store is gone", "{}"),
];

impl Verb {
    /// Its name in a scenario file, in `expect.delivered` and in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Publish(_) => "publish",
            Self::Revise(_) => "revise",
            Self::Deploy(_) => "deploy",
            Self::Undeploy(_) => "undeploy",
            Self::Delete(_) => "delete",
            Self::Lifecycle(_) => "lifecycle",
            Self::RotateToken(_) => "rotate_token",
            Self::CreateKey(_) => "create_key",
            Self::RegenerateKey(_) => "regenerate_key",
            Self::RevokeKey(_) => "revoke_key",
            Self::ImportKeys(_) => "import_keys",
            Self::Subscribe(_) => "subscribe",
            Self::Unsubscribe(_) => "unsubscribe",
            Self::ChangeSubscription(_) => "change_subscription",
            Self::CreatePlan(_) => "create_plan",
            Self::ChangePlan(_) => "change_plan",
            Self::DeletePlan(_) => "delete_plan",
            Self::MapKey(_) => "map_key",
            Self::UnmapKey(_) => "unmap_key",
            Self::DeleteApplication(_) => "delete_application",
            Self::LoseEvents(_) => "lose_events",
            Self::NoDirectSend(_) => "no_direct_send",
            Self::StrandPoll(_) => "strand_poll",
            Self::KillPoll(_) => "kill_poll",
            Self::DelayEffects(_) => "delay_effects",
            Self::RedeployWindow(_) => "redeploy_window",
            Self::DelayEvents(_) => "delay_events",
            Self::BreakKeys(_) => "break_keys",
            Self::OddKeyEvents(_) => "odd_key_events",
            Self::LoseRow(_) => "lose_row",
            Self::KeepRows(_) => "keep_rows",
            Self::FreezeStamps(_) => "freeze_stamps",
            Self::StepClock(_) => "step_clock",
            Self::RestoreBackup(_) => "restore_backup",
            Self::RestartManager(_) => "restart_manager",
            Self::CloseSession(_) => "close_session",
            Self::SwitchNode(_) => "switch_node",
            Self::RefuseTokens(_) => "refuse_tokens",
            Self::EventBeforeAck(_) => "event_before_ack",
            Self::WrongUndeployIds(_) => "wrong_undeploy_ids",
            Self::Answer(_) => "answer",
            Self::Partition(_) => "partition",
            Self::Hold(_) => "hold",
            Self::Latency(_) => "latency",
            Self::HalfOpen(_) => "half_open",
            Self::Reset(_) => "reset",
            Self::Frames(_) => "frames",
            Self::Bytes(_) => "bytes",
            Self::Crash(_) => "crash",
            Self::DiskFull(_) => "disk_full",
            Self::FailWrites(_) => "fail_writes",
            Self::FailReads(_) => "fail_reads",
            Self::WipeStore(_) => "wipe_store",
        }
    }

    /// The name that its deliveries are counted by: its own, and for wrong answers also how they
    /// are wrong, as in `answer.empty_object`; the same for bytes, as in `bytes.cut`.
    pub const fn delivered_as(&self) -> &'static str {
        match self {
            Self::Answer(answer) => answer.with.delivered_as(),
            Self::Bytes(bytes) => bytes.fault.delivered_as(),
            other => other.name(),
        }
    }

    /// Whether it is a fault, rather than something people do at APIM.
    pub const fn is_fault(&self) -> bool {
        !matches!(
            self,
            Self::Publish(_)
                | Self::Revise(_)
                | Self::Deploy(_)
                | Self::Undeploy(_)
                | Self::Delete(_)
                | Self::Lifecycle(_)
                | Self::RotateToken(_)
                | Self::CreateKey(_)
                | Self::RegenerateKey(_)
                | Self::RevokeKey(_)
                | Self::ImportKeys(_)
                | Self::Subscribe(_)
                | Self::Unsubscribe(_)
                | Self::ChangeSubscription(_)
                | Self::CreatePlan(_)
                | Self::ChangePlan(_)
                | Self::DeletePlan(_)
                | Self::MapKey(_)
                | Self::UnmapKey(_)
                | Self::DeleteApplication(_)
        )
    }

    /// How long it goes on by itself, in milliseconds.
    pub const fn lasts_ms(&self) -> u64 {
        match self {
            Self::NoDirectSend(span)
            | Self::FreezeStamps(span)
            | Self::RefuseTokens(span)
            | Self::Hold(span)
            | Self::DiskFull(span) => span.for_ms,
            Self::DelayEffects(delay) => delay.for_ms + delay.delay_ms,
            Self::RedeployWindow(window) => window.for_ms + window.window_ms,
            Self::RestartManager(restart) => restart.down_ms + restart.starting_ms,
            Self::Answer(answer) => match answer.for_ms {
                Some(for_ms) => for_ms,
                None => 0,
            },
            Self::Partition(partition) => partition.for_ms,
            Self::Latency(latency) => latency.for_ms,
            Self::Crash(crash) => crash.down_ms,
            _ => 0,
        }
    }

    /// The API it names, if it names one.
    pub fn api(&self) -> Option<&str> {
        match self {
            Self::Publish(publish) => Some(&publish.api),
            Self::Deploy(deploy) => Some(&deploy.api),
            Self::Lifecycle(change) => Some(&change.api),
            Self::Revise(named)
            | Self::Undeploy(named)
            | Self::Delete(named)
            | Self::LoseRow(named) => Some(&named.api),
            Self::CreateKey(key) => key.api.as_deref(),
            Self::RegenerateKey(key) | Self::RevokeKey(key) => key.api.as_deref(),
            Self::ImportKeys(import) => Some(&import.api),
            Self::Subscribe(subscribe) => Some(&subscribe.api),
            Self::Unsubscribe(subscription) => Some(&subscription.api),
            Self::ChangeSubscription(change) => Some(&change.api),
            Self::MapKey(key) | Self::UnmapKey(key) => Some(&key.api),
            _ => None,
        }
    }

    /// The application it names, if it names one.
    pub fn application(&self) -> Option<&str> {
        match self {
            Self::CreateKey(key) => key.application.as_deref(),
            Self::RegenerateKey(key) | Self::RevokeKey(key) => key.application.as_deref(),
            Self::Subscribe(subscribe) => Some(&subscribe.application),
            Self::Unsubscribe(subscription) => Some(&subscription.application),
            Self::ChangeSubscription(change) => Some(&change.application),
            Self::MapKey(key) | Self::UnmapKey(key) => Some(&key.application),
            Self::DeleteApplication(named) => Some(&named.application),
            _ => None,
        }
    }

    /// The plan it names, if it names one.
    pub fn plan(&self) -> Option<&str> {
        match self {
            Self::Subscribe(subscribe) => subscribe.plan.as_deref(),
            Self::ChangeSubscription(change) => change.plan.as_deref(),
            Self::CreatePlan(plan) | Self::ChangePlan(plan) => Some(&plan.plan),
            Self::DeletePlan(plan) => Some(&plan.plan),
            _ => None,
        }
    }

    /// The name and the user of the key it names, if it names one.
    pub fn key(&self) -> Option<(&str, &str)> {
        match self {
            Self::CreateKey(key) => Some((&key.name, &key.user)),
            Self::RegenerateKey(key) | Self::RevokeKey(key) => Some((&key.name, &key.user)),
            Self::MapKey(key) | Self::UnmapKey(key) => Some((&key.name, &key.user)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_verb_of_its_name() {
        for entry in VERBS {
            let json = format!("{{ \"{}\": {} }}", entry.name, entry.example);
            let verb: Verb = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
            assert_eq!(verb.name(), entry.name);
            assert_eq!(verb.is_fault(), entry.actor != People, "{}", entry.name);
            assert_eq!(verb.api().is_some(), entry.example.contains("\"api\""), "{}", entry.name);
        }
    }

    #[test]
    fn the_table_holds_every_verb_that_serde_knows() {
        let error = serde_json::from_str::<Verb>("{ \"no_such_verb\": {} }").unwrap_err();
        let message = error.to_string();
        let known = message.matches('`').count() / 2 - 1;
        assert_eq!(known, VERBS.len(), "{message}");
    }
}
