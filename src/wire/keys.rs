//! The bulk list of API keys (`docs/apim.md` §3.7, `docs/controller.md` §2.5).
//!
//! What is kept of an item is a fraction of its text, so memory is bounded by the body's size.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::DecodeError;
use super::hashes::Hashes;
use super::json::{self, Array, Collect, Object, Value};
use super::listed::{self, Item};
use crate::model::{ArtifactId, Credential, KeyName, KeyReading, KeyUuid, ListedKey};

/// GA's answer: it has no such route and answers by `/apis/{id}`, whose JSON form lists all APIs
/// whatever the id (A-H25: wrong 200).
#[derive(Deserialize)]
struct ApiList {
    #[serde(default)]
    list: Array<Apis>,
}

/// How many APIs there are, and the first that is no object.
#[derive(Default)]
struct Apis {
    count: u64,
    strange: Option<u64>,
}

impl Collect<'_> for Apis {
    type Item = Object<IgnoredAny>;

    fn add(&mut self, item: Self::Item) {
        if !matches!(item, Object::Fields(_)) {
            self.strange.get_or_insert(self.count);
        }
        self.count += 1;
    }
}

impl Apis {
    fn check(&self) -> Result<(), DecodeError> {
        match self.strange {
            None => Ok(()),
            Some(index) => Err(DecodeError::new(format!("item {index} is not an object"))),
        }
    }
}

/// A key as it came. Who made it, its mask and its `etag` are of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyFields<'a> {
    #[serde(borrow, default)]
    uuid: Value<'a>,
    #[serde(borrow, default)]
    name: Value<'a>,
    #[serde(borrow, default)]
    artifact_uuid: Value<'a>,
    #[serde(borrow, default)]
    api_key_hashes: Hashes<'a>,
    #[serde(borrow, default)]
    status: Value<'a>,
    #[serde(borrow, default)]
    created_at: Value<'a>,
    #[serde(borrow, default)]
    expires_at: Value<'a>,
}

impl<'de> Item<'de> for ListedKey {
    type Fields = KeyFields<'de>;

    fn read(fields: Self::Fields) -> Result<Self, DecodeError> {
        let uuid = KeyUuid::new(&fields.uuid.id("uuid")?);
        Ok(Self {
            artifact: ArtifactId::new(&fields.artifact_uuid.id("artifactUuid")?),
            name: KeyName::new(&fields.name.name("name")?),
            credential: Credential {
                hash: fields.api_key_hashes.sha256()?,
                uuid: Some(uuid),
                expires_at: fields.expires_at.time("expiresAt")?,
                created_at: fields.created_at.time("createdAt")?,
                is_listable: true,
            },
            is_active: read_status(fields.status)?,
        })
    }
}

/// Whether a key of this status is alive. A word that nobody documented opens nothing and ends
/// nothing.
fn read_status(status: Value<'_>) -> Result<bool, DecodeError> {
    let status = status.required("status")?;
    let is = |word: &str| status.eq_ignore_ascii_case(word);
    if is("active") {
        Ok(true)
    } else if is("revoked") || is("expired") || is("inactive") {
        Ok(false)
    } else {
        Err(DecodeError::new("status is a word without a meaning"))
    }
}

