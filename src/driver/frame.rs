//! A text frame, decoded once: whoever delivers it may look at the event before the engine does.

use super::FRAME_BYTES_MAX;
use crate::engine::Input;
use crate::model::{Event, SessionId};
use crate::wire;

/// A text frame and the event that it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    bytes: Vec<u8>,
    read: Result<Event, String>,
}

impl Frame {
    /// Decodes a frame. One that is no event is a frame too: something may have been missed.
    pub fn read(bytes: Vec<u8>) -> Self {
        let read = if bytes.len() > FRAME_BYTES_MAX {
            Err(format!("frame of {} bytes, over {FRAME_BYTES_MAX}", bytes.len()))
        } else {
            wire::decode_event(&bytes).map_err(|error| error.to_string())
        };
        Self { bytes, read }
    }

    /// The event that it is; `None` where it is none.
    pub const fn event(&self) -> Option<&Event> {
        match &self.read {
            Ok(event) => Some(event),
            Err(_) => None,
        }
    }

    /// The frame as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it means to the engine.
    pub(super) fn input(self, session: SessionId) -> Input {
        match self.read {
            Ok(event) => Input::Watched(session, event),
            Err(why) => Input::Malformed(session, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_events_or_malformed() {
        let session = SessionId(4);
        let ack = br#"{"type":"connection.ack","gatewayId":"g"}"#;
        let event = Event::ConnectionAck { gateway: "g".to_owned() };
        assert_eq!(Frame::read(ack.to_vec()).input(session), Input::Watched(session, event));
        let malformed = |reason: &str| Input::Malformed(session, reason.to_owned());
        assert_eq!(Frame::read(b"{}".to_vec()).input(session), malformed("type is missing"));
        let long = vec![b' '; FRAME_BYTES_MAX + 1];
        assert_eq!(
            Frame::read(long).input(session),
            malformed("frame of 1048577 bytes, over 1048576")
        );
    }
}
