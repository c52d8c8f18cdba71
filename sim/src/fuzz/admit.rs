//! `admit`: what the runtime decides about requests is what the ledger of the simulated API
//! Manager says, after whatever people did there.
//!
//! Every eight bytes are a step of people or a request. The runtime is given all that there is to
//! know, read from real answers; how a gateway comes to know it is the business of other targets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::{
    ArtifactId, BasePath, Credential, Definition, Dialect, KeyName, KeySlot, Kind, Quota, Resource,
    ResourceId, Subscription, SubscriptionId,
};
use driftless_gateway::runtime::{
    ApiRequest, Grant, Principal, Refusal, Snapshot, Throttle, ThrottleConfig,
};
use driftless_gateway::time::{Instant, Timestamp};
use driftless_gateway::wire::{self, ArchiveLimits, request};

use crate::apim::{
    Answered, ApiManager, Issued, KeyRecord, KeyScope, KeyState, Ledger, Operation, Outline,
    wall_clock,
};
use crate::story::aim::GatewayIndex;
use crate::story::step::{Lifecycle, Verb, WORD_BYTES, Word};
use crate::story::switches::Switches;

/// What decides about a request and counts it.
pub type Admit = fn(&Snapshot, &ApiRequest<'_>, Timestamp, &mut Throttle) -> Result<Grant, Refusal>;

/// The bit of a word's number that says that it is a request.
const IS_REQUEST: u8 = 0x80;

/// The most steps and requests of one input.
const WORDS_MAX: usize = 48;

/// Carries out the steps and makes the requests that the bytes are.
///
/// # Panics
/// When a request is let through that the ledger refuses, or the other way round.
pub fn check_admit(bytes: &[u8], admit: Admit) {
    let Some((head, rest)) = bytes.split_at_checked(2) else { return };
    let dialect = Dialect::ALL[usize::from(head[0]) % Dialect::ALL.len()];
    let switches = Switches { compress: false, ..Switches::usual(dialect) };
    let mut manager = ApiManager::new(dialect, switches, u64::from(head[1]));
    let mut throttle = Throttle::new(ThrottleConfig::recommended());
    let mut used = Used::default();
    let mut known: Option<Snapshot> = None;
    let mut now = Instant::START;
    for word in rest.chunks_exact(WORD_BYTES).take(WORDS_MAX).filter_map(Word::of) {
        now = now.after(Duration::from_millis(u64::from(word.at)));
        if word.tag & IS_REQUEST == 0 {
            if let Some(verb) = Verb::of_people(&word, dialect) {
                manager.apply(&verb, now);
            }
            known = None;
            continue;
        }
        // Effects that take time are in force.
        manager.handle_timeout(now);
        let snapshot = known.get_or_insert_with(|| snapshot(&mut manager, now));
        let asked = Asked::of(&word, manager.ledger(GatewayIndex::FIRST), now);
        let expected = asked.judge(&mut used);
        let decided = admit(snapshot, &asked.request(), asked.clock, &mut throttle);
        if let Some(expected) = expected {
            let shown = decided.as_ref().map_or_else(|refusal| refusal.reason(), |_| "let through");
            assert_eq!(decided.is_ok(), expected, "{} is {shown}", asked.told());
        }
    }
}

/// All that there is to know, from answers and the ledger.
fn snapshot(manager: &mut ApiManager, now: Instant) -> Snapshot {
    let token = manager.token(GatewayIndex::FIRST).to_owned();
    let Some(base) = BasePath::parse(manager.base_path()) else { return Snapshot::default() };
    let ledger = manager.ledger(GatewayIndex::FIRST);
    let ids: Vec<ArtifactId> = ledger.must_serve().map(|(id, _)| id.clone()).collect();
    let resources = resources(ledger, &ids, now);
    let mut apis: BTreeMap<ArtifactId, Arc<Definition>> = BTreeMap::new();
    let unreadable: BTreeSet<ArtifactId> = ledger.unreadable().cloned().collect();
    for id in ids.into_iter().filter(|id| !unreadable.contains(id)) {
        let question = request::fetch(&base, &id, Kind::RestApi);
        let reply = manager.respond(GatewayIndex::FIRST, &question, Some(&token), now);
        let Answered::Answer(answer) = reply.outcome else { continue };
        let limits = ArchiveLimits::recommended();
        let definition = wire::decode_definition(&answer.body, &limits)
            .and_then(|content| wire::decode_api(&content.bytes));
        let Ok(definition) = definition else { panic!("{id}: {definition:?}") };
        apis.insert(id, Arc::new(definition));
    }
    Snapshot::of(&apis, &resources)
}

fn resources(ledger: &Ledger, ids: &[ArtifactId], now: Instant) -> BTreeMap<ResourceId, Resource> {
    let mut slots: BTreeMap<ResourceId, Vec<Credential>> = BTreeMap::new();
    for key in ledger.keys() {
        for id in ids.iter().filter(|id| is_for(ledger, key, id, now)) {
            let slot = ResourceId::ApiKey(id.clone(), KeyName::new(&key.name));
            slots.entry(slot).or_default().push(Credential {
                hash: key.hash,
                uuid: Some(key.uuid.clone()),
                expires_at: key.expires.map(|expiry| expiry.stamp),
                created_at: None,
                is_listable: true,
            });
        }
    }
    let keys = slots.into_iter().map(|(id, mut credentials)| {
        credentials.sort_by_key(|key| key.hash);
        (id, Resource::ApiKey(KeySlot { credentials: credentials.into() }))
    });
    let subscriptions = ledger.subscriptions().filter_map(|(id, record)| {
        let held = record.life.now()?.clone();
        Some((ResourceId::Subscription(id.clone()), Resource::Subscription(held.into())))
    });
    let plans = ledger.plans().filter_map(|(id, record)| {
        Some((ResourceId::Plan(id.clone()), Resource::Plan(record.life.now()?.clone())))
    });
    let applications = ledger.applications().filter_map(|(id, record)| {
        let held = record.life.now()?.clone();
        Some((ResourceId::Application(id.clone()), Resource::Application(held)))
    });
    keys.chain(subscriptions).chain(plans).chain(applications).collect()
}

/// Whether a key is there for an API, expired or not.
fn is_for(ledger: &Ledger, key: &KeyRecord, id: &ArtifactId, now: Instant) -> bool {
    key.life.now() == Some(&KeyState::Active)
        && match &key.scope {
            KeyScope::Api(own) => own == id,
            KeyScope::Application(application) => ledger
                .subscription_at(id, application, now)
                .is_some_and(|subscription| subscription.status.is_open()),
        }
}

/// Requests that were let through, by what they count against and the minute.
type Used = BTreeMap<(String, i128), u64>;

/// A request, and the truth about what it names.
struct Asked<'a> {
    ledger: &'a Ledger,
    api: Option<(&'a ArtifactId, Outline)>,
    operation: Option<Operation>,
    method: &'static str,
    path: String,
    key: Option<&'a KeyRecord>,
    key_text: Option<&'a str>,
    token: Option<&'a str>,
    principal: Principal,
    scopes: &'static [&'static str],
    now: Instant,
    clock: Timestamp,
}

