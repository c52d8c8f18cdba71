//! What people do with keys, applications, subscriptions and plans.

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

use super::entry::{Actor, Choice, Entry, Form, Reach};
use super::fields::{Fields, Named, Owner};
use super::limits::{COUNT_MAX, Limits, TIME_MS_MAX};
use super::word::{FromWord, ToWord, pick};

/// The most keys that one step brings; a bulk answer of them must still be read.
const IMPORT_MAX: u64 = 100_000;

/// The longest life of a key: ten years.
const VALID_MS_MAX: u64 = 10 * 365 * TIME_MS_MAX;

pub(super) const CREATE_KEY: Entry = Entry {
    name: "create_key",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "create a key of an API, or of an application",
    example: r#"{ "api": "orders", "name": "Mobile", "valid_for_ms": 60000 }"#,
    choices: &[],
    form: Form::of(&[6]).a(1, 40),
};

pub(super) const REGENERATE_KEY: Entry = Entry {
    name: "regenerate_key",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "revoke a key and issue another under its name",
    example: r#"{ "application": "shop", "name": "Mobile" }"#,
    choices: &[],
    form: Form::of(&[7]),
};

pub(super) const REVOKE_KEY: Entry = Entry {
    name: "revoke_key",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "revoke a key",
    example: r#"{ "api": "orders", "name": "Mobile", "user": "alice" }"#,
    choices: &[],
    form: Form::of(&[8]),
};

pub(super) const IMPORT_KEYS: Entry = Entry {
    name: "import_keys",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "add keys that no event tells of",
    example: r#"{ "api": "orders", "count": 1000 }"#,
    choices: &[],
    form: Form::of(&[47]).a(1, 20),
};

pub(super) const SUBSCRIBE: Entry = Entry {
    name: "subscribe",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "subscribe an application to an API",
    example: r#"{ "application": "shop", "api": "orders", "plan": "Gold" }"#,
    choices: &[],
    form: Form::of(&[9]),
};

pub(super) const UNSUBSCRIBE: Entry = Entry {
    name: "unsubscribe",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "remove a subscription",
    example: r#"{ "application": "shop", "api": "orders" }"#,
    choices: &[],
    form: Form::of(&[10]),
};

pub(super) const CHANGE_SUBSCRIPTION: Entry = Entry {
    name: "change_subscription",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "change the status or the plan of a subscription",
    example: r#"{ "application": "shop", "api": "orders", "status": "blocked" }"#,
    choices: &[Choice::of("status", Standing::NAMES)],
    form: Form::of(&[11]),
};

pub(super) const CREATE_PLAN: Entry = Entry {
    name: "create_plan",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "create a plan",
    example: r#"{ "plan": "Platinum", "per_minute": 50 }"#,
    choices: &[],
    form: Form::of(&[12]).a(1, 30),
};

pub(super) const CHANGE_PLAN: Entry = Entry {
    name: "change_plan",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "change the limit of a plan",
    example: r#"{ "plan": "Gold", "per_minute": 9 }"#,
    choices: &[],
    form: Form::of(&[13]).a(1, 30),
};

pub(super) const DELETE_PLAN: Entry = Entry {
    name: "delete_plan",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "delete a plan",
    example: r#"{ "plan": "Gold" }"#,
    choices: &[],
    form: Form::of(&[14]),
};

pub(super) const MAP_KEY: Entry = Entry {
    name: "map_key",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "let a key of an API belong to an application",
    example: r#"{ "application": "shop", "api": "orders", "name": "Mobile" }"#,
    choices: &[],
    form: Form::of(&[15]),
};

pub(super) const UNMAP_KEY: Entry = Entry {
    name: "unmap_key",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "let a key belong to its application no more",
    example: r#"{ "application": "shop", "api": "orders", "name": "Mobile" }"#,
    choices: &[],
    form: Form::of(&[16]),
};

pub(super) const DELETE_APPLICATION: Entry = Entry {
    name: "delete_application",
    actor: Actor::People,
    reach: Reach::Organization,
    says: "delete an application, its subscriptions and its keys",
    example: r#"{ "application": "shop" }"#,
    choices: &[],
    form: Form::of(&[17]),
};

/// A key by its owner, its name and its user. It opens one API, or whatever its application is
/// subscribed to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedKey {
    /// The API that it opens; either this or `application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The application that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Its name. Gateways hear it in lower case and know a key by it (A-H29).
    pub name: String,
    /// Whose it is; `admin` unless said otherwise.
    #[serde(default = "admin", skip_serializing_if = "is_admin")]
    pub user: String,
}

