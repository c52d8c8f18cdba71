//! Answers that go wrong.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, TIME_MS_MAX, read_lag_ms_max};
use super::word::{FromWord, ToWord};

pub(super) const ANSWER: Entry = Entry {
    name: "answer",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "answers go wrong",
    example: r#"{ "to": "list", "with": "empty_object", "count": 1 }"#,
    choices: &[
        Choice { field: "to", of: Endpoint::NAMES },
        Choice { field: "with", of: Wrong::NAMES },
    ],
    form: Form::of(&[45]),
};

/// Answers go wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which request is answered wrong.
    pub to: Endpoint,
    /// How.
    pub with: Wrong,
    /// How many answers; all of them in `for_ms` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// For how long, in milliseconds; until `count` is used up when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

impl Answer {
    /// Whether the answer to that request can be wrong in that way.
    pub const fn applies(&self) -> bool {
        let is_of_archive =
            matches!(self.with, Wrong::DotDotEntry | Wrong::RepeatedEntry | Wrong::Bomb);
        let is_of_items = matches!(self.with, Wrong::OddItems);
        match self.to {
            Endpoint::Connect => {
                matches!(self.with, Wrong::Status(_) | Wrong::RouteMissing | Wrong::NoAnswer)
            }
            Endpoint::Discover | Endpoint::List | Endpoint::CheckExists => {
                !is_of_archive && !is_of_items
            }
            Endpoint::ReadKeys | Endpoint::ReadSubscriptions | Endpoint::ReadPlans => {
                !is_of_archive
            }
            Endpoint::Fetch | Endpoint::FetchBatch => !is_of_items,
            Endpoint::Any => true,
        }
    }
}

/// How many answers a parameter says.
fn counted(number: u16) -> u32 {
    1 + u32::from(number % 2)
}

impl Fields for Answer {
    fn delivered_as(&self) -> Option<&'static str> {
        Some(self.with.delivered_as())
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms.unwrap_or(0)
    }

    fn limits(&self, limits: &mut Limits) {
        let has_end = self.count.is_some() || self.for_ms.is_some();
        limits.holds(has_end, "a wrong answer without an end", "give `count`, `for_ms` or both");
        if let Some(count) = self.count {
            limits.count(count);
        }
        if let Some(for_ms) = self.for_ms {
            limits.lasting(for_ms);
        }
        let mut with = |field, value, least, most| {
            limits.number_at(&["with", field], value, least, most);
        };
        match self.with {
            Wrong::Status(status) => with("status", status.into(), 201, 599),
            Wrong::StaleMs(ms) => with("stale_ms", ms, 1, read_lag_ms_max()),
            Wrong::MixedMs(ms) => with("mixed_ms", ms, 1, read_lag_ms_max()),
            Wrong::SlowMs(ms) => with("slow_ms", ms, 1, TIME_MS_MAX),
            _ => {}
        }
        if !self.applies() {
            let hint = "the answer to that request cannot be wrong in this way";
            limits.refuse(&["with"], "a fault that does nothing".to_owned(), hint);
        }
    }

    fn read(word: &FromWord<'_>) -> Self {
        let place = usize::from(word.word.who) % Endpoint::ALL.len();
        Self {
            to: Endpoint::ALL[place],
            with: Wrong::numbered(word.word.a, word.word.b),
            count: Some(counted(word.word.b)),
            for_ms: None,
        }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.who(&self.to, &Endpoint::ALL)?;
        let count = self.count.filter(|_| self.for_ms.is_none())?;
        let counts = (0..=u16::MAX).filter(|b| counted(*b) == count);
        let numbers = (0..NUMBERED).flat_map(|a| counts.clone().map(move |b| (a, b)));
        let found = numbers.into_iter().find(|(a, b)| Wrong::numbered(*a, *b) == self.with)?;
        (word.word.a, word.word.b) = found;
        Some(())
    }
}

/// How many numbers there are for wrong answers.
const NUMBERED: u16 = 26;

/// A request of the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The well-known.
    Discover,
    /// The deployments list.
    List,
    /// One artifact's archive.
    Fetch,
    /// The batch archive.
    FetchBatch,
    /// The existence check.
    CheckExists,
    /// The API key list.
    ReadKeys,
    /// The subscriptions of one API.
    ReadSubscriptions,
    /// The subscription plans.
    ReadPlans,
    /// The WebSocket upgrade; only statuses and `no_answer` apply.
    Connect,
    /// Every one of them.
    Any,
}

