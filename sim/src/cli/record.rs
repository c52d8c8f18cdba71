//! What is reported: the one content that both formats write.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::story::step::Choice;

/// One line of JSON, or one block of text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    /// A story was run.
    Story(StoryRecord),
    /// A property did not hold.
    Violation(ViolationRecord),
    /// Two runs of one story differed.
    Differed {
        /// The story.
        story: String,
        /// The first run's trace hash.
        first: String,
        /// The second run's trace hash.
        second: String,
    },
    /// A story came to something else in the two worlds.
    Unequal {
        /// The story.
        story: String,
        /// The gateway, where there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        gateway: Option<String>,
        /// In what they differ first.
        item: String,
        /// What the fast world has.
        fast: String,
        /// What the wire world has.
        wire: String,
    },
    /// How to see it again.
    Reproduce {
        /// The exact line.
        command: String,
    },
    /// A sweep begins.
    Sweep {
        /// What it draws from: a profile or all of them, and in which worlds.
        mix: String,
        /// The first seed.
        base: String,
        /// How many seeds, when that is known beforehand.
        #[serde(skip_serializing_if = "Option::is_none")]
        seeds: Option<u64>,
        /// The shard and what named it, unless all seeds are run here.
        #[serde(skip_serializing_if = "Option::is_none")]
        shard: Option<String>,
    },
    /// A sweep ended.
    Swept {
        /// Seeds run.
        seeds: u64,
        /// Seeds with a violation.
        violated: u64,
        /// Virtual time.
        simulated_ms: u64,
        /// Events handled.
        events: u64,
        /// Crashes of the gateway.
        crashes: u64,
    },
    /// What the faults of a sweep delivered.
    Faults {
        /// How often, by fault.
        delivered: BTreeMap<&'static str, u64>,
    },
    /// Which situations a sweep reached.
    Marks {
        /// How many were reached.
        reached: usize,
        /// How many there are.
        of: usize,
        /// Those never reached.
        missing: Vec<&'static str>,
    },
    /// Whether the planted defect was found.
    Canary {
        /// Whether it was.
        found: bool,
        /// What was not found.
        #[serde(skip_serializing_if = "Option::is_none")]
        missed: Option<String>,
    },
    /// A sweep ended at the first seed that did not hold.
    Stopped {
        /// How many were run.
        ran: u64,
    },
    /// Scenarios were not run.
    LeftOut {
        /// How many.
        scenarios: usize,
        /// Why.
        why: String,
    },
    /// Steps that had no effect.
    Idle {
        /// Who does them.
        by: IdleBy,
        /// In how many seeds there was one.
        seeds: u64,
        /// Of how many.
        of: u64,
        /// By what the steps are called.
        steps: BTreeMap<&'static str, IdleRecord>,
    },
    /// One event of a run.
    Trace {
        /// The event, with its virtual time.
        line: String,
    },
    /// A story was made smaller.
    Shrunk(ShrunkRecord),
    /// A story was written.
    Saved {
        /// The file.
        path: String,
    },
    /// The simulated API Manager listens.
    #[cfg(feature = "wire")]
    Serving(ServingRecord),
    /// One entry of a list.
    Item(Item),
    /// The end.
    Summary {
        /// What was run.
        ran: u64,
        /// Its noun.
        noun: &'static str,
        /// How many did not hold.
        violated: u64,
        /// How many differed between two runs.
        differed: u64,
    },
}

/// Who does a step that had no effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IdleBy {
    /// It is a fault.
    Faults,
    /// People do it.
    People,
}

/// Where one kind of step had no effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct IdleRecord {
    /// In how many seeds.
    pub(super) seeds: u64,
    /// The first of them.
    pub(super) example: String,
}

/// The simulated API Manager listens.
#[cfg(feature = "wire")]
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ServingRecord {
    /// Where gateways connect.
    pub(super) url: String,
    /// Where the admin API and the page are.
    pub(super) admin: String,
    /// The contract that it speaks.
    pub(super) dialect: &'static str,
    /// What a gateway has to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authority: Option<String>,
    /// The file that holds the token.
    pub(super) token_file: String,
}

