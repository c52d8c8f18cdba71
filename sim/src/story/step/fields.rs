//! What the fields of a step tell: the names in them, how long the step stays, their limits, what
//! its delivery is counted by, and its form in a story of bytes.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::word::{FromWord, ToWord};

/// The fields of a step.
pub(super) trait Fields {
    /// The names in them.
    fn names(&self) -> Named<'_> {
        Named::default()
    }

    /// How long the step goes on by itself, in milliseconds.
    fn lasts_ms(&self) -> u64 {
        0
    }

    /// What its delivery is counted by, where that is more than the name of the step.
    fn delivered_as(&self) -> Option<&'static str> {
        None
    }

    /// The limits of their numbers.
    fn limits(&self, limits: &mut Limits);

    /// The fields that a word says. Every word says some.
    fn read(word: &FromWord<'_>) -> Self
    where
        Self: Sized;

    /// Writes them to a word; `None` where no word says them.
    fn write(&self, word: &mut ToWord<'_>) -> Option<()>;
}

/// The names in the fields of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Named<'a> {
    /// The API.
    pub api: Option<&'a str>,
    /// The application.
    pub application: Option<&'a str>,
    /// The plan.
    pub plan: Option<&'a str>,
    /// The name and the user of a key.
    pub key: Option<(&'a str, &'a str)>,
    /// Whose key it is, or whose keys they are.
    pub owner: Option<Owner<'a>>,
}

/// Whom a key belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner<'a> {
    /// An API.
    Api(&'a str),
    /// An application.
    Application(&'a str),
}

/// No fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Fields for Nothing {
    fn limits(&self, _: &mut Limits) {}

    fn read(_: &FromWord<'_>) -> Self {
        Self {}
    }

    fn write(&self, _: &mut ToWord<'_>) -> Option<()> {
        Some(())
    }
}

/// An API by its name in the story.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The API's name.
    pub api: String,
}

impl Fields for Api {
    fn names(&self) -> Named<'_> {
        Named { api: Some(&self.api), ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { api: word.api() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.api(&self.api)
    }
}

/// A number of occurrences.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// How many.
    pub count: u32,
}

impl Fields for Count {
    fn limits(&self, limits: &mut Limits) {
        limits.count(self.count);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { count: word.count() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.count.into())
    }
}

/// A span of time from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForMs {
    /// How long, in milliseconds.
    pub for_ms: u64,
}

impl Fields for ForMs {
    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn limits(&self, limits: &mut Limits) {
        limits.lasting(self.for_ms);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { for_ms: word.a() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.for_ms)
    }
}
