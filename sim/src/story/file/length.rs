//! How long a story is.

use std::time::Duration;

use driftless_gateway::time::Instant;

use super::Scenario;
use crate::story::step::When;

/// When the last step is over, its own length included, and the last claim about a time was
/// looked at; a story that waits for a trigger gets a minute.
pub(crate) fn story_end(story: &Scenario) -> Instant {
    let ends = story.steps.iter().map(|step| match &step.when {
        When::AtMs(ms) => ms + step.verb.lasts_ms(),
        When::On(trigger) => 60_000 + trigger.after_ms + step.verb.lasts_ms(),
    });
    let claims = story.expect.times().into_iter();
    Instant::from_millis(ends.chain(claims).max().unwrap_or(0)).after(Duration::from_secs(1))
}
