//! How long a story is.

use std::time::Duration;

use driftless_gateway::time::Instant;

use super::Scenario;
use crate::story::step::When;

/// How long what is seen is waited for, in milliseconds.
const WAIT_MS: u64 = 60_000;

/// When the last step is over, its own length included, and the last claim about a time was
/// looked at; a step that waits for a trigger gets a minute.
pub(crate) fn story_end(story: &Scenario) -> Instant {
    let waits = story.steps.iter().filter_map(|step| match &step.when {
        When::AtMs(_) => None,
        When::On(on) => Some(WAIT_MS + on.from_ms + on.after_ms + step.verb.lasts_ms()),
    });
    let waits = waits.max().map(|ms| Instant::from_millis(ms).after(TRIGGERED_LAST));
    timed_end(story).max(waits.unwrap_or(Instant::START))
}

/// The same of the steps that happen at a time and the claims alone.
pub(crate) fn timed_end(story: &Scenario) -> Instant {
    let ends = story.steps.iter().filter_map(|step| match &step.when {
        When::AtMs(ms) => Some(ms + step.verb.lasts_ms()),
        When::On(_) => None,
    });
    let claims = story.expect.times().into_iter();
    Instant::from_millis(ends.chain(claims).max().unwrap_or(0)).after(LAST)
}

/// How long a story goes on after its last step that happens at a time.
const LAST: Duration = Duration::from_secs(1);

/// How long a story goes on after a step whose trigger came: nobody wrote the story so that what
/// it armed has been met by some time.
pub(crate) const TRIGGERED_LAST: Duration = Duration::from_secs(10);
