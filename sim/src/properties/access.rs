//! What a gateway must hold of keys, subscriptions, plans and applications, as far as the dialect
//! lets it know: what a list names, and what every event about a thing together tell.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::engine::{StatusKind, SyncState};
use driftless_gateway::model::{
    ArtifactId, Dialect, Resource, ResourceId, SecretHash, Subscription, SubscriptionId,
};
use driftless_gateway::time::Timestamp;

use crate::apim::{AccessEvent, KeyIndex, KeyScope, KeyState};
use crate::observe::{Context, Difference};

/// The first difference.
pub(super) fn difference(context: &Context<'_>) -> Option<Difference> {
    if context.dialect != Dialect::Apim470
        && let Some(found) = listed_keys(context)
    {
        return Some(found);
    }
    if context.dialect == Dialect::PlatformApi11 {
        let found = subscriptions(context).or_else(|| plans(context));
        if found.is_some() {
            return found;
        }
    }
    let told = by_subject(context);
    told_keys(context, &told).or_else(|| told_applications(context, &told))
}

/// A difference of one thing.
fn differs(
    context: &Context<'_>,
    kind: StatusKind,
    id: &ResourceId,
    expected: &str,
    found: &str,
) -> Difference {
    let (expected, found) = (expected.to_owned(), found.to_owned());
    Difference { kind, subject: context.about(id), expected, found }
}

/// Whether fresh lists have news of an API, deployed or not: a key that is not held and opens it,
/// one that is held and dead, or a subscription that is not the same on both sides.
pub(super) fn has_news(context: &Context<'_>, artifact: &ArtifactId) -> bool {
    let id = |name: &str| ResourceId::ApiKey(artifact.clone(), key_name(name));
    let mut own = context.ledger.keys_of(artifact);
    let is_news = own.any(|(_, key)| {
        let is_active = key.life.now() == Some(&KeyState::Active);
        is_active != holds(context, &id(&key.name), &key.hash)
    });
    let mut opening = context.ledger.opening(artifact, context.now);
    let mut subscribed = context.ledger.subscriptions_of(artifact);
    is_news
        || opening.any(|(_, key)| !holds(context, &id(&key.name), &key.hash))
        || subscribed.any(|(id, record)| {
            held_subscription(context, &ResourceId::Subscription(id.clone())) != record.life.now()
        })
}

/// Keys that a fresh list names, or would name if they lived, on APIs that are deployed.
fn listed_keys(context: &Context<'_>) -> Option<Difference> {
    let deployed: BTreeSet<&ArtifactId> = context.ledger.must_serve().map(|(id, _)| id).collect();
    // The Platform API lists the keys of subscribed applications too.
    let lists_all = context.dialect == Dialect::PlatformApi11;
    for artifact in &deployed {
        let own = context.ledger.keys_of(artifact);
        let subscribed = context.ledger.subscriptions_of(artifact);
        let of_applications = subscribed
            .filter(|(_, held)| {
                lists_all && held.life.now().is_some_and(|now| now.status.is_open())
            })
            .flat_map(|(_, held)| context.ledger.keys_for(&held.application));
        for (_, key) in own.chain(of_applications) {
            let id = ResourceId::ApiKey((*artifact).clone(), key_name(&key.name));
            let is_active = key.life.now() == Some(&KeyState::Active);
            // An expired one among them: a list names it as active.
            if is_active == holds(context, &id, &key.hash) || is_unlisted(context, &id, &key.hash) {
                continue;
            }
            let say = |yes: bool| if yes { "the key is held" } else { "the key is not held" };
            return Some(differs(
                context,
                StatusKind::ApiKey,
                &id,
                say(is_active),
                say(!is_active),
            ));
        }
    }
    for (id, resource) in context.held {
        let (ResourceId::ApiKey(artifact, _), Resource::ApiKey(slot)) = (id, resource) else {
            continue;
        };
        let lists_all = context.dialect == Dialect::PlatformApi11 && deployed.contains(artifact);
        let is_foreign = |hash: &SecretHash| match context.ledger.key_with(hash) {
            None => true,
            Some((_, key)) => match &key.scope {
                KeyScope::Api(of) => of != artifact,
                KeyScope::Application(of) => {
                    lists_all && context.ledger.subscription_at(artifact, of, context.now).is_none()
                }
            },
        };
        if slot.credentials.iter().any(|held| is_foreign(&held.hash)) {
            let (expected, found) = ("keys that were issued for it", "a key that was not");
            return Some(differs(context, StatusKind::ApiKey, id, expected, found));
        }
    }
    None
}

