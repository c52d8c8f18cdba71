//! Why a request is refused, in the terms that clients of APIM know.

use std::fmt;

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// All requests to an API.
    Api,
    /// All requests to one operation.
    Resource,
    /// All requests by one subscription.
    Subscription,
    /// All requests by one application, whatever the API.
    Application,
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// No API is served at this path.
    ApiNotFound,
    /// The API is there and withheld: blocked, or in a state with no settled meaning.
    ApiBlocked,
    /// The API has no such resource.
    ResourceNotFound,
    /// The resource has no such method.
    MethodNotAllowed,
    /// An API key is wanted and there is none.
    KeyMissing,
    /// The API key does not open this API.
    KeyInvalid,
    /// The API key did open this API, and has expired.
    KeyExpired,
    /// The operation is for another kind of caller.
    PrincipalNotAllowed,
    /// None of the operation's scopes is held.
    ScopeMissing,
    /// A subscription is wanted and none is there for this API.
    SubscriptionMissing,
    /// The subscription token belongs to no subscription of this API.
    TokenInvalid,
    /// The subscription is blocked.
    SubscriptionBlocked,
    /// The subscription waits for approval.
    SubscriptionOnHold,
    /// The subscription was rejected.
    SubscriptionRejected,
    /// The subscription is not active.
    SubscriptionInactive,
    /// The subscription was revoked.
    SubscriptionRevoked,
    /// The subscription is in a state with no settled meaning.
    SubscriptionUnclear,
    /// The subscription's plan is not known here; its limit cannot be kept.
    PlanUnknown,
    /// The subscription's plan is not in force.
    PlanInactive,
    /// The subscription's plan has ended.
    PlanExpired,
    /// A tier of a name without a known limit.
    TierUnknown(Level),
    /// The limit of this level is used up until its window ends.
    Throttled(Level),
    /// There is no room to count what this request would use.
    ThrottleFull,
}

impl Refusal {
    /// Every refusal, those of each level among them.
    pub fn all() -> impl Iterator<Item = Self> {
        const LEVELS: [Level; 4] =
            [Level::Api, Level::Resource, Level::Subscription, Level::Application];
        let simple = [
            Self::ApiNotFound,
            Self::ApiBlocked,
            Self::ResourceNotFound,
            Self::MethodNotAllowed,
            Self::KeyMissing,
            Self::KeyInvalid,
            Self::KeyExpired,
            Self::PrincipalNotAllowed,
            Self::ScopeMissing,
            Self::SubscriptionMissing,
            Self::TokenInvalid,
            Self::SubscriptionBlocked,
            Self::SubscriptionOnHold,
            Self::SubscriptionRejected,
            Self::SubscriptionInactive,
            Self::SubscriptionRevoked,
            Self::SubscriptionUnclear,
            Self::PlanUnknown,
            Self::PlanInactive,
            Self::PlanExpired,
            Self::ThrottleFull,
        ];
        let tiers = LEVELS.into_iter().map(Self::TierUnknown);
        simple.into_iter().chain(tiers).chain(LEVELS.into_iter().map(Self::Throttled))
    }

