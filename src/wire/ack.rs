//! `deployment.ack`, the one frame a gateway sends (`docs/apim.md` §2.8,
//! `docs/controller.md` §3).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::DecodeError;
use super::json::{self, Object, Value};
use crate::model::{Ack, AckAction, AckStatus, ArtifactId, DeploymentId, Kind};
use crate::time::Timestamp;

/// The frame's type.
const TYPE: &str = "deployment.ack";

/// The one error code; APIM stores codes only when they are integers, so the text is for people.
const ERROR_CODE: &str = "GATEWAY_PROCESSING_ERROR";

#[derive(Serialize)]
struct FrameOut<'a> {
    #[serde(rename = "type")]
    event_type: &'static str,
    payload: PayloadOut<'a>,
}

/// The payload as it is written, in the order of the contract. What is not known is left out:
/// APIM takes a missing `performedAt` for its own "now", the controller's year 0001 it does not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PayloadOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_id: Option<&'a str>,
    artifact_id: &'a str,
    resource_type: &'static str,
    action: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    performed_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

#[derive(Deserialize)]
struct FrameIn<'a> {
    #[serde(borrow, default, rename = "type")]
    event_type: Value<'a>,
    #[serde(borrow, default)]
    payload: Object<PayloadIn<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayloadIn<'a> {
    #[serde(borrow, default)]
    deployment_id: Value<'a>,
    #[serde(borrow, default)]
    artifact_id: Value<'a>,
    #[serde(borrow, default)]
    resource_type: Value<'a>,
    #[serde(borrow, default)]
    action: Value<'a>,
    #[serde(borrow, default)]
    status: Value<'a>,
    #[serde(borrow, default)]
    performed_at: Value<'a>,
    #[serde(borrow, default)]
    error_code: Value<'a>,
}

/// The frame of an ack.
pub fn encode_ack(ack: &Ack) -> String {
    let failed = ack.status == AckStatus::Failed;
    json::write(&FrameOut {
        event_type: TYPE,
        payload: PayloadOut {
            deployment_id: ack.deployment.as_ref().map(DeploymentId::as_str),
            artifact_id: ack.artifact.as_str(),
            resource_type: resource_type(ack.kind),
            action: match ack.action {
                AckAction::Deploy => "deploy",
                AckAction::Undeploy => "undeploy",
            },
            status: if failed { "failed" } else { "success" },
            performed_at: ack.performed_text.as_deref(),
            error_code: failed.then_some(ERROR_CODE),
        },
    })
}

/// Reads an ack, as strictly as the contract allows; the simulated API Manager's side.
///
/// # Errors
/// Anything that a gateway should not send, a name in another case and a failure without an
/// error code among them. The reason names the field.
pub fn decode_ack(frame: &[u8]) -> Result<Ack, DecodeError> {
    let frame: FrameIn<'_> = json::read_object(frame, "frame")?;
    if frame.event_type.required("type")? != TYPE {
        return Err(DecodeError::new("type is not deployment.ack"));
    }
    let payload = frame.payload.fields("payload")?;
    let status = match &*payload.status.required("status")? {
        "success" => AckStatus::Success,
        "failed" => AckStatus::Failed,
        _ => return Err(DecodeError::new("status is neither success nor failed")),
    };
    match (status, payload.error_code.optional("errorCode")?.is_some()) {
        (AckStatus::Success, true) => return Err(DecodeError::new("errorCode beside success")),
        (AckStatus::Failed, false) => return Err(DecodeError::new("errorCode is missing")),
        (AckStatus::Success, false) | (AckStatus::Failed, true) => {}
    }
    let performed_text = payload.performed_at.optional("performedAt")?;
    if performed_text.as_deref().is_some_and(|text| Timestamp::parse(text).is_err()) {
        return Err(DecodeError::new("performedAt is no timestamp"));
    }
    Ok(Ack {
        artifact: ArtifactId::new(&payload.artifact_id.id("artifactId")?),
        kind: kind_of(&payload.resource_type.required("resourceType")?)?,
        deployment: payload
            .deployment_id
            .optional_id("deploymentId")?
            .map(|id| DeploymentId::new(&id)),
        action: match &*payload.action.required("action")? {
            "deploy" => AckAction::Deploy,
            "undeploy" => AckAction::Undeploy,
            _ => return Err(DecodeError::new("action is neither deploy nor undeploy")),
        },
        status,
        performed_text: performed_text.map(Cow::into_owned),
    })
}

