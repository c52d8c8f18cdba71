//! Requests that a property tries, and what the ledger says about them: a judgement of its own,
//! which shares no line with the gateway's.

use driftless_gateway::model::{ArtifactId, KeyName, ResourceId, SubscriptionStatus};
use driftless_gateway::runtime::{ApiRequest, Principal};
use driftless_gateway::time::{Instant, Timestamp};

use super::access;
use crate::apim::{KeyRecord, KeyScope, KeyState, Operation, Outline, wall_clock};
use crate::observe::Context;
use crate::story::step::Lifecycle;

/// A request to be tried, and whether it is to be let through.
pub(super) struct Probe<'a> {
    /// What it tries, in a few words and without a secret.
    pub(super) tries: &'static str,
    /// The method.
    pub(super) method: &'a str,
    /// The path.
    pub(super) path: String,
    /// The API key.
    pub(super) key: Option<&'a str>,
    /// The subscription token.
    pub(super) token: Option<&'a str>,
    /// Whom it is made for.
    pub(super) principal: Principal,
    /// The scopes that it holds.
    pub(super) scopes: &'a [&'a str],
    /// Whether it is to be let through.
    pub(super) admitted: bool,
}

impl Probe<'_> {
    /// The probe as a request.
    pub(super) const fn request(&self) -> ApiRequest<'_> {
        ApiRequest {
            method: self.method,
            path: self.path.as_str(),
            api_key: self.key,
            subscription_token: self.token,
            principal: self.principal,
            scopes: self.scopes,
        }
    }
}

/// A credential that a probe brings, and what it is worth.
#[derive(Clone, Copy)]
struct Brought<'a> {
    tries: &'static str,
    key: Option<&'a str>,
    token: Option<&'a str>,
    opens: bool,
}

/// An API that is to be served, and what its definition says.
pub(super) struct Probed<'a> {
    /// The API.
    pub(super) artifact: &'a ArtifactId,
    /// Its name.
    pub(super) name: &'a str,
    /// What its definition says.
    pub(super) outline: &'a Outline,
}

impl Probed<'_> {
    fn path(&self, operation: &Operation) -> String {
        format!("{}{}", Outline::context(self.name), operation.path.replace("{id}", "7"))
    }

    const fn is_offered(&self) -> bool {
        matches!(
            self.outline.lifecycle,
            Lifecycle::Prototyped | Lifecycle::Published | Lifecycle::Deprecated
        )
    }
}

/// The probes of one API: every operation with every credential that tells something, a wrong
/// method and a path that is not there.
pub(super) fn probes<'a>(context: &Context<'a>, target: &Probed<'a>) -> Vec<Probe<'a>> {
    let brought = brought(context, target);
    let mut probes = Vec::new();
    for operation in target.outline.operations() {
        let (right, wrong) = match operation.auth {
            "Application User" => (Principal::User, Some(Principal::Application)),
            "Application" => (Principal::Application, Some(Principal::User)),
            _ => (Principal::Application, None),
        };
        let path = target.path(&operation);
        let mut push = |tries, bring: &Brought<'a>, principal, scopes, admitted| {
            probes.push(Probe {
                tries,
                method: operation.method,
                path: path.clone(),
                key: bring.key,
                token: bring.token,
                principal,
                scopes,
                admitted,
            });
        };
        for bring in &brought {
            let is_open = operation.auth == "None" || bring.opens;
            push(bring.tries, bring, right, operation.scopes, target.is_offered() && is_open);
        }
        let Some(good) = brought.iter().find(|bring| bring.opens) else { continue };
        if let Some(wrong) = wrong {
            push("another kind of caller", good, wrong, operation.scopes, false);
        }
        if !operation.scopes.is_empty() && operation.auth != "None" {
            push("no scope", good, right, &[], false);
        }
    }
    probes.extend(strays(target));
    probes
}

/// What is no operation of the API.
fn strays<'a>(target: &Probed<'_>) -> [Probe<'a>; 2] {
    let stray = |tries, method, rest: &str| Probe {
        tries,
        method,
        path: format!("{}/r{}/{rest}", Outline::context(target.name), target.outline.revision),
        key: None,
        token: None,
        principal: Principal::Application,
        scopes: &[],
        admitted: false,
    };
    [stray("a wrong method", "DELETE", "items"), stray("a path that is not there", "GET", "no")]
}

