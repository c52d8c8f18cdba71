//! Identities. Texts are APIM's own and opaque; numbers are the engine's and fence late answers.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A text of up to this many bytes is held in place: a UUID has 36.
const SHORT_BYTES_MAX: usize = 38;

/// The text of an id. Nearly every id is a UUID, and ids are copied and compared all the time.
#[derive(Clone, Eq)]
enum Text {
    /// The bytes, with zeros behind the text, so that they order as the texts do.
    Short {
        bytes: [u8; SHORT_BYTES_MAX],
        length: u8,
    },
    Long(Arc<str>),
}

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { bytes, length }
            }
            _ => Self::Long(Arc::from(text)),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            // The bytes are a text's, so they always are one.
            Self::Short { bytes, length } => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl Text {
    /// The order of the texts, where the first bytes do not tell.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (
                Self::Short { bytes, length },
                Self::Short { bytes: other_bytes, length: other_length },
            ) if is_same(bytes, other_bytes) => length.cmp(other_length),
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Short { bytes, length },
                Self::Short { bytes: other_bytes, length: other_length },
            ) => length == other_length && is_same(bytes, other_bytes),
            _ => self.as_str() == other.as_str(),
        }
    }
}

/// Whether the bytes are the same, looked at eight at a time; the last eight overlap.
fn is_same(one: &[u8; SHORT_BYTES_MAX], other: &[u8; SHORT_BYTES_MAX]) -> bool {
    let differ =
        |one: &[u8; 8], other: &[u8; 8]| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other);
    let mut found = 0;
    for (one, other) in one.as_chunks().0.iter().zip(other.as_chunks().0) {
        found |= differ(one, other);
    }
    if let (Some(one), Some(other)) = (one.last_chunk(), other.last_chunk()) {
        found |= differ(one, other);
    }
    found == 0
}

/// The first eight bytes as a number that orders as they do; a shorter text is padded with zeros.
fn prefix_of(text: &str) -> u64 {
    if let Some(first) = text.as_bytes().first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    u64::from_be_bytes(bytes)
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            /// The first bytes of the text. Ids are random, so this settles nearly every
            /// comparison without looking at the text, and maps are full of comparisons.
            prefix: u64,
            text: Text,
        }

        impl $name {
            /// The identity with this text.
            pub fn new(text: &str) -> Self {
                Self { prefix: prefix_of(text), text: Text::new(text) }
            }

            /// The text as APIM wrote it.
            pub fn as_str(&self) -> &str {
                self.text.as_str()
            }
        }

        impl Ord for $name {
            /// The order of the texts.
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                if self.prefix == other.prefix {
                    self.text.order(&other.text)
                } else {
                    self.prefix.cmp(&other.prefix)
                }
            }
        }

        impl PartialOrd for $name {
            #[inline]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// The UUID of an artifact (an API, an LLM provider, …) at the control plane.
    ArtifactId
}
text_id! {
    /// The id of one revision's deployment to one gateway. APIM derives it from API, gateway and
    /// revision, so redeploying a revision uses the same id again (`docs/apim.md` §5.2).
    DeploymentId
}
text_id! {
    /// The correlation id of an event; the same for every deploy of one revision
    /// (`docs/apim.md` §2.1).
    CorrelationId
}
text_id! {
    /// The UUID of one API key. Regenerating a key makes a new one that no event names
    /// (A-H31: UUID left out).
    KeyUuid
}
text_id! {
    /// The id of a subscription.
    SubscriptionId
}
text_id! {
    /// The id of a subscription plan.
    PlanId
}
text_id! {
    /// The UUID of an application.
    ApplicationId
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

number_id! {
    /// One attempt to hold a session. An input of an earlier session is ignored.
    SessionId, "s"
}
number_id! {
    /// One request. An answer to a request that is no longer awaited is ignored.
    RequestId, "r"
}
number_id! {
    /// One durable write.
    WriteId, "w"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_as_their_texts_do() {
        let (long, longer) = ("a".repeat(SHORT_BYTES_MAX), "a".repeat(SHORT_BYTES_MAX + 1));
        let texts =
            ["", "a", "a\0", "ab", "abcdefgh", "abcdefgh1", "abcdefgh2", "b", "é", "a\u{1}"];
        let texts = texts.into_iter().chain([long.as_str(), longer.as_str()]);
        for one in texts.clone() {
            for other in texts.clone() {
                let (left, right) = (ArtifactId::new(one), ArtifactId::new(other));
                assert_eq!(left.cmp(&right), one.cmp(other), "{one:?} {other:?}");
                assert_eq!(left.as_str(), one);
                assert_eq!(left == right, one == other, "{one:?} {other:?}");
            }
        }
    }
}
