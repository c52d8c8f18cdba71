//! Events about keys, subscriptions, plans and applications: which there are, and their envelope.

use serde::Deserialize;

use super::{apikey, application, plan, subscription};
use crate::model::ResourceEvent;
use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::json::{self, Object, Value};

/// Reads an event about a resource; `None` when its type is no such event's.
pub(super) fn decode(frame: &[u8], event_type: &str) -> Option<Result<ResourceEvent, DecodeError>> {
    Some(match event_type {
        "apikey.created" => apikey::issued(frame, false),
        "apikey.updated" => apikey::issued(frame, true),
        "apikey.revoked" => apikey::revoked(frame),
        "subscription.created" => subscription::created(frame),
        "subscription.updated" => subscription::updated(frame),
        "subscription.deleted" => subscription::deleted(frame),
        "subscriptionPlan.created" => plan::created(frame),
        "subscriptionPlan.updated" => plan::updated(frame),
        "subscriptionPlan.deleted" => plan::deleted(frame),
        "application.updated" => application::updated(frame),
        "application.deleted" => application::deleted(frame),
        _ => return None,
    })
}

/// The envelope of an event whose payload has the fields of `P`.
#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct Envelope<'a, P> {
    #[serde(default)]
    payload: Object<P>,
    #[serde(borrow, default)]
    timestamp: Value<'a>,
}

/// Payload and time of an event. A time that cannot be read counts as a missing one: it only
/// orders events, and a revocation must not fail over it.
pub(super) fn read<'de, P: Deserialize<'de>>(
    frame: &'de [u8],
) -> Result<(P, Option<Timestamp>), DecodeError> {
    let envelope: Envelope<'de, P> = json::read_object(frame, "frame")?;
    let payload = envelope.payload.fields("payload")?;
    Ok((payload, envelope.timestamp.time("timestamp").ok().flatten()))
}

/// The error, told of a field of the payload.
pub(super) fn of_payload(error: DecodeError) -> DecodeError {
    error.of("payload")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Event, ResourceChange, ResourceId};
    use crate::wire::decode_event;

    /// The envelope's time in [`frame`].
    pub(in crate::wire::event) const AT: &str = "2026-06-17T09:15:00.123456Z";

    /// A frame as APIM and the Platform API send it.
    pub(in crate::wire::event) fn frame(event_type: &str, payload: &str) -> String {
        format!(
            r#"{{"type":"{event_type}","payload":{payload},"timestamp":"{AT}","correlationId":"9b","userId":"alice@carbon.super"}}"#
        )
    }

    #[track_caller]
    pub(in crate::wire::event) fn check(
        event_type: &str,
        payload: &str,
        id: &ResourceId,
        change: &ResourceChange,
    ) {
        let event = ResourceEvent {
            id: id.clone(),
            change: change.clone(),
            sent_at: Timestamp::parse(AT).ok(),
        };
        assert_eq!(event.event_type(), event_type);
        let found = decode_event(frame(event_type, payload).as_bytes());
        assert_eq!(found, Ok(Event::Changed(Box::new(event))), "{event_type} {payload}");
    }

    #[track_caller]
    pub(in crate::wire::event) fn refuse(event_type: &str, payload: &str, reason: &str) {
        let found = decode_event(frame(event_type, payload).as_bytes());
        assert_eq!(found, Err(DecodeError::new(reason)), "{event_type} {payload}");
    }

    const TYPES: [&str; 11] = [
        "apikey.created",
        "apikey.updated",
        "apikey.revoked",
        "subscription.created",
        "subscription.updated",
        "subscription.deleted",
        "subscriptionPlan.created",
        "subscriptionPlan.updated",
        "subscriptionPlan.deleted",
        "application.updated",
        "application.deleted",
    ];

    #[test]
    fn every_one_needs_a_payload_with_an_id() {
        for event_type in TYPES {
            refuse(event_type, "null", "payload is missing");
            refuse(event_type, "[]", "payload is not an object");
            refuse(event_type, "\"hunter2\"", "payload is not an object");
            let id = match event_type.split_once('.').unwrap().0 {
                "apikey" => "apiId",
                "subscription" => "subscriptionId",
                "subscriptionPlan" => "planId",
                _ => "applicationUuid",
            };
            refuse(event_type, "{}", &format!("payload.{id} is missing"));
            refuse(event_type, &format!(r#"{{"{id}":7}}"#), &format!("payload.{id} is not a text"));
            let blank = format!("payload.{id} is blank or has control characters");
            refuse(event_type, &format!(r#"{{"{id}":"a\u0000"}}"#), &blank);
        }
    }

    #[test]
    fn a_time_that_says_nothing_is_no_time() {
        let event = frame("subscription.deleted", r#"{"subscriptionId":"s1"}"#);
        for (timestamp, sent_at) in [
            (format!("\"{AT}\""), Timestamp::parse(AT).ok()),
            ("\"2026-06-17T09:15:00Z\"".to_owned(), Timestamp::parse("2026-06-17T09:15:00Z").ok()),
            ("null".to_owned(), None),
            ("\"\"".to_owned(), None),
            ("\"yesterday\"".to_owned(), None),
            ("1781687700000".to_owned(), None),
        ] {
            let event = event.replace(&format!("\"{AT}\""), &timestamp);
            let Ok(Event::Changed(found)) = decode_event(event.as_bytes()) else {
                panic!("{event}")
            };
            assert_eq!(found.sent_at, sent_at, "{timestamp}");
        }
    }

    #[test]
    fn a_frame_that_ends_in_the_middle_is_no_event() {
        let event = frame("subscriptionPlan.deleted", r#"{"planId":"p1"}"#);
        for length in 0..event.len() {
            assert!(decode_event(&event.as_bytes()[..length]).is_err());
        }
    }
}
