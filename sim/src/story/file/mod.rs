//! A story with its reason and its claims, as a JSON file holds it.
//!
//! Seeds generate into a [`Scenario`], shrinking and `replay --save` write one, and
//! `scenarios/*.json` are read into one. `scenarios/README.md` shows the format. Reading refuses
//! what it does not know, with line, column and the nearest valid name; writing is canonical, so
//! a file that was written reads back and writes the same bytes.
//!
//! No step is interpreted here and nothing here runs.

mod access_claims;
mod document;
mod expect;
mod fleet;
mod length;
mod load;
mod names;
mod parse;
mod print;
mod reader;
mod refusal;
mod step_form;
mod step_limits;
mod write;

#[cfg(test)]
mod tests;

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

use super::step::Step;

use crate::story::switches::Switches;
pub use access_claims::AccessClaim;
pub use expect::{AckedClaim, Expect, WasStatus};
pub use fleet::{DEFAULT_ORGANIZATION, GATEWAYS_MAX, GatewayEntry};
pub(crate) use length::{TRIGGERED_LAST, story_end, timed_end};
pub use load::{LoadError, StoryFile, load, load_folder, save};
pub use names::{
    ACTIONS, EVENTS, REQUESTS, RESOURCE_KINDS, STATES, SYNC_STATES, is_covered_id, is_kebab_case,
    is_sentence,
};
pub use refusal::{Refusal, nearest};

/// The schema that this version reads and writes.
pub const SCHEMA: u64 = 1;

/// A story: what happens, to which control plane, and what is claimed about the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// Why it is told: a sentence.
    pub why: String,
    /// Which races, hazards and field bugs it covers: `R4`, `C-H25`, `A-H2`, `FB-04`.
    pub covers: Vec<String>,
    /// Where it was reported, as `owner/repository#number` or an address.
    pub source: Option<String>,
    /// Which contract the control plane speaks.
    pub dialect: Dialect,
    /// What is left to chance is drawn from this.
    pub seed: u64,
    /// How the switches of the control plane stand; a file has those that are not as usual.
    pub switches: Switches,
    /// What the gateways store on.
    pub store: StoreChoice,
    /// The one world that it is told in, where it cannot be told in both.
    pub only: Option<Only>,
    /// The gateways; when there is none, there is one without a name.
    pub gateways: Vec<GatewayEntry>,
    /// How long after the last step the faults stay, in milliseconds, before they are lifted;
    /// meanwhile the gateway must be loud about what it cannot know.
    pub faults_stay_ms: Option<u64>,
    /// What happens, in the order of the file.
    pub steps: Vec<Step>,
    /// What is claimed, on top of every property.
    pub expect: Expect,
}

/// The one world that a story is told in, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// Which.
    pub world: WorldName,
    /// Why the other one cannot tell it: a sentence.
    pub why: String,
}

/// A world by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorldName {
    /// One heap of time that carries messages.
    Fast,
    /// The production shell and the served APIM, over simulated sockets.
    Wire,
}

impl WorldName {
    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Wire => "wire",
        }
    }
}

/// What the gateway stores on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreChoice {
    /// A model store: fast, atomic by construction.
    #[default]
    Model,
    /// The production store on a simulated disk.
    Disk,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`Refusal`] with line, column, what is wrong and what was expected.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        parse::scenario(text, true)
    }

    /// Reads a story that may claim nothing yet, as those of seeds do.
    ///
    /// # Errors
    /// As [`Scenario::parse`].
    pub(crate) fn parse_unclaimed(text: &str) -> Result<Self, Refusal> {
        parse::scenario(text, false)
    }

    /// Whether it is told in that world.
    pub fn is_told_in(&self, world: WorldName) -> bool {
        self.only.as_ref().is_none_or(|only| only.world == world)
    }

    /// The canonical text: pretty, one step a line, with a line feed at the end.
    pub fn to_json(&self) -> String {
        write::scenario(self)
    }

    /// The APIs that the steps name, each once, in order of their names.
    pub fn apis(&self) -> std::collections::BTreeSet<&str> {
        self.steps.iter().filter_map(|step| step.verb.api()).collect()
    }
}

/// Reads verbs that happen now, as a file writes them: `{"deploy": {"api": "orders"}}`, or a list
/// of such.
///
/// # Errors
/// What is wrong, where, and what was probably meant.
pub fn verbs(text: &str) -> Result<Vec<crate::story::step::Verb>, Refusal> {
    step_form::verbs(&document::Node::parse(text)?)
}
