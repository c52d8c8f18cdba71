//! A second judgement, written from the rules and not from the code: it walks over all facts.

use driftless_gateway::model::{
    ApplicationId, ArtifactId, AuthType, Credential, Definition, Lifecycle, Operation, Plan, Quota,
    QuotaUnit, Resource, ResourceId, Subscription, SubscriptionId, SubscriptionStatus, Tier,
};
use driftless_gateway::runtime::{ApiRequest, Level, Principal, Refusal};
use driftless_gateway::time::Timestamp;

use super::{Facts, hash, naive};

/// What the model says is granted.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Allowed {
    pub(super) artifact: ArtifactId,
    pub(super) application: Option<ApplicationId>,
    pub(super) subscription: Option<SubscriptionId>,
    pub(super) charges: Vec<(Level, Quota)>,
}

fn over(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end.unix_nanos() <= now.unix_nanos())
}

/// The operation that is meant, and its API.
fn route<'f>(
    facts: &'f Facts,
    request: &ApiRequest<'_>,
) -> Result<(&'f ArtifactId, &'f Definition, &'f Operation), Refusal> {
    let path = naive::asked(request.path);
    let absent = |state: &Lifecycle| matches!(state, Lifecycle::Created | Lifecycle::Retired);
    let there = facts.apis.iter().filter(|(_, definition)| !absent(&definition.lifecycle));
    let led_to: Vec<_> =
        there.filter(|(_, definition)| naive::leads_to(definition, &path)).collect();
    let is_withheld = |definition: &Definition| {
        !matches!(
            definition.lifecycle,
            Lifecycle::Published | Lifecycle::Prototyped | Lifecycle::Deprecated
        )
    };
    let mut fitting: Vec<(&ArtifactId, &Definition, &Operation)> = Vec::new();
    for (id, definition) in &led_to {
        let operations = definition.operations.iter();
        let fits = operations.filter(|operation| naive::fits(definition, operation, &path));
        fitting.extend(fits.map(|operation| (*id, &***definition, operation)));
    }
    let meant = fitting
        .iter()
        .filter(|(_, _, operation)| &*operation.method == request.method)
        .min_by_key(|(id, definition, operation)| naive::preference(id, definition, operation));
    match meant {
        Some((_, definition, _)) if is_withheld(definition) => Err(Refusal::ApiBlocked),
        Some(meant) => Ok(*meant),
        None if led_to.is_empty() => Err(Refusal::ApiNotFound),
        None if led_to.iter().all(|(_, definition)| is_withheld(definition)) => {
            Err(Refusal::ApiBlocked)
        }
        None if fitting.iter().all(|(_, definition, _)| is_withheld(definition)) => {
            Err(Refusal::ResourceNotFound)
        }
        None => Err(Refusal::MethodNotAllowed),
    }
}

pub(super) fn judge(
    facts: &Facts,
    request: &ApiRequest<'_>,
    now: Timestamp,
) -> Result<Allowed, Refusal> {
    let (id, definition, operation) = route(facts, request)?;
    let mut used = None;
    if operation.auth != AuthType::None {
        let keys = keys(facts, id, definition, request, now)?;
        if definition.wants_subscription {
            used = Some(subscription(facts, id, request, &keys, now)?);
        }
        let wrong = match operation.auth {
            AuthType::Application => request.principal == Principal::User,
            AuthType::ApplicationUser => request.principal == Principal::Application,
            AuthType::None | AuthType::Any => false,
        };
        if wrong {
            return Err(Refusal::PrincipalNotAllowed);
        }
        let wanted = &operation.scopes;
        if !wanted.is_empty() && !wanted.iter().any(|want| request.scopes.contains(&&**want)) {
            return Err(Refusal::ScopeMissing);
        }
    }
    allowed(id, definition, operation, used)
}

type Used = (SubscriptionId, Subscription, Option<Quota>);

fn allowed(
    id: &ArtifactId,
    definition: &Definition,
    operation: &Operation,
    used: Option<Used>,
) -> Result<Allowed, Refusal> {
    let mut charges = Vec::new();
    for (level, tier) in [(Level::Api, &definition.tier), (Level::Resource, &operation.tier)] {
        let count = match tier {
            Tier::Unlimited => continue,
            Tier::Gold => 20,
            Tier::Silver => 5,
            Tier::Bronze => 1,
            Tier::Unknown(_) => return Err(Refusal::TierUnknown(level)),
        };
        charges.push((level, Quota { count, unit: QuotaUnit::Minute }));
    }
    charges.extend(used.iter().filter_map(|used| Some((Level::Subscription, used.2?))));
    Ok(Allowed {
        artifact: id.clone(),
        application: used.as_ref().and_then(|used| used.1.application.clone()),
        subscription: used.map(|used| used.0),
        charges,
    })
}

