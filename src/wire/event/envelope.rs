//! The envelope of events about keys, subscriptions, plans and applications.

use serde::Deserialize;

use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::json::{self, Object, Value};

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
    use crate::model::{Event, ResourceChange, ResourceEvent, ResourceId};
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
}
