//! What happened to a key, a subscription or a plan, as its events tell it.

use super::ids::KeyIndex;
use super::ledger::Secret;

/// What happened to a key.
#[derive(Clone, Copy)]
pub(super) enum KeyChange<'a> {
    /// It was created; its text is known for this once.
    Created(KeyIndex, &'a Secret),
    /// The first was replaced by the second.
    Regenerated(KeyIndex, KeyIndex, &'a Secret),
    /// It was revoked.
    Revoked(KeyIndex),
}

/// What happened to a subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SubscriptionChange {
    /// It is new.
    Created,
    /// Its status or plan changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// What happened to a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PlanChange {
    /// It is new.
    Created,
    /// Its limit changed.
    Updated,
    /// It is gone.
    Deleted,
}
