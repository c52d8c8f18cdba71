//! What people do with APIs and their revisions, and with the tokens of gateways.

use driftless_gateway::model::Kind;
use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Entry, Form, Reach};
use super::fields::{Fields, Named};
use super::limits::{COUNT_MAX, Limits};
use super::word::{FromWord, ToWord, pick};

/// The names of the kinds of artifacts.
const KINDS: [&str; Kind::ALL.len()] = {
    let mut names = [""; Kind::ALL.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = Kind::ALL[place].name();
        place += 1;
    }
    names
};

pub(super) const PUBLISH: Entry = Entry {
    name: "publish",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "create an API and publish it",
    example: r#"{ "api": "orders" }"#,
    choices: &[Choice::of("kind", &KINDS)],
    form: Form::of(&[46]),
};

pub(super) const REVISE: Entry = Entry {
    name: "revise",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "save a new revision, not deployed yet",
    example: r#"{ "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[2]),
};

pub(super) const REVISE_UNREADABLE: Entry = Entry {
    name: "revise_unreadable",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "save a new revision whose definition no gateway can read, not deployed yet",
    example: r#"{ "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[53]),
};

pub(super) const DEPLOY: Entry = Entry {
    name: "deploy",
    actor: Actor::People,
    reach: Reach::OrganizationsGateways,
    says: "deploy a revision to the named `gateways`, or to all of the organization",
    example: r#"{ "api": "orders", "revision": 2 }"#,
    choices: &[],
    form: Form::of(&[0, 1]),
};

pub(super) const UNDEPLOY: Entry = Entry {
    name: "undeploy",
    actor: Actor::People,
    reach: Reach::OrganizationsGateways,
    says: "undeploy an API from the named `gateways`, or from all",
    example: r#"{ "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[3]),
};

pub(super) const DELETE: Entry = Entry {
    name: "delete",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "delete an API",
    example: r#"{ "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[4]),
};

pub(super) const LIFECYCLE: Entry = Entry {
    name: "lifecycle",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "move an API to a lifecycle state",
    example: r#"{ "api": "orders", "state": "retired" }"#,
    choices: &[Choice::of("state", Lifecycle::NAMES)],
    form: Form::of(&[5]),
};

pub(super) const ROTATE_TOKEN: Entry = Entry {
    name: "rotate_token",
    actor: Actor::People,
    reach: Reach::Gateways,
    says: "issue new registration tokens",
    example: "{}",
    choices: &[],
    form: Form::of(&[35]),
};

/// Publish an API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The API's name.
    pub api: String,
    /// Its kind; `RestApi` unless said otherwise. APIM deploys no other.
    #[serde(default = "rest_api", skip_serializing_if = "is_rest_api")]
    pub kind: String,
}

fn rest_api() -> String {
    Kind::RestApi.name().to_owned()
}

fn is_rest_api(kind: &String) -> bool {
    kind == Kind::RestApi.name()
}

impl Fields for Publish {
    fn names(&self) -> Named<'_> {
        Named { api: Some(&self.api), ..Named::default() }
    }

    fn limits(&self, limits: &mut Limits) {
        limits.one_of("kind", &self.kind, &KINDS);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { api: word.api(), kind: rest_api() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.api(&self.api).filter(|()| is_rest_api(&self.kind))
    }
}

/// Deploy a revision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The API's name.
    pub api: String,
    /// The revision, from 1; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
}

/// Which revision a story of bytes deploys: the newest more often than the first.
const REVISIONS: [Option<u32>; 4] = [None, None, None, Some(1)];

impl Fields for Deploy {
    fn names(&self) -> Named<'_> {
        Named { api: Some(&self.api), ..Named::default() }
    }

    fn limits(&self, limits: &mut Limits) {
        if let Some(revision) = self.revision {
            limits.number("revision", revision.into(), 1, COUNT_MAX);
        }
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { api: word.api(), revision: pick(word.word.a, REVISIONS) }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_a(&self.revision, &REVISIONS)?;
        word.api(&self.api)
    }
}

/// Move an API to a lifecycle state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLifecycle {
    /// The API's name.
    pub api: String,
    /// The state.
    pub state: Lifecycle,
}

impl Fields for ChangeLifecycle {
    fn names(&self) -> Named<'_> {
        Named { api: Some(&self.api), ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { api: word.api(), state: pick(word.word.a, Lifecycle::ALL) }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.pick_a(&self.state, &Lifecycle::ALL)?;
        word.api(&self.api)
    }
}

/// The lifecycle states of an API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Being designed.
    Created,
    /// Deployed as a prototype.
    Prototyped,
    /// Open for subscription.
    Published,
    /// Refused for the time being.
    Blocked,
    /// Served, not to be subscribed any more.
    Deprecated,
    /// Gone; removed from every gateway.
    Retired,
}

impl Lifecycle {
    /// Their names in a story.
    pub const NAMES: &'static [&'static str] =
        &["created", "prototyped", "published", "blocked", "deprecated", "retired"];

    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Prototyped,
        Self::Published,
        Self::Blocked,
        Self::Deprecated,
        Self::Retired,
    ];

    /// The state in APIM's words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Prototyped => "PROTOTYPED",
            Self::Published => "PUBLISHED",
            Self::Blocked => "BLOCKED",
            Self::Deprecated => "DEPRECATED",
            Self::Retired => "RETIRED",
        }
    }
}
