//! What the configuration says about a request. Nothing is counted here.

use super::grant::{Charge, Grant, Subject};
use super::refusal::{Level, Refusal};
use super::request::{ApiRequest, Principal, hash_of};
use super::snapshot::{Found, Snapshot};
use super::subscribers::Subscribed;
use crate::model::{
    ApplicationId, AuthType, Credential, Lifecycle, Operation, Quota, Subscription, SubscriptionId,
    SubscriptionStatus, Tier,
};
use crate::time::Timestamp;

/// The subscription that a request uses, and its plan's limit.
struct Used<'a> {
    id: &'a SubscriptionId,
    application: Option<&'a ApplicationId>,
    quota: Option<Quota>,
}

impl Snapshot {
    /// Judges a request at `now`, the gateway's wall clock; expiry is the only use of it.
    ///
    /// The first of these that fails is the refusal:
    ///
    /// 1. The operation, by path and method, among those of all APIs that the path leads to
    ///    (`docs/routing.md` §4).
    /// 2. The lifecycle of its API. What is CREATED or RETIRED is as if it were not there; what
    ///    is BLOCKED says so.
    /// 3. Unless the operation is open to everyone (auth type None): the API key, where the API
    ///    wants one; the subscription, where it wants one; the kind of caller; the scopes, of
    ///    which one is enough.
    /// 4. The tiers of API and operation have to be known.
    ///
    /// # Errors
    /// The refusal.
    pub fn judge(&self, request: &ApiRequest<'_>, now: Timestamp) -> Result<Grant, Refusal> {
        let found = self.find(request.bare_path(), request.method)?;
        check_lifecycle(&found.definition.lifecycle)?;
        let operation = found.operation;
        let mut used = None;
        if operation.auth != AuthType::None {
            let keys = live_keys(&found, request, now)?;
            if found.definition.wants_subscription {
                used = Some(self.subscription(&found, request, &keys, now)?);
            }
            check_principal(operation.auth, request.principal)?;
            check_scopes(operation, request.scopes)?;
        }
        grant(&found, used)
    }

    /// The subscription that a request uses: the one of its token, or else one of an application
    /// that its key belongs to. Where there are several, the first by id that opens the API; a
    /// token that opens nothing is not made up for by a key.
    fn subscription<'a>(
        &'a self,
        found: &Found<'a>,
        request: &ApiRequest<'_>,
        keys: &[&'a Credential],
        now: Timestamp,
    ) -> Result<Used<'a>, Refusal> {
        let subscribers = &found.api.subscribers;
        if let Some(token) = request.subscription_token {
            let token = hash_of(token).ok_or(Refusal::TokenInvalid)?;
            let subscribed = subscribers.with_token(&token);
            return self.first_open(subscribed, Refusal::TokenInvalid, now);
        }
        let uuids = keys.iter().filter_map(|key| key.uuid.as_ref());
        let applications = uuids.flat_map(|uuid| self.owners(uuid));
        let subscribed =
            applications.flat_map(|application| subscribers.of_application(application));
        self.first_open(subscribed, Refusal::SubscriptionMissing, now)
    }

    fn first_open<'a>(
        &'a self,
        subscribed: impl Iterator<Item = Subscribed<'a>>,
        none: Refusal,
        now: Timestamp,
    ) -> Result<Used<'a>, Refusal> {
        let mut refusal = None;
        for (id, subscription) in subscribed {
            match self.check_subscription(subscription, now) {
                Ok(quota) => {
                    let application = subscription.application.as_ref();
                    return Ok(Used { id, application, quota });
                }
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        Err(refusal.unwrap_or(none))
    }

    /// The limit of an open subscription. A plan that is named has to be there: its limit is not
    /// known until it is, and no limit would be too much.
    fn check_subscription(
        &self,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<Option<Quota>, Refusal> {
        check_status(&subscription.status)?;
        let Some(plan) = &subscription.plan else { return Ok(None) };
        let plan = self.plan(plan).ok_or(Refusal::PlanUnknown)?;
        if !plan.is_active {
            return Err(Refusal::PlanInactive);
        }
        if plan.expires_at.is_some_and(|end| has_come(end, now)) {
            return Err(Refusal::PlanExpired);
        }
        Ok(plan.quota.filter(|_| plan.stops_on_quota))
    }
}

const fn check_lifecycle(lifecycle: &Lifecycle) -> Result<(), Refusal> {
    if lifecycle.is_served() { Ok(()) } else { Err(Refusal::ApiBlocked) }
}

/// The keys of the API that the request's key is, and that have not expired. There is at least
/// one where the API wants a key; several where two names stand for one key.
fn live_keys<'a>(
    found: &Found<'a>,
    request: &ApiRequest<'_>,
    now: Timestamp,
) -> Result<Vec<&'a Credential>, Refusal> {
    let wanted = found.definition.wants_key;
    let hash = match request.api_key {
        Some(key) => hash_of(key),
        None if wanted => return Err(Refusal::KeyMissing),
        None => return Ok(Vec::new()),
    };
    let (mut live, mut expired) = (Vec::new(), false);
    for key in hash.iter().flat_map(|hash| found.api.keys.with_hash(hash)) {
        if key.expires_at.is_some_and(|end| has_come(end, now)) {
            expired = true;
        } else {
            live.push(key);
        }
    }
    match (wanted && live.is_empty(), expired) {
        (false, _) => Ok(live),
        (true, true) => Err(Refusal::KeyExpired),
        (true, false) => Err(Refusal::KeyInvalid),
    }
}

