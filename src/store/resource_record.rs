//! What is written for one key, subscription, plan or application.
//!
//! The names here are a format, as in [`super::record`]. Problems name a field and never quote
//! what is in it: a damaged record may hold a hash anywhere (law 16).

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::record::{read_timestamp, write_timestamp};
use crate::model::{
    Application, ApplicationId, ArtifactId, Credential, KeyEnding, KeyName, KeySlot, KeyUuid, Plan,
    PlanId, Quota, QuotaUnit, Resource, ResourceId, ResourceRow, SecretHash, Subscription,
    SubscriptionId, SubscriptionStatus, from_hex, to_hex,
};
use crate::time::Timestamp;

const KEY: &str = "key";
const SUBSCRIPTION: &str = "subscription";
const PLAN: &str = "plan";
const APPLICATION: &str = "application";

/// The text that a resource is stored under.
pub(super) fn write_key(id: &ResourceId) -> Result<String, String> {
    let text = match id {
        ResourceId::ApiKey(artifact, name) => {
            serde_json::to_string(&[KEY, artifact.as_str(), name.as_str()])
        }
        ResourceId::Subscription(id) => serde_json::to_string(&[SUBSCRIPTION, id.as_str()]),
        ResourceId::Plan(id) => serde_json::to_string(&[PLAN, id.as_str()]),
        ResourceId::Application(id) => serde_json::to_string(&[APPLICATION, id.as_str()]),
    };
    text.map_err(|error| error.to_string())
}

/// The resource that a text stands for; `None` for a text that [`write_key`] does not write, so
/// that no two texts stand for one resource.
pub(super) fn read_key(text: &str) -> Option<ResourceId> {
    let parts: Vec<String> = serde_json::from_str(text).ok()?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let id = match parts[..] {
        [KEY, artifact, name] => ResourceId::ApiKey(ArtifactId::new(artifact), KeyName::new(name)),
        [SUBSCRIPTION, id] => ResourceId::Subscription(SubscriptionId::new(id)),
        [PLAN, id] => ResourceId::Plan(PlanId::new(id)),
        [APPLICATION, id] => ResourceId::Application(ApplicationId::new(id)),
        _ => return None,
    };
    (write_key(&id).ok()? == text).then_some(id)
}