/// Reads the answer to `GET /apis/api-keys` and its like for other kinds.
///
/// # Errors
/// Anything but an array, or an object with an array of objects named `list`. An item that cannot
/// be read is no error; the others count.
pub fn decode_keys(body: &[u8]) -> Result<KeyReading, DecodeError> {
    if body.trim_ascii_start().starts_with(b"[") {
        return listed::read_list(body, "key list").map(KeyReading::Keys);
    }
    let apis: ApiList = json::read_object(body, "key list")?;
    apis.list.items("list")?.check()?;
    Ok(KeyReading::ApiList)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Listed, SecretHash};
    use crate::time::Timestamp;

    const HASH: [u8; 32] = [0xab; 32];

    #[track_caller]
    fn check(body: &str, expect: Result<KeyReading, &str>) {
        let expect = expect.map_err(DecodeError::new);
        assert_eq!(decode_keys(body.as_bytes()), expect, "{body}");
    }

    /// An item as the fixed APIM sends it.
    fn item() -> String {
        let hash = "ab".repeat(32);
        format!(
            r#"{{"uuid":"7c1e","name":"mobile-key","maskedApiKey":"****","apiKeyHashes":{{"sha256":"{hash}"}},"artifactUuid":"d34a","status":"ACTIVE","createdAt":"2026-06-17T09:15:00Z","createdBy":"alice","updatedAt":"2026-06-17T09:15:00Z","source":"external"}}"#
        )
    }

    fn key() -> ListedKey {
        ListedKey {
            artifact: ArtifactId::new("d34a"),
            name: KeyName::new("mobile-key"),
            credential: Credential {
                hash: SecretHash(HASH),
                uuid: Some(KeyUuid::new("7c1e")),
                expires_at: None,
                created_at: Timestamp::parse("2026-06-17T09:15:00Z").ok(),
                is_listable: true,
            },
            is_active: true,
        }
    }

    #[track_caller]
    fn check_item(item: &str, expect: ListedKey) {
        let listed = Listed { items: vec![expect], unreadable: Vec::new() };
        check(&format!("[{item}]"), Ok(KeyReading::Keys(listed)));
    }

    /// A list of one bad item between two good ones.
    #[track_caller]
    fn unreadable(bad: &str, reason: &str) {
        let unreadable = vec![format!("item 1: {reason}")];
        let listed = Listed { items: vec![key(), key()], unreadable };
        check(&format!("[{},{bad},{}]", item(), item()), Ok(KeyReading::Keys(listed)));
    }

    #[test]
    fn an_item_of_the_fixed_apim_is_a_key() {
        check_item(&item(), key());
    }

    #[test]
    fn an_item_of_the_platform_api_is_a_key() {
        let hash = "AB".repeat(32);
        let item = format!(
            r#"{{"etag":"e","uuid":"7c1e","name":"Mobile-Key","maskedApiKey":null,"apiKeyHashes":"{{\"sha256\":\"$sha256${hash}\"}}","artifactUuid":"d34a","status":"active","createdAt":null,"createdBy":"a","updatedAt":"2026-06-17T14:45:00.5+05:30","expiresAt":"2026-07-17T09:15:00.123Z","source":"local","externalRefId":null,"issuer":null}}"#
        );
        let mut expect = key();
        expect.credential.created_at = None;
        expect.credential.expires_at = Timestamp::parse("2026-07-17T09:15:00.123Z").ok();
        check_item(&item, expect);
    }

    #[test]
    fn a_dead_key_is_told_from_one_of_unknown_status() {
        for status in ["REVOKED", "revoked", "Expired", "INACTIVE"] {
            let item = item().replace("ACTIVE", status);
            check_item(&item, ListedKey { is_active: false, ..key() });
        }
        let odd = item().replace("ACTIVE", "PENDING");
        unreadable(&odd, "status is a word without a meaning");
        unreadable(&item().replace(r#""ACTIVE""#, "1"), "status is not a text");
        unreadable(&item().replace(r#""ACTIVE""#, "null"), "status is missing");
    }

    #[test]
    fn two_keys_of_one_name_are_two_keys() {
        let other = item().replace("7c1e", "7c1f");
        let mut second = key();
        second.credential.uuid = Some(KeyUuid::new("7c1f"));
        let listed = Listed { items: vec![key(), second], unreadable: Vec::new() };
        check(&format!("[{},{other}]", item()), Ok(KeyReading::Keys(listed)));
    }

    #[test]
    fn a_bad_item_is_told_and_the_others_count() {
        unreadable("7", "it is not an object");
        unreadable("null", "it is missing");
        unreadable(&item().replace("uuid", "id"), "uuid is missing");
        unreadable(&item().replace(r#""7c1e""#, "null"), "uuid is missing");
        unreadable(&item().replace(r#""mobile-key""#, "7"), "name is not a text");
        unreadable(&item().replace("mobile-key", ""), "name is empty");
        unreadable(&item().replace("mobile-key", "\\n"), "name is blank or has control characters");
        let long = item().replace("mobile-key", &"a".repeat(2049));
        unreadable(&long, "name has 2049 bytes, over 2048");
        unreadable(&item().replace("d34a", " "), "artifactUuid is blank or has control characters");
        unreadable(&item().replace("artifactUuid", "apiId"), "artifactUuid is missing");
        unreadable(&item().replace("apiKeyHashes", "apiKeyHash"), "apiKeyHashes is missing");
        unreadable(&item().replace("sha256", "sha512"), "apiKeyHashes.sha256 is missing");
        unreadable(
            &item().replacen("ab", "", 1),
            "apiKeyHashes.sha256 is not 64 hexadecimal digits",
        );
        unreadable(
            &item()
                .replace(r#""createdAt":"2026-06-17T09:15:00Z""#, r#""createdAt":1781687700000"#),
            "createdAt is not a text",
        );
        let odd = item().replace(r#""source""#, r#""expiresAt":"","source""#);
        unreadable(&odd, "expiresAt is empty");
        let odd = item().replace(r#""source""#, r#""expiresAt":"never","source""#);
        unreadable(&odd, "expiresAt is no timestamp");
    }

    #[test]
    fn an_array_is_keys_and_an_object_is_the_list_of_apis() {
        check(" []", Ok(KeyReading::Keys(Listed::default())));
        check(r#"{"count":1,"list":[{"id":"d34a","name":"Pizza"}]}"#, Ok(KeyReading::ApiList));
        check(r#"{"list":[]}"#, Ok(KeyReading::ApiList));
    }

    #[test]
    fn anything_else_is_an_error() {
        check("", Err("key list is cut off at line 1 column 0"));
        check("null", Err("key list is not an object"));
        check("{}", Err("list is missing"));
        check(r#"{"list":null}"#, Err("list is missing"));
        check(r#"{"list":{}}"#, Err("list is not an array"));
        check(r#"{"list":[{},7]}"#, Err("item 1 is not an object"));
        check("[{}", Err("key list is cut off at line 1 column 3"));
        check("[{}] []", Err("key list is not JSON at line 1 column 6"));
        check("\"hunter2\"", Err("key list is not an object"));
        check("<html>", Err("key list is not JSON at line 1 column 1"));
    }

    #[test]
    fn forty_thousand_keys_are_read_and_a_part_of_them_is_not() {
        let body = format!("[{}]", vec![item(); 40_000].join(","));
        let Ok(KeyReading::Keys(listed)) = decode_keys(body.as_bytes()) else { panic!("keys") };
        assert_eq!((listed.items.len(), listed.is_complete()), (40_000, true));
        for length in [1, body.len() / 2, body.len() - 1] {
            assert!(decode_keys(&body.as_bytes()[..length]).is_err());
        }
    }
}
