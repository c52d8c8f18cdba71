//! Lists as requests.

use super::schedule::{ListId, Worth};
use crate::engine::action::Request;
use crate::model::{Listed, Listing};

impl ListId {
    /// The request for the list.
    pub(in crate::engine) fn request(&self) -> Request {
        match self {
            Self::Artifacts => Request::List,
            Self::Plans => Request::ReadPlans,
            Self::Keys(kind) => Request::ReadKeys(*kind),
            Self::Subscriptions(artifact) => Request::ReadSubscriptions(artifact.clone()),
        }
    }

    /// The list that a request is for.
    pub(in crate::engine) fn of(request: &Request) -> Option<Self> {
        match request {
            Request::List => Some(Self::Artifacts),
            Request::ReadPlans => Some(Self::Plans),
            Request::ReadKeys(kind) => Some(Self::Keys(*kind)),
            Request::ReadSubscriptions(artifact) => Some(Self::Subscriptions(artifact.clone())),
            Request::Discover
            | Request::Fetch(..)
            | Request::FetchBatch(..)
            | Request::CheckExists(_) => None,
        }
    }
}

impl Worth {
    /// What a list of artifacts is worth; `unusable` says what of it cannot be used.
    pub(in crate::engine) fn of_listing(listing: &Listing, unusable: Option<String>) -> Self {
        Self { is_complete: listing.is_complete(), unusable }
    }

    /// What a list of keys, subscriptions or plans is worth.
    pub(in crate::engine) fn of<T>(list: &Listed<T>) -> Self {
        let count = list.unreadable.len();
        let first = list.unreadable.first();
        let unusable = first.map(|why| format!("{count} list items could not be read: {why}"));
        Self { is_complete: list.is_complete(), unusable }
    }
}
