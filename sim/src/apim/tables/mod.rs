//! What APIM keeps: its artifacts and their history, who may use them, and its gateways.

pub(super) mod access;
pub(super) mod applications;
pub(super) mod artifacts;
pub(super) mod gateways;
pub(super) mod history;
pub(super) mod keys;
pub(super) mod plans;
pub(super) mod subscriptions;
pub(super) mod timeline;
