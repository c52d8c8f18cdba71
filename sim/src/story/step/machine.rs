//! What goes wrong with a gateway's own machine.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, TIME_MS_MAX};
use super::word::{FromWord, ToWord, pick};

pub(super) const CRASH: Entry = Entry {
    name: "crash",
    actor: Actor::Machine,
    reach: Reach::Gateways,
    says: "the gateway dies and comes back",
    example: r#"{ "down_ms": 1000, "disk": "lost" }"#,
    choices: &[Choice::of("disk", CrashDisk::NAMES)],
    form: Form::of(&[41]).a(10, 9000),
};

pub(super) const DISK_FULL: Entry = Entry {
    name: "disk_full",
    actor: Actor::Machine,
    reach: Reach::Gateways,
    says: "writes fail for lack of space",
    example: r#"{ "for_ms": 5000 }"#,
    choices: &[],
    form: Form::of(&[42]).a(500, 8000),
};

pub(super) const FAIL_WRITES: Entry = Entry {
    name: "fail_writes",
    actor: Actor::Machine,
    reach: Reach::Gateways,
    says: "the next writes fail",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[43]).a(1, 4),
};

pub(super) const FAIL_READS: Entry = Entry {
    name: "fail_reads",
    actor: Actor::Machine,
    reach: Reach::Gateways,
    says: "the next readings of a stored definition fail",
    example: r#"{ "count": 1 }"#,
    choices: &[],
    form: Form::of(&[52]).a(1, 4),
};

pub(super) const WIPE_STORE: Entry = Entry {
    name: "wipe_store",
    actor: Actor::Machine,
    reach: Reach::Gateways,
    says: "the gateway crashes and its store is gone",
    example: "{}",
    choices: &[],
    form: Form::of(&[51]),
};

/// The gateway process dies and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// How long it stays down, in milliseconds.
    pub down_ms: u64,
    /// What becomes of writes that were not synced.
    #[serde(default)]
    pub disk: CrashDisk,
}

impl Fields for Crash {
    fn lasts_ms(&self) -> u64 {
        self.down_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.number("down_ms", self.down_ms, 0, TIME_MS_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { down_ms: word.a(), disk: pick(word.word.b, CrashDisk::ALL) }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_b(&self.disk, &CrashDisk::ALL)?;
        word.a(self.down_ms)
    }
}

/// What becomes of unsynced writes when the power goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashDisk {
    /// They are lost.
    #[default]
    Lost,
    /// They are kept: only the process died.
    Kept,
    /// Some are kept, some lost, some torn, drawn from the seed.
    Torn,
}

impl CrashDisk {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Kept, Self::Torn];

    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &["lost", "kept", "torn"];
}
