//! Identities. Texts are APIM's own and opaque; numbers are the engine's and fence late answers.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name {
            /// The first bytes of the text. Ids are random, so this settles nearly every
            /// comparison without looking at the text, and maps are full of comparisons.
            prefix: u64,
            text: Arc<str>,
        }

        impl $name {
            /// The identity with this text.
            pub fn new(text: &str) -> Self {
                Self { prefix: prefix_of(text), text: Arc::from(text) }
            }

            /// The text as APIM wrote it.
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl Ord for $name {
            /// The order of the texts.
            fn cmp(&self, other: &Self) -> Ordering {
                self.prefix.cmp(&other.prefix).then_with(|| {
                    if Arc::ptr_eq(&self.text, &other.text) {
                        return Ordering::Equal;
                    }
                    self.text.cmp(&other.text)
                })
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

/// The first eight bytes as a number that orders as they do; a shorter text is padded with zeros.
fn prefix_of(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    u64::from_be_bytes(bytes)
}

text_id! {
    /// The UUID of an artifact (an API, an LLM provider, …) at the control plane.
    ArtifactId
}
text_id! {
    /// The id of one revision's deployment to one gateway. APIM derives it from API, gateway and
    /// revision, so redeploying a revision uses the same id again (`contract/apim.md` §5.2).
    DeploymentId
}
text_id! {
    /// The correlation id of an event; the same for every deploy of one revision (§2.1).
    CorrelationId
}
text_id! {
    /// The UUID of one API key. Regenerating a key makes a new one that no event names (A-H31).
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
        let texts = ["", "a", "a\0", "ab", "abcdefgh", "abcdefgh1", "abcdefgh2", "b", "é"];
        for one in texts {
            for other in texts {
                let (left, right) = (ArtifactId::new(one), ArtifactId::new(other));
                assert_eq!(left.cmp(&right), one.cmp(other), "{one:?} {other:?}");
                assert_eq!(left == right, one == other, "{one:?} {other:?}");
            }
        }
    }
}
