//! Events about keys, subscriptions, plans and applications: which there are.

use super::{apikey, application, plan, subscription};
use crate::model::ResourceEvent;
use crate::wire::DecodeError;

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

#[cfg(test)]
mod tests {
    use super::super::envelope::tests::{AT, frame, refuse};

    use crate::model::Event;
    use crate::time::Timestamp;
    use crate::wire::decode_event;

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
