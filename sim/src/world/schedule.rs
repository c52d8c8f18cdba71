//! The time, what is due, and the steps that wait for something to be seen.

use std::collections::BTreeSet;
use std::time::Duration;

use driftless_gateway::model::{ArtifactId, ContentDigest, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse};

use super::agenda::Agenda;
use crate::apim::{Naming, ServerFrame, Upgrade};
use crate::story::aim::GatewayIndex;
use crate::story::file::{Scenario, TRIGGERED_LAST};
use crate::story::step::{Observable, Trigger, When};

/// Something that is due at a time.
pub(super) enum Due {
    /// A step of the story, by its place.
    Step(usize),
    /// The story's claims about requests made now.
    Claims { at_ms: u64 },
    /// Something between a gateway and APIM, or on the gateway's machine.
    At(GatewayIndex, Happening),
}

/// Something that happens between a gateway and APIM, or on the gateway's machine.
pub(super) enum Happening {
    Boot,
    Connect { boot: u64, session: SessionId, connection: u64, path: String },
    Upgraded { boot: u64, session: SessionId, connection: u64, upgrade: Upgrade },
    FrameToManager { connection: u64, text: String },
    HangupToManager { connection: u64 },
    FrameToGateway { boot: u64, session: SessionId, connection: u64, frame: ServerFrame },
    Request { boot: u64, id: RequestId, exchange: u64, request: HttpRequest, name: &'static str },
    Answer { boot: u64, id: RequestId, exchange: u64, response: HttpResponse, namings: Vec<Naming> },
    NobodyListens { boot: u64, id: RequestId, exchange: u64 },
    Commit { boot: u64 },
    Read { boot: u64, wanted: Vec<(ArtifactId, ContentDigest)> },
    LateFrame { connection: u64, frame: ServerFrame },
    SpaceAgain,
}

/// A step that waits for its trigger.
struct WaitingStep {
    step: usize,
    trigger: Trigger,
    seen: u32,
    /// How long the step goes on once it happened, and the story after it.
    lasts: Duration,
}

/// What the time is, and what will happen.
pub(super) struct Schedule {
    now: Instant,
    agenda: Agenda<Due>,
    waiting: Vec<WaitingStep>,
    idle: BTreeSet<usize>,
    triggered_end: Instant,
}

impl Schedule {
    /// The steps and the timed claims of a story.
    pub(super) fn of(story: &Scenario) -> Self {
        let mut schedule = Self {
            now: Instant::START,
            agenda: Agenda::new(),
            waiting: Vec::new(),
            idle: BTreeSet::new(),
            triggered_end: Instant::START,
        };
        for (index, step) in story.steps.iter().enumerate() {
            match &step.when {
                When::AtMs(ms) => {
                    schedule.agenda.plan(Instant::from_millis(*ms), Due::Step(index));
                }
                When::On(trigger) => {
                    schedule.idle.insert(index);
                    let trigger = trigger.clone();
                    let lasts = Duration::from_millis(step.verb.lasts_ms()) + TRIGGERED_LAST;
                    schedule.waiting.push(WaitingStep { step: index, trigger, seen: 0, lasts });
                }
            }
        }
        for at_ms in story.expect.times() {
            schedule.agenda.plan(Instant::from_millis(at_ms), Due::Claims { at_ms });
        }
        schedule
    }

    /// The current time.
    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Time moves on; it never goes back.
    pub(super) fn pass_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    /// Something will happen at a gateway.
    pub(super) fn plan(&mut self, gateway: GatewayIndex, at: Instant, what: Happening) {
        self.agenda.plan(at.max(self.now), Due::At(gateway, what));
    }

    /// When the next thing is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.agenda.next_at()
    }

    /// The next thing that is due.
    pub(super) fn pop(&mut self) -> Option<Due> {
        self.agenda.pop()
    }

    /// Something was seen at a gateway: triggers that wait for it come closer.
    pub(super) fn observe(&mut self, gateway: Option<&str>, seen: impl FnOnce() -> Observable) {
        if self.waiting.is_empty() {
            return;
        }
        let seen = seen();
        let mut fired = Vec::new();
        for waiting in &mut self.waiting {
            let wanted = waiting.trigger.gateway.as_deref();
            let is_here = wanted.is_none() || wanted == gateway;
            let counts = self.now >= Instant::from_millis(waiting.trigger.from_ms);
            if is_here && counts && waiting.trigger.seen == seen {
                waiting.seen += 1;
                if waiting.seen == waiting.trigger.nth {
                    let at = self.now.after(Duration::from_millis(waiting.trigger.after_ms));
                    fired.push((waiting.step, at));
                    self.triggered_end = self.triggered_end.max(at.after(waiting.lasts));
                }
            }
        }
        for (step, at) in fired {
            self.idle.remove(&step);
            self.waiting.retain(|waiting| waiting.step != step);
            self.agenda.plan(at, Due::Step(step));
        }
    }

    /// Whether a step waits for its trigger.
    pub(super) const fn awaits_trigger(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the last of the steps whose trigger came is over.
    pub(super) const fn triggered_end(&self) -> Instant {
        self.triggered_end
    }

    /// No step waits for anything any more.
    pub(super) fn stop_waiting(&mut self) {
        self.waiting.clear();
    }

    /// A step found nothing to do.
    pub(super) fn note_idle(&mut self, step: usize) {
        self.idle.insert(step);
    }

    /// The steps whose trigger has not come, and those that found nothing to do.
    pub(super) fn into_idle(self) -> BTreeSet<usize> {
        self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(on: &str) -> Scenario {
        let head = r#"{ "schema": 1, "why": "A reset waits for what is seen.", "covers": [],"#;
        let steps = format!(r#"[{{ "on": {on}, "partition": {{ "for_ms": 2000 }} }}]"#);
        let rest = format!(
            r#""dialect": "apim-4.7.0", "seed": 1, "steps": {steps}, "expect": {{ "writes_max": 9 }} }}"#
        );
        match Scenario::parse(&format!("{head}{rest}")) {
            Ok(story) => story,
            Err(refusal) => panic!("{refusal}"),
        }
    }

    fn list() -> Observable {
        Observable::Action("list".to_owned())
    }

    #[test]
    fn an_occurrence_counts_from_the_time_that_the_trigger_says() {
        let on = r#"{ "action": "list", "nth": 2, "from_ms": 5000, "after_ms": 10 }"#;
        let mut schedule = Schedule::of(&story(on));
        for ms in [4000, 5000] {
            schedule.pass_to(Instant::from_millis(ms));
            schedule.observe(None, list);
            assert!(schedule.awaits_trigger() && schedule.next_at().is_none(), "at {ms}");
        }
        schedule.pass_to(Instant::from_millis(6000));
        schedule.observe(None, list);
        assert_eq!(schedule.next_at(), Some(Instant::from_millis(6010)));
        assert!(!schedule.awaits_trigger());
        let end = Instant::from_millis(6010 + 2000).after(TRIGGERED_LAST);
        assert_eq!(schedule.triggered_end(), end);
    }
}
