//! Subscription plans in bulk (`docs/controller.md` §2.3), and what events say about one.

use serde::Deserialize;

use super::DecodeError;
use super::json::Value;
use super::listed::{self, Item};
use crate::model::{Listed, Plan, PlanId, Quota, QuotaUnit};

/// A plan as it came; `billingPlan` is of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanFields<'a> {
    /// Its id in a list.
    #[serde(borrow, default)]
    id: Value<'a>,
    /// Its id in an event.
    #[serde(borrow, default)]
    pub(super) plan_id: Value<'a>,
    #[serde(borrow, default)]
    plan_name: Value<'a>,
    #[serde(borrow, default)]
    stop_on_quota_reach: Value<'a>,
    #[serde(borrow, default)]
    throttle_limit_count: Value<'a>,
    #[serde(borrow, default)]
    throttle_limit_unit: Value<'a>,
    #[serde(borrow, default)]
    expiry_time: Value<'a>,
    #[serde(borrow, default)]
    status: Value<'a>,
}

impl PlanFields<'_> {
    /// What they say besides the id. A plan that does not say whether it stops at its limit does,
    /// which is the stricter reading and APIM's default.
    pub(super) fn plan(self) -> Result<Plan, DecodeError> {
        let stops = &self.stop_on_quota_reach;
        Ok(Plan {
            stops_on_quota: !stops.is_present() || stops.flag("stopOnQuotaReach")?,
            quota: read_quota(&self.throttle_limit_count, self.throttle_limit_unit)?,
            name: self.plan_name.name("planName")?.into_owned(),
            expires_at: self.expiry_time.time("expiryTime")?,
            is_active: read_status(self.status)?,
        })
    }
}

/// The limit. One of nothing in no unit is what a sender without optional numbers writes for
/// none; half a limit cannot be kept.
fn read_quota(count: &Value<'_>, unit: Value<'_>) -> Result<Option<Quota>, DecodeError> {
    let (count, unit) = (count.number("throttleLimitCount")?, unit.optional("throttleLimitUnit")?);
    let unit = match unit {
        None => None,
        Some(text) => Some(
            QuotaUnit::parse(&text)
                .ok_or_else(|| DecodeError::new("throttleLimitUnit is no unit of time"))?,
        ),
    };
    match (count, unit) {
        (None | Some(0), None) => Ok(None),
        (Some(count), Some(unit)) => Ok(Some(Quota { count, unit })),
        (None, Some(_)) => Err(DecodeError::new("throttleLimitCount is missing")),
        (Some(_), None) => Err(DecodeError::new("throttleLimitUnit is missing")),
    }
}

fn read_status(status: Value<'_>) -> Result<bool, DecodeError> {
    let status = status.required("status")?;
    if status.eq_ignore_ascii_case("active") {
        Ok(true)
    } else if status.eq_ignore_ascii_case("inactive") {
        Ok(false)
    } else {
        Err(DecodeError::new("status is neither ACTIVE nor INACTIVE"))
    }
}

impl<'de> Item<'de> for (PlanId, Plan) {
    type Fields = PlanFields<'de>;

    fn read(mut fields: Self::Fields) -> Result<Self, DecodeError> {
        let id = PlanId::new(&std::mem::take(&mut fields.id).id("id")?);
        Ok((id, fields.plan()?))
    }
}

