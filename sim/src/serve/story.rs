//! A story in real time: its steps happen by themselves.

use std::rc::Rc;
use std::time::Duration;

use super::host::{Host, Outcome};
use crate::scenario::Scenario;
use crate::step::{Step, When};

/// The steps that happen before anybody can connect.
pub(super) fn begin(host: &Host, story: &Scenario) {
    for step in story.steps.iter().filter(|step| step.when == When::AtMs(0)) {
        take(host, step);
    }
}

/// The steps that happen later. A step that waits for something that only a gateway knows does
/// not happen, and says so.
pub(super) async fn play(host: Rc<Host>, story: Scenario) {
    let mut timed = Vec::new();
    for step in &story.steps {
        match &step.when {
            When::AtMs(0) => {}
            When::AtMs(at) => timed.push((*at, step)),
            When::On(trigger) => {
                tracing::warn!(?step.verb, ?trigger, "waits for what is not seen here; left out");
            }
        }
    }
    timed.sort_by_key(|(at, _)| *at);
    for (at, step) in timed {
        let wait = Duration::from_millis(at.saturating_sub(host.now().as_millis()));
        tokio::time::sleep(wait).await;
        take(&host, step);
    }
}

fn take(host: &Host, step: &Step) {
    match host.apply(&step.verb) {
        Outcome::NotHere => tracing::warn!(?step.verb, "is not simulated here; left out"),
        outcome => tracing::info!(?step.verb, outcome = outcome.name(), "step"),
    }
}
