//! What a data plane needs: a [`Snapshot`] of all that is served, and what a request may do.
//!
//! Three parts, so that each can be judged alone:
//!
//! - [`Snapshot::judge`] says what the configuration allows; pure.
//! - [`Throttle::take`] counts what was allowed; the only state.
//! - [`admit`] is both.
//!
//! Nothing here reads a clock, decodes bytes or knows the engine: facts come in as values of
//! [`crate::model`], and `now` is an argument. Where the facts do not say enough to allow a
//! request it is refused, with the reason.

mod refusal;
mod request;

mod keyring;
mod multimap;
mod operations;
mod path;
mod routes;
mod snapshot;
mod subscribers;
mod template;

mod grant;
mod judge;

mod definition_cache;
mod throttle;

pub use definition_cache::DefinitionCache;
pub use grant::{Charge, Grant, Subject};
pub use refusal::{Level, Refusal};
pub use request::{ApiRequest, Principal};
pub use routes::Collision;
pub use snapshot::{Snapshot, SnapshotChange};
pub use throttle::{Throttle, ThrottleConfig};

use crate::time::Timestamp;

/// Judges a request and counts it: a request that is refused, for whatever reason, uses nothing.
///
/// # Errors
/// The refusal.
pub fn admit(
    snapshot: &Snapshot,
    request: &ApiRequest<'_>,
    now: Timestamp,
    throttle: &mut Throttle,
) -> Result<Grant, Refusal> {
    let grant = snapshot.judge(request, now)?;
    throttle.take(&grant, now)?;
    Ok(grant)
}

#[cfg(test)]
mod tests;
