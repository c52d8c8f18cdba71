//! What people do with keys, applications, subscriptions and plans, as a story says it.

use serde::{Deserialize, Serialize};

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

/// Keys that were there before anybody listened: no event tells of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportKeys {
    /// The API that they open.
    pub api: String,
    /// How many.
    pub count: u32,
}

/// An application by its name in the story.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedApplication {
    /// The application's name.
    pub application: String,
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

/// A subscription by its application and its API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSubscription {
    /// The application's name.
    pub application: String,
    /// The API's name.
    pub api: String,
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

/// A plan by its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPlan {
    /// The plan's name.
    pub plan: String,
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

/// Events come later than their effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayEvents {
    /// For how long changes are affected, in milliseconds.
    pub for_ms: u64,
    /// How much later, in milliseconds.
    pub delay_ms: u64,
}
