//! `event_frame`: a frame is read as the contract says, or refused, and never in another way.
//!
//! Every event that is read is compared with a second reading of the whole tree; what can be
//! written as a frame again reads back as the same event; and a part of a frame is no frame.

use std::collections::BTreeSet;

use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, CorrelationId, Credential, DeploymentId, Event,
    EventHead, KeyName, KeyUuid, Plan, PlanId, Quota, QuotaUnit, ResourceChange, ResourceEvent,
    ResourceId, SecretHash, SubscriptionClaim, SubscriptionId, SubscriptionStatus,
};
use driftless_gateway::time::Timestamp;
use driftless_gateway::wire::DecodeError;
use sha2::{Digest, Sha256};

use super::event_form::{FAMILIES, frame_of};
use super::json::{self, Json, Object, Read, Refused, label};

/// What reads a frame.
pub type Decode = fn(&[u8]) -> Result<Event, DecodeError>;

/// Checks one frame.
///
/// # Panics
/// When `decode` read it in another way than the contract says.
pub fn check_frame(frame: &[u8], decode: Decode) {
    let decoded = decode(frame);
    let expected = json::read(frame).and_then(|tree| event(&tree));
    match (decoded, expected) {
        (Err(_), Err(_)) | (Ok(_), Err(Refused::CannotTell)) => {}
        (Ok(decoded), Ok(expected)) => {
            assert_eq!(without_reason(decoded), expected, "another event than was sent");
            reads_back(&expected, decode);
            a_part_is_refused(frame, |part| decode(part).is_ok());
        }
        (Ok(decoded), Err(Refused::Wrong)) => panic!("no event, and read as {decoded:?}"),
        (Err(error), Ok(expected)) => panic!("{expected:?} was refused: {error}"),
    }
}

/// A reason is for people; that there is one is what counts.
fn without_reason(event: Event) -> Event {
    match event {
        Event::Changed(mut change) => {
            if let ResourceChange::KeyUnreadable { why, .. } = &mut change.change {
                why.clear();
            }
            Event::Changed(change)
        }
        other => other,
    }
}

fn reads_back(event: &Event, decode: Decode) {
    if let Some(frame) = frame_of(event) {
        let again = decode(frame.as_bytes());
        assert_eq!(again.as_ref(), Ok(event), "written again it is another event: {frame}");
    }
}

/// Cuts the text at a place that depends on its length; a JSON text of an object or an array that
/// is not whole is none (law 3).
pub(super) fn a_part_is_refused(body: &[u8], is_accepted: impl Fn(&[u8]) -> bool) {
    let whole = body.trim_ascii_end().len();
    let cut = whole.saturating_sub(1 + whole * 31 % 97);
    let part = body.get(..cut).unwrap_or_default();
    assert!(!is_accepted(part), "the first {cut} of {whole} bytes passed for the whole");
}

/// The event that a frame is.
fn event(frame: &Json<'_>) -> Read<Event> {
    let frame = frame.object(&["type", "payload", "timestamp", "correlationId", "gatewayId"])?;
    let payload = frame.get("payload");
    payload.optional_object(&["apiId", "providerId", "proxyId", "deploymentId", "performedAt"])?;
    let event_type = frame.get("type").text()?;
    if event_type == "connection.ack" {
        return Ok(Event::ConnectionAck { gateway: frame.get("gatewayId").id()?.to_owned() });
    }
    if let Some(event) = artifact_event(event_type, frame) {
        return event;
    }
    let sent_at = frame.get("timestamp").time().ok().flatten();
    if let Some(change) = resource_event(event_type, payload, sent_at) {
        let (id, change) = change?;
        return Ok(Event::Changed(Box::new(ResourceEvent { id, change, sent_at })));
    }
    let shown = label(event_type);
    Ok(if event_type.to_ascii_lowercase().contains("secret") {
        Event::NotHeld { event_type: shown }
    } else {
        Event::Unknown { event_type: shown }
    })
}

