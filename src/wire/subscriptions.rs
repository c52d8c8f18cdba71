//! Subscriptions of one API in bulk (`docs/controller.md` §2.4), and what events say about
//! one.

use serde::Deserialize;

use super::DecodeError;
use super::json::{Value, label};
use super::listed::{self, Item};
use super::token::Token;
use crate::model::{
    ApplicationId, ArtifactId, Listed, PlanId, Subscription, SubscriptionClaim, SubscriptionId,
    SubscriptionStatus,
};

/// A subscription as it came; billing ids are of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionFields<'a> {
    /// Its id in a list.
    #[serde(borrow, default)]
    id: Value<'a>,
    /// Its id in an event.
    #[serde(borrow, default)]
    pub(super) subscription_id: Value<'a>,
    #[serde(borrow, default)]
    api_id: Value<'a>,
    #[serde(borrow, default)]
    application_id: Value<'a>,
    #[serde(default)]
    subscription_token: Token,
    #[serde(borrow, default)]
    subscription_plan_id: Value<'a>,
    #[serde(borrow, default)]
    status: Value<'a>,
}

impl SubscriptionFields<'_> {
    /// What they say besides the id.
    pub(super) fn claim(self) -> Result<SubscriptionClaim, DecodeError> {
        let artifact = self.api_id.optional_id("apiId")?;
        let application = self.application_id.optional_id("applicationId")?;
        let plan = self.subscription_plan_id.optional_id("subscriptionPlanId")?;
        let status = self.status.optional("status")?;
        Ok(SubscriptionClaim {
            artifact: artifact.map(|id| ArtifactId::new(&id)),
            application: application.map(|id| ApplicationId::new(&id)),
            token: self.subscription_token.optional()?,
            plan: plan.map(|id| PlanId::new(&id)),
            status: status.map(|word| SubscriptionStatus::parse(&label(&word))),
        })
    }
}

impl<'de> Item<'de> for (SubscriptionId, Subscription) {
    type Fields = SubscriptionFields<'de>;

    fn read(mut fields: Self::Fields) -> Result<Self, DecodeError> {
        let id = SubscriptionId::new(&std::mem::take(&mut fields.id).id("id")?);
        let SubscriptionClaim { artifact, application, token, plan, status } = fields.claim()?;
        let missing = |field: &str| DecodeError::new(format!("{field} is missing"));
        let artifact = artifact.ok_or_else(|| missing("apiId"))?;
        let status = status.ok_or_else(|| missing("status"))?;
        Ok((id, Subscription { artifact, application, token, plan, status }))
    }
}

