//! The time, what is due, and the steps that wait for something to be seen.

use std::collections::BTreeSet;
use std::time::Duration;

use driftless_gateway::model::{ArtifactId, ContentDigest, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse};

use super::agenda::Agenda;
use crate::apim::{Naming, ServerFrame, Upgrade};
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
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
}

/// What the time is, and what will happen.
pub(super) struct Schedule {
    now: Instant,
    agenda: Agenda<Due>,
    waiting: Vec<WaitingStep>,
    idle: BTreeSet<usize>,
}

impl Schedule {
    /// The steps and the timed claims of a story.
    pub(super) fn of(story: &Scenario) -> Self {
        let mut schedule = Self {
            now: Instant::START,
            agenda: Agenda::new(),
            waiting: Vec::new(),
            idle: BTreeSet::new(),
        };
        for (index, step) in story.steps.iter().enumerate() {
            match &step.when {
                When::AtMs(ms) => {
                    schedule.agenda.plan(Instant::from_millis(*ms), Due::Step(index));
                }
                When::On(trigger) => {
                    schedule.idle.insert(index);
                    let trigger = trigger.clone();
                    schedule.waiting.push(WaitingStep { step: index, trigger, seen: 0 });
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
            if is_here && waiting.trigger.seen == seen {
                waiting.seen += 1;
                if waiting.seen == waiting.trigger.nth {
                    fired.push((waiting.step, waiting.trigger.after_ms));
                }
            }
        }
        for (step, after_ms) in fired {
            self.idle.remove(&step);
            self.waiting.retain(|waiting| waiting.step != step);
            self.agenda.plan(self.now.after(Duration::from_millis(after_ms)), Due::Step(step));
        }
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
