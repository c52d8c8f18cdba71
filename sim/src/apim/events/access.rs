//! Events about keys, subscriptions, plans and applications, as each control plane sends them.
//!
//! An APIM sends `apikey.*` only, to every gateway and whether or not the API is deployed there
//! (§2.4 to §2.7, A-H34); the Platform API sends all of them (`docs/controller.md` §3).

use std::fmt::Write as _;
use std::sync::Arc;

use driftless_gateway::model::{KeyName, ResourceId, SecretHash, to_hex};
use driftless_gateway::time::{Instant, Timestamp};

use super::artifacts::Events;
use crate::apim::Contract;
use crate::apim::changes::{EventDraft, KeyChange, PlanChange, SubscriptionChange};
use crate::apim::clock::{Micros, push_go, push_java};
use crate::apim::faults::SharedFaults;
use crate::apim::ids::{ApiIndex, ApplicationIndex, PlanIndex, SubscriptionIndex};
use crate::apim::ledger::{AccessEvent, Fate, Secret};
use crate::apim::tables::access::Access;
use crate::apim::tables::artifacts::quote;
use crate::apim::tables::keys::{KeyOwner, KeyRow};
use crate::apim::tables::plans::PlanRow;
use crate::apim::tables::subscriptions::Terms;
use crate::story::aim::GatewayIndex;
use crate::story::step::Standing;

/// What may be touched when an event about a key, a subscription, a plan or an application is
/// told: what every event touches, the queue of those that come late, and the faults.
pub(in crate::apim) struct AccessEvents<'a> {
    /// What every event touches.
    pub(in crate::apim) events: Events<'a>,
    /// The tables, and the queue.
    pub(in crate::apim) access: &'a mut Access,
    /// What goes wrong for everyone.
    pub(in crate::apim) faults: &'a mut SharedFaults,
}

