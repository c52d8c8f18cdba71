//! Frames of the watch to events (`docs/apim.md` §2, `docs/controller.md` §3).
//!
//! A frame is read in one pass and borrowed from; only what an [`Event`] keeps is copied. Events
//! about resources take a second pass with the fields of their own, so that those about artifacts
//! do not carry them. A type that nobody documented is an event like any other and never ends a
//! session.

mod apikey;
mod application;
mod envelope;
mod plan;
mod resource;
mod subscription;

use std::borrow::Cow;
use std::mem;

use serde::Deserialize;

use super::DecodeError;
use super::json::{self, Object, Value, label};
use crate::model::{ArtifactId, CorrelationId, DeploymentId, Event, EventHead, Kind};
use crate::time::Timestamp;

/// The envelope; `gatewayId` is the flat `connection.ack`'s (`docs/apim.md` §1.2).
#[derive(Deserialize)]
struct EventEnvelope<'a> {
    #[serde(borrow, default, rename = "type")]
    event_type: Value<'a>,
    #[serde(borrow, default)]
    payload: Object<Payload<'a>>,
    #[serde(borrow, default)]
    timestamp: Value<'a>,
    #[serde(borrow, default, rename = "correlationId")]
    correlation: Value<'a>,
    #[serde(borrow, default, rename = "gatewayId")]
    gateway: Value<'a>,
}

/// The payload of deploy, undeploy and delete events of every kind.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default, rename = "apiId")]
    api: Value<'a>,
    #[serde(borrow, default, rename = "providerId")]
    provider: Value<'a>,
    #[serde(borrow, default, rename = "proxyId")]
    proxy: Value<'a>,
    #[serde(borrow, default, rename = "deploymentId")]
    deployment: Value<'a>,
    #[serde(borrow, default, rename = "performedAt")]
    performed_at: Value<'a>,
}

/// What happened to an artifact.
#[derive(Clone, Copy)]
enum Verb {
    Deployed,
    Undeployed,
    Deleted,
}

/// Reads one text frame.
///
/// # Errors
/// What is no event: not one JSON object, without a `type`, or about an artifact or a resource
/// and without its id, or with a field that cannot be read. The reason names fields and positions
/// and nothing else of the frame (C-H52: secrets in logs; law 16).
pub fn decode_event(frame: &[u8]) -> Result<Event, DecodeError> {
    let envelope: EventEnvelope<'_> = json::read_object(frame, "frame")?;
    let event_type = envelope.event_type.required("type")?;
    if event_type == "connection.ack" {
        let gateway = envelope.gateway.id("gatewayId")?.into_owned();
        return Ok(Event::ConnectionAck { gateway });
    }
    let Some((kind, verb)) = artifact_event(&event_type) else {
        return match resource::decode(frame, &event_type) {
            Some(change) => change.map(|change| Event::Changed(Box::new(change))),
            None => Ok(unread(&event_type)),
        };
    };
    let mut payload = envelope.payload.fields("payload")?;
    match verb {
        Verb::Deleted => {
            let artifact = payload.artifact(kind)?;
            let sent_at = read_time(envelope.timestamp, "timestamp")?.map(|(at, _)| at);
            Ok(Event::Deleted { artifact, kind, sent_at })
        }
        Verb::Deployed => Ok(Event::Deployed(payload.head(kind, envelope.correlation)?)),
        Verb::Undeployed => Ok(Event::Undeployed(payload.head(kind, envelope.correlation)?)),
    }
}

/// Kind and verb of an event type that is about an artifact.
fn artifact_event(event_type: &str) -> Option<(Kind, Verb)> {
    let (family, verb) = event_type.split_once('.')?;
    let kind = match family {
        "api" => Kind::RestApi,
        "llmprovider" => Kind::LlmProvider,
        "llmproxy" => Kind::LlmProxy,
        "mcpproxy" => Kind::Mcp,
        "websub" => Kind::WebSubApi,
        "webbroker" => Kind::WebBrokerApi,
        _ => return None,
    };
    let verb = match verb {
        "deployed" => Verb::Deployed,
        "undeployed" => Verb::Undeployed,
        "deleted" => Verb::Deleted,
        _ => return None,
    };
    Some((kind, verb))
}

/// An event whose type says nothing to this engine: it is about secrets, `websub.hmacsecret.*`
/// among them, or nobody documented it.
fn unread(event_type: &str) -> Event {
    let is_about_secrets = event_type.to_ascii_lowercase().contains("secret");
    let event_type = label(event_type);
    if is_about_secrets { Event::NotHeld { event_type } } else { Event::Unknown { event_type } }
}

