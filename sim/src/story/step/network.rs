//! What goes wrong on the way between APIM and a gateway.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, TIME_MS_MAX};
use super::word::{FromWord, ToWord, pick};

pub(super) const PARTITION: Entry = Entry {
    name: "partition",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "nothing passes",
    example: r#"{ "for_ms": 60000, "direction": "both" }"#,
    choices: &[Choice::of("direction", Direction::NAMES)],
    form: Form::of(&[36]).a(500, 45_000),
};

pub(super) const HOLD: Entry = Entry {
    name: "hold",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "what is sent waits and comes in order",
    example: r#"{ "for_ms": 5000 }"#,
    choices: &[],
    form: Form::of(&[37]).a(100, 4000),
};

pub(super) const LATENCY: Entry = Entry {
    name: "latency",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "messages take longer",
    example: r#"{ "for_ms": 10000, "min_ms": 50, "max_ms": 900 }"#,
    choices: &[],
    form: Form::of(&[38]).a(1000, 10_000),
};

pub(super) const HALF_OPEN: Entry = Entry {
    name: "half_open",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "open connections die silently",
    example: "{}",
    choices: &[],
    form: Form::of(&[39]),
};

pub(super) const RESET: Entry = Entry {
    name: "reset",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "every connection is reset",
    example: "{}",
    choices: &[],
    form: Form::of(&[40]),
};

pub(super) const FRAMES: Entry = Entry {
    name: "frames",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "event frames are lost, doubled, delayed, swapped or cut",
    example: r#"{ "fault": "drop", "count": 1 }"#,
    choices: &[Choice::of("fault", FrameFault::NAMES).with_numbers(FrameFault::NUMBERS)],
    form: Form::of(&[24]).a(1, 5),
};

pub(super) const BYTES: Entry = Entry {
    name: "bytes",
    actor: Actor::Network,
    reach: Reach::Gateways,
    says: "in the wire world: bytes of APIM are cut off, trickle, have a bit flipped or are split",
    example: r#"{ "fault": "cut", "count": 1 }"#,
    choices: &[Choice::of("fault", ByteFault::NAMES)],
    form: Form::ONLY_IN_WIRE,
};

/// Nothing passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// How long, in milliseconds.
    pub for_ms: u64,
    /// Which direction.
    #[serde(default)]
    pub direction: Direction,
}

impl Fields for Partition {
    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { for_ms: word.a(), direction: pick(word.word.b, Direction::ALL) }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_b(&self.direction, &Direction::ALL)?;
        word.a(self.for_ms)
    }
}

/// A direction of the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// From APIM to the gateway.
    ToGateway,
    /// From the gateway to APIM.
    ToManager,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::Both, Self::ToGateway, Self::ToManager];

    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &["both", "to_gateway", "to_manager"];
}

/// Messages take longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// For how long, in milliseconds.
    pub for_ms: u64,
    /// The shortest one-way time, in milliseconds.
    pub min_ms: u64,
    /// The longest one-way time, in milliseconds.
    pub max_ms: u64,
}

/// The shortest and the longest one-way time that a parameter says.
fn one_way_ms(number: u16) -> (u64, u64) {
    (1 + u64::from(number % 50), 60 + u64::from(number >> 6) % 840)
}

impl Fields for Latency {
    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
        limits.number("max_ms", self.max_ms, 1, TIME_MS_MAX);
        limits.number("min_ms", self.min_ms, 0, self.max_ms);
    }

    fn read(word: &FromWord<'_>) -> Self {
        let (min_ms, max_ms) = one_way_ms(word.word.b);
        Self { for_ms: word.a(), min_ms, max_ms }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.find_b(&(self.min_ms, self.max_ms), one_way_ms)?;
        word.a(self.for_ms)
    }
}

/// Event frames go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// How.
    pub fault: FrameFault,
    /// How many event frames.
    pub count: u32,
}

impl Fields for Frames {
    fn limits(&self, limits: &mut Limits) {
        limits.count(self.count);
        if let FrameFault::DelayMs(ms) = self.fault {
            limits.chosen("fault", ("delay_ms", ms), FrameFault::NUMBERS);
        }
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { fault: FrameFault::numbered(word.word.b), count: word.count() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.find_b(&self.fault, FrameFault::numbered)?;
        word.a(self.count.into())
    }
}

/// What happens to an event frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FrameFault {
    /// It vanishes.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes this many milliseconds later, behind frames sent after it.
    DelayMs(u64),
    /// It and the next one change places.
    Swap,
    /// Its text is cut in the middle.
    Cut,
    /// It is replaced by an event of a type nobody documented.
    UnknownType,
}

impl FrameFault {
    /// Their names in a story.
    pub const NAMES: &'static [&'static str] =
        &["drop", "duplicate", "delay_ms", "swap", "cut", "unknown_type"];

    /// Those that take a number, and from where to where it is.
    pub const NUMBERS: &'static [(&'static str, u64, u64)] = &[("delay_ms", 1, TIME_MS_MAX)];

    /// The fault that a parameter says.
    fn numbered(number: u16) -> Self {
        match number % 6 {
            0 => Self::Drop,
            1 => Self::Duplicate,
            2 => Self::Swap,
            3 => Self::Cut,
            4 => Self::UnknownType,
            _ => Self::DelayMs(20 + u64::from(number / 6) * 3 % 29_980),
        }
    }
}

/// Bytes go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// How.
    pub fault: ByteFault,
    /// How many answers with a body, or bursts of frames.
    pub count: u32,
}

impl Fields for Bytes {
    fn delivered_as(&self) -> Option<&'static str> {
        Some(self.fault.delivered_as())
    }

    fn limits(&self, limits: &mut Limits) {
        limits.count(self.count);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { fault: pick(word.word.b, ByteFault::ALL), count: word.count() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_b(&self.fault, &ByteFault::ALL)?;
        word.a(self.count.into())
    }
}

/// What happens to the bytes of an answer, or of a burst of frames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ByteFault {
    /// The connection ends in the middle.
    Cut,
    /// They come a few at a time, with pauses.
    Trickle,
    /// One bit is another, so that text is no text any more.
    Flip,
    /// They come a few at a time, so that no read gives a whole.
    Split,
}

impl ByteFault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::Cut, Self::Trickle, Self::Flip, Self::Split];

    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &["cut", "trickle", "flip", "split"];

    /// The name that its deliveries are counted by.
    pub const fn delivered_as(self) -> &'static str {
        match self {
            Self::Cut => "bytes.cut",
            Self::Trickle => "bytes.trickle",
            Self::Flip => "bytes.flip",
            Self::Split => "bytes.split",
        }
    }
}
