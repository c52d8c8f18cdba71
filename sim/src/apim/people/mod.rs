//! What people do at APIM.

mod applications;
pub(super) mod artifacts;
pub(super) mod grants;
mod keys;
mod plans;
mod subscriptions;