impl Payload<'_> {
    /// The id of the artifact, under the name that its kind gives it.
    fn artifact(&mut self, kind: Kind) -> Result<ArtifactId, DecodeError> {
        let (id, field) = match kind {
            Kind::RestApi | Kind::WebSubApi | Kind::WebBrokerApi => {
                (&mut self.api, "payload.apiId")
            }
            Kind::LlmProvider => (&mut self.provider, "payload.providerId"),
            Kind::LlmProxy | Kind::Mcp => (&mut self.proxy, "payload.proxyId"),
        };
        Ok(ArtifactId::new(&mem::take(id).id(field)?))
    }

    /// What deploy and undeploy events carry.
    fn head(mut self, kind: Kind, correlation: Value<'_>) -> Result<EventHead, DecodeError> {
        let artifact = self.artifact(kind)?;
        let deployment = self.deployment.optional_id("payload.deploymentId")?;
        let performed = read_time(self.performed_at, "payload.performedAt")?;
        // A correlation id only serves traces, so a strange one is left out.
        let correlation = correlation.optional_id("correlationId").ok().flatten();
        let (performed_at, performed_text) = performed.unzip();
        Ok(EventHead {
            artifact,
            kind,
            deployment: deployment.map(|id| DeploymentId::new(&id)),
            performed_at,
            performed_text: performed_text.map(Cow::into_owned),
            correlation: correlation.map(|id| CorrelationId::new(&id)),
        })
    }
}