fn artifact_event(event_type: &str, frame: Object<'_, '_>) -> Option<Read<Event>> {
    let (family, verb) = event_type.split_once('.')?;
    let (_, kind, field) = FAMILIES.into_iter().find(|(name, ..)| *name == family)?;
    let head = |frame: Object<'_, '_>| -> Read<EventHead> {
        let payload = frame.get("payload").object(&[])?;
        let performed_at = payload.get("performedAt").time()?;
        let performed_text = performed_at.map(|_| payload.get("performedAt").text());
        Ok(EventHead {
            artifact: ArtifactId::new(payload.get(field).id()?),
            kind,
            deployment: payload.get("deploymentId").optional_id()?.map(DeploymentId::new),
            performed_at,
            performed_text: performed_text.transpose()?.map(str::to_owned),
            correlation: frame
                .get("correlationId")
                .optional_id()
                .unwrap_or(None)
                .map(CorrelationId::new),
        })
    };
    let gone = |frame: Object<'_, '_>| -> Read<Event> {
        let payload = frame.get("payload").object(&[])?;
        let artifact = ArtifactId::new(payload.get(field).id()?);
        Ok(Event::Deleted { artifact, kind, sent_at: frame.get("timestamp").time()? })
    };
    match verb {
        "deployed" => Some(head(frame).map(Event::Deployed)),
        "undeployed" => Some(head(frame).map(Event::Undeployed)),
        "deleted" => Some(gone(frame)),
        _ => None,
    }
}

type Change = (ResourceId, ResourceChange);

fn resource_event(
    event_type: &str,
    payload: &Json<'_>,
    sent_at: Option<Timestamp>,
) -> Option<Read<Change>> {
    Some(match event_type {
        "apikey.created" => issued(payload, false, sent_at),
        "apikey.updated" => issued(payload, true, sent_at),
        "apikey.revoked" => revoked(payload),
        "subscription.created" => subscription(payload).and_then(|(id, claim)| {
            claim.artifact.as_ref().ok_or(Refused::Wrong)?;
            Ok((id, ResourceChange::SubscriptionCreated(claim)))
        }),
        "subscription.updated" => subscription(payload)
            .map(|(id, claim)| (id, ResourceChange::SubscriptionUpdated(claim))),
        "subscription.deleted" => subscription_id(payload).map(|id| (id, ResourceChange::Deleted)),
        "subscriptionPlan.created" => {
            plan_event(payload).map(|(id, plan)| (id, ResourceChange::PlanCreated(plan)))
        }
        "subscriptionPlan.updated" => {
            plan_event(payload).map(|(id, plan)| (id, ResourceChange::PlanUpdated(plan)))
        }
        "subscriptionPlan.deleted" => plan_id(payload).map(|id| (id, ResourceChange::Deleted)),
        "application.updated" => application(payload),
        "application.deleted" => {
            application_id(payload).map(|(id, _)| (id, ResourceChange::Deleted))
        }
        _ => return None,
    })
}

fn key_id(payload: Object<'_, '_>) -> Read<ResourceId> {
    let api = ArtifactId::new(payload.get("apiId").id()?);
    let name = match payload.get("name").optional_name()? {
        Some(name) => name,
        None => payload.get("keyName").optional_name()?.ok_or(Refused::Wrong)?,
    };
    Ok(ResourceId::ApiKey(api, KeyName::new(name)))
}

fn revoked(payload: &Json<'_>) -> Read<Change> {
    let payload = payload.object(&["apiId", "name", "keyName"])?;
    Ok((key_id(payload)?, ResourceChange::KeyRevoked))
}

