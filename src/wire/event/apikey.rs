//! `apikey.created`, `apikey.updated` and `apikey.revoked` (`docs/apim.md` §2.4, §2.5, §2.6).
//!
//! The Platform API names every kind of artifact by `apiId` here.

use serde::Deserialize;

use super::envelope::{of_payload, read};
use crate::model::{
    ArtifactId, Credential, KeyName, KeyUuid, QuotaUnit, ResourceChange, ResourceEvent, ResourceId,
};
use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::hashes::Hashes;
use crate::wire::json::{Object, Value};

/// The payload of a created or a regenerated key. Masks, owners and references are of no use
/// here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued<'a> {
    #[serde(borrow, default)]
    api_id: Value<'a>,
    #[serde(borrow, default)]
    name: Value<'a>,
    #[serde(borrow, default)]
    key_name: Value<'a>,
    #[serde(borrow, default)]
    uuid: Value<'a>,
    #[serde(borrow, default)]
    api_key_hashes: Hashes<'a>,
    #[serde(borrow, default)]
    expires_at: Value<'a>,
    #[serde(borrow, default)]
    expires_in: Object<Validity<'a>>,
}

/// How long a key is valid.
#[derive(Deserialize)]
struct Validity<'a> {
    #[serde(default)]
    duration: Value<'a>,
    #[serde(borrow, default)]
    unit: Value<'a>,
}

/// The payload of a revoked key: it names the key and nothing of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Revoked<'a> {
    #[serde(borrow, default)]
    api_id: Value<'a>,
    #[serde(borrow, default)]
    name: Value<'a>,
    #[serde(borrow, default)]
    key_name: Value<'a>,
}

