//! `application.updated`, and `application.deleted`, which no contract has
//! (`docs/controller.md` §3).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::envelope::{of_payload, read};
use crate::model::{
    Application, ApplicationId, KeyUuid, ResourceChange, ResourceEvent, ResourceId,
};
use crate::wire::DecodeError;
use crate::wire::json::{Array, Collect, Object, Value};

/// The payload; `applicationType` is of no use here.
#[derive(Deserialize)]
struct ApplicationPayload<'a> {
    #[serde(borrow, default, rename = "applicationUuid")]
    uuid: Value<'a>,
    #[serde(borrow, default, rename = "applicationId")]
    id: Value<'a>,
    #[serde(borrow, default, rename = "applicationName")]
    name: Value<'a>,
    #[serde(default)]
    mappings: Array<Mappings>,
}

/// One key of the application.
#[derive(Deserialize)]
struct Mapping<'a> {
    #[serde(borrow, default, rename = "apiKeyUuid")]
    key: Value<'a>,
}

/// The keys so far, or the first that could not be read: with one of them missing the others are
/// not all of the application's keys.
struct Mappings {
    next: u64,
    read: Result<BTreeSet<KeyUuid>, DecodeError>,
}

impl Default for Mappings {
    fn default() -> Self {
        Self { next: 0, read: Ok(BTreeSet::new()) }
    }
}

impl<'de> Collect<'de> for Mappings {
    type Item = Object<Mapping<'de>>;

    fn add(&mut self, item: Self::Item) {
        let Ok(keys) = &mut self.read else { return };
        match item.fields("it").and_then(|mapping| mapping.key.id("apiKeyUuid")) {
            Ok(uuid) => {
                keys.insert(KeyUuid::new(&uuid));
            }
            Err(error) => {
                self.read = Err(error.within(&format!("payload.mappings, item {}", self.next)));
            }
        }
        self.next += 1;
    }
}

/// Reads `application.updated`. Without its array of mappings it says nothing: taken for an empty
/// one it would take every key from the application (law 3).
pub(super) fn updated(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (payload, sent_at): (ApplicationPayload<'_>, _) = read(frame)?;
    let id = address(payload.uuid, payload.id)?;
    let name = payload.name.name("applicationName").map_err(of_payload)?.into_owned();
    let keys = payload.mappings.items("mappings").map_err(of_payload)?.read?;
    let change = ResourceChange::ApplicationUpdated(Application { name, keys });
    Ok(ResourceEvent { id, change, sent_at })
}

/// Reads `application.deleted`.
pub(super) fn deleted(frame: &[u8]) -> Result<ResourceEvent, DecodeError> {
    let (payload, sent_at): (ApplicationPayload<'_>, _) = read(frame)?;
    let id = address(payload.uuid, payload.id)?;
    Ok(ResourceEvent { id, change: ResourceChange::Deleted, sent_at })
}

/// The application by UUID, or by its other id where it comes without.
fn address(uuid: Value<'_>, id: Value<'_>) -> Result<ResourceId, DecodeError> {
    let has_uuid = uuid.is_present() || !id.is_present();
    let id = if has_uuid { uuid.id("applicationUuid") } else { id.id("applicationId") };
    Ok(ResourceId::Application(ApplicationId::new(&id.map_err(of_payload)?)))
}

#[cfg(test)]
mod tests {
    use super::super::envelope::tests::{check, refuse};
    use super::*;

    /// The payload as the Platform API sends it.
    const PAYLOAD: &str = r#"{"applicationId":"shop","applicationUuid":"a11","applicationName":"Shop","applicationType":"genai","mappings":[{"apiKeyUuid":"7c1e"},{"apiKeyUuid":"5d2f"},{"apiKeyUuid":"7c1e"}]}"#;

    #[track_caller]
    fn check_updated(payload: &str, id: &str, keys: &[&str]) {
        let keys = keys.iter().map(|uuid| KeyUuid::new(uuid)).collect();
        let change =
            ResourceChange::ApplicationUpdated(Application { name: "Shop".to_owned(), keys });
        let id = ResourceId::Application(ApplicationId::new(id));
        check("application.updated", payload, &id, &change);
    }

    #[test]
    fn an_application_is_read_as_it_is_sent() {
        check_updated(PAYLOAD, "a11", &["5d2f", "7c1e"]);
        check_updated(&PAYLOAD.replace("applicationUuid", "x"), "shop", &["5d2f", "7c1e"]);
        check_updated(&PAYLOAD.replace(r#""a11""#, "null"), "shop", &["5d2f", "7c1e"]);
        let none = r#"{"applicationUuid":"a11","applicationName":"Shop","mappings":[]}"#;
        check_updated(none, "a11", &[]);
    }

    #[test]
    fn a_deleted_application_needs_only_its_id() {
        let id = ResourceId::Application(ApplicationId::new("a11"));
        for payload in [PAYLOAD, r#"{"applicationUuid":"a11"}"#, r#"{"applicationId":"a11"}"#] {
            check("application.deleted", payload, &id, &ResourceChange::Deleted);
        }
    }

    #[test]
    fn mappings_are_whole_or_nothing() {
        let with = |mappings: &str| {
            format!(r#"{{"applicationUuid":"a11","applicationName":"Shop","mappings":{mappings}}}"#)
        };
        let refuse = |payload: &str, reason: &str| refuse("application.updated", payload, reason);
        refuse(&with("null"), "payload.mappings is missing");
        refuse(&with("{}"), "payload.mappings is not an array");
        refuse(&with(r#""hunter2""#), "payload.mappings is not an array");
        refuse(&with("[7]"), "payload.mappings, item 0: it is not an object");
        refuse(
            &with(r#"[{"apiKeyUuid":"a"},{},7]"#),
            "payload.mappings, item 1: apiKeyUuid is missing",
        );
        let odd = PAYLOAD.replace("mappings", "keys");
        refuse(&odd, "payload.mappings is missing");
        refuse(&PAYLOAD.replace("Shop", ""), "payload.applicationName is empty");
        refuse(&PAYLOAD.replace(r#""a11""#, "7"), "payload.applicationUuid is not a text");
    }
}
