//! `subscriptionPlan.created`, `subscriptionPlan.updated` and `subscriptionPlan.deleted`
//! (`docs/controller.md` §3).

use std::mem;

use super::envelope::{of_payload, read};
use crate::model::{Plan, PlanId, ResourceChange, ResourceEvent, ResourceId};
use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::plans::PlanFields;

/// Reads `subscriptionPlan.created`.
pub(super) fn created(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (id, plan, sent_at) = plan(frame)?;
    Ok(ResourceEvent { id, change: ResourceChange::PlanCreated(plan), sent_at })
}

/// Reads `subscriptionPlan.updated`, which says all of the plan.
pub(super) fn updated(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (id, plan, sent_at) = plan(frame)?;
    Ok(ResourceEvent { id, change: ResourceChange::PlanUpdated(plan), sent_at })
}

/// Reads `subscriptionPlan.deleted`.
pub(super) fn deleted(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (mut payload, sent_at): (PlanFields<'_>, _) = read(frame)?;
    Ok(ResourceEvent { id: address(&mut payload)?, change: ResourceChange::Deleted, sent_at })
}

fn plan(frame: &[u8]) -> Result<(ResourceId, Plan, Option<Timestamp>), DecodeError> {
    let (mut payload, sent_at): (PlanFields<'_>, _) = read(frame)?;
    let id = address(&mut payload)?;
    Ok((id, payload.plan().map_err(of_payload)?, sent_at))
}

fn address(payload: &mut PlanFields<'_>) -> Result<ResourceId, DecodeError> {
    let id = mem::take(&mut payload.plan_id).id("planId").map_err(of_payload)?;
    Ok(ResourceId::Plan(PlanId::new(&id)))
}

#[cfg(test)]
mod tests {
    use super::super::envelope::tests::{check, refuse};
    use super::*;
    use crate::model::{Quota, QuotaUnit};

    /// The payload as the Platform API sends it.
    const PAYLOAD: &str = r#"{"planId":"p1","planName":"Gold","billingPlan":"free","stopOnQuotaReach":true,"throttleLimitCount":20,"throttleLimitUnit":"MINUTE","expiryTime":"2027-01-01T00:00:00Z","status":"ACTIVE"}"#;

    fn id() -> ResourceId {
        ResourceId::Plan(PlanId::new("p1"))
    }

    fn gold() -> Plan {
        Plan {
            name: "Gold".to_owned(),
            quota: Some(Quota { count: 20, unit: QuotaUnit::Minute }),
            stops_on_quota: true,
            expires_at: Timestamp::parse("2027-01-01T00:00:00Z").ok(),
            is_active: true,
        }
    }

    #[track_caller]
    fn check_plan(payload: &str, plan: &Plan) {
        let created = ResourceChange::PlanCreated(plan.clone());
        check("subscriptionPlan.created", payload, &id(), &created);
        let updated = ResourceChange::PlanUpdated(plan.clone());
        check("subscriptionPlan.updated", payload, &id(), &updated);
    }

    #[test]
    fn a_plan_is_read_as_it_is_sent() {
        check_plan(PAYLOAD, &gold());
        let unlimited = Plan {
            name: "Unlimited".to_owned(),
            quota: None,
            stops_on_quota: false,
            expires_at: None,
            is_active: false,
        };
        let payload = r#"{"planId":"p1","planName":"Unlimited","stopOnQuotaReach":false,"status":"INACTIVE"}"#;
        check_plan(payload, &unlimited);
        for payload in [PAYLOAD, r#"{"planId":"p1"}"#] {
            check("subscriptionPlan.deleted", payload, &id(), &ResourceChange::Deleted);
        }
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        for (from, to, reason) in [
            ("MINUTE", "fortnight", "throttleLimitUnit is no unit of time"),
            ("\"MINUTE\"", "null", "throttleLimitUnit is missing"),
            ("20,", "null,", "throttleLimitCount is missing"),
            ("20,", "-1,", "throttleLimitCount is not a whole number from 0 up"),
            ("\"Gold\"", "null", "planName is missing"),
            ("true,", "\"true\",", "stopOnQuotaReach is not true or false"),
            ("2027-01-01", "2027-02-30", "expiryTime is no timestamp"),
            ("ACTIVE", "ARCHIVED", "status is neither ACTIVE nor INACTIVE"),
        ] {
            for event_type in ["subscriptionPlan.created", "subscriptionPlan.updated"] {
                let payload = PAYLOAD.replace(from, to);
                refuse(event_type, &payload, &format!("payload.{reason}"));
            }
        }
    }
}