/// What an ack calls a kind.
const fn resource_type(kind: Kind) -> &'static str {
    match kind {
        Kind::RestApi => "api",
        Kind::LlmProvider => "llmprovider",
        Kind::LlmProxy => "llmproxy",
        Kind::Mcp => "mcpproxy",
        Kind::WebSubApi => "websub",
        Kind::WebBrokerApi => "webbroker",
    }
}

fn kind_of(name: &str) -> Result<Kind, DecodeError> {
    Kind::ALL
        .into_iter()
        .find(|kind| resource_type(*kind) == name)
        .ok_or_else(|| DecodeError::new("resourceType is unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(kind: Kind, action: AckAction, status: AckStatus) -> Ack {
        Ack {
            artifact: ArtifactId::new("d34a"),
            kind,
            deployment: Some(DeploymentId::new("5a28")),
            action,
            status,
            performed_text: Some("2026-06-17T09:15:00.123456Z".to_owned()),
        }
    }

    #[track_caller]
    fn refuse(from: &str, to: &str, reason: &str) {
        let frame = encode_ack(&ack(Kind::RestApi, AckAction::Deploy, AckStatus::Success));
        assert!(frame.contains(from), "{frame}");
        let found = decode_ack(frame.replace(from, to).as_bytes());
        assert_eq!(found, Err(DecodeError::new(reason)), "{to}");
    }

    #[test]
    fn a_success_is_written_as_the_contract_shows_it() {
        assert_eq!(
            encode_ack(&ack(Kind::RestApi, AckAction::Deploy, AckStatus::Success)),
            concat!(
                r#"{"type":"deployment.ack","payload":{"deploymentId":"5a28","artifactId":"d34a","#,
                r#""resourceType":"api","action":"deploy","status":"success","#,
                r#""performedAt":"2026-06-17T09:15:00.123456Z"}}"#,
            )
        );
    }

    #[test]
    fn a_failure_has_a_code_and_what_is_unknown_is_left_out() {
        let mut failed = ack(Kind::WebSubApi, AckAction::Undeploy, AckStatus::Failed);
        failed.deployment = None;
        failed.performed_text = None;
        assert_eq!(
            encode_ack(&failed),
            concat!(
                r#"{"type":"deployment.ack","payload":{"artifactId":"d34a","#,
                r#""resourceType":"websub","action":"undeploy","status":"failed","#,
                r#""errorCode":"GATEWAY_PROCESSING_ERROR"}}"#,
            )
        );
        assert_eq!(decode_ack(encode_ack(&failed).as_bytes()), Ok(failed));
    }

    #[test]
    fn every_ack_is_read_back() {
        for kind in Kind::ALL {
            for action in [AckAction::Deploy, AckAction::Undeploy] {
                for status in [AckStatus::Success, AckStatus::Failed] {
                    let mut ack = ack(kind, action, status);
                    ack.artifact = ArtifactId::new("quo\"te\\d");
                    assert_eq!(decode_ack(encode_ack(&ack).as_bytes()), Ok(ack));
                }
            }
        }
    }

    #[test]
    fn what_no_gateway_should_send_is_refused() {
        refuse("deployment.ack", "deployment.nack", "type is not deployment.ack");
        refuse("d34a", " ", "artifactId is blank or has control characters");
        refuse("artifactId", "artefactId", "artifactId is missing");
        refuse(r#""api""#, r#""API""#, "resourceType is unknown");
        refuse(r#""deploy""#, r#""Deploy""#, "action is neither deploy nor undeploy");
        refuse(r#""success""#, r#""failure""#, "status is neither success nor failed");
        refuse(r#""success""#, r#""failed""#, "errorCode is missing");
        refuse(r#""success""#, r#""success","errorCode":"900""#, "errorCode beside success");
        refuse("2026-06-17T", "today ", "performedAt is no timestamp");
        refuse(r#""5a28""#, "5", "deploymentId is not a text");
    }
}