impl<'a> Asked<'a> {
    fn of(word: &Word, ledger: &'a Ledger, now: Instant) -> Self {
        let name = word.api();
        let api = ledger.artifact(&name).and_then(|id| {
            let (_, wanted) = ledger.must_serve().find(|(other, _)| *other == id)?;
            let issue = Some(wanted).filter(|wanted| wanted.is_readable)?.issue;
            match &issue.what {
                Issued::Deployed { outline, .. } => Some((id, *outline)),
                _ => None,
            }
        });
        let ([which, with], [by, _]) = (word.a.to_le_bytes(), word.b.to_le_bytes());
        let operation =
            api.and_then(|(_, outline)| outline.operations().nth(usize::from(which % 4)));
        let path = operation
            .as_ref()
            .map_or_else(|| "/nothing".to_owned(), |operation| operation.path.replace("{id}", "7"));
        let query = if which & 4 > 0 { "?key=1" } else { "" };
        let method = operation.as_ref().map_or("GET", |operation| operation.method);
        let keys = ledger.keys();
        let key = keys.get(usize::from(with >> 1) % keys.len().max(1)).filter(|_| with & 1 > 0);
        let stranger = (with == 2).then_some("never-issued");
        let mut tokens = ledger.subscriptions().filter_map(|(_, held)| held.token.as_ref());
        let token = if by & 1 > 0 { tokens.nth(usize::from(by >> 4)) } else { None };
        Self {
            ledger,
            api,
            // A method that no operation has.
            method: if which & 24 == 24 { "DELETE" } else { method },
            operation: operation.filter(|_| which & 24 != 24),
            path: format!("{}{path}{query}", Outline::context(&name)),
            key,
            key_text: key.map(|key| key.secret.reveal()).or(stranger),
            token: token.map(|token| token.reveal()),
            principal: if by & 2 > 0 { Principal::User } else { Principal::Application },
            scopes: if by & 4 > 0 { &["write"] } else { &[] },
            now,
            clock: wall_clock(now),
        }
    }

