//! Events written as frames, the way back from `decode_event`.

use driftless_gateway::model::{
    Application, Credential, Event, EventHead, Kind, Plan, ResourceChange, ResourceEvent,
    ResourceId, SubscriptionClaim,
};
use driftless_gateway::time::Timestamp;
use serde_json::{Map, Value, json};

/// Every family of artifact events with its kind and the field that names the artifact.
pub(super) const FAMILIES: [(&str, Kind, &str); 6] = [
    ("api", Kind::RestApi, "apiId"),
    ("llmprovider", Kind::LlmProvider, "providerId"),
    ("llmproxy", Kind::LlmProxy, "proxyId"),
    ("mcpproxy", Kind::Mcp, "proxyId"),
    ("websub", Kind::WebSubApi, "apiId"),
    ("webbroker", Kind::WebBrokerApi, "apiId"),
];

/// The frame of an event; `None` for what no frame says again: a secret behind its hash, a reason,
/// a type that was cut, a moment beyond the years that are written in four digits.
pub(super) fn frame_of(event: &Event) -> Option<String> {
    let frame = match event {
        Event::ConnectionAck { gateway } => json!({"type": "connection.ack", "gatewayId": gateway}),
        Event::Deployed(head) => about_artifact("deployed", head),
        Event::Undeployed(head) => about_artifact("undeployed", head),
        Event::Deleted { artifact, kind, sent_at } => {
            let (family, _, field) = FAMILIES.into_iter().find(|(_, of, _)| of == kind)?;
            let mut frame = json!({
                "type": format!("{family}.deleted"),
                "payload": {field: artifact.as_str()},
            });
            put_time(frame.as_object_mut()?, "timestamp", *sent_at)?;
            frame
        }
        Event::Changed(change) => about_resource(change)?,
        Event::NotHeld { event_type } | Event::Unknown { event_type } => {
            if event_type.ends_with('…') {
                return None;
            }
            json!({"type": event_type})
        }
    };
    Some(frame.to_string())
}

fn about_artifact(verb: &str, head: &EventHead) -> Value {
    let found = FAMILIES.into_iter().find(|(_, kind, _)| *kind == head.kind);
    let (family, _, field) = found.unwrap_or(FAMILIES[0]);
    json!({
        "type": format!("{family}.{verb}"),
        "payload": {
            field: head.artifact.as_str(),
            "deploymentId": head.deployment.as_ref().map(|id| id.as_str()),
            "performedAt": head.performed_text,
        },
        "correlationId": head.correlation.as_ref().map(|id| id.as_str()),
    })
}

fn about_resource(event: &ResourceEvent) -> Option<Value> {
    let mut payload = match &event.change {
        ResourceChange::KeyCreated(key) | ResourceChange::KeyRegenerated(key) => key_fields(key)?,
        ResourceChange::KeyUnreadable { .. } => return None,
        ResourceChange::KeyRevoked | ResourceChange::Deleted => Map::new(),
        ResourceChange::SubscriptionCreated(claim) | ResourceChange::SubscriptionUpdated(claim) => {
            claim_fields(claim)?
        }
        ResourceChange::PlanCreated(plan) | ResourceChange::PlanUpdated(plan) => plan_fields(plan)?,
        ResourceChange::ApplicationUpdated(application) => application_fields(application),
    };
    let mut put = |field: &str, text: &str| payload.insert(field.to_owned(), text.into());
    match &event.id {
        ResourceId::ApiKey(api, name) => {
            if name.as_str().len() > 2048 {
                return None;
            }
            put("apiId", api.as_str());
            put("name", name.as_str());
        }
        ResourceId::Subscription(id) => drop(put("subscriptionId", id.as_str())),
        ResourceId::Plan(id) => drop(put("planId", id.as_str())),
        ResourceId::Application(id) => drop(put("applicationUuid", id.as_str())),
    }
    let mut frame = json!({"type": event.event_type(), "payload": payload});
    put_time(frame.as_object_mut()?, "timestamp", event.sent_at)?;
    Some(frame)
}

fn key_fields(key: &Credential) -> Option<Map<String, Value>> {
    let digits: String = key.hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut fields = Map::new();
    fields.insert("apiKeyHashes".to_owned(), json!({"sha256": digits}).to_string().into());
    fields.insert("uuid".to_owned(), key.uuid.as_ref().map(|id| id.as_str()).into());
    put_time(&mut fields, "expiresAt", key.expires_at)?;
    Some(fields)
}

/// A token comes as text and is kept as a hash, so there is no way back.
fn claim_fields(claim: &SubscriptionClaim) -> Option<Map<String, Value>> {
    if claim.token.is_some() {
        return None;
    }
    let status = claim.status.as_ref().map(|status| status.name());
    if status.is_some_and(|word| word.ends_with('…')) {
        return None;
    }
    let fields = json!({
        "apiId": claim.artifact.as_ref().map(|id| id.as_str()),
        "applicationId": claim.application.as_ref().map(|id| id.as_str()),
        "subscriptionPlanId": claim.plan.as_ref().map(|id| id.as_str()),
        "status": status,
    });
    fields.as_object().cloned()
}

fn plan_fields(plan: &Plan) -> Option<Map<String, Value>> {
    let fields = json!({
        "planName": plan.name,
        "stopOnQuotaReach": plan.stops_on_quota,
        "throttleLimitCount": plan.quota.map(|quota| quota.count),
        "throttleLimitUnit": plan.quota.map(|quota| quota.unit.name()),
        "status": if plan.is_active { "ACTIVE" } else { "INACTIVE" },
    });
    let mut fields = fields.as_object().cloned()?;
    put_time(&mut fields, "expiryTime", plan.expires_at)?;
    Some(fields)
}

fn application_fields(application: &Application) -> Map<String, Value> {
    let mappings: Vec<Value> =
        application.keys.iter().map(|key| json!({"apiKeyUuid": key.as_str()})).collect();
    let mut fields = Map::new();
    fields.insert("applicationName".to_owned(), application.name.clone().into());
    fields.insert("mappings".to_owned(), mappings.into());
    fields
}

/// Puts a moment that four digits of a year can say; `None` for any other.
fn put_time(fields: &mut Map<String, Value>, name: &str, at: Option<Timestamp>) -> Option<()> {
    const YEARS: std::ops::Range<i128> = -62_167_219_200..253_402_300_800;
    if let Some(at) = at {
        if !YEARS.contains(&at.unix_nanos().div_euclid(1_000_000_000)) {
            return None;
        }
        fields.insert(name.to_owned(), at.to_string().into());
    }
    Some(())
}
