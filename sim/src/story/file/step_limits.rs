//! The limits of a step's numbers and names: a fault does something, ends, and stays within what
//! the engine promises to withstand.

use driftless_gateway::engine::Config;
use driftless_gateway::model::Kind;

use super::document::{Node, Place};
use super::names::{is_api_name, is_free_name};
use super::refusal::{Refusal, hint};
use crate::story::step::{Answer, Endpoint, Verb, Wrong};

/// The longest time in a story: a day.
pub const TIME_MS_MAX: u64 = 86_400_000;

/// The highest count in a story.
pub const COUNT_MAX: u64 = 10_000;

/// The most keys that one step brings; a bulk answer of them must still be read.
const IMPORT_MAX: u64 = 100_000;

/// The longest life of a key: ten years.
const VALID_MS_MAX: u64 = 10 * 365 * TIME_MS_MAX;

/// The longest jump of a clock: ten years.
const CLOCK_JUMP_MS_MAX: u64 = 10 * 365 * TIME_MS_MAX;

/// Checks a number against its bounds.
pub(super) fn within(
    field: &str,
    value: u64,
    least: u64,
    most: u64,
    place: Place,
) -> Result<(), Refusal> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let hint = format!("expected {least} to {most}");
    Err(place.refuse(format!("`{field}` is {value}"), Some(hint)))
}

/// Checks one verb; `node` is the value below its name.
pub(super) fn verb(verb: &Verb, node: &Node) -> Result<(), Refusal> {
    names(verb, node)?;
    access(verb, node)?;
    let bounded = |field: &str, value: u64, least: u64, most: u64| {
        within(field, value, least, most, node.place_of(&[field]))
    };
    let lasting = |value: u64| bounded("for_ms", value, 1, TIME_MS_MAX);
    match verb {
        Verb::Publish(publish) => kind(&publish.kind, node),
        Verb::Deploy(deploy) => match deploy.revision {
            Some(revision) => bounded("revision", u64::from(revision), 1, COUNT_MAX),
            None => Ok(()),
        },
        Verb::LoseEvents(number)
        | Verb::KeepRows(number)
        | Verb::BreakKeys(number)
        | Verb::OddKeyEvents(number)
        | Verb::WrongUndeployIds(number)
        | Verb::FailWrites(number)
        | Verb::FailReads(number) => bounded("count", u64::from(number.count), 1, COUNT_MAX),
        Verb::Frames(frames) => bounded("count", u64::from(frames.count), 1, COUNT_MAX),
        Verb::Bytes(bytes) => bounded("count", u64::from(bytes.count), 1, COUNT_MAX),
        Verb::NoDirectSend(span)
        | Verb::FreezeStamps(span)
        | Verb::RefuseTokens(span)
        | Verb::Hold(span)
        | Verb::DiskFull(span) => lasting(span.for_ms),
        Verb::Partition(partition) => lasting(partition.for_ms),
        Verb::DelayEffects(delay) => {
            lasting(delay.for_ms)?;
            bounded("delay_ms", delay.delay_ms, 1, read_lag_ms_max())
        }
        Verb::DelayEvents(delay) => {
            lasting(delay.for_ms)?;
            bounded("delay_ms", delay.delay_ms, 1, TIME_MS_MAX)
        }
        Verb::RedeployWindow(window) => {
            lasting(window.for_ms)?;
            bounded("window_ms", window.window_ms, 1, read_lag_ms_max())
        }
        Verb::Latency(latency) => {
            lasting(latency.for_ms)?;
            bounded("max_ms", latency.max_ms, 1, TIME_MS_MAX)?;
            bounded("min_ms", latency.min_ms, 0, latency.max_ms)
        }
        Verb::StepClock(step) => bounded("by_ms", step.by_ms.unsigned_abs(), 1, CLOCK_JUMP_MS_MAX),
        Verb::RestoreBackup(ago) => bounded("ago_ms", ago.ago_ms, 1, TIME_MS_MAX),
        Verb::RestartManager(restart) => {
            bounded("down_ms", restart.down_ms, 0, TIME_MS_MAX)?;
            let least = u64::from(restart.down_ms == 0);
            bounded("starting_ms", restart.starting_ms, least, TIME_MS_MAX)
        }
        Verb::CloseSession(close) => bounded("code", u64::from(close.code), 1000, 4999),
        Verb::Crash(crash) => bounded("down_ms", crash.down_ms, 0, TIME_MS_MAX),
        Verb::Answer(wrong) => answer(wrong, node),
        _ => Ok(()),
    }
}

