//! A story in real time: its steps happen by themselves.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::served_apim::{ServedApim, VerbOutcome};
use crate::story::file::Scenario;
use crate::story::step::{Step, When};

/// The steps that happen before anybody can connect.
pub(super) fn begin(host: &ServedApim, story: &Scenario) {
    for step in story.steps.iter().filter(|step| step.when == When::AtMs(0)) {
        take(host, step);
    }
}

/// The steps that happen later, at their time or on what is seen of gateways. A step that waits
/// for something that only a gateway knows does not happen, and says so.
pub(super) fn play(host: &Rc<ServedApim>, story: Scenario) {
    let mut timed = Vec::new();
    for step in story.steps {
        match &step.when {
            When::AtMs(0) => {}
            When::AtMs(at) => timed.push((*at, step)),
            When::On(trigger) => match host.watch(trigger) {
                Some(fires) => {
                    let wait = Duration::from_millis(trigger.after_ms);
                    spawn_local(take_on(Rc::clone(host), fires, wait, step));
                }
                None => {
                    tracing::warn!(?step.verb, ?trigger, "waits for what is not seen here; left out");
                }
            },
        }
    }
    timed.sort_by_key(|(at, _)| *at);
    spawn_local(take_in_turn(Rc::clone(host), timed));
}

async fn take_in_turn(host: Rc<ServedApim>, timed: Vec<(u64, Step)>) {
    for (at, step) in timed {
        let wait = Duration::from_millis(at.saturating_sub(host.now().as_millis()));
        tokio::time::sleep(wait).await;
        take(&host, &step);
    }
}

async fn take_on(host: Rc<ServedApim>, fires: oneshot::Receiver<()>, wait: Duration, step: Step) {
    if fires.await.is_ok() {
        tokio::time::sleep(wait).await;
        take(&host, &step);
    }
}

fn take(host: &ServedApim, step: &Step) {
    match host.apply(&step.verb) {
        VerbOutcome::NotHere => tracing::warn!(?step.verb, "is not simulated here; left out"),
        outcome => tracing::info!(?step.verb, outcome = outcome.name(), "step"),
    }
}