    /// The reason, a few words without a full stop.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ApiNotFound => "no API is served at this path",
            Self::ApiBlocked => "the API is blocked",
            Self::ResourceNotFound => "the API has no such resource",
            Self::MethodNotAllowed => "the resource has no such method",
            Self::KeyMissing => "an API key is missing",
            Self::KeyInvalid => "the API key does not open this API",
            Self::KeyExpired => "the API key has expired",
            Self::PrincipalNotAllowed => "the resource is for another kind of caller",
            Self::ScopeMissing => "none of the scopes of the resource is held",
            Self::SubscriptionMissing => "there is no subscription to this API",
            Self::TokenInvalid => "the subscription token is not for this API",
            Self::SubscriptionBlocked => "the subscription is blocked",
            Self::SubscriptionOnHold => "the subscription waits for approval",
            Self::SubscriptionRejected => "the subscription was rejected",
            Self::SubscriptionInactive => "the subscription is not active",
            Self::SubscriptionRevoked => "the subscription was revoked",
            Self::SubscriptionUnclear => "the state of the subscription is not clear",
            Self::PlanUnknown => "the plan of the subscription is not known yet",
            Self::PlanInactive => "the plan of the subscription is not active",
            Self::PlanExpired => "the plan of the subscription has ended",
            Self::TierUnknown(Level::Api) => "the tier of the API is not known",
            Self::TierUnknown(Level::Resource) => "the tier of the resource is not known",
            Self::TierUnknown(Level::Subscription) => "the tier of the subscription is not known",
            Self::TierUnknown(Level::Application) => "the tier of the application is not known",
            Self::Throttled(Level::Api) => "the limit of the API is reached",
            Self::Throttled(Level::Resource) => "the limit of the resource is reached",
            Self::Throttled(Level::Subscription) => "the limit of the subscription is reached",
            Self::Throttled(Level::Application) => "the limit of the application is reached",
            Self::ThrottleFull => "there is no room for another limit to be counted",
        }
    }

    /// The fault code in the body, of APIM's families `7007xx` (API state), `9008xx` (throttling)
    /// and `9009xx` (security). 900808 and 900809 are its codes for trouble inside throttling and
    /// for a policy that is not there.
    pub const fn code(self) -> u32 {
        match self {
            Self::ApiBlocked => 700_700,
            Self::Throttled(Level::Api) => 900_800,
            Self::Throttled(Level::Resource) => 900_802,
            Self::Throttled(Level::Application) => 900_803,
            Self::Throttled(Level::Subscription) => 900_804,
            Self::ThrottleFull => 900_808,
            Self::TierUnknown(_) | Self::PlanUnknown => 900_809,
            Self::KeyInvalid | Self::KeyExpired => 900_901,
            Self::KeyMissing => 900_902,
            Self::PrincipalNotAllowed => 900_905,
            Self::ApiNotFound | Self::ResourceNotFound | Self::MethodNotAllowed => 900_906,
            Self::SubscriptionBlocked => 900_907,
            Self::SubscriptionMissing | Self::TokenInvalid => 900_908,
            Self::SubscriptionOnHold
            | Self::SubscriptionRejected
            | Self::SubscriptionInactive
            | Self::SubscriptionRevoked
            | Self::SubscriptionUnclear
            | Self::PlanInactive
            | Self::PlanExpired => 900_909,
            Self::ScopeMissing => 900_910,
        }
    }

    /// The HTTP status. As APIM's gateway has it, security faults are 401 but for 900908 and
    /// 900910, which are 403.
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            _ => match self.code() {
                700_700 | 900_808 => 503,
                900_809 => 500,
                900_800..=900_807 => 429,
                900_906 => 404,
                900_908 | 900_910 => 403,
                _ => 401,
            },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status(), self.code(), self.reason())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_refusal_has_a_reason_of_its_own() {
        let reasons: BTreeSet<&str> = Refusal::all().map(Refusal::reason).collect();
        assert_eq!(reasons.len(), Refusal::all().count());
    }

    #[test]
    fn codes_and_statuses_are_those_that_clients_know() {
        for (refusal, printed) in [
            (Refusal::ApiNotFound, "404 900906"),
            (Refusal::MethodNotAllowed, "405 900906"),
            (Refusal::ApiBlocked, "503 700700"),
            (Refusal::KeyMissing, "401 900902"),
            (Refusal::KeyExpired, "401 900901"),
            (Refusal::PrincipalNotAllowed, "401 900905"),
            (Refusal::SubscriptionBlocked, "401 900907"),
            (Refusal::SubscriptionMissing, "403 900908"),
            (Refusal::SubscriptionOnHold, "401 900909"),
            (Refusal::ScopeMissing, "403 900910"),
            (Refusal::PlanUnknown, "500 900809"),
            (Refusal::Throttled(Level::Api), "429 900800"),
            (Refusal::Throttled(Level::Resource), "429 900802"),
            (Refusal::Throttled(Level::Application), "429 900803"),
            (Refusal::Throttled(Level::Subscription), "429 900804"),
            (Refusal::ThrottleFull, "503 900808"),
        ] {
            let whole = refusal.to_string();
            assert_eq!(whole, format!("{printed}: {}", refusal.reason()));
        }
    }
}