fn issued(payload: &Json<'_>, regenerated: bool, sent_at: Option<Timestamp>) -> Read<Change> {
    let payload = payload.object(&[
        "apiId",
        "name",
        "keyName",
        "uuid",
        "apiKeyHashes",
        "expiresAt",
        "expiresIn",
    ])?;
    payload.get("apiKeyHashes").optional_object(&["sha256"])?;
    payload.get("expiresIn").optional_object(&["duration", "unit"])?;
    let id = key_id(payload)?;
    let change = match credential(payload, sent_at) {
        Ok(credential) if regenerated => ResourceChange::KeyRegenerated(credential),
        Ok(credential) => ResourceChange::KeyCreated(credential),
        Err(Refused::CannotTell) => return Err(Refused::CannotTell),
        Err(Refused::Wrong) => ResourceChange::KeyUnreadable { regenerated, why: String::new() },
    };
    Ok((id, change))
}

fn credential(payload: Object<'_, '_>, sent_at: Option<Timestamp>) -> Read<Credential> {
    let uuid = payload.get("uuid").optional_id()?.map(KeyUuid::new);
    Ok(Credential {
        hash: hash(payload.get("apiKeyHashes"))?,
        is_listable: uuid.is_some(),
        uuid,
        expires_at: expiry(payload, sent_at)?,
        created_at: sent_at,
    })
}

/// A validity counts from the event's own time; a moment that is given counts more.
fn expiry(payload: Object<'_, '_>, sent_at: Option<Timestamp>) -> Read<Option<Timestamp>> {
    if let Some(at) = payload.get("expiresAt").time()? {
        return Ok(Some(at));
    }
    let validity = payload.get("expiresIn");
    if !validity.is_there() {
        return Ok(None);
    }
    let validity = validity.object(&[])?;
    let duration = validity.get("duration").number()?.ok_or(Refused::Wrong)?;
    let unit = validity.get("unit").text()?.to_ascii_lowercase();
    let seconds = match unit.as_str() {
        "week" | "weeks" => 604_800,
        other => QuotaUnit::parse(other).ok_or(Refused::Wrong)?.seconds(),
    };
    let from = sent_at.ok_or(Refused::Wrong)?;
    let nanos = i128::from(duration) * i128::from(seconds) * 1_000_000_000;
    Ok(Some(Timestamp::from_unix_nanos(from.unix_nanos() + nanos, from.digits())))
}

/// A hash in any of the forms that are sent: an object, a text that holds one, digits alone.
pub(super) fn hash(value: &Json<'_>) -> Read<SecretHash> {
    match value {
        Json::Fields(_) => digits(value.object(&["sha256"])?.get("sha256").text()?),
        Json::Text(text) if text.trim_start().starts_with('{') => {
            let inner = json::read(text.as_bytes())?;
            digits(inner.object(&["sha256"])?.get("sha256").text()?)
        }
        Json::Text(text) => digits(text),
        _ => Err(Refused::Wrong),
    }
}

fn digits(text: &str) -> Read<SecretHash> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.strip_prefix("$sha256$").unwrap_or(&text);
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Refused::Wrong);
    }
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        let pair = digits.get(2 * place..2 * place + 2).ok_or(Refused::Wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| Refused::Wrong)?;
    }
    Ok(SecretHash(hash))
}

/// The fields that a subscription has, in an event or in a list.
pub(super) const SUBSCRIPTION_FIELDS: [&str; 7] = [
    "id",
    "subscriptionId",
    "apiId",
    "applicationId",
    "subscriptionToken",
    "subscriptionPlanId",
    "status",
];

fn subscription_id(payload: &Json<'_>) -> Read<ResourceId> {
    let payload = payload.object(&SUBSCRIPTION_FIELDS)?;
    let id = payload.get("subscriptionId").id()?;
    Ok(ResourceId::Subscription(SubscriptionId::new(id)))
}

fn subscription(payload: &Json<'_>) -> Read<(ResourceId, SubscriptionClaim)> {
    let id = subscription_id(payload)?;
    Ok((id, claim(payload.object(&SUBSCRIPTION_FIELDS)?)?))
}