impl Fields for NamedKey {
    fn names(&self) -> Named<'_> {
        let of_application = self.application.as_deref().map(Owner::Application);
        Named {
            api: self.api.as_deref(),
            application: self.application.as_deref(),
            plan: None,
            key: Some((&self.name, &self.user)),
            owner: of_application.or(self.api.as_deref().map(Owner::Api)),
        }
    }

    fn limits(&self, limits: &mut Limits) {
        let has_one_owner = self.api.is_some() != self.application.is_some();
        let hint = "give either `api` or `application`";
        limits.holds(has_one_owner, "a key without exactly one owner", hint);
    }

    fn read(word: &FromWord<'_>) -> Self {
        let (api, application, name, user) = word.key();
        Self { api, application, name, user }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        let Self { api, application, name, user } = self.clone();
        word.key(&(api, application, name, user))
    }
}

fn admin() -> String {
    "admin".to_owned()
}

fn is_admin(user: &String) -> bool {
    user == "admin"
}

/// Create a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The API that it opens; either this or `application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The application that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Its name.
    pub name: String,
    /// Whose it is; `admin` unless said otherwise.
    #[serde(default = "admin", skip_serializing_if = "is_admin")]
    pub user: String,
    /// For how long it is valid, in milliseconds; for good when left out. APIM keeps seconds, so
    /// it is rounded up to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_ms: Option<u64>,
}

impl CreateKey {
    /// The key that it creates.
    pub fn key(&self) -> NamedKey {
        NamedKey {
            api: self.api.clone(),
            application: self.application.clone(),
            name: self.name.clone(),
            user: self.user.clone(),
        }
    }
}

impl Fields for CreateKey {
    fn names(&self) -> Named<'_> {
        let of_application = self.application.as_deref().map(Owner::Application);
        Named {
            api: self.api.as_deref(),
            application: self.application.as_deref(),
            plan: None,
            key: Some((&self.name, &self.user)),
            owner: of_application.or(self.api.as_deref().map(Owner::Api)),
        }
    }

    fn limits(&self, limits: &mut Limits) {
        self.key().limits(limits);
        if let Some(valid) = self.valid_for_ms {
            limits.number("valid_for_ms", valid, 1, VALID_MS_MAX);
        }
    }

    fn read(word: &FromWord<'_>) -> Self {
        let NamedKey { api, application, name, user } = NamedKey::read(word);
        let valid_for_ms = word.some_a().map(|seconds| seconds * 1000);
        Self { api, application, name, user, valid_for_ms }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.some_a(self.valid_for_ms.map(|ms| ms.div_ceil(1000)))?;
        self.key().write(word)
    }
}

/// Keys that were there before anybody listened: no event tells of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportKeys {
    /// The API that they open.
    pub api: String,
    /// How many.
    pub count: u32,
}

impl Fields for ImportKeys {
    fn names(&self) -> Named<'_> {
        let (api, owner) = (Some(self.api.as_str()), Some(Owner::Api(&self.api)));
        Named { api, owner, ..Named::default() }
    }

    fn limits(&self, limits: &mut Limits) {
        limits.number("count", self.count.into(), 1, IMPORT_MAX);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { api: word.api(), count: word.count() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.a(self.count.into())?;
        word.api(&self.api)
    }
}

/// An application by its name in the story.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedApplication {
    /// The application's name.
    pub application: String,
}

impl Fields for NamedApplication {
    fn names(&self) -> Named<'_> {
        Named { application: Some(&self.application), ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { application: word.application() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.application(&self.application)
    }
}

/// Subscribe an application to an API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// The application's name; it is created when there is none.
    pub application: String,
    /// The API's name.
    pub api: String,
    /// The plan's name; none when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Fields for Subscribe {
    fn names(&self) -> Named<'_> {
        let (application, api) = (Some(self.application.as_str()), Some(self.api.as_str()));
        Named { api, application, plan: self.plan.as_deref(), ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { application: word.application(), api: word.api(), plan: Some(word.plan()) }
    }

    /// No word is without a plan, so none goes by the one without limit.
    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.plan(self.plan.as_deref().unwrap_or("Unlimited"))?;
        word.api(&self.api)?;
        word.application(&self.application)
    }
}

/// A subscription by its application and its API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSubscription {
    /// The application's name.
    pub application: String,
    /// The API's name.
    pub api: String,
}