/// A story was run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct StoryRecord {
    /// Its name.
    pub(super) story: String,
    /// How it ended.
    pub(super) status: Status,
    /// What it covers.
    pub(super) covers: Vec<String>,
    /// Virtual time.
    pub(super) simulated_ms: u64,
    /// Events handled.
    pub(super) events: u64,
    /// What its faults delivered.
    pub(super) delivered: BTreeMap<&'static str, u64>,
    /// The steps that had no effect.
    pub(super) idle: Vec<String>,
    /// The hash of its trace.
    pub(super) trace_hash: String,
    /// How the two worlds compare, where both were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parity: Option<Parity>,
    /// The hash of its trace in the wire world, where it was told in both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wire_trace_hash: Option<String>,
}

/// How the two worlds compare on a story.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parity {
    /// It came to the same in both.
    Equal,
    /// It did not.
    Unequal,
    /// It is told in the fast world only.
    FastOnly,
    /// It is told in the wire world only.
    #[cfg(feature = "wire")]
    WireOnly,
}

impl Parity {
    /// The word for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Unequal => "UNEQUAL",
            Self::FastOnly => "fast only",
            #[cfg(feature = "wire")]
            Self::WireOnly => "wire only",
        }
    }
}

/// How a story ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Everything held.
    Ok,
    /// A property was violated.
    Violated,
    /// Two runs differed.
    Differed,
    /// Two worlds differed.
    Unequal,
}

/// A property did not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ViolationRecord {
    /// The property.
    pub(super) property: String,
    /// The story, or the seed.
    pub(super) story: String,
    /// The gateway, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway: Option<String>,
    /// When, in virtual time.
    pub(super) at: String,
    /// What it is about.
    pub(super) subject: String,
    /// What had to be.
    pub(super) expected: String,
    /// What was.
    pub(super) found: String,
    /// What led to it, as far as a trace tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    /// The last relevant events.
    pub(super) last_events: Vec<String>,
}

/// One entry of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Item {
    /// Its name.
    pub(super) name: String,
    /// What sorts it: when a property is checked, who does a step; empty where nothing does.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) class: &'static str,
    /// What it says.
    pub(super) says: String,
    /// What it looks like in a scenario file.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) example: &'static str,
    /// The names that its fields take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) choices: Vec<ChoiceRecord>,
}

/// The names that a field of a step takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ChoiceRecord {
    /// The field.
    pub(super) field: &'static str,
    /// What can stand there: a name, or an object of a name and a number.
    pub(super) of: Vec<String>,
    /// The other field that decides which of the names can stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on: Option<&'static str>,
    /// The names that can, by the name in the other field, where not all of them can.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) by: BTreeMap<&'static str, &'static [&'static str]>,
}

impl ChoiceRecord {
    /// A choice as it is listed.
    pub(super) fn of(choice: &Choice) -> Self {
        let written = |name: &&str| match choice.numbers.iter().find(|(of, ..)| of == name) {
            Some((_, least, most)) => format!(r#"{{ "{name}": {least} to {most} }}"#),
            None => format!(r#""{name}""#),
        };
        Self {
            field: choice.field,
            of: choice.of.iter().map(written).collect(),
            on: choice.depends.map(|depends| depends.on),
            by: choice
                .depends
                .iter()
                .flat_map(|depends| depends.names)
                .filter(|(_, names)| names.len() < choice.of.len())
                .copied()
                .collect(),
        }
    }
}

/// How far shrinking went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ShrunkRecord {
    /// The story.
    pub(super) story: String,
    /// The property that stays violated.
    pub(super) property: String,
    /// How many steps it had.
    pub(super) steps_before: usize,
    /// How many are left.
    pub(super) steps_after: usize,
    /// How many stories were told.
    pub(super) told: u64,
    /// Whether nothing more helped; otherwise the time was up.
    pub(super) is_done: bool,
    /// The steps that are left.
    pub(super) steps: Vec<String>,
}