/// Reads `apikey.created` or, when a key was `regenerated`, `apikey.updated`.
///
/// A key whose hash or expiry cannot be read is an event all the same: that there is a key which
/// this gateway does not know is worth saying, and a regeneration ends the key before it.
pub(super) fn issued(frame: &[u8], regenerated: bool) -> Result<ResourceEvent, DecodeError> {
    let (payload, sent_at): (Issued<'_>, _) = read(frame)?;
    let Issued { api_id, name, key_name, .. } = payload;
    let id = address(api_id, name, key_name)?;
    let (uuid, hashes) = (payload.uuid, payload.api_key_hashes);
    let expiry = expires_at(payload.expires_at, payload.expires_in, sent_at);
    let change = match credential(uuid, hashes, expiry, sent_at) {
        Ok(credential) if regenerated => ResourceChange::KeyRegenerated(credential),
        Ok(credential) => ResourceChange::KeyCreated(credential),
        Err(error) => {
            let why = of_payload(error).to_string();
            ResourceChange::KeyUnreadable { regenerated, why }
        }
    };
    Ok(ResourceEvent { id, change, sent_at })
}

/// Reads `apikey.revoked`.
pub(super) fn revoked(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (payload, sent_at): (Revoked<'_>, _) = read(frame)?;
    let id = address(payload.api_id, payload.name, payload.key_name)?;
    Ok(ResourceEvent { id, change: ResourceChange::KeyRevoked, sent_at })
}

/// The key by API and name (A-H29: names collide). The name has one field in `apikey.created` and
/// another in the other two; either is taken in each.
fn address(
    api: Value<'_>,
    name: Value<'_>,
    key_name: Value<'_>,
) -> Result<ResourceId, DecodeError> {
    let artifact = ArtifactId::new(&api.id("apiId").map_err(of_payload)?);
    let name = match name.optional_name("name").map_err(of_payload)? {
        Some(name) => name,
        None => key_name
            .optional_name("keyName")
            .map_err(of_payload)?
            .ok_or_else(|| DecodeError::new("payload names no key: neither name nor keyName"))?,
    };
    Ok(ResourceId::ApiKey(artifact, KeyName::new(&name)))
}

fn credential(
    uuid: Value<'_>,
    hashes: Hashes<'_>,
    expiry: Result<Option<Timestamp>, DecodeError>,
    sent_at: Option<Timestamp>,
) -> Result<Credential, DecodeError> {
    let hash = hashes.sha256()?;
    let uuid = uuid.optional_id("uuid")?.map(|id| KeyUuid::new(&id));
    let is_listable = uuid.is_some();
    Ok(Credential { hash, uuid, expires_at: expiry?, created_at: sent_at, is_listable })
}

/// When the key ends. A validity counts from the event's own time and never from the local clock,
/// so that a late event does not make a key live longer.
fn expires_at(
    at: Value<'_>,
    validity: Object<Validity<'_>>,
    sent_at: Option<Timestamp>,
) -> Result<Option<Timestamp>, DecodeError> {
    if let Some(at) = at.time("expiresAt")? {
        return Ok(Some(at));
    }
    let Validity { duration, unit } = match validity {
        Object::Missing => return Ok(None),
        present => present.fields("expiresIn")?,
    };
    let missing = |field: &str| DecodeError::new(format!("{field} is missing"));
    let duration = duration.number("duration").map_err(|error| error.of("expiresIn"))?;
    let duration = duration.ok_or_else(|| missing("expiresIn.duration"))?;
    let unit = unit.required("unit").map_err(|error| error.of("expiresIn"))?;
    let unit =
        unit_seconds(&unit).ok_or_else(|| DecodeError::new("expiresIn.unit is no unit of time"))?;
    let from = sent_at.ok_or_else(|| {
        DecodeError::new("expiresIn counts from a timestamp that is missing or unreadable")
    })?;
    let nanos = i128::from(duration) * i128::from(unit) * 1_000_000_000;
    Ok(Some(Timestamp::from_unix_nanos(from.unix_nanos() + nanos, from.digits())))
}

fn unit_seconds(unit: &str) -> Option<u64> {
    if ["week", "weeks"].iter().any(|week| unit.eq_ignore_ascii_case(week)) {
        return Some(7 * QuotaUnit::Day.seconds());
    }
    QuotaUnit::parse(unit).map(QuotaUnit::seconds)
}

#[cfg(test)]
mod tests {
    use super::super::envelope::tests::{AT, check, frame, refuse};
    use super::*;
    use crate::model::{Event, SecretHash};
    use crate::wire::decode_event;

    fn id() -> ResourceId {
        ResourceId::ApiKey(ArtifactId::new("d34a"), KeyName::new("mobile-key"))
    }

    fn key() -> Credential {
        Credential {
            hash: SecretHash([0xab; 32]),
            uuid: Some(KeyUuid::new("7c1e")),
            expires_at: Timestamp::parse("2026-07-17T09:15:00.123Z").ok(),
            created_at: Timestamp::parse(AT).ok(),
            is_listable: true,
        }
    }

    /// The payload of `apikey.created` as APIM sends it.
    fn created() -> String {
        let hash = "ab".repeat(32);
        format!(
            r#"{{"apiId":"d34a","uuid":"7c1e","apiKeyHashes":"{{\"sha256\":\"{hash}\"}}","maskedApiKey":"****Qx7A","name":"mobile-key","expiresAt":"2026-07-17T09:15:00.123Z"}}"#
        )
    }

    /// The payload of `apikey.updated` as APIM sends it.
    fn updated() -> String {
        let hash = "ab".repeat(32);
        format!(
            r#"{{"apiId":"d34a","keyName":"mobile-key","apiKeyHashes":"{{\"sha256\":\"{hash}\"}}","maskedApiKey":"****n0Zt"}}"#
        )
    }

    #[track_caller]
    fn check_created(payload: &str, key: Credential) {
        check("apikey.created", payload, &id(), &ResourceChange::KeyCreated(key));
    }

    /// Neither form of the event can be read, for the same reason.
    #[track_caller]
    fn unreadable(payload: &str, why: &str) {
        for (event_type, regenerated) in [("apikey.created", false), ("apikey.updated", true)] {
            let change = ResourceChange::KeyUnreadable { regenerated, why: why.to_owned() };
            check(event_type, payload, &id(), &change);
        }
    }

    #[test]
    fn a_created_key_is_read_as_it_is_sent() {
        check_created(&created(), key());
        // A key of an application has no UUID (A-H28: on no list).
        let scoped = created().replace(r#""uuid":"7c1e","#, "");
        check_created(&scoped, Credential { uuid: None, is_listable: false, ..key() });
        let forever = created().replace("expiresAt", "expiresOn");
        check_created(&forever, Credential { expires_at: None, ..key() });
    }

    #[test]
    fn a_regenerated_key_is_read_as_it_is_sent() {
        let key = Credential { uuid: None, expires_at: None, is_listable: false, ..key() };
        check("apikey.updated", &updated(), &id(), &ResourceChange::KeyRegenerated(key));
    }

    #[test]
    fn a_revoked_key_is_named_and_nothing_else() {
        for payload in [
            r#"{"apiId":"d34a","keyName":"mobile-key"}"#,
            r#"{"apiId":"d34a","name":"Mobile-KEY"}"#,
            r#"{"apiId":"d34a","name":"","keyName":"mobile-key","uuid":7,"apiKeyHashes":[],"expiresIn":0}"#,
        ] {
            check("apikey.revoked", payload, &id(), &ResourceChange::KeyRevoked);
        }
    }

    #[test]
    fn names_are_folded_and_either_field_names_the_key() {
        check_created(&created().replace("mobile-key", "Mobile-Key"), key());
        check_created(&created().replace(r#""name""#, r#""keyName""#), key());
        check_created(&created().replace(r#""uuid""#, r#""keyName":"other","uuid""#), key());
        let nameless = "payload names no key: neither name nor keyName";
        for event_type in ["apikey.created", "apikey.updated", "apikey.revoked"] {
            refuse(event_type, r#"{"apiId":"d34a"}"#, nameless);
            refuse(event_type, r#"{"apiId":"d34a","name":"","keyName":null}"#, nameless);
            refuse(event_type, r#"{"apiId":"d34a","name":5}"#, "payload.name is not a text");
            refuse(event_type, r#"{"apiId":"d34a","keyName":5}"#, "payload.keyName is not a text");
            refuse(event_type, r#"{"keyName":"a"}"#, "payload.apiId is missing");
        }
    }

    #[test]
    fn a_validity_counts_from_the_events_time() {
        for (validity, expires_at) in [
            (r#"{"duration":90,"unit":"seconds"}"#, "2026-06-17T09:16:30.123456Z"),
            (r#"{"duration":2,"unit":"MINUTE"}"#, "2026-06-17T09:17:00.123456Z"),
            (r#"{"duration":1,"unit":"hours"}"#, "2026-06-17T10:15:00.123456Z"),
            (r#"{"duration":30,"unit":"Days"}"#, "2026-07-17T09:15:00.123456Z"),
            (r#"{"duration":2,"unit":"weeks"}"#, "2026-07-01T09:15:00.123456Z"),
            (r#"{"duration":1,"unit":"months"}"#, "2026-07-17T09:15:00.123456Z"),
            (r#"{"duration":0,"unit":"days"}"#, AT),
        ] {
            let payload =
                created().replace(r#""2026-07-17T09:15:00.123Z""#, validity).replace("At", "In");
            let expires_at = Timestamp::parse(expires_at).ok();
            check_created(&payload, Credential { expires_at, ..key() });
        }
        let both =
            created().replace(r#""uuid""#, r#""expiresIn":{"duration":1,"unit":"days"},"uuid""#);
        check_created(&both, key());
        check_created(&created().replace(r#""uuid""#, r#""expiresIn":null,"uuid""#), key());
    }

    #[test]
    fn a_validity_from_no_time_is_unreadable_and_not_forever() {
        let payload = created()
            .replace(r#""2026-07-17T09:15:00.123Z""#, r#"{"duration":1,"unit":"days"}"#)
            .replace("At", "In");
        let frame = frame("apikey.created", &payload).replace(AT, "");
        let why = "payload.expiresIn counts from a timestamp that is missing or unreadable";
        let change = ResourceChange::KeyUnreadable { regenerated: false, why: why.to_owned() };
        let event = ResourceEvent { id: id(), change, sent_at: None };
        assert_eq!(decode_event(frame.as_bytes()), Ok(Event::Changed(Box::new(event))));
    }

    #[test]
    fn every_form_of_the_hash_is_read() {
        let hash = "ab".repeat(32);
        let text = format!(r#""{{\"sha256\":\"{hash}\"}}""#);
        for form in [
            format!(r#"{{"sha256":"{hash}"}}"#),
            format!("\"{hash}\""),
            format!("\"$sha256${}\"", hash.to_uppercase()),
            format!(r#""{{\"sha256\":\"$sha256${hash}\"}}""#),
        ] {
            check_created(&created().replace(&text, &form), key());
        }
    }

    #[test]
    fn a_key_that_cannot_be_read_is_an_event_that_says_so() {
        unreadable(&created().replace("Hashes", ""), "payload.apiKeyHashes is missing");
        unreadable(&created().replace("sha256", "md5"), "payload.apiKeyHashes.sha256 is missing");
        unreadable(
            &created().replacen("ab", "", 1),
            "payload.apiKeyHashes.sha256 is not 64 hexadecimal digits",
        );
        unreadable(&created().replace(r#""7c1e""#, "7"), "payload.uuid is not a text");
        let expiry = r#""2026-07-17T09:15:00.123Z""#;
        unreadable(&created().replace(expiry, "\"\""), "payload.expiresAt is empty");
        unreadable(&created().replace(expiry, "7"), "payload.expiresAt is not a text");
        unreadable(&created().replace(expiry, "\"never\""), "payload.expiresAt is no timestamp");
        for (validity, why) in [
            ("7", "expiresIn is not an object"),
            ("{}", "expiresIn.duration is missing"),
            (r#"{"duration":1}"#, "expiresIn.unit is missing"),
            (r#"{"duration":1,"unit":"eon"}"#, "expiresIn.unit is no unit of time"),
            (
                r#"{"duration":-1,"unit":"days"}"#,
                "expiresIn.duration is not a whole number from 0 up",
            ),
        ] {
            let payload = created().replace(expiry, validity).replace("At", "In");
            unreadable(&payload, &format!("payload.{why}"));
        }
    }
}
