//! Events: what they say, where they wait, the sessions they go over, and the acks that come back.

pub(super) mod access;
pub(super) mod acks;
pub(super) mod artifacts;
pub(super) mod registry;
pub(super) mod sessions;
pub(super) mod store;