/// Reads the answer to `GET /apis/{id}/subscriptions` for this API.
///
/// # Errors
/// Anything but an array (law 3). An item that cannot be read, is about another API or
/// contradicts another item is no error; the others count.
pub fn decode_subscriptions(
    body: &[u8],
    artifact: &ArtifactId,
) -> Result<Listed<(SubscriptionId, Subscription)>, DecodeError> {
    listed::read_list_by_id(body, "subscription list", |(_, subscription): &(_, Subscription)| {
        let is_foreign = subscription.artifact != *artifact;
        is_foreign.then(|| DecodeError::new("apiId is another API's"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretHash;

    /// SHA-256 of `test`.
    const HASH: [u8; 32] = [
        0x9f, 0x86, 0xd0, 0x81, 0x88, 0x4c, 0x7d, 0x65, 0x9a, 0x2f, 0xea, 0xa0, 0xc5, 0x5a, 0xd0,
        0x15, 0xa3, 0xbf, 0x4f, 0x1b, 0x2b, 0x0b, 0x82, 0x2c, 0xd1, 0x5d, 0x6c, 0x15, 0xb0, 0xf0,
        0x0a, 0x08,
    ];

    /// An item as the Platform API sends it.
    const ITEM: &str = r#"{"id":"s1","apiId":"d34a","applicationId":"app1","subscriptionToken":"test","subscriptionPlanId":"p1","status":"ACTIVE","etag":"e","billingCustomerId":"c","billingSubscriptionId":null}"#;

    fn subscription() -> Subscription {
        Subscription {
            artifact: ArtifactId::new("d34a"),
            application: Some(ApplicationId::new("app1")),
            token: Some(SecretHash(HASH)),
            plan: Some(PlanId::new("p1")),
            status: SubscriptionStatus::Active,
        }
    }

    #[track_caller]
    fn check(body: &str, items: Vec<(&str, Subscription)>, unreadable: &[&str]) {
        let found = decode_subscriptions(body.as_bytes(), &ArtifactId::new("d34a"));
        let items = items.into_iter().map(|(id, item)| (SubscriptionId::new(id), item)).collect();
        let unreadable = unreadable.iter().map(|reason| (*reason).to_owned()).collect();
        assert_eq!(found, Ok(Listed { items, unreadable }), "{body}");
    }

    #[track_caller]
    fn refuse(body: &str, reason: &str) {
        let found = decode_subscriptions(body.as_bytes(), &ArtifactId::new("d34a"));
        assert_eq!(found, Err(DecodeError::new(reason)), "{body}");
    }

    /// A list of one bad item beside a good one.
    #[track_caller]
    fn unreadable(bad: &str, reason: &str) {
        let body = format!("[{bad},{}]", ITEM.replace("s1", "s2"));
        check(&body, vec![("s2", subscription())], &[&format!("item 0: {reason}")]);
    }

    #[test]
    fn an_item_is_a_subscription_and_its_token_a_hash() {
        check(&format!("[{ITEM}]"), vec![("s1", subscription())], &[]);
        let bare = r#"[{"id":"s1","apiId":"d34a","applicationId":null,"subscriptionToken":"","status":"on_hold"}]"#;
        let expect = Subscription {
            application: None,
            token: None,
            plan: None,
            status: SubscriptionStatus::OnHold,
            ..subscription()
        };
        check(bare, vec![("s1", expect)], &[]);
        let odd = ITEM.replace("ACTIVE", "NAPPING");
        let status = SubscriptionStatus::Unclear("NAPPING".to_owned());
        check(&format!("[{odd}]"), vec![("s1", Subscription { status, ..subscription() })], &[]);
    }

    #[test]
    fn only_an_array_is_a_list() {
        check("[]", Vec::new(), &[]);
        refuse("", "subscription list is cut off at line 1 column 0");
        refuse("null", "subscription list is not an array");
        refuse("{}", "subscription list is not an array");
        refuse(r#"{"list":[]}"#, "subscription list is not an array");
        refuse("\"hunter2\"", "subscription list is not an array");
        refuse(&format!("[{ITEM},"), "subscription list is cut off at line 1 column 186");
        refuse("Server error", "subscription list is not JSON at line 1 column 1");
    }

    #[test]
    fn a_bad_item_is_told_and_the_others_count() {
        unreadable("7", "it is not an object");
        unreadable(&ITEM.replace(r#""s1""#, "null"), "id is missing");
        unreadable(&ITEM.replace(r#""id""#, r#""subscriptionId""#), "id is missing");
        unreadable(&ITEM.replace("apiId", "api"), "apiId is missing");
        unreadable(&ITEM.replace("d34a", "d34b"), "apiId is another API's");
        unreadable(&ITEM.replace("ACTIVE", ""), "status is missing");
        unreadable(&ITEM.replace(r#""ACTIVE""#, "true"), "status is not a text");
        unreadable(&ITEM.replace(r#""test""#, "[]"), "subscriptionToken is not a text");
        unreadable(&ITEM.replace(r#""p1""#, "5"), "subscriptionPlanId is not a text");
        unreadable(&ITEM.replace(r#""app1""#, "5"), "applicationId is not a text");
    }

    #[test]
    fn a_subscription_listed_twice_counts_once_and_a_contradiction_not_at_all() {
        check(&format!("[{ITEM},{ITEM}]"), vec![("s1", subscription())], &[]);
        let blocked = ITEM.replace("ACTIVE", "BLOCKED");
        check(
            &format!("[{ITEM},{blocked}]"),
            Vec::new(),
            &[
                "item 0: another item has its id and says something else",
                "item 1: another item has its id and says something else",
            ],
        );
    }
}
