//! Answers that go wrong.

use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Depends, Entry, Form, Reach};
use super::fields::Fields;
use super::limits::{Limits, READ_LAG_MS_MAX, TIME_MS_MAX};
use super::word::{FromWord, ToWord};

pub(super) const ANSWER: Entry = Entry {
    name: "answer",
    actor: Actor::ControlPlane,
    reach: Reach::Gateways,
    says: "answers go wrong",
    example: r#"{ "to": "list", "with": "empty_object", "count": 1 }"#,
    choices: &[
        Choice::of("to", Endpoint::NAMES),
        Choice::of("with", Wrong::NAMES)
            .with_numbers(Wrong::NUMBERS)
            .depending(Depends { on: "to", names: WRONGS }),
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
    pub fn applies(&self) -> bool {
        self.to.wrongs().contains(&self.with.name())
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
        let number = match self.with {
            Wrong::Status(status) => Some(u64::from(status)),
            Wrong::StaleMs(ms) | Wrong::MixedMs(ms) | Wrong::SlowMs(ms) => Some(ms),
            _ => None,
        };
        if let Some(number) = number {
            limits.chosen("with", (self.with.name(), number), Wrong::NUMBERS);
        }
        if !self.applies() {
            let (to, with) = (self.to.name(), self.with.name());
            let problem = format!("`{with}` does nothing to an answer to `{to}`");
            let can = self.to.wrongs().join("`, `");
            limits.refuse(&["with"], problem, &format!("it can be `{can}`"));
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
    /// The WebSocket upgrade.
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

    /// In which ways the answer to it can be wrong.
    pub fn wrongs(self) -> &'static [&'static str] {
        let of = WRONGS.iter().find(|(to, _)| *to == self.name());
        of.map_or(&[], |(_, wrongs)| *wrongs)
    }
}

/// In which ways each answer can be wrong. What is not here would do nothing: the well-known names
/// no items, and an archive of one entry has no second item that a mixed view could show, and loses
/// nothing when its first is kept.
const WRONGS: &[(&str, &[&str])] = &[
    (
        "discover",
        &[
            "status",
            "route_missing",
            "empty_object",
            "other_shape",
            "other_types",
            "html",
            "truncated",
            "slow_ms",
            "no_answer",
        ],
    ),
    ("list", LISTED),
    (
        "fetch",
        &[
            "status",
            "route_missing",
            "empty_object",
            "empty",
            "without_tail",
            "without_middle",
            "stale_ms",
            "other_shape",
            "html",
            "truncated",
            "slow_ms",
            "no_answer",
            "dot_dot_entry",
            "repeated_entry",
            "bomb",
        ],
    ),
    (
        "fetch_batch",
        &[
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
            "html",
            "truncated",
            "slow_ms",
            "no_answer",
            "dot_dot_entry",
            "repeated_entry",
            "bomb",
        ],
    ),
    ("check_exists", LISTED),
    ("read_keys", LISTED_WITH_ODD),
    ("read_subscriptions", LISTED_WITH_ODD),
    ("read_plans", LISTED_WITH_ODD),
    ("connect", &["status", "route_missing", "no_answer"]),
    ("any", Wrong::NAMES),
];

/// In which ways a list in JSON can be wrong.
const LISTED: &[&str] = &[
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
];

/// The same of a list whose items can be odd.
const LISTED_WITH_ODD: &[&str] = &[
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
    "odd_items",
];

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

    /// Those that take a number, and from where to where it is.
    pub const NUMBERS: &'static [(&'static str, u64, u64)] = &[
        ("status", 201, 599),
        ("stale_ms", 1, READ_LAG_MS_MAX),
        ("mixed_ms", 1, READ_LAG_MS_MAX),
        ("slow_ms", 1, TIME_MS_MAX),
    ];

    /// Its name in a story.
    pub fn name(self) -> &'static str {
        let delivered_as = self.delivered_as();
        delivered_as.strip_prefix("answer.").unwrap_or(delivered_as)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_wrong_answers_has_every_request_and_known_names_only() {
        assert_eq!(WRONGS.iter().map(|(to, _)| *to).collect::<Vec<_>>(), Endpoint::NAMES);
        let known = |name: &&str| Wrong::NAMES.contains(name);
        assert!(WRONGS.iter().flat_map(|(_, wrongs)| wrongs.iter()).all(known));
        let used = |name: &&str| {
            Endpoint::ALL.iter().any(|to| *to != Endpoint::Any && to.wrongs().contains(name))
        };
        assert!(Wrong::NAMES.iter().all(used), "each is of use to some request");
    }

    #[test]
    fn an_answer_that_would_do_nothing_is_refused_with_what_can_be() {
        let answer = |to, with| Answer { to, with, count: Some(1), for_ms: None };
        let broken = |answer: Answer| {
            let mut limits = Limits::default();
            answer.limits(&mut limits);
            limits.broken().map(|broken| broken.problem)
        };
        for (to, with) in [
            (Endpoint::Fetch, Wrong::OtherTypes),
            (Endpoint::Fetch, Wrong::MixedMs(100)),
            (Endpoint::Fetch, Wrong::FirstOnly),
            (Endpoint::FetchBatch, Wrong::OtherTypes),
            (Endpoint::Discover, Wrong::StaleMs(100)),
            (Endpoint::Discover, Wrong::Empty),
            (Endpoint::List, Wrong::Bomb),
            (Endpoint::Connect, Wrong::SlowMs(100)),
        ] {
            let problem = broken(answer(to, with)).unwrap();
            let said = format!("`{}` does nothing to an answer to `{}`", with.name(), to.name());
            assert_eq!(problem, said);
        }
        assert_eq!(broken(answer(Endpoint::Any, Wrong::OtherTypes)), None);
        assert_eq!(broken(answer(Endpoint::Fetch, Wrong::Bomb)), None);
    }
}
