//! Identities. Texts are APIM's own and opaque; numbers are the engine's and fence late answers.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identity with this text.
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// The text as APIM wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
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
    /// revision, so redeploying a revision uses the same id again (`contract/apim.md` §5.2).
    DeploymentId
}
text_id! {
    /// The correlation id of an event; the same for every deploy of one revision (§2.1).
    CorrelationId
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