fn keys(
    facts: &Facts,
    id: &ArtifactId,
    definition: &Definition,
    request: &ApiRequest<'_>,
    now: Timestamp,
) -> Result<Vec<Credential>, Refusal> {
    let mut matching = Vec::new();
    for (resource_id, resource) in &facts.resources {
        if let (ResourceId::ApiKey(api, _), Resource::ApiKey(slot)) = (resource_id, resource)
            && api == id
        {
            matching.extend(slot.credentials.iter().cloned());
        }
    }
    let given = request.api_key.map(hash);
    matching.retain(|credential| Some(credential.hash) == given);
    let any = !matching.is_empty();
    matching.retain(|credential| !over(credential.expires_at, now));
    match (definition.wants_key, matching.is_empty()) {
        (false, _) | (true, false) => Ok(matching),
        (true, true) if given.is_none() => Err(Refusal::KeyMissing),
        (true, true) if any => Err(Refusal::KeyExpired),
        (true, true) => Err(Refusal::KeyInvalid),
    }
}

fn subscription(
    facts: &Facts,
    api: &ArtifactId,
    request: &ApiRequest<'_>,
    keys: &[Credential],
    now: Timestamp,
) -> Result<Used, Refusal> {
    let of_api: Vec<(&SubscriptionId, &Subscription)> = facts
        .resources
        .iter()
        .filter_map(|(id, resource)| match (id, resource) {
            (ResourceId::Subscription(id), Resource::Subscription(held)) => Some((id, &**held)),
            _ => None,
        })
        .filter(|(_, held)| held.artifact == *api)
        .collect();
    let mut candidates = Vec::new();
    if let Some(token) = request.subscription_token.map(hash) {
        candidates.extend(of_api.iter().filter(|(_, held)| held.token == Some(token)));
    } else {
        // By name, then by hash, then by application, then by subscription: the rules only say
        // that one that opens is enough, so the order shows in reasons and in who pays.
        for key in keys.iter().filter_map(|key| key.uuid.as_ref()) {
            for (id, resource) in &facts.resources {
                if let (ResourceId::Application(id), Resource::Application(held)) = (id, resource)
                    && held.keys.contains(key)
                {
                    let theirs = |held: &Subscription| held.application.as_ref() == Some(id);
                    candidates.extend(of_api.iter().filter(|(_, held)| theirs(held)));
                }
            }
        }
    }
    let verdicts: Vec<Result<Used, Refusal>> = candidates
        .into_iter()
        .map(|(id, held)| Ok(((*id).clone(), (*held).clone(), open(facts, held, now)?)))
        .collect();
    let missing = match request.subscription_token {
        Some(_) => Refusal::TokenInvalid,
        None => Refusal::SubscriptionMissing,
    };
    let first_open = verdicts.iter().position(Result::is_ok).unwrap_or(0);
    verdicts.into_iter().nth(first_open).unwrap_or(Err(missing))
}

fn open(facts: &Facts, held: &Subscription, now: Timestamp) -> Result<Option<Quota>, Refusal> {
    match held.status {
        SubscriptionStatus::Active | SubscriptionStatus::TierUpdatePending => {}
        SubscriptionStatus::Blocked | SubscriptionStatus::ProdOnlyBlocked => {
            return Err(Refusal::SubscriptionBlocked);
        }
        SubscriptionStatus::OnHold => return Err(Refusal::SubscriptionOnHold),
        SubscriptionStatus::Rejected => return Err(Refusal::SubscriptionRejected),
        SubscriptionStatus::Inactive => return Err(Refusal::SubscriptionInactive),
        SubscriptionStatus::Revoked => return Err(Refusal::SubscriptionRevoked),
        SubscriptionStatus::Unclear(_) => return Err(Refusal::SubscriptionUnclear),
    }
    let Some(id) = &held.plan else { return Ok(None) };
    let plan = facts.resources.get(&ResourceId::Plan(id.clone()));
    let Some(Resource::Plan(plan)) = plan else { return Err(Refusal::PlanUnknown) };
    match plan {
        Plan { is_active: false, .. } => Err(Refusal::PlanInactive),
        Plan { expires_at, .. } if over(*expires_at, now) => Err(Refusal::PlanExpired),
        Plan { stops_on_quota: false, .. } => Ok(None),
        Plan { quota, .. } => Ok(*quota),
    }
}