impl Endpoint {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Discover,
        Self::List,
        Self::Fetch,
        Self::FetchBatch,
        Self::CheckExists,
        Self::ReadKeys,
        Self::ReadSubscriptions,
        Self::ReadPlans,
        Self::Connect,
        Self::Any,
    ];

    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &[
        "discover",
        "list",
        "fetch",
        "fetch_batch",
        "check_exists",
        "read_keys",
        "read_subscriptions",
        "read_plans",
        "connect",
        "any",
    ];

    /// Its name in stories: that of the request.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::List => "list",
            Self::Fetch => "fetch",
            Self::FetchBatch => "fetch_batch",
            Self::CheckExists => "check_exists",
            Self::ReadKeys => "read_keys",
            Self::ReadSubscriptions => "read_subscriptions",
            Self::ReadPlans => "read_plans",
            Self::Connect => "connect",
            Self::Any => "any",
        }
    }
}

/// What a control plane does wrong at the level of meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wrong {
    /// Another status, with the error body APIM would send.
    Status(u16),
    /// 404 with a servlet container's HTML page: the route, not the thing, is missing.
    RouteMissing,
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with a well-formed list of nothing, or an archive of nothing.
    Empty,
    /// A list without its last quarter, an archive without its last entry.
    WithoutTail,
    /// A list or archive without an item in the middle.
    WithoutMiddle,
    /// Only the first item.
    FirstOnly,
    /// The answer as it would have been this many milliseconds ago.
    StaleMs(u64),
    /// Half of the items as they were this many milliseconds ago, half as they are.
    MixedMs(u64),
    /// A body of another JSON shape: `{"list":[…]}`.
    OtherShape,
    /// Fields of another type.
    OtherTypes,
    /// A page for people.
    Html,
    /// The body stops in the middle and the connection ends as if it were complete.
    Truncated,
    /// The answer takes this many milliseconds longer.
    SlowMs(u64),
    /// No answer at all.
    NoAnswer,
    /// An archive whose entry has `..` in its path.
    DotDotEntry,
    /// An archive that says the same deployment twice.
    RepeatedEntry,
    /// An archive that unpacks to far more than its size.
    Bomb,
    /// A list of keys, subscriptions or plans in which every third item cannot be read: no id, or
    /// a hash of another length or algorithm.
    OddItems,
}

impl Wrong {
    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &[
        "status",
        "route_missing",
        "empty_object",
        "empty",
        "without_tail",
        "without_middle",
        "first_only",
        "stale_ms",
        "mixed_ms",
        "other_shape",
        "other_types",
        "html",
        "truncated",
        "slow_ms",
        "no_answer",
        "dot_dot_entry",
        "repeated_entry",
        "bomb",
        "odd_items",
    ];

    /// The wrong answer that two parameters say. Late views stay well below what the engine is
    /// told to expect.
    fn numbered(number: u16, ms: u16) -> Self {
        let ms = u64::from(ms >> 1);
        match number % NUMBERED {
            0 => Self::Status(500),
            1 => Self::Status(401),
            2 => Self::Status(404),
            3 => Self::Status(429),
            4 => Self::Status(503),
            5 => Self::RouteMissing,
            6 => Self::EmptyObject,
            7 => Self::Empty,
            8 => Self::WithoutTail,
            9 => Self::WithoutMiddle,
            10 => Self::FirstOnly,
            11 => Self::OtherShape,
            12 => Self::OtherTypes,
            13 => Self::Html,
            14 => Self::Truncated,
            15 => Self::NoAnswer,
            16 => Self::DotDotEntry,
            17 => Self::RepeatedEntry,
            18 | 19 => Self::StaleMs(10 + ms % 1990),
            20 | 21 => Self::MixedMs(10 + ms % 1990),
            22 | 23 => Self::SlowMs(50 + ms),
            24 => Self::Bomb,
            _ => Self::OddItems,
        }
    }

    /// The name that its deliveries are counted by.
    pub const fn delivered_as(self) -> &'static str {
        match self {
            Self::Status(_) => "answer.status",
            Self::RouteMissing => "answer.route_missing",
            Self::EmptyObject => "answer.empty_object",
            Self::Empty => "answer.empty",
            Self::WithoutTail => "answer.without_tail",
            Self::WithoutMiddle => "answer.without_middle",
            Self::FirstOnly => "answer.first_only",
            Self::StaleMs(_) => "answer.stale_ms",
            Self::MixedMs(_) => "answer.mixed_ms",
            Self::OtherShape => "answer.other_shape",
            Self::OtherTypes => "answer.other_types",
            Self::Html => "answer.html",
            Self::Truncated => "answer.truncated",
            Self::SlowMs(_) => "answer.slow_ms",
            Self::NoAnswer => "answer.no_answer",
            Self::DotDotEntry => "answer.dot_dot_entry",
            Self::RepeatedEntry => "answer.repeated_entry",
            Self::Bomb => "answer.bomb",
            Self::OddItems => "answer.odd_items",
        }
    }
}
