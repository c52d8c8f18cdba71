//! What goes wrong with events, and with when effects become readable.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, READ_LAG_MS_MAX, TIME_MS_MAX};
use super::word::{FromWord, ToWord};

pub(super) const LOSE_EVENTS: Entry = Entry {
    name: "lose_events",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "the next events never come to exist",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[18]).a(1, 3),
};

pub(super) const NO_DIRECT_SEND: Entry = Entry {
    name: "no_direct_send",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "only the poll sends events",
    example: r#"{ "for_ms": 10000 }"#,
    choices: &[],
    form: Form::of(&[19]).a(1000, 20_000),
};

pub(super) const STRAND_POLL: Entry = Entry {
    name: "strand_poll",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "the next poll claims its events and sends none",
    example: "{}",
    choices: &[],
    form: Form::of(&[20]),
};

pub(super) const KILL_POLL: Entry = Entry {
    name: "kill_poll",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "the poll of the running session dies",
    example: "{}",
    choices: &[],
    form: Form::of(&[21]),
};

pub(super) const DELAY_EFFECTS: Entry = Entry {
    name: "delay_effects",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "effects become readable later than their event",
    example: r#"{ "for_ms": 10000, "delay_ms": 2000 }"#,
    choices: &[],
    form: Form::of(&[25]).a(1000, 20_000).b(10, 2000),
};

pub(super) const REDEPLOY_WINDOW: Entry = Entry {
    name: "redeploy_window",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "a read during a redeploy may give the old revision",
    example: r#"{ "for_ms": 10000, "window_ms": 500 }"#,
    choices: &[],
    form: Form::of(&[26]).a(1000, 20_000).b(10, 400),
};

pub(super) const DELAY_EVENTS: Entry = Entry {
    name: "delay_events",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "events about keys and subscriptions come later than their effect",
    example: r#"{ "for_ms": 10000, "delay_ms": 2000 }"#,
    choices: &[],
    form: Form::of(&[44]).a(1000, 20_000).b(10, 4000),
};

pub(super) const ODD_KEY_EVENTS: Entry = Entry {
    name: "odd_key_events",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "the next key events have no hash that can be read",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[49]).a(1, 2),
};

pub(super) const EVENT_BEFORE_ACK: Entry = Entry {
    name: "event_before_ack",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "an event precedes `connection.ack`",
    example: "{}",
    choices: &[],
    form: Form::of(&[22]),
};

pub(super) const WRONG_UNDEPLOY_IDS: Entry = Entry {
    name: "wrong_undeploy_ids",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "undeploy events name an unknown deployment",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[31]).a(1, 3),
};

/// Effects become readable later than their event is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayEffects {
    /// For how long changes are affected, in milliseconds.
    pub for_ms: u64,
    /// How much later, in milliseconds; below the engine's `read_lag_max`.
    pub delay_ms: u64,
}

impl Fields for DelayEffects {
    fn lasts_ms(&self) -> u64 {
        self.for_ms + self.delay_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
        limits.number("delay_ms", self.delay_ms, 1, READ_LAG_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { for_ms: word.a(), delay_ms: word.b() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.for_ms)?;
        word.b(self.delay_ms)
    }
}

/// How long two revisions are mapped at once in a redeploy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeployWindow {
    /// For how long redeploys are affected, in milliseconds.
    pub for_ms: u64,
    /// How long the window is, in milliseconds; below the engine's `read_lag_max`.
    pub window_ms: u64,
}

impl Fields for RedeployWindow {
    fn lasts_ms(&self) -> u64 {
        self.for_ms + self.window_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
        limits.number("window_ms", self.window_ms, 1, READ_LAG_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { for_ms: word.a(), window_ms: word.b() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.for_ms)?;
        word.b(self.window_ms)
    }
}

/// Events come later than their effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayEvents {
    /// For how long changes are affected, in milliseconds.
    pub for_ms: u64,
    /// How much later, in milliseconds.
    pub delay_ms: u64,
}

impl Fields for DelayEvents {
    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
        limits.number("delay_ms", self.delay_ms, 1, TIME_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { for_ms: word.a(), delay_ms: word.b() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.for_ms)?;
        word.b(self.delay_ms)
    }
}
