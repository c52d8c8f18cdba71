//! Subscriptions and plans in bulk (`contract/controller.md` §2.3, §2.4).

use super::DecodeError;
use crate::model::{ArtifactId, Plan, PlanId, Roll, Subscription, SubscriptionId};

/// Reads the answer to `GET /apis/{id}/subscriptions`.
///
/// # Errors
/// Anything but an array of objects.
pub fn decode_subscriptions(
    _body: &[u8],
    _artifact: &ArtifactId,
) -> Result<Roll<(SubscriptionId, Subscription)>, DecodeError> {
    Err(DecodeError::new("subscriptions are not read yet"))
}

/// Reads the answer to `GET /subscription-plans`.
///
/// # Errors
/// Anything but an array of objects.
pub fn decode_plans(_body: &[u8]) -> Result<Roll<(PlanId, Plan)>, DecodeError> {
    Err(DecodeError::new("plans are not read yet"))
}