/// The credentials to bring: none, one that was never issued, and of each kind of key the last
/// whose standing the gateway can know.
fn brought<'a>(context: &Context<'a>, target: &Probed<'a>) -> Vec<Brought<'a>> {
    let wants_subscription = target.outline.validates_subscriptions;
    let token = |is_open| token(context, target.artifact, is_open).filter(|_| wants_subscription);
    let (open, closed) = (token(true), token(false));
    let plain = |tries, key, opens| Brought { tries, key, token: open, opens };
    let mut brought = vec![
        plain("no key", None, false),
        plain("a key that was never issued", Some("never-issued"), false),
    ];
    let own = |state: Option<&KeyState>, expired| {
        // From the last one back, so that no more keys are asked about than it takes.
        let mut keys = context.ledger.keys_of(target.artifact).rev();
        let fits = |(_, key): &(_, &KeyRecord)| {
            key.life.now() == state
                && clearly_expired(context.now, key) == Some(expired)
                && is_known(context, target.artifact, key)
        };
        keys.find(fits).map(|(_, key)| key.secret.reveal())
    };
    let live = own(Some(&KeyState::Active), false);
    let is_subscribed = !wants_subscription || open.is_some();
    if let Some(live) = live {
        brought.push(plain("a live key", Some(live), is_subscribed));
        if let Some(closed) = closed {
            let (tries, key) = ("a live key and a closed subscription", Some(live));
            brought.push(Brought { tries, key, token: Some(closed), opens: false });
        }
    }
    for (tries, state) in
        [("a revoked key", KeyState::Revoked), ("a regenerated key", KeyState::Regenerated)]
    {
        brought.extend(own(Some(&state), false).map(|key| plain(tries, Some(key), false)));
    }
    let expired = own(Some(&KeyState::Active), true);
    brought.extend(expired.map(|key| plain("an expired key", Some(key), false)));
    let is_foreign =
        |key: &&KeyRecord| matches!(&key.scope, KeyScope::Api(id) if id != target.artifact);
    let foreign = context.ledger.keys().iter().rev().find(is_foreign);
    let foreign = foreign.map(|key| key.secret.reveal());
    brought.extend(foreign.map(|key| plain("another API's key", Some(key), false)));
    brought
}

/// Whether a key has expired by the gateway's clock; `None` within two seconds of it, for its
/// expiry may have come in whole seconds.
fn clearly_expired(now: Instant, key: &KeyRecord) -> Option<bool> {
    let Some(expiry) = key.expires else { return Some(false) };
    let past: i128 = wall_clock(now).unix_nanos() - expiry.stamp.unix_nanos();
    (past.abs() > 2_000_000_000).then_some(past > 0)
}

/// Whether the gateway can know how a key stands: a list tells, or every event did.
fn is_known(context: &Context<'_>, artifact: &ArtifactId, key: &KeyRecord) -> bool {
    let id = ResourceId::ApiKey(artifact.clone(), KeyName::new(&key.name));
    let listed = context
        .ledger
        .key_with(&key.hash)
        .is_some_and(|(index, _)| context.ledger.reach(index, artifact, context.dialect).by_list);
    let is_active = key.life.now() == Some(&KeyState::Active);
    let told = || access::told_hashes(context, artifact, &id);
    listed && !access::is_unlisted(context, &id, &key.hash)
        || told().is_some_and(|told| told.contains(&key.hash) == is_active)
}

/// The token of a subscription to the API that opens it, or of one that does not.
fn token<'a>(context: &Context<'a>, artifact: &ArtifactId, is_open: bool) -> Option<&'a str> {
    let wanted =
        |status: &SubscriptionStatus| matches!(status, SubscriptionStatus::Active) == is_open;
    let mut of = context.ledger.subscriptions_of(artifact);
    let has_plan = |plan: &Option<driftless_gateway::model::PlanId>| {
        plan.as_ref().is_none_or(|plan| {
            context.ledger.plan(plan).is_some_and(|plan| plan.life.now().is_some())
        })
    };
    of.find_map(|(_, record)| {
        let now = record.life.now()?;
        let fits = wanted(&now.status) && (!is_open || has_plan(&now.plan));
        record.token.as_ref().filter(|_| fits).map(|token| token.reveal())
    })
}

/// The gateway's wall clock, which is right.
pub(super) fn gateway_clock(now: Instant) -> Timestamp {
    wall_clock(now)
}