impl AccessEvents<'_> {
    /// Tells of a key on an API.
    pub(in crate::apim) fn tell_key(&mut self, api: ApiIndex, change: KeyChange<'_>, now: Instant) {
        let (event_type, key, begins, ends, secret) = match change {
            KeyChange::Created(key, secret) => {
                ("apikey.created", key, Some(key), None, Some(secret))
            }
            KeyChange::Regenerated(old, new, secret) => {
                ("apikey.updated", new, Some(new), Some(old), Some(secret))
            }
            KeyChange::Revoked(key) => ("apikey.revoked", key, None, Some(key), None),
        };
        let Some(row) = self.access.keys.get(key) else { return };
        let Some(api) = self.events.catalog.get(api) else { return };
        let name = KeyName::new(&row.name);
        let quoted = quote(name.as_str());
        let mut payload = String::with_capacity(384);
        let _ = write!(payload, r#"{{"apiId":"{}""#, api.id);
        match change {
            KeyChange::Created(..) => {
                // A key of an application goes without its UUID (A-H28).
                if matches!(row.owner, KeyOwner::Api(_)) || !self.events.contract.keeps_events() {
                    let _ = write!(payload, r#","uuid":"{}""#, row.uuid);
                }
                push_hash(&mut payload, &row.hash, secret);
                let _ = write!(payload, r#","name":{quoted}"#);
            }
            KeyChange::Regenerated(..) => {
                let _ = write!(payload, r#","keyName":{quoted}"#);
                push_hash(&mut payload, &row.hash, secret);
            }
            KeyChange::Revoked(_) => {
                let _ = write!(payload, r#","keyName":{quoted}"#);
            }
        }
        if begins.is_some() {
            self.push_key_times(&mut payload, row, ends.is_none());
        }
        payload.push('}');
        let about = ResourceId::ApiKey(api.id.clone(), name);
        let user = Some(Arc::clone(&row.user));
        let record = |key| self.access.keys.get(key).map(|row| row.record);
        let (begins, ends) = (begins.and_then(record), ends.and_then(record));
        let organization = row.organization;
        let mut told = EventDraft { organization, event_type, about, payload, user, begins, ends };
        if told.begins.is_some() && self.faults.odd_key_events > 0 {
            self.faults.odd_key_events -= 1;
            self.events.gateways.delivered.count("odd_key_events");
            told.spoil(self.faults.odd_key_events);
        }
        self.tell(told, now);
    }

    /// The times in a key event: an APIM says when the key expires, the Platform API also when it
    /// was made, and all of it in whole seconds.
    fn push_key_times(&self, out: &mut String, row: &KeyRow, is_new: bool) {
        if let Some(expires) = row.expires {
            out.push_str(r#","expiresAt":""#);
            if self.events.contract.keeps_events() {
                push_java(out, expires);
            } else {
                push_second(self.events.contract, out, expires);
            }
            out.push('"');
        }
        if self.events.contract.keeps_events() {
            return;
        }
        for (field, is_there) in [("createdAt", is_new), ("updatedAt", true)] {
            if is_there {
                let _ = write!(out, r#","{field}":""#);
                push_second(self.events.contract, out, row.created);
                out.push('"');
            }
        }
    }

    /// Tells of a subscription; an APIM does not.
    pub(in crate::apim) fn tell_subscription(
        &mut self,
        index: SubscriptionIndex,
        change: SubscriptionChange,
        now: Instant,
    ) {
        if self.events.contract.keeps_events() {
            return;
        }
        let event_type = match change {
            SubscriptionChange::Created => "subscription.created",
            SubscriptionChange::Updated => "subscription.updated",
            SubscriptionChange::Deleted => "subscription.deleted",
        };
        let Some(row) = self.access.subscriptions.get(index) else { return };
        let Some(api) = self.events.catalog.get(row.api) else { return };
        let organization = api.organization;
        let mut payload = format!(r#"{{"apiId":"{}","subscriptionId":"{}""#, api.id, row.id);
        if let Some(terms) = row.row.now() {
            push_terms(&mut payload, self.access, row.application, row.token.as_ref(), *terms);
        }
        payload.push('}');
        let about = ResourceId::Subscription(row.id.clone());
        self.tell(EventDraft::new(organization, event_type, about, payload), now);
    }

    /// Tells of a plan; an APIM does not.
    pub(in crate::apim) fn tell_plan(
        &mut self,
        index: PlanIndex,
        change: PlanChange,
        now: Instant,
    ) {
        if self.events.contract.keeps_events() {
            return;
        }
        let event_type = match change {
            PlanChange::Created => "subscriptionPlan.created",
            PlanChange::Updated => "subscriptionPlan.updated",
            PlanChange::Deleted => "subscriptionPlan.deleted",
        };
        let Some(plan) = self.access.plans.get(index) else { return };
        let organization = plan.organization;
        let mut payload = format!(r#"{{"planId":"{}""#, plan.id);
        push_plan(&mut payload, plan, plan.row.now().map(|limit| limit.0));
        payload.push('}');
        let about = ResourceId::Plan(plan.id.clone());
        self.tell(EventDraft::new(organization, event_type, about, payload), now);
    }

    /// Tells which keys an application has, all of them; an APIM does not.
    pub(in crate::apim) fn tell_application(&mut self, index: ApplicationIndex, now: Instant) {
        if self.events.contract.keeps_events() {
            return;
        }
        let Some(row) = self.access.applications.get(index) else { return };
        let organization = row.organization;
        // The same id in both places: which of them a subscription names is nowhere said.
        let mut payload = format!(
            r#"{{"applicationId":"{}","applicationUuid":"{}","applicationName":{},"applicationType":"genai","mappings":["#,
            row.id,
            row.id,
            quote(&row.name)
        );
        let keys = row.row.now().into_iter().flatten();
        for (nth, key) in keys.filter_map(|&key| self.access.keys.get(key)).enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            let _ = write!(payload, r#"{comma}{{"apiKeyUuid":"{}"}}"#, key.uuid);
        }
        payload.push_str("]}");
        let about = ResourceId::Application(row.id.clone());
        let event_type = "application.updated";
        self.tell(EventDraft::new(organization, event_type, about, payload), now);
    }

    /// Raises an event now, or later where events run behind their effects; never before one
    /// that waits.
    fn tell(&mut self, told: EventDraft, now: Instant) {
        let delay = self.faults.late_events.length(now);
        if delay.is_none() && !self.access.is_late() {
            return self.raise_told(&told, now);
        }
        self.events.gateways.delivered.count("delay_events");
        self.access.raise_later(now.after(delay.unwrap_or_default()), told);
    }

    /// Raises an event for every gateway of its organization, whether or not the API is deployed
    /// there (§2.7): one text and a row for each. Like any other it is stored, sent, claimed and
    /// sent again (§1.4).
    pub(in crate::apim) fn raise_told(&mut self, told: &EventDraft, now: Instant) {
        self.events.counts.told += 1;
        let key = self.events.key.child("notices").nth(self.events.counts.told);
        let stamp = self.events.event_stamp(now);
        let mut at = String::with_capacity(40);
        if self.events.contract.keeps_events() {
            push_java(&mut at, stamp);
        } else if told.event_type.starts_with("apikey.") {
            push_second(self.events.contract, &mut at, stamp);
        } else {
            push_go(&mut at, stamp, self.events.contract.switches.offset_minutes.minutes());
        }
        let mut text = format!(
            r#"{{"type":"{}","payload":{},"timestamp":"{at}","correlationId":"{}""#,
            told.event_type,
            told.payload,
            key.uuid("correlation")
        );
        if let Some(user) = &told.user {
            let _ = write!(text, r#","userId":{}"#, quote(user));
        }
        text.push('}');
        let text: Arc<str> = Arc::from(text);
        for gateway in self.events.gateways.gateways_of(told.organization) {
            let row = match gateway {
                GatewayIndex::FIRST => key,
                GatewayIndex(place) => key.nth(place as u64),
            };
            let fate = self.events.dispatch(gateway, Arc::clone(&text), row.draw("id"), now);
            self.note_told(gateway, told, &at, fate, now);
        }
    }

    /// Notes an event that never comes to exist: the node stopped before it raised it (A-H10).
    pub(in crate::apim) fn lose_told(&mut self, told: &EventDraft, now: Instant) {
        for gateway in self.events.gateways.gateways_of(told.organization) {
            self.note_told(gateway, told, "", Fate::Lost, now);
        }
    }

    fn note_told(
        &mut self,
        gateway: GatewayIndex,
        told: &EventDraft,
        sent_text: &str,
        fate: Fate,
        now: Instant,
    ) {
        let &EventDraft { event_type, begins, ends, .. } = told;
        let about = told.about.clone();
        let sent_at = Timestamp::parse(sent_text).ok();
        let event = AccessEvent { at: now, event_type, about, begins, ends, sent_at, fate };
        self.events.gateways.at_mut(gateway).ledger.note_event(event);
    }
}

/// A moment as Go's `time.RFC3339` writes it.
fn push_second(contract: &Contract, out: &mut String, at: Micros) {
    push_go(out, at.div_euclid(1_000_000) * 1_000_000, contract.switches.offset_minutes.minutes());
}

/// What events and lists say of a subscription in the same words.
pub(in crate::apim) fn push_terms(
    out: &mut String,
    access: &Access,
    application: ApplicationIndex,
    token: Option<&Secret>,
    terms: Terms,
) {
    if let Some(application) = access.applications.get(application) {
        let _ = write!(out, r#","applicationId":"{}""#, application.id);
    }
    if let Some(token) = token {
        let _ = write!(out, r#","subscriptionToken":"{}""#, token.reveal());
    }
    if let Some(plan) = terms.plan.and_then(|plan| access.plans.get(plan)) {
        let _ = write!(out, r#","subscriptionPlanId":"{}""#, plan.id);
    }
    let status = match terms.status {
        Standing::Active => "ACTIVE",
        Standing::Revoked => "REVOKED",
        _ => "INACTIVE",
    };
    let _ = write!(out, r#","status":"{status}""#);
}

/// The hash as an event writes it, a text that holds JSON (A-H30), and the mask.
fn push_hash(out: &mut String, hash: &SecretHash, secret: Option<&Secret>) {
    out.push_str(r#","apiKeyHashes":"{\"sha256\":\""#);
    out.push_str(&to_hex(&hash.0));
    let mask = secret.map(Secret::masked).unwrap_or_default();
    let _ = write!(out, r#"\"}}","maskedApiKey":"{mask}""#);
}

/// What events and lists say of a plan in the same words. `limit` is that of a plan that is
/// there; of one that is gone only the name is said.
pub(in crate::apim) fn push_plan(out: &mut String, plan: &PlanRow, limit: Option<Option<u64>>) {
    let _ = write!(out, r#","planName":{}"#, quote(&plan.name));
    let Some(per_minute) = limit else { return };
    out.push_str(r#","billingPlan":"free","stopOnQuotaReach":true"#);
    if let Some(count) = per_minute {
        let _ = write!(out, r#","throttleLimitCount":{count},"throttleLimitUnit":"MINUTE""#);
    }
    out.push_str(r#","status":"ACTIVE""#);
}

/// The fields of frames that nobody may read in a trace (law 16).
const HIDDEN: [&str; 3] =
    [r#""apiKeyHashes":""#, r#""maskedApiKey":""#, r#""subscriptionToken":""#];

/// A frame for a trace: what opens an API is left out.
pub fn redacted(frame: &str) -> String {
    let mut out = frame.to_owned();
    for field in HIDDEN {
        let Some(start) = out.find(field).map(|place| place + field.len()) else { continue };
        let rest = out.get(start..).unwrap_or_default();
        let mut is_escaped = false;
        let end = rest.find(|letter| {
            let ends = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        out.replace_range(start..start + end.unwrap_or(rest.len()), "…");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_shows_no_hash_no_mask_and_no_token() {
        let frame = r#"{"payload":{"apiKeyHashes":"{\"sha256\":\"9f86\"}","maskedApiKey":"****Qx7A","name":"k"}}"#;
        let shown = r#"{"payload":{"apiKeyHashes":"…","maskedApiKey":"…","name":"k"}}"#;
        assert_eq!(redacted(frame), shown);
        assert_eq!(redacted(r#"{"subscriptionToken":"cut"#), r#"{"subscriptionToken":"…"#);
        assert_eq!(redacted(r#"{"type":"api.deployed"}"#), r#"{"type":"api.deployed"}"#);
    }
}
