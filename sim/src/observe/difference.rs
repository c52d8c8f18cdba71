//! How what a gateway holds differs from what the ledger says that it must.

use driftless_gateway::engine::StatusKind;

/// A difference between what is held and what must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The kind of what it is about.
    pub kind: StatusKind,
    /// What it is about, by its name in the story.
    pub subject: String,
    /// What should be held.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// The first difference of each half. Finding them goes through everything that was issued, so
/// they are found once for all who look at a rest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Differences {
    /// Of what is served.
    pub served: Option<Difference>,
    /// Of keys, subscriptions, plans and applications.
    pub access: Option<Difference>,
}

impl Differences {
    /// The first of them.
    pub fn first(&self) -> Option<&Difference> {
        self.served.as_ref().or(self.access.as_ref())
    }
}
