//! `subscription.created`, `subscription.updated` and `subscription.deleted`
//! (`docs/controller.md` §3).

use std::mem;

use super::envelope::{of_payload, read};
use crate::model::{ResourceChange, ResourceEvent, ResourceId, SubscriptionClaim, SubscriptionId};
use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::subscriptions::SubscriptionFields;

/// Reads `subscription.created`, which has to name its API.
pub(super) fn created(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (id, claim, sent_at) = claim(frame)?;
    if claim.artifact.is_none() {
        return Err(DecodeError::new("payload.apiId is missing"));
    }
    Ok(ResourceEvent { id, change: ResourceChange::SubscriptionCreated(claim), sent_at })
}

/// Reads `subscription.updated`.
pub(super) fn updated(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (id, claim, sent_at) = claim(frame)?;
    Ok(ResourceEvent { id, change: ResourceChange::SubscriptionUpdated(claim), sent_at })
}

/// Reads `subscription.deleted`.
pub(super) fn deleted(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (mut payload, sent_at): (SubscriptionFields<'_>, _) = read(frame)?;
    Ok(ResourceEvent { id: address(&mut payload)?, change: ResourceChange::Deleted, sent_at })
}

fn claim(frame: &[u8]) -> Result<(ResourceId, SubscriptionClaim, Option<Timestamp>), DecodeError> {
    let (mut payload, sent_at): (SubscriptionFields<'_>, _) = read(frame)?;
    let id = address(&mut payload)?;
    Ok((id, payload.claim().map_err(of_payload)?, sent_at))
}

fn address(payload: &mut SubscriptionFields<'_>) -> Result<ResourceId, DecodeError> {
    let id = mem::take(&mut payload.subscription_id).id("subscriptionId").map_err(of_payload)?;
    Ok(ResourceId::Subscription(SubscriptionId::new(&id)))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::super::envelope::tests::{check, refuse};
    use super::*;
    use crate::model::{ApplicationId, ArtifactId, PlanId, SecretHash, SubscriptionStatus};

    /// The payload as the Platform API sends it.
    const PAYLOAD: &str = r#"{"apiId":"d34a","subscriptionId":"s1","applicationId":"app1","subscriptionToken":"t0k-en","subscriptionPlanId":"p1","status":"ACTIVE","billingCustomerId":""}"#;

    fn id() -> ResourceId {
        ResourceId::Subscription(SubscriptionId::new("s1"))
    }

    fn whole() -> SubscriptionClaim {
        SubscriptionClaim {
            artifact: Some(ArtifactId::new("d34a")),
            application: Some(ApplicationId::new("app1")),
            token: Some(SecretHash(Sha256::digest("t0k-en").into())),
            plan: Some(PlanId::new("p1")),
            status: Some(SubscriptionStatus::Active),
        }
    }

    #[track_caller]
    fn check_claim(payload: &str, claim: &SubscriptionClaim) {
        let created = ResourceChange::SubscriptionCreated(claim.clone());
        check("subscription.created", payload, &id(), &created);
        let updated = ResourceChange::SubscriptionUpdated(claim.clone());
        check("subscription.updated", payload, &id(), &updated);
    }

    #[test]
    fn a_subscription_is_read_as_it_is_sent_and_its_token_is_a_hash() {
        check_claim(PAYLOAD, &whole());
        check("subscription.deleted", PAYLOAD, &id(), &ResourceChange::Deleted);
        let bare = r#"{"subscriptionId":"s1"}"#;
        check("subscription.deleted", bare, &id(), &ResourceChange::Deleted);
    }

    #[test]
    fn what_is_left_out_is_none() {
        let claim = SubscriptionClaim {
            application: None,
            token: None,
            plan: None,
            status: None,
            ..whole()
        };
        check_claim(r#"{"subscriptionId":"s1","apiId":"d34a"}"#, &claim);
        let empty = r#"{"subscriptionId":"s1","apiId":"d34a","applicationId":"","subscriptionToken":"","subscriptionPlanId":null,"status":""}"#;
        check_claim(empty, &claim);
        let bare = SubscriptionClaim { artifact: None, ..claim };
        let updated = ResourceChange::SubscriptionUpdated(bare);
        check("subscription.updated", r#"{"subscriptionId":"s1"}"#, &id(), &updated);
        let payload = r#"{"subscriptionId":"s1","status":"ACTIVE"}"#;
        refuse("subscription.created", payload, "payload.apiId is missing");
    }

    #[test]
    fn a_status_is_read_in_the_words_of_either_control_plane() {
        for (word, status) in [
            ("UNBLOCKED", SubscriptionStatus::Active),
            ("blocked", SubscriptionStatus::Blocked),
            ("PROD_ONLY_BLOCKED", SubscriptionStatus::ProdOnlyBlocked),
            ("REVOKED", SubscriptionStatus::Revoked),
            ("NAPPING\\u0007", SubscriptionStatus::Unclear("NAPPING\u{fffd}".to_owned())),
        ] {
            let claim = SubscriptionClaim { status: Some(status), ..whole() };
            check_claim(&PAYLOAD.replace("ACTIVE", word), &claim);
        }
    }

    #[test]
    fn a_field_of_another_type_is_refused_by_name() {
        for (value, field) in [
            (r#""d34a""#, "apiId"),
            (r#""app1""#, "applicationId"),
            (r#""t0k-en""#, "subscriptionToken"),
            (r#""p1""#, "subscriptionPlanId"),
            (r#""ACTIVE""#, "status"),
        ] {
            let payload = PAYLOAD.replace(value, "{\"hunter2\":1}");
            for event_type in ["subscription.created", "subscription.updated"] {
                refuse(event_type, &payload, &format!("payload.{field} is not a text"));
            }
        }
    }
}