fn subscriptions(context: &Context<'_>) -> Option<Difference> {
    let kind = StatusKind::Subscription;
    for (artifact, _) in context.ledger.must_serve() {
        for (id, record) in context.ledger.subscriptions_of(artifact) {
            let id = ResourceId::Subscription(id.clone());
            let held = held_subscription(context, &id);
            if held != record.life.now() {
                let expected = describe(record.life.now().map(|wanted| wanted.status.name()));
                let found = describe(held.map(|held| held.status.name()));
                return Some(differs(context, kind, &id, &expected, &found));
            }
        }
    }
    let is_known = |id: &SubscriptionId| context.ledger.subscription(id).is_some();
    let foreign = context.held.keys().find(|id| match id {
        ResourceId::Subscription(id) => !is_known(id),
        _ => false,
    })?;
    Some(differs(context, kind, foreign, "subscriptions that were issued", "one that was not"))
}

fn held_subscription<'a>(context: &Context<'a>, id: &ResourceId) -> Option<&'a Subscription> {
    match context.held.get(id) {
        Some(Resource::Subscription(held)) => Some(held),
        _ => None,
    }
}

fn plans(context: &Context<'_>) -> Option<Difference> {
    for (id, record) in context.ledger.plans() {
        let id = ResourceId::Plan(id.clone());
        let held = match context.held.get(&id) {
            Some(Resource::Plan(held)) => Some(held),
            _ => None,
        };
        if held != record.life.now() {
            let expected = format!("{:?}", record.life.now());
            let found = format!("{held:?}");
            return Some(differs(context, StatusKind::Plan, &id, &expected, &found));
        }
    }
    None
}

/// Keys of names whose every event reached the gateway, in an order that their stamps tell.
fn told_keys(context: &Context<'_>, told: &BySubject<'_>) -> Option<Difference> {
    for (id, events) in told {
        let ResourceId::ApiKey(artifact, _) = *id else { continue };
        let is_gone = context.ledger.record(artifact).is_none_or(|of| of.deleted_since().is_some());
        if is_gone || is_listed(context, artifact, id) || !is_told(context, events) {
            continue;
        }
        let Some(wanted) = fold(context, artifact, events) else { continue };
        let held: BTreeSet<SecretHash> = match context.held.get(id) {
            Some(Resource::ApiKey(slot)) => slot.credentials.iter().map(|key| key.hash).collect(),
            _ => BTreeSet::new(),
        };
        if held != wanted {
            let expected = format!("{} keys of that name", wanted.len());
            let found = format!("{}, or others", held.len());
            return Some(differs(context, kind_told_of(context), id, &expected, &found));
        }
    }
    None
}

/// The kind of keys that events alone tell of: with a key list, those of applications.
const fn kind_told_of(context: &Context<'_>) -> StatusKind {
    match context.dialect {
        Dialect::Apim470 => StatusKind::ApiKey,
        Dialect::Apim470Fixed | Dialect::PlatformApi11 => StatusKind::ApplicationKey,
    }
}

/// The hashes that events of one name leave; `None` where they do not tell, or a list says more.
fn fold(
    context: &Context<'_>,
    artifact: &ArtifactId,
    events: &[&AccessEvent],
) -> Option<BTreeSet<SecretHash>> {
    let mut live: BTreeSet<KeyIndex> = BTreeSet::new();
    for event in events {
        if event.ends.is_some() && live.len() > 1 {
            // An ending names no key, so it closes every one of that name (A-H29).
            return None;
        }
        if let Some(ended) = event.ends
            && !live.remove(&ended)
            && !live.is_empty()
        {
            // It ended a key that could not be read, and the gateway takes it for another.
            return None;
        }
        live.extend(event.begins);
    }
    let mut hashes = BTreeSet::new();
    for index in live {
        let key = context.ledger.key(index)?;
        let reach = context.ledger.reach(index, artifact, context.dialect);
        let is_active = key.life.now() == Some(&KeyState::Active);
        if reach.by_list || !is_active || key.is_expired(context.now) {
            return None;
        }
        hashes.insert(key.hash);
    }
    Some(hashes)
}

fn told_applications(context: &Context<'_>, told: &BySubject<'_>) -> Option<Difference> {
    for (id, events) in told {
        let ResourceId::Application(application) = *id else { continue };
        if !is_told(context, events) {
            continue;
        }
        let wanted = context.ledger.application(application).and_then(|of| of.life.now());
        let held = match context.held.get(id) {
            Some(Resource::Application(held)) => Some(held),
            _ => None,
        };
        // A deleted application is told of as one without keys.
        let (held, wanted) = (held.map(|held| &held.keys), wanted.map(|wanted| &wanted.keys));
        let none = BTreeSet::new();
        let (held, wanted) = (held.unwrap_or(&none), wanted.unwrap_or(&none));
        if held != wanted {
            let expected = format!("{} keys", wanted.len());
            let found = format!("{}, or others", held.len());
            return Some(differs(context, StatusKind::Application, id, &expected, &found));
        }
    }
    None
}