/// What an event or a list says about a subscription besides its id.
pub(super) fn claim(fields: Object<'_, '_>) -> Read<SubscriptionClaim> {
    let status = fields.get("status").optional_text()?;
    let token = fields.get("subscriptionToken").optional_text()?;
    Ok(SubscriptionClaim {
        artifact: fields.get("apiId").optional_id()?.map(ArtifactId::new),
        application: fields.get("applicationId").optional_id()?.map(ApplicationId::new),
        token: token.map(|token| SecretHash(Sha256::digest(token).into())),
        plan: fields.get("subscriptionPlanId").optional_id()?.map(PlanId::new),
        status: status.map(|word| SubscriptionStatus::parse(&label(word))),
    })
}

/// The fields that a plan has, in an event or in a list.
pub(super) const PLAN_FIELDS: [&str; 8] = [
    "id",
    "planId",
    "planName",
    "stopOnQuotaReach",
    "throttleLimitCount",
    "throttleLimitUnit",
    "expiryTime",
    "status",
];

fn plan_id(payload: &Json<'_>) -> Read<ResourceId> {
    let id = payload.object(&PLAN_FIELDS)?.get("planId").id()?;
    Ok(ResourceId::Plan(PlanId::new(id)))
}

fn plan_event(payload: &Json<'_>) -> Read<(ResourceId, Plan)> {
    Ok((plan_id(payload)?, plan(payload.object(&PLAN_FIELDS)?)?))
}

/// What an event or a list says about a plan besides its id.
pub(super) fn plan(fields: Object<'_, '_>) -> Read<Plan> {
    let count = fields.get("throttleLimitCount").number()?;
    let unit = match fields.get("throttleLimitUnit").optional_text()? {
        Some(word) => Some(QuotaUnit::parse(word).ok_or(Refused::Wrong)?),
        None => None,
    };
    let quota = match (count, unit) {
        (Some(count), Some(unit)) => Some(Quota { count, unit }),
        (None | Some(0), None) => None,
        _ => return Err(Refused::Wrong),
    };
    let stops_on_quota = match fields.get("stopOnQuotaReach") {
        Json::Null => true,
        Json::Flag(stops) => *stops,
        _ => return Err(Refused::Wrong),
    };
    let status = fields.get("status").text()?.to_ascii_uppercase();
    if !matches!(status.as_str(), "ACTIVE" | "INACTIVE") {
        return Err(Refused::Wrong);
    }
    Ok(Plan {
        name: fields.get("planName").name()?.to_owned(),
        quota,
        stops_on_quota,
        expires_at: fields.get("expiryTime").time()?,
        is_active: status == "ACTIVE",
    })
}

/// The application, and its mappings where they are a list of objects.
fn application_id<'j>(payload: &'j Json<'_>) -> Read<(ResourceId, Vec<Object<'j, 'j>>)> {
    let fields =
        payload.object(&["applicationUuid", "applicationId", "applicationName", "mappings"])?;
    let mut mappings = Vec::new();
    if let Json::Items(items) = fields.get("mappings") {
        for item in items {
            mappings.extend(item.optional_object(&["apiKeyUuid"])?);
        }
    }
    let (uuid, id) = (fields.get("applicationUuid"), fields.get("applicationId"));
    let id = if !uuid.is_there() && id.is_there() { id.id()? } else { uuid.id()? };
    Ok((ResourceId::Application(ApplicationId::new(id)), mappings))
}

fn application(payload: &Json<'_>) -> Read<Change> {
    let (id, mappings) = application_id(payload)?;
    let fields = payload.object(&[])?;
    if fields.get("mappings").items()?.len() != mappings.len() {
        return Err(Refused::Wrong);
    }
    let keys: Read<BTreeSet<KeyUuid>> =
        mappings.iter().map(|mapping| mapping.get("apiKeyUuid").id().map(KeyUuid::new)).collect();
    let name = fields.get("applicationName").name()?.to_owned();
    Ok((id, ResourceChange::ApplicationUpdated(Application { name, keys: keys? })))
}