/// Reads the answer to `GET /subscription-plans`.
///
/// # Errors
/// Anything but an array (law 3). An item that cannot be read or contradicts another one is no
/// error; the others count.
pub fn decode_plans(body: &[u8]) -> Result<Listed<(PlanId, Plan)>, DecodeError> {
    listed::read_list_by_id(body, "plan list", |_: &(PlanId, Plan)| None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    /// An item as the Platform API sends it.
    const ITEM: &str = r#"{"id":"p1","handle":"gold","planName":"Gold","billingPlan":"free","stopOnQuotaReach":true,"throttleLimitCount":20,"throttleLimitUnit":"Min","expiryTime":"2027-01-01T00:00:00Z","status":"ACTIVE","etag":"e"}"#;

    fn plan() -> Plan {
        Plan {
            name: "Gold".to_owned(),
            quota: Some(Quota { count: 20, unit: QuotaUnit::Minute }),
            stops_on_quota: true,
            expires_at: Timestamp::parse("2027-01-01T00:00:00Z").ok(),
            is_active: true,
        }
    }

    #[track_caller]
    fn check(body: &str, items: Vec<(&str, Plan)>, unreadable: &[&str]) {
        let items = items.into_iter().map(|(id, item)| (PlanId::new(id), item)).collect();
        let unreadable = unreadable.iter().map(|reason| (*reason).to_owned()).collect();
        assert_eq!(decode_plans(body.as_bytes()), Ok(Listed { items, unreadable }), "{body}");
    }

    #[track_caller]
    fn check_item(item: &str, expect: Plan) {
        check(&format!("[{item}]"), vec![("p1", expect)], &[]);
    }

    /// A list of one bad item beside a good one.
    #[track_caller]
    fn unreadable(bad: &str, reason: &str) {
        let body = format!("[{},{bad}]", ITEM.replace("p1", "p2"));
        check(&body, vec![("p2", plan())], &[&format!("item 1: {reason}")]);
    }

    #[test]
    fn an_item_is_a_plan() {
        check_item(ITEM, plan());
        let bare = r#"{"id":"p1","planName":"Unlimited","stopOnQuotaReach":false,"throttleLimitCount":null,"status":"inactive"}"#;
        let expect = Plan {
            name: "Unlimited".to_owned(),
            quota: None,
            stops_on_quota: false,
            expires_at: None,
            is_active: false,
        };
        check_item(bare, expect);
        let zero = ITEM.replace("20,", "0,").replace(r#""Min""#, r#""""#);
        check_item(&zero, Plan { quota: None, ..plan() });
        check_item(&ITEM.replace(r#""stopOnQuotaReach":true,"#, ""), plan());
    }

    #[test]
    fn every_unit_of_time_is_read() {
        for (text, unit) in [
            ("SECOND", QuotaUnit::Second),
            ("sec", QuotaUnit::Second),
            ("minute", QuotaUnit::Minute),
            ("Hour", QuotaUnit::Hour),
            ("DAY", QuotaUnit::Day),
            ("Month", QuotaUnit::Month),
        ] {
            let quota = Some(Quota { count: 20, unit });
            check_item(&ITEM.replace("Min", text), Plan { quota, ..plan() });
        }
    }

    #[test]
    fn only_an_array_is_a_list() {
        check("[]", Vec::new(), &[]);
        for body in ["null", "{}", r#"{"list":[]}"#, "7"] {
            let refused = DecodeError::new("plan list is not an array");
            assert_eq!(decode_plans(body.as_bytes()), Err(refused), "{body}");
        }
        let cut = DecodeError::new("plan list is cut off at line 1 column 2");
        assert_eq!(decode_plans(b"[{"), Err(cut));
    }

    #[test]
    fn a_bad_item_is_told_and_the_others_count() {
        unreadable("[]", "it is not an object");
        unreadable(&ITEM.replace(r#""p1""#, "null"), "id is missing");
        unreadable(&ITEM.replace("planName", "name"), "planName is missing");
        unreadable(&ITEM.replace("Min", "fortnight"), "throttleLimitUnit is no unit of time");
        unreadable(&ITEM.replace("Min", ""), "throttleLimitUnit is missing");
        unreadable(&ITEM.replace(r#""Min""#, "7"), "throttleLimitUnit is not a text");
        unreadable(&ITEM.replace("20,", "null,"), "throttleLimitCount is missing");
        for count in ["-1,", "2.5,", "\"20\",", "1e30,"] {
            let reason = "throttleLimitCount is not a whole number from 0 up";
            unreadable(&ITEM.replace("20,", count), reason);
        }
        unreadable(&ITEM.replace("true", "\"yes\""), "stopOnQuotaReach is not true or false");
        unreadable(&ITEM.replace("2027-01-01T", "someday"), "expiryTime is no timestamp");
        unreadable(&ITEM.replace("ACTIVE", "RETIRED"), "status is neither ACTIVE nor INACTIVE");
        unreadable(&ITEM.replace(r#""ACTIVE""#, "null"), "status is missing");
    }

    #[test]
    fn one_name_under_two_ids_is_two_plans_and_one_id_with_two_limits_is_none() {
        let renewed = ITEM.replace("p1", "p2");
        check(&format!("[{ITEM},{renewed}]"), vec![("p1", plan()), ("p2", plan())], &[]);
        let other = ITEM.replace("20,", "5,");
        let why = "another item has its id and says something else";
        let reasons = [format!("item 0: {why}"), format!("item 1: {why}")];
        check(&format!("[{ITEM},{other}]"), Vec::new(), &[&reasons[0], &reasons[1]]);
    }
}
