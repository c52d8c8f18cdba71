//! What goes wrong with APIM itself: its tables, its clock, its nodes and its sessions.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, TIME_MS_MAX};
use super::word::{FromWord, ToWord, pick};

/// The longest jump of a clock: ten years.
const CLOCK_JUMP_MS_MAX: u64 = 10 * 365 * TIME_MS_MAX;

pub(super) const BREAK_KEYS: Entry = Entry {
    name: "break_keys",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "the next keys are written half way",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[48]).a(1, 2),
};

pub(super) const LOSE_ROW: Entry = Entry {
    name: "lose_row",
    actor: Actor::ControlPlane,
    reach: Reach::OrganizationsGateways,
    says: "an API's artifact row is lost",
    example: r#"{ "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[27]),
};

pub(super) const KEEP_ROWS: Entry = Entry {
    name: "keep_rows",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "the next undeploys keep their row",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[28]).a(1, 2),
};

pub(super) const FREEZE_STAMPS: Entry = Entry {
    name: "freeze_stamps",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "every stamp is the same",
    example: r#"{ "for_ms": 1000 }"#,
    choices: &[],
    form: Form::of(&[23]).a(100, 8000),
};

pub(super) const STEP_CLOCK: Entry = Entry {
    name: "step_clock",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "APIM's wall clock jumps",
    example: r#"{ "by_ms": -60000 }"#,
    choices: &[],
    form: Form::of(&[29]).a(0, 20_000),
};

pub(super) const RESTORE_BACKUP: Entry = Entry {
    name: "restore_backup",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "APIM's data go back in time",
    example: r#"{ "ago_ms": 60000 }"#,
    choices: &[],
    form: Form::of(&[30]).a(1000, 30_000),
};

pub(super) const RESTART_MANAGER: Entry = Entry {
    name: "restart_manager",
    actor: Actor::ControlPlane,
    reach: Reach::Everything,
    says: "the node stops, then answers 404 while it starts",
    example: r#"{ "down_ms": 5000, "starting_ms": 20000 }"#,
    choices: &[],
    form: Form::of(&[32]).a(50, 4000).b(0, 6000),
};

pub(super) const CLOSE_SESSION: Entry = Entry {
    name: "close_session",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "APIM closes the session",
    example: r#"{ "code": 1000 }"#,
    choices: &[],
    form: Form::of(&[33]),
};

pub(super) const SWITCH_NODE: Entry = Entry {
    name: "switch_node",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "the next connection goes to another node",
    example: "{}",
    choices: &[],
    form: Form::of(&[50]),
};

pub(super) const REFUSE_TOKENS: Entry = Entry {
    name: "refuse_tokens",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "token verification throws",
    example: r#"{ "for_ms": 30000 }"#,
    choices: &[],
    form: Form::of(&[34]).a(500, 8000),
};

/// A moment in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgoMs {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
}

impl Fields for AgoMs {
    fn limits(&self, limits: &mut Limits) {
        limits.number("ago_ms", self.ago_ms, 1, TIME_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { ago_ms: word.a() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.ago_ms)
    }
}

/// A jump of a wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepClock {
    /// By how much, in milliseconds; negative goes back.
    pub by_ms: i64,
}

/// The farthest that a story of bytes goes back.
const BACK_MS: i64 = 10_000;

impl Fields for StepClock {
    fn limits(&self, limits: &mut Limits) {
        limits.number("by_ms", self.by_ms.unsigned_abs(), 1, CLOCK_JUMP_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        let by_ms = i64::try_from(word.a()).unwrap_or(0) - BACK_MS;
        Self { by_ms: if by_ms == 0 { 1 } else { by_ms } }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(u64::try_from(self.by_ms.checked_add(BACK_MS)?).ok()?)
    }
}

/// The node stops and starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartManager {
    /// How long connections are refused, in milliseconds.
    pub down_ms: u64,
    /// How long every route then answers 404, in milliseconds (FB-71).
    pub starting_ms: u64,
}

impl Fields for RestartManager {
    fn lasts_ms(&self) -> u64 {
        self.down_ms + self.starting_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.number("down_ms", self.down_ms, 0, TIME_MS_MAX);
        let least = u64::from(self.down_ms == 0);
        limits.number("starting_ms", self.starting_ms, least, TIME_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { down_ms: word.a(), starting_ms: word.b() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.down_ms)?;
        word.b(self.starting_ms)
    }
}

/// The session is closed by APIM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseSession {
    /// The close code: 1000 for a replaced session, 4401 for a refused token.
    pub code: u16,
}

/// The close codes in a story of bytes.
const CODES: [u16; 4] = [1000, 1001, 1011, 4401];

impl Fields for CloseSession {
    fn limits(&self, limits: &mut Limits) {
        limits.number("code", self.code.into(), 1000, 4999);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { code: pick(word.word.a, CODES) }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_a(&self.code, &CODES)
    }
}
