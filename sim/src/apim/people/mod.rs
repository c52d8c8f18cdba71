//! What people do at APIM.

pub(super) mod artifacts;
pub(super) mod keys;