/// Checks a verb about keys, subscriptions or plans.
fn access(verb: &Verb, node: &Node) -> Result<(), Refusal> {
    let bounded = |field: &str, value: u64, least: u64, most: u64| {
        within(field, value, least, most, node.place_of(&[field]))
    };
    match verb {
        Verb::CreateKey(key) => {
            one_owner(key.api.as_ref(), key.application.as_ref(), node)?;
            match key.valid_for_ms {
                Some(valid) => bounded("valid_for_ms", valid, 1, VALID_MS_MAX),
                None => Ok(()),
            }
        }
        Verb::RegenerateKey(key) | Verb::RevokeKey(key) => {
            one_owner(key.api.as_ref(), key.application.as_ref(), node)
        }
        Verb::ImportKeys(import) => bounded("count", u64::from(import.count), 1, IMPORT_MAX),
        Verb::CreatePlan(plan) | Verb::ChangePlan(plan) => match plan.per_minute {
            Some(count) => bounded("per_minute", count, 1, COUNT_MAX),
            None => Ok(()),
        },
        Verb::ChangeSubscription(change) if change.status.is_none() && change.plan.is_none() => {
            let hint = Some("give `status`, `plan` or both".to_owned());
            Err(node.place.refuse("a change that changes nothing", hint))
        }
        _ => Ok(()),
    }
}

/// Checks every name that a verb has.
fn names(verb: &Verb, node: &Node) -> Result<(), Refusal> {
    let refuse = |field: &str, problem: String, hint: &str| {
        Err(node.place_of(&[field]).refuse(problem, Some(hint.to_owned())))
    };
    for (field, name, what) in
        [("api", verb.api(), "an API"), ("application", verb.application(), "an application")]
    {
        if let Some(name) = name.filter(|name| !is_api_name(name)) {
            let problem = format!("`{name}` is not a name for {what}");
            return refuse(field, problem, "expected lower-case words joined by dashes");
        }
    }
    let (key, user) = verb.key().unzip();
    for (field, name, what) in
        [("name", key, "a key"), ("user", user, "a user"), ("plan", verb.plan(), "a plan")]
    {
        if let Some(name) = name.filter(|name| !is_free_name(name)) {
            let problem = format!("`{name}` is not a name for {what}");
            return refuse(field, problem, "expected letters, digits and `-_.@`");
        }
    }
    Ok(())
}

/// A key opens one API or belongs to one application.
fn one_owner(
    api: Option<&String>,
    application: Option<&String>,
    node: &Node,
) -> Result<(), Refusal> {
    if api.is_some() != application.is_some() {
        return Ok(());
    }
    let hint = Some("give either `api` or `application`".to_owned());
    Err(node.place.refuse("a key without exactly one owner", hint))
}

/// Reads and delays that contradict what is known stay below what the engine is told to expect;
/// beyond that, no engine can tell an old view from a new one.
fn read_lag_ms_max() -> u64 {
    let most = Config::recommended().read_lag_max.as_millis();
    u64::try_from(most).unwrap_or(u64::MAX).saturating_sub(1)
}

fn kind(name: &str, node: &Node) -> Result<(), Refusal> {
    let names = Kind::ALL.map(Kind::name);
    if names.contains(&name) {
        return Ok(());
    }
    let problem = format!("unknown kind `{name}`");
    Err(node.place_of(&["kind"]).refuse(problem, Some(hint(name, &names))))
}

fn answer(answer: &Answer, node: &Node) -> Result<(), Refusal> {
    if answer.count.is_none() && answer.for_ms.is_none() {
        let hint = Some("give `count`, `for_ms` or both".to_owned());
        return Err(node.place.refuse("a wrong answer without an end", hint));
    }
    if let Some(count) = answer.count {
        within("count", u64::from(count), 1, COUNT_MAX, node.place_of(&["count"]))?;
    }
    if let Some(for_ms) = answer.for_ms {
        within("for_ms", for_ms, 1, TIME_MS_MAX, node.place_of(&["for_ms"]))?;
    }
    let bounded = |field: &str, value: u64, least: u64, most: u64| {
        within(field, value, least, most, node.place_of(&["with", field]))
    };
    match answer.with {
        Wrong::Status(status) => bounded("status", u64::from(status), 201, 599)?,
        Wrong::StaleMs(ms) => bounded("stale_ms", ms, 1, read_lag_ms_max())?,
        Wrong::MixedMs(ms) => bounded("mixed_ms", ms, 1, read_lag_ms_max())?,
        Wrong::SlowMs(ms) => bounded("slow_ms", ms, 1, TIME_MS_MAX)?,
        _ => {}
    }
    if applies(answer) {
        return Ok(());
    }
    let hint = "the answer to that request cannot be wrong in this way".to_owned();
    Err(node.place_of(&["with"]).refuse("a fault that does nothing", Some(hint)))
}

/// Whether the answer to that request can be wrong in that way.
pub(crate) const fn applies(answer: &Answer) -> bool {
    let is_of_archive =
        matches!(answer.with, Wrong::DotDotEntry | Wrong::RepeatedEntry | Wrong::Bomb);
    let is_of_items = matches!(answer.with, Wrong::OddItems);
    match answer.to {
        Endpoint::Connect => {
            matches!(answer.with, Wrong::Status(_) | Wrong::RouteMissing | Wrong::NoAnswer)
        }
        Endpoint::Discover | Endpoint::List | Endpoint::CheckExists => {
            !is_of_archive && !is_of_items
        }
        Endpoint::ReadKeys | Endpoint::ReadSubscriptions | Endpoint::ReadPlans => !is_of_archive,
        Endpoint::Fetch | Endpoint::FetchBatch => !is_of_items,
        Endpoint::Any => true,
    }
}