/// Whether an end has come: it ends what it ends from its own instant on. A time with few digits
/// counts from its earliest instant.
const fn has_come(end: Timestamp, now: Timestamp) -> bool {
    now.unix_nanos() >= end.unix_nanos()
}

const fn check_status(status: &SubscriptionStatus) -> Result<(), Refusal> {
    match status {
        SubscriptionStatus::Active | SubscriptionStatus::TierUpdatePending => Ok(()),
        SubscriptionStatus::Blocked | SubscriptionStatus::ProdOnlyBlocked => {
            Err(Refusal::SubscriptionBlocked)
        }
        SubscriptionStatus::OnHold => Err(Refusal::SubscriptionOnHold),
        SubscriptionStatus::Rejected => Err(Refusal::SubscriptionRejected),
        SubscriptionStatus::Inactive => Err(Refusal::SubscriptionInactive),
        SubscriptionStatus::Revoked => Err(Refusal::SubscriptionRevoked),
        SubscriptionStatus::Unclear(_) => Err(Refusal::SubscriptionUnclear),
    }
}

const fn check_principal(auth: AuthType, principal: Principal) -> Result<(), Refusal> {
    match (auth, principal) {
        (AuthType::Application, Principal::User)
        | (AuthType::ApplicationUser, Principal::Application) => Err(Refusal::PrincipalNotAllowed),
        (AuthType::None | AuthType::Any, _)
        | (AuthType::Application, Principal::Application)
        | (AuthType::ApplicationUser, Principal::User) => Ok(()),
    }
}

fn check_scopes(operation: &Operation, held: &[&str]) -> Result<(), Refusal> {
    let holds_one = held.iter().any(|scope| operation.scopes.contains(*scope));
    if operation.scopes.is_empty() || holds_one {
        return Ok(());
    }
    Err(Refusal::ScopeMissing)
}

fn grant(found: &Found<'_>, used: Option<Used<'_>>) -> Result<Grant, Refusal> {
    let operation = found.operation;
    let mut charges = Vec::new();
    if let Some(quota) = limit(&found.definition.tier, Level::Api)? {
        charges.push(Charge { subject: Subject::Api(found.id.clone()), quota });
    }
    if let Some(quota) = limit(&operation.tier, Level::Resource)? {
        let (method, path) = (operation.method.clone(), operation.path.clone());
        charges.push(Charge { subject: Subject::Resource(found.id.clone(), method, path), quota });
    }
    if let Some(Used { id, quota: Some(quota), .. }) = used {
        charges.push(Charge { subject: Subject::Subscription(id.clone()), quota });
    }
    Ok(Grant {
        artifact: found.id.clone(),
        application: used.as_ref().and_then(|used| used.application.cloned()),
        subscription: used.map(|used| used.id.clone()),
        charges,
    })
}

fn limit(tier: &Tier, level: Level) -> Result<Option<Quota>, Refusal> {
    tier.quota().ok_or(Refusal::TierUnknown(level))
}