    fn request(&self) -> ApiRequest<'_> {
        ApiRequest {
            method: self.method,
            path: &self.path,
            api_key: self.key_text,
            subscription_token: self.token,
            principal: self.principal,
            scopes: self.scopes,
        }
    }

    fn told(&self) -> String {
        let Self { method, path, scopes, principal, .. } = self;
        let (key, token) = (self.key_text.is_some(), self.token.is_some());
        format!("{method} {path} by {principal:?}, key {key}, token {token}, scopes {scopes:?}")
    }

    /// Whether it is to be let through; `None` where several subscriptions could be the one that
    /// it counts against. Counts it when it is.
    fn judge(&self, used: &mut Used) -> Option<bool> {
        let (Some((id, outline)), Some(operation)) = (self.api, &self.operation) else {
            return Some(false);
        };
        let is_offered = matches!(
            outline.lifecycle,
            Lifecycle::Prototyped | Lifecycle::Published | Lifecycle::Deprecated
        );
        let mut limits: Vec<(String, u64)> = Vec::new();
        limits.extend(per_minute(outline.tier()).map(|most| (format!("{id}"), most)));
        let tier = operation.tier.and_then(per_minute);
        let place = format!("{id} {} {}", operation.method, operation.path);
        limits.extend(tier.map(|most| (place, most)));
        if !is_offered {
            return Some(false);
        }
        if operation.auth != "None" {
            let Some(key) = self.key.filter(|key| self.opens(key, id)) else {
                return Some(false);
            };
            if outline.validates_subscriptions {
                match self.subscriptions(id, key).as_slice() {
                    [] => return Some(false),
                    [(id, quota)] => {
                        limits.extend(quota.map(|quota| (format!("of {id}"), quota.count)));
                    }
                    _ => return None,
                }
            }
            let is_right = match operation.auth {
                "Application" => self.principal == Principal::Application,
                "Application User" => self.principal == Principal::User,
                _ => true,
            };
            let held = |scope: &&str| self.scopes.contains(scope);
            if !is_right || !operation.scopes.is_empty() && !operation.scopes.iter().any(held) {
                return Some(false);
            }
        }
        let minute = self.clock.unix_nanos().div_euclid(60_000_000_000);
        let count = |used: &Used, what: &str| {
            used.get(&(what.to_owned(), minute)).copied().unwrap_or_default()
        };
        if limits.iter().any(|(what, most)| count(used, what) >= *most) {
            return Some(false);
        }
        for (what, _) in limits {
            *used.entry((what, minute)).or_default() += 1;
        }
        Some(true)
    }

    fn opens(&self, key: &KeyRecord, id: &ArtifactId) -> bool {
        let is_over = |stamp: Timestamp| stamp.unix_nanos() <= self.clock.unix_nanos();
        is_for(self.ledger, key, id, self.now)
            && !key.expires.is_some_and(|expiry| is_over(expiry.stamp))
    }

    /// The open subscriptions that the request may use, with the limits of their plans.
    fn subscriptions(
        &self,
        id: &ArtifactId,
        key: &KeyRecord,
    ) -> Vec<(&'a SubscriptionId, Option<Quota>)> {
        let is_his = |held: &Subscription| {
            held.application.as_ref().is_some_and(|application| {
                let record = self.ledger.application(application);
                record
                    .and_then(|record| record.life.now())
                    .is_some_and(|application| application.keys.contains(&key.uuid))
            })
        };
        let of = self.ledger.subscriptions_of(id).filter_map(|(id, record)| {
            let held = record.life.now()?;
            let is_meant = match self.token {
                Some(token) => record.token.as_ref().is_some_and(|own| own.reveal() == token),
                None => is_his(held),
            };
            if !is_meant || !held.status.is_open() {
                return None;
            }
            let Some(plan) = &held.plan else { return Some((id, None)) };
            let plan = self.ledger.plan(plan)?.life.now()?;
            plan.is_active.then_some((id, plan.quota.filter(|_| plan.stops_on_quota)))
        });
        of.collect()
    }
}

/// The limit of a tier, as APIM's documentation has it.
fn per_minute(tier: &str) -> Option<u64> {
    match tier {
        "Bronze" => Some(1),
        "Silver" => Some(5),
        "Gold" => Some(20),
        _ => None,
    }
}
