//! Subscriptions, plans and applications: who may use an API, and how much.

use std::collections::BTreeSet;
use std::fmt;

use super::{ApplicationId, ArtifactId, KeyUuid, PlanId, SecretHash};
use crate::time::Timestamp;

/// Where a subscription stands: APIM's words (`docs/apim.md` §5.7) and those of the Platform
/// API (`docs/controller.md` §4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SubscriptionStatus {
    /// `UNBLOCKED` or `ACTIVE`: it opens the API.
    Active,
    /// `TIER_UPDATE_PENDING`: it opens the API with the plan it had.
    TierUpdatePending,
    /// `ON_HOLD`: not approved yet.
    OnHold,
    /// `BLOCKED`.
    Blocked,
    /// `PROD_ONLY_BLOCKED`: refused for production keys. Nothing a gateway is told says which
    /// keys are, so it opens nothing.
    ProdOnlyBlocked,
    /// `REJECTED`.
    Rejected,
    /// `INACTIVE`.
    Inactive,
    /// `REVOKED`.
    Revoked,
    /// A word with no settled meaning; it opens nothing and is surfaced.
    Unclear(String),
}

impl SubscriptionStatus {
    /// Reads a status whatever its case.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "UNBLOCKED" | "ACTIVE" => Self::Active,
            "TIER_UPDATE_PENDING" => Self::TierUpdatePending,
            "ON_HOLD" => Self::OnHold,
            "BLOCKED" => Self::Blocked,
            "PROD_ONLY_BLOCKED" => Self::ProdOnlyBlocked,
            "REJECTED" => Self::Rejected,
            "INACTIVE" => Self::Inactive,
            "REVOKED" => Self::Revoked,
            _ => Self::Unclear(text.chars().take(32).collect()),
        }
    }

    /// The word for it, in APIM's spelling where APIM has one.
    pub fn name(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::TierUpdatePending => "TIER_UPDATE_PENDING",
            Self::OnHold => "ON_HOLD",
            Self::Blocked => "BLOCKED",
            Self::ProdOnlyBlocked => "PROD_ONLY_BLOCKED",
            Self::Rejected => "REJECTED",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
            Self::Unclear(word) => word,
        }
    }

    /// Whether a subscription in this state opens its API.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Active | Self::TierUpdatePending)
    }
}

impl fmt::Display for SubscriptionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The right to use one API, by token or by application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// The API.
    pub artifact: ArtifactId,
    /// The application that subscribed; a subscription by token alone has none.
    pub application: Option<ApplicationId>,
    /// The hash of its token, which the control plane sends as text.
    pub token: Option<SecretHash>,
    /// Its plan; none for one without limits.
    pub plan: Option<PlanId>,
    /// Where it stands.
    pub status: SubscriptionStatus,
}

/// A unit of time that a limit counts in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum QuotaUnit {
    /// Per second.
    Second,
    /// Per minute.
    Minute,
    /// Per hour.
    Hour,
    /// Per day.
    Day,
    /// Per 30 days.
    Month,
}

impl QuotaUnit {
    /// Reads a unit whatever its case, singular or plural, in full or APIM's short form.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "sec" | "second" | "seconds" => Some(Self::Second),
            "min" | "minute" | "minutes" => Some(Self::Minute),
            "hour" | "hours" => Some(Self::Hour),
            "day" | "days" => Some(Self::Day),
            "month" | "months" => Some(Self::Month),
            _ => None,
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// How many seconds it has.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Month => 30 * 86_400,
        }
    }
}

/// At most this many requests in one unit of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Quota {
    /// How many requests.
    pub count: u64,
    /// In which unit of time.
    pub unit: QuotaUnit,
}

/// A subscription plan, which APIM calls a subscription tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Its name; a plan made anew under an old name has another id (C-H37: plan made
    /// anew).
    pub name: String,
    /// Its limit; `None` for one without.
    pub quota: Option<Quota>,
    /// Whether requests over the limit are refused; otherwise they are only billed.
    pub stops_on_quota: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it is in force (`ACTIVE`).
    pub is_active: bool,
}

/// An application and the API keys that are its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Its keys by UUID; a key that is not known yet counts from when it is (C-H50: unknown
    /// key mapped).
    pub keys: BTreeSet<KeyUuid>,
}