/// The hashes that the events about a name leave; `None` where not every one of them reached the
/// gateway in an order that tells, or a list says more.
pub(super) fn told_hashes(
    context: &Context<'_>,
    artifact: &ArtifactId,
    id: &ResourceId,
) -> Option<BTreeSet<SecretHash>> {
    let events: Vec<&AccessEvent> = context.ledger.access_events_about(id).collect();
    if is_listed(context, artifact, id) || !is_told(context, &events) {
        return None;
    }
    fold(context, artifact, &events)
}

/// Whether a list names keys of this name, or did: it may know what an event did not say.
fn is_listed(context: &Context<'_>, artifact: &ArtifactId, id: &ResourceId) -> bool {
    let ResourceId::ApiKey(_, name) = id else { return false };
    let mut own = context.ledger.keys_of(artifact);
    match context.dialect {
        Dialect::Apim470 => false,
        Dialect::Apim470Fixed => own.any(|(_, key)| key_name(&key.name) == *name),
        Dialect::PlatformApi11 => true,
    }
}

/// The events about each thing, in their order.
type BySubject<'a> = BTreeMap<&'a ResourceId, Vec<&'a AccessEvent>>;

fn by_subject<'a>(context: &Context<'a>) -> BySubject<'a> {
    let mut by_subject = BySubject::new();
    for event in context.ledger.access_events() {
        by_subject.entry(&event.about).or_default().push(event);
    }
    by_subject
}

/// Whether the gateway knows every event about a thing, and their stamps tell their order. An
/// ending that is heard after a key that was made later ends that, too, for stamps prove nothing
/// (FB-239: compared by wall clock). A restored backup is told by none.
fn is_told(context: &Context<'_>, events: &[&AccessEvent]) -> bool {
    let margin = context.config.clock_margin;
    let overtook = |(place, ending): (usize, &&AccessEvent)| {
        let begun = events.iter().skip(place + 1).filter(|next| next.begins.is_some());
        ending.ends.is_some() && begun.into_iter().any(|key| !context.heard.is_before(ending, key))
    };
    if events.iter().enumerate().any(overtook) {
        return false;
    }
    let is_ordered = events.windows(2).all(|pair| match pair {
        [one, next] => {
            // A key made within the margin of an ending is taken for one that it ended.
            let order = |next: &Timestamp, last: &Timestamp| match one.ends {
                Some(_) => next.order_within(last, margin),
                None => next.order(last),
            };
            next.sent_at
                .zip(one.sent_at)
                .is_some_and(|(next, one)| order(&next, &one) == Some(Ordering::Greater))
        }
        _ => false,
    });
    context.ledger.restores().is_empty()
        && is_ordered
        && events.iter().all(|event| context.heard.at(event).is_some())
}

/// Whether a key with that hash is in force.
pub(super) fn holds(context: &Context<'_>, id: &ResourceId, hash: &SecretHash) -> bool {
    match context.held.get(id) {
        Some(Resource::ApiKey(slot)) => slot.credentials.iter().any(|held| held.hash == *hash),
        _ => false,
    }
}

/// Whether a key is held of which neither an event nor a list of APIM said that it is an API's
/// own: a regenerated one may be an application's, which no list names (A-H28, A-H31). The gateway
/// has to say so; one that calls such keys synced has no such excuse.
pub(super) fn is_unlisted(context: &Context<'_>, id: &ResourceId, hash: &SecretHash) -> bool {
    let Some(Resource::ApiKey(slot)) = context.held.get(id) else { return false };
    let held = slot.credentials.iter().find(|held| held.hash == *hash);
    let says_synced = context.engine.is_some_and(|engine| {
        context.said_of(engine, StatusKind::ApplicationKey) == SyncState::Synced
    });
    context.dialect != Dialect::PlatformApi11
        && held.is_some_and(|held| !held.is_listable)
        && !says_synced
}

fn key_name(name: &str) -> driftless_gateway::model::KeyName {
    driftless_gateway::model::KeyName::new(name)
}

fn describe(what: Option<&str>) -> String {
    what.map_or_else(|| "not held".to_owned(), |what| format!("held as {what}"))
}