/// A moment and its text. Missing is `None` and never the local clock (C-H09: event without
/// time); unreadable is an error.
fn read_time<'a>(
    value: Value<'a>,
    field: &str,
) -> Result<Option<(Timestamp, Cow<'a, str>)>, DecodeError> {
    let text = match value {
        Value::Missing => return Ok(None),
        present => present.required(field)?,
    };
    let at = Timestamp::parse(&text)
        .map_err(|_not_a_timestamp| DecodeError::new(format!("{field} is no timestamp")))?;
    Ok(Some((at, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-04-09T15:40:37.586789Z";

    /// The head of [`DEPLOYED`].
    fn head(kind: Kind) -> EventHead {
        EventHead {
            artifact: ArtifactId::new("d34a"),
            kind,
            deployment: Some(DeploymentId::new("5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8")),
            performed_at: Some(Timestamp::parse(AT).unwrap()),
            performed_text: Some(AT.to_owned()),
            correlation: Some(CorrelationId::new("deploy:5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8")),
        }
    }

    /// `api.deployed` as APIM sends it.
    const DEPLOYED: &str = concat!(
        r#"{"type":"api.deployed","payload":{"apiId":"d34a","#,
        r#""deploymentId":"5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8","#,
        r#""performedAt":"2026-04-09T15:40:37.586789Z"},"#,
        r#""timestamp":"2026-04-09T15:40:37.586789Z","#,
        r#""correlationId":"deploy:5a28c0f4-cf8e-3f75-bfd2-84b50a4d9bb8"}"#,
    );

    #[track_caller]
    fn check(frame: &str, expect: &Event) {
        assert_eq!(decode_event(frame.as_bytes()).as_ref(), Ok(expect), "{frame}");
    }

    #[track_caller]
    fn refuse(frame: &str, reason: &str) {
        let found = decode_event(frame.as_bytes());
        assert_eq!(found, Err(DecodeError::new(reason)), "{frame}");
    }

    #[test]
    fn the_ack_of_a_connection_is_flat() {
        let ack = r#"{"type":"connection.ack","gatewayId":"0f6c","connectionId":"b1","timestamp":"2026-06-17T09:15:00.123456Z"}"#;
        check(ack, &Event::ConnectionAck { gateway: "0f6c".to_owned() });
        refuse(r#"{"type":"connection.ack"}"#, "gatewayId is missing");
        refuse(
            r#"{"type":"connection.ack","payload":{"gatewayId":"0f6c"}}"#,
            "gatewayId is missing",
        );
    }

    #[test]
    fn every_kind_deploys_and_undeploys_under_its_own_id() {
        check(DEPLOYED, &Event::Deployed(head(Kind::RestApi)));
        for (family, field, kind) in [
            ("api", "apiId", Kind::RestApi),
            ("llmprovider", "providerId", Kind::LlmProvider),
            ("llmproxy", "proxyId", Kind::LlmProxy),
            ("mcpproxy", "proxyId", Kind::Mcp),
            ("websub", "apiId", Kind::WebSubApi),
            ("webbroker", "apiId", Kind::WebBrokerApi),
        ] {
            let frame = DEPLOYED
                .replace("api.deployed", &format!("{family}.undeployed"))
                .replace("apiId", field);
            check(&frame, &Event::Undeployed(head(kind)));
            let other = frame.replace(field, "id");
            refuse(&other, &format!("payload.{field} is missing"));
        }
    }

    #[test]
    fn a_delete_carries_only_the_envelopes_time() {
        let frame = r#"{"type":"api.deleted","payload":{"apiId":"d34a"},"timestamp":"2026-06-17T09:15:00.2Z","correlationId":"9b"}"#;
        let sent_at = Some(Timestamp::parse("2026-06-17T09:15:00.2Z").unwrap());
        let artifact = ArtifactId::new("d34a");
        check(frame, &Event::Deleted { artifact: artifact.clone(), kind: Kind::RestApi, sent_at });
        let bare = r#"{"type":"llmproxy.deleted","payload":{"proxyId":"d34a"}}"#;
        check(bare, &Event::Deleted { artifact, kind: Kind::LlmProxy, sent_at: None });
        refuse(&frame.replace("2026-06-17T", "yesterday "), "timestamp is no timestamp");
    }

    #[test]
    fn what_is_missing_is_not_made_up() {
        let bare = r#"{"payload":{"extra":[1],"apiId":"d34a","performedAt":null},"type":"api.deployed","userId":7}"#;
        let expect = EventHead {
            deployment: None,
            performed_at: None,
            performed_text: None,
            correlation: None,
            ..head(Kind::RestApi)
        };
        check(bare, &Event::Deployed(expect));
    }

    #[test]
    fn the_performed_text_is_kept_to_the_letter() {
        let text = "2026-04-09T21:10:37.5867+05:30";
        let frame = DEPLOYED
            .replace(&format!(r#"performedAt":"{AT}"#), &format!(r#"performedAt":"{text}"#));
        let Ok(Event::Deployed(head)) = decode_event(frame.as_bytes()) else { panic!("{frame}") };
        assert_eq!(head.performed_text.as_deref(), Some(text));
        assert_eq!(head.performed_at, Timestamp::parse(text).ok());
    }

    #[test]
    fn events_about_what_is_not_held_are_told_from_unknown_ones() {
        for event_type in
            ["secret.updated", "websub.hmacsecret.created", "webbroker.hmacSecret.deleted"]
        {
            let frame = format!(r#"{{"type":"{event_type}","payload":{{"apiId":5}}}}"#);
            check(&frame, &Event::NotHeld { event_type: event_type.to_owned() });
        }
        for event_type in [
            "api.paused",
            "api",
            "gateway.config.updated",
            "API.deployed",
            "apikeys",
            "apikey.expired",
            "application.created",
            "subscriptionplan.created",
        ] {
            let frame = format!(r#"{{"type":"{event_type}"}}"#);
            check(&frame, &Event::Unknown { event_type: event_type.to_owned() });
        }
    }

    #[test]
    fn a_long_type_is_cut_before_it_is_counted() {
        let frame = format!(r#"{{"type":"a\n{}"}}"#, "b".repeat(100));
        let event_type = format!("a\u{fffd}{}…", "b".repeat(62));
        check(&frame, &Event::Unknown { event_type });
    }

    #[test]
    fn what_is_no_event_is_refused_with_a_reason_that_tells_nothing_of_it() {
        refuse("", "frame is cut off at line 1 column 0");
        refuse("hunter2", "frame is not JSON at line 1 column 1");
        refuse(&DEPLOYED[..40], "frame is cut off at line 1 column 40");
        refuse(
            &format!("{DEPLOYED}{DEPLOYED}"),
            &format!("frame is not JSON at line 1 column {}", DEPLOYED.len() + 1),
        );
        refuse(r#"["api.deployed",{"apiId":"d34a"}]"#, "frame is not an object");
        refuse("null", "frame is not an object");
        refuse(r#"{"payload":{}}"#, "type is missing");
        refuse(r#"{"type":7}"#, "type is not a text");
        refuse(r#"{"type":""}"#, "type is empty");
        refuse(r#"{"type":"api.deployed"}"#, "payload is missing");
        refuse(r#"{"type":"api.deployed","payload":["d34a"]}"#, "payload is not an object");
        refuse(
            r#"{"type":"api.deleted","payload":{"apiId":{"a":1}}}"#,
            "payload.apiId is not a text",
        );
        refuse(r#"{"type":"api.deleted","payload":{"apiId":""}}"#, "payload.apiId is empty");
        refuse(
            r#"{"type":"api.deleted","payload":{"apiId":" "}}"#,
            "payload.apiId is blank or has control characters",
        );
        refuse(
            &DEPLOYED.replace("d34a", &"a".repeat(256)),
            "payload.apiId has 256 bytes, over 255",
        );
        refuse(&DEPLOYED.replace("T15:40", "T25:40"), "payload.performedAt is no timestamp");
        refuse(
            &DEPLOYED.replace(&format!("\"{AT}\""), "1775749237586"),
            "payload.performedAt is not a text",
        );
        refuse(
            r#"{"type":"api.deployed","payload":{"apiId":"a","deploymentId":5}}"#,
            "payload.deploymentId is not a text",
        );
        refuse(r#"{"type":"a","type":"b"}"#, "frame gives type twice, at line 1 column 18");
        refuse(
            r#"{"type":"a","payload":{},"payload":{}}"#,
            "frame gives payload twice, at line 1 column 34",
        );
        refuse(
            r#"{"type":"a","payload":{"apiId":"1","apiId":"2"}}"#,
            "frame gives apiId twice, at line 1 column 42",
        );
    }

    #[test]
    fn a_frame_of_open_brackets_is_refused_without_recursion() {
        let frame = "[".repeat(1 << 20);
        assert!(decode_event(frame.as_bytes()).is_err());
        let nested = format!(r#"{{"type":"x.y","extra":{}"#, "[".repeat(1 << 20));
        assert!(decode_event(nested.as_bytes()).is_err());
    }
}