impl Fields for NamedSubscription {
    fn names(&self) -> Named<'_> {
        let (application, api) = (Some(self.application.as_str()), Some(self.api.as_str()));
        Named { api, application, ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { application: word.application(), api: word.api() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.api(&self.api)?;
        word.application(&self.application)
    }
}

/// Change a subscription.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSubscription {
    /// The application's name.
    pub application: String,
    /// The API's name.
    pub api: String,
    /// Where it is to stand; as it is when left out. A word that the dialect does not have does
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Standing>,
    /// The plan's name; as it is when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Fields for ChangeSubscription {
    fn names(&self) -> Named<'_> {
        let (application, api) = (Some(self.application.as_str()), Some(self.api.as_str()));
        Named { api, application, plan: self.plan.as_deref(), ..Named::default() }
    }

    fn limits(&self, limits: &mut Limits) {
        let changes = self.status.is_some() || self.plan.is_some();
        let hint = "give `status`, `plan` or both";
        limits.holds(changes, "a change that changes nothing", hint);
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self {
            application: word.application(),
            api: word.api(),
            status: Some(pick(word.word.a, Standing::of(word.dialect))),
            plan: (word.word.b > 0).then(|| word.plan()),
        }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        let words = Standing::of(word.dialect);
        word.pick_a(&self.status?, &words)?;
        word.some_plan(self.plan.as_deref())?;
        word.api(&self.api)?;
        word.application(&self.application)
    }
}

/// Where a subscription stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// APIM: it opens the API.
    Unblocked,
    /// APIM: refused.
    Blocked,
    /// APIM: refused for production keys.
    ProdOnlyBlocked,
    /// APIM: not approved yet.
    OnHold,
    /// APIM: not approved.
    Rejected,
    /// APIM: it opens the API with the plan it had.
    TierUpdatePending,
    /// The Platform API: it opens the API.
    Active,
    /// The Platform API: refused for the time being.
    Inactive,
    /// The Platform API: refused for good.
    Revoked,
}

impl Standing {
    /// Their names in a story.
    pub const NAMES: &'static [&'static str] = &[
        "unblocked",
        "blocked",
        "prod_only_blocked",
        "on_hold",
        "rejected",
        "tier_update_pending",
        "active",
        "inactive",
        "revoked",
    ];

    /// The words that a control plane has.
    const fn of(dialect: Dialect) -> [Self; 6] {
        match dialect {
            Dialect::PlatformApi11 => [
                Self::Active,
                Self::Inactive,
                Self::Revoked,
                Self::Active,
                Self::Inactive,
                Self::Revoked,
            ],
            Dialect::Apim470 | Dialect::Apim470Fixed => [
                Self::Unblocked,
                Self::Blocked,
                Self::ProdOnlyBlocked,
                Self::OnHold,
                Self::Rejected,
                Self::TierUpdatePending,
            ],
        }
    }
}

/// Create or change a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPlan {
    /// The plan's name.
    pub plan: String,
    /// How many requests a minute; without limit when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u64>,
}

impl Fields for SetPlan {
    fn names(&self) -> Named<'_> {
        Named { plan: Some(&self.plan), ..Named::default() }
    }

    fn limits(&self, limits: &mut Limits) {
        if let Some(count) = self.per_minute {
            limits.number("per_minute", count, 1, COUNT_MAX);
        }
    }

    fn read(word: &FromWord<'_>) -> Self {
        Self { plan: word.plan(), per_minute: word.some_a() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.some_a(self.per_minute)?;
        word.plan(&self.plan)
    }
}

/// A plan by its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPlan {
    /// The plan's name.
    pub plan: String,
}

impl Fields for NamedPlan {
    fn names(&self) -> Named<'_> {
        Named { plan: Some(&self.plan), ..Named::default() }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        Self { plan: word.plan() }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.plan(&self.plan)
    }
}

/// A key of an API and an application that it is to belong to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapKey {
    /// The application's name; it is created when there is none.
    pub application: String,
    /// The API that the key opens.
    pub api: String,
    /// The key's name.
    pub name: String,
    /// Whose it is; `admin` unless said otherwise.
    #[serde(default = "admin", skip_serializing_if = "is_admin")]
    pub user: String,
}

impl MapKey {
    /// The key.
    pub fn key(&self) -> NamedKey {
        NamedKey {
            api: Some(self.api.clone()),
            application: None,
            name: self.name.clone(),
            user: self.user.clone(),
        }
    }
}

impl Fields for MapKey {
    fn names(&self) -> Named<'_> {
        Named {
            api: Some(&self.api),
            application: Some(&self.application),
            plan: None,
            key: Some((&self.name, &self.user)),
            owner: Some(Owner::Api(&self.api)),
        }
    }

    fn limits(&self, _: &mut Limits) {}

    fn read(word: &FromWord<'_>) -> Self {
        let (name, user) = FromWord::first_key();
        Self { application: word.application(), api: word.api(), name, user }
    }

    fn write(&self, word: &mut ToWord<'_>) -> Option<()> {
        word.first_key(&self.name, &self.user)?;
        word.api(&self.api)?;
        word.application(&self.application)
    }
}