/// A [`ResourceRow`] as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceRecord {
    is: FormRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fence: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    endings: Vec<EndingRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndingRecord {
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    successor: Option<String>,
    found: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormRecord {
    Gone,
    Keys(Vec<CredentialRecord>),
    Subscription(SubscriptionRecord),
    Plan(PlanRecord),
    Application(ApplicationRecord),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialRecord {
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    listable: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriptionRecord {
    artifact: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    status: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRecord {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaRecord>,
    stops_on_quota: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    active: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaRecord {
    count: u64,
    unit: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationRecord {
    name: String,
    keys: Vec<String>,
}

impl From<&ResourceRow> for ResourceRecord {
    fn from(row: &ResourceRow) -> Self {
        Self {
            is: row.resource.as_ref().map_or(FormRecord::Gone, FormRecord::from),
            fence: row.fence.as_ref().map(write_timestamp),
            endings: row.endings.iter().map(EndingRecord::from).collect(),
            ended: row.ended.iter().map(|hash| to_hex(&hash.0)).collect(),
        }
    }
}

impl ResourceRecord {
    /// Reads a record, or says where it cannot be read. The parser's own words are not used: they
    /// quote what it stumbled over.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| {
            let problem = match error.classify() {
                Category::Eof => "cut off",
                Category::Data => "of another shape",
                Category::Syntax | Category::Io => "not JSON",
            };
            format!("the record is {problem} at column {}", error.column())
        })
    }

    /// The row, or what is wrong with the record.
    pub(super) fn read(&self) -> Result<ResourceRow, String> {
        let endings = self.endings.iter().map(EndingRecord::read);
        let ended = self.ended.iter().map(|text| hash(text, "ended"));
        Ok(ResourceRow {
            resource: self.is.read()?,
            fence: time(&self.fence, "fence")?,
            endings: endings.collect::<Result<_, _>>()?,
            ended: ended.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&KeyEnding> for EndingRecord {
    fn from(ending: &KeyEnding) -> Self {
        let successor = ending.successor.as_ref().map(|hash| to_hex(&hash.0));
        Self { at: write_timestamp(&ending.at), successor, found: ending.found }
    }
}

impl EndingRecord {
    fn read(&self) -> Result<KeyEnding, String> {
        let successor = self.successor.as_deref().map(|text| hash(text, "successor"));
        Ok(KeyEnding {
            at: timestamp(&self.at, "at")?,
            successor: successor.transpose()?,
            found: self.found,
        })
    }
}

impl From<&Resource> for FormRecord {
    fn from(resource: &Resource) -> Self {
        match resource {
            Resource::ApiKey(slot) => {
                Self::Keys(slot.credentials.iter().map(CredentialRecord::from).collect())
            }
            Resource::Subscription(subscription) => Self::Subscription((&**subscription).into()),
            Resource::Plan(plan) => Self::Plan(plan.into()),
            Resource::Application(application) => Self::Application(application.into()),
        }
    }
}

impl FormRecord {
    fn read(&self) -> Result<Option<Resource>, String> {
        Ok(Some(match self {
            Self::Gone => return Ok(None),
            Self::Keys(keys) => {
                let credentials =
                    keys.iter().map(CredentialRecord::read).collect::<Result<_, _>>()?;
                Resource::ApiKey(KeySlot { credentials })
            }
            Self::Subscription(subscription) => Resource::Subscription(subscription.read()?.into()),
            Self::Plan(plan) => Resource::Plan(plan.read()?),
            Self::Application(application) => Resource::Application(application.read()),
        }))
    }
}

impl From<&Credential> for CredentialRecord {
    fn from(credential: &Credential) -> Self {
        Self {
            hash: to_hex(&credential.hash.0),
            uuid: credential.uuid.as_ref().map(|id| id.as_str().to_owned()),
            expires_at: credential.expires_at.as_ref().map(write_timestamp),
            created_at: credential.created_at.as_ref().map(write_timestamp),
            listable: credential.is_listable,
        }
    }
}

impl CredentialRecord {
    fn read(&self) -> Result<Credential, String> {
        Ok(Credential {
            hash: hash(&self.hash, "hash")?,
            uuid: self.uuid.as_deref().map(KeyUuid::new),
            expires_at: time(&self.expires_at, "expires_at")?,
            created_at: time(&self.created_at, "created_at")?,
            is_listable: self.listable,
        })
    }
}

impl From<&Subscription> for SubscriptionRecord {
    fn from(subscription: &Subscription) -> Self {
        Self {
            artifact: subscription.artifact.as_str().to_owned(),
            application: subscription.application.as_ref().map(|id| id.as_str().to_owned()),
            token: subscription.token.map(|token| to_hex(&token.0)),
            plan: subscription.plan.as_ref().map(|id| id.as_str().to_owned()),
            status: subscription.status.name().to_owned(),
        }
    }
}

impl SubscriptionRecord {
    fn read(&self) -> Result<Subscription, String> {
        Ok(Subscription {
            artifact: ArtifactId::new(&self.artifact),
            application: self.application.as_deref().map(ApplicationId::new),
            token: self.token.as_deref().map(|token| hash(token, "token")).transpose()?,
            plan: self.plan.as_deref().map(PlanId::new),
            status: SubscriptionStatus::parse(&self.status),
        })
    }
}

impl From<&Plan> for PlanRecord {
    fn from(plan: &Plan) -> Self {
        let quota = plan
            .quota
            .map(|quota| QuotaRecord { count: quota.count, unit: quota.unit.name().to_owned() });
        Self {
            name: plan.name.clone(),
            quota,
            stops_on_quota: plan.stops_on_quota,
            expires_at: plan.expires_at.as_ref().map(write_timestamp),
            active: plan.is_active,
        }
    }
}

impl PlanRecord {
    fn read(&self) -> Result<Plan, String> {
        let quota = match &self.quota {
            None => None,
            Some(QuotaRecord { count, unit }) => {
                let unit = QuotaUnit::parse(unit).ok_or("unit is no unit of time")?;
                Some(Quota { count: *count, unit })
            }
        };
        Ok(Plan {
            name: self.name.clone(),
            quota,
            stops_on_quota: self.stops_on_quota,
            expires_at: time(&self.expires_at, "expires_at")?,
            is_active: self.active,
        })
    }
}

impl From<&Application> for ApplicationRecord {
    fn from(application: &Application) -> Self {
        Self {
            name: application.name.clone(),
            keys: application.keys.iter().map(|uuid| uuid.as_str().to_owned()).collect(),
        }
    }
}

impl ApplicationRecord {
    fn read(&self) -> Application {
        let keys = self.keys.iter().map(|uuid| KeyUuid::new(uuid)).collect();
        Application { name: self.name.clone(), keys }
    }
}

fn time(text: &Option<String>, field: &str) -> Result<Option<Timestamp>, String> {
    text.as_deref().map(|text| timestamp(text, field)).transpose()
}

fn timestamp(text: &str, field: &str) -> Result<Timestamp, String> {
    read_timestamp(text).map_err(|_quotes_it| format!("{field} is not a stored timestamp"))
}

fn hash(text: &str, field: &str) -> Result<SecretHash, String> {
    from_hex(text).map(SecretHash).ok_or_else(|| format!("{field} is not a SHA-256"))
}

#[cfg(test)]
mod tests {
    use super::super::record::encode;
    use super::*;

    fn stamp() -> Timestamp {
        Timestamp::parse("2026-06-17T09:15:00.20Z").unwrap()
    }

    #[track_caller]
    fn check(resource: Option<Resource>, json: &str) {
        let hash = SecretHash([0xab; 32]);
        let ending = KeyEnding { at: stamp(), successor: Some(hash), found: true };
        let row = ResourceRow {
            resource,
            fence: Some(stamp()),
            endings: vec![ending],
            ended: vec![hash],
        };
        let bytes = encode(&ResourceRecord::from(&row)).unwrap();
        let text = "ab".repeat(32);
        let ending = format!(r#"{{"at":"1781687700.20","successor":"{text}","found":true}}"#);
        let expected = format!(
            r#"{{"is":{json},"fence":"1781687700.20","endings":[{ending}],"ended":["{text}"]}}"#
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        assert_eq!(ResourceRecord::decode(&bytes).unwrap().read(), Ok(row));
    }

    #[test]
    fn every_resource_is_written_as_the_schema_says() {
        let (one, other) = ("ab".repeat(32), "cd".repeat(32));
        let full = Credential {
            hash: SecretHash([0xab; 32]),
            uuid: Some("7c1e".into()),
            expires_at: Some(stamp()),
            created_at: Some(stamp()),
            is_listable: true,
        };
        let bare = Credential {
            hash: SecretHash([0xcd; 32]),
            uuid: None,
            expires_at: None,
            created_at: None,
            is_listable: false,
        };
        check(None, r#""gone""#);
        check(Some(Resource::ApiKey(KeySlot::default())), r#"{"keys":[]}"#);
        check(
            Some(Resource::ApiKey(KeySlot { credentials: [full, bare].into() })),
            &format!(
                r#"{{"keys":[{{"hash":"{one}","uuid":"7c1e","expires_at":"1781687700.20","created_at":"1781687700.20","listable":true}},{{"hash":"{other}","listable":false}}]}}"#
            ),
        );
        let subscription = Subscription {
            artifact: "d34a".into(),
            application: Some("a1".into()),
            token: Some(SecretHash([0xab; 32])),
            plan: Some("p1".into()),
            status: SubscriptionStatus::ProdOnlyBlocked,
        };
        check(
            Some(Resource::Subscription(subscription.into())),
            &format!(
                r#"{{"subscription":{{"artifact":"d34a","application":"a1","token":"{one}","plan":"p1","status":"PROD_ONLY_BLOCKED"}}}}"#
            ),
        );
        let plan = Plan {
            name: "Gold".to_owned(),
            quota: Some(Quota { count: u64::MAX, unit: QuotaUnit::Minute }),
            stops_on_quota: true,
            expires_at: Some(stamp()),
            is_active: false,
        };
        check(
            Some(Resource::Plan(plan)),
            r#"{"plan":{"name":"Gold","quota":{"count":18446744073709551615,"unit":"minute"},"stops_on_quota":true,"expires_at":"1781687700.20","active":false}}"#,
        );
        let keys = ["7c1e".into(), "5d2f".into()].into();
        let application = Application { name: "Shop \"1\"".to_owned(), keys };
        check(
            Some(Resource::Application(application)),
            r#"{"application":{"name":"Shop \"1\"","keys":["5d2f","7c1e"]}}"#,
        );
    }

    #[test]
    fn every_unit_and_every_status_comes_back() {
        for unit in [
            QuotaUnit::Second,
            QuotaUnit::Minute,
            QuotaUnit::Hour,
            QuotaUnit::Day,
            QuotaUnit::Month,
        ] {
            assert_eq!(QuotaUnit::parse(unit.name()), Some(unit));
        }
        for status in [
            SubscriptionStatus::Active,
            SubscriptionStatus::TierUpdatePending,
            SubscriptionStatus::OnHold,
            SubscriptionStatus::Blocked,
            SubscriptionStatus::ProdOnlyBlocked,
            SubscriptionStatus::Rejected,
            SubscriptionStatus::Inactive,
            SubscriptionStatus::Revoked,
            SubscriptionStatus::Unclear("Napping".to_owned()),
        ] {
            assert_eq!(SubscriptionStatus::parse(status.name()), status);
        }
    }

    #[test]
    fn no_two_resources_share_a_key_and_no_key_has_two_texts() {
        let free = ["", "a", "a\",\"b", "[\"plan\",\"a\"]", "\\", "\u{0}", "é\u{2028}", "key"];
        let mut seen = std::collections::BTreeMap::new();
        for text in free {
            let mut ids = vec![
                ResourceId::Subscription(text.into()),
                ResourceId::Plan(text.into()),
                ResourceId::Application(text.into()),
            ];
            for other in free {
                ids.push(ResourceId::ApiKey(text.into(), KeyName::new(other)));
            }
            for id in ids {
                let key = write_key(&id).unwrap();
                assert_eq!(read_key(&key).as_ref(), Some(&id), "{key}");
                assert_eq!(seen.insert(key, id), None);
            }
        }
        let id = ResourceId::ApiKey("d34a".into(), KeyName::new("mobile-key"));
        assert_eq!(write_key(&id).unwrap(), r#"["key","d34a","mobile-key"]"#);
        for text in [
            "",
            "plan",
            "[]",
            r#"["plan"]"#,
            r#"["plan", "p1"]"#,
            r#"["plan","\u0070"]"#,
            r#"["plan","p1","p2"]"#,
            r#"["key","d34a"]"#,
            r#"["key","d34a","Upper"]"#,
            r#"["secret","s1"]"#,
            r#"["plan",1]"#,
        ] {
            assert_eq!(read_key(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_what_is_there() {
        for (record, problem) in [
            ("", "the record is cut off at column 0"),
            ("hunter2", "the record is not JSON at column 1"),
            ("{}", "the record is of another shape at column 2"),
            (r#"{"is":"hunter2"}"#, "the record is of another shape at column 15"),
            (r#"{"is":"gone","hunter2":1}"#, "the record is of another shape at column 22"),
            (r#"{"is":"gone","fence":"hunter2"}"#, "fence is not a stored timestamp"),
            (
                r#"{"is":"gone","endings":[{"at":"hunter2","found":true}]}"#,
                "at is not a stored timestamp",
            ),
            (r#"{"is":{"keys":[{"hash":"hunter2","listable":true}]}}"#, "hash is not a SHA-256"),
            (
                r#"{"is":{"subscription":{"artifact":"a","token":"hunter2","status":"ACTIVE"}}}"#,
                "token is not a SHA-256",
            ),
            (
                r#"{"is":{"plan":{"name":"a","quota":{"count":1,"unit":"hunter2"},"stops_on_quota":true,"active":true}}}"#,
                "unit is no unit of time",
            ),
        ] {
            let read = ResourceRecord::decode(record.as_bytes()).and_then(|record| record.read());
            assert_eq!(read, Err(problem.to_owned()), "{record}");
        }
    }
}
