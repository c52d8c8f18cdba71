//! The bulk answers about keys, subscriptions and plans (§3.7, §3.8; `docs/controller.md`
//! §2.3 to §2.5).

use std::fmt::Write as _;

use driftless_gateway::model::{Dialect, KeyName, Kind, to_hex};
use driftless_gateway::wire::HttpResponse;

use super::artifacts::{api_list, with_id};
use super::bodies;
use crate::apim::Contract;
use crate::apim::clock::{Micros, push_go, push_java};
use crate::apim::events::access::{push_plan, push_terms};
use crate::apim::faults::wrong_answers::WrongAnswer;
use crate::apim::ids::ApiIndex;
use crate::apim::ledger::KeyState;
use crate::apim::tables::access::Access;
use crate::apim::tables::artifacts::{ApiRow, Catalog, quote};
use crate::apim::tables::keys::{KeyOwner, KeyRow};
use crate::apim::tables::plans::Limit;
use crate::apim::tables::subscriptions::{SubscriptionRow, Terms};
use crate::story::aim::{GatewayIndex, OrganizationIndex};
use crate::story::step::Wrong;

/// A list whose items have other types than the contract says.
const OTHER_TYPES: &str = r#"[1,"two",[]]"#;

/// Answers about keys, subscriptions and plans; nothing is changed.
pub(in crate::apim) struct AccessAnswers<'a> {
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// The APIs.
    pub(in crate::apim) catalog: &'a Catalog,
    /// The tables about who may use what.
    pub(in crate::apim) access: &'a Access,
    /// The organization of the gateway that asks.
    pub(in crate::apim) organization: OrganizationIndex,
}

impl<'a> AccessAnswers<'a> {
    /// `GET /{apis|…}/api-keys`: an array, or in GA the list of all APIs (§3.7).
    pub(in crate::apim) fn read_keys(
        &self,
        gateway: GatewayIndex,
        kind: Kind,
        wrong_answer: &mut WrongAnswer,
    ) -> HttpResponse {
        if self.contract.dialect == Dialect::Apim470 {
            return bodies::json(200, api_list(self.catalog, self.organization, gateway));
        }
        let mut items = self.listed_keys(gateway, kind, wrong_answer);
        wrong_answer.select(&mut items);
        if wrong_answer.take(Wrong::OtherTypes) {
            return bodies::json(200, OTHER_TYPES.to_owned());
        }
        let mut out = String::with_capacity(16 + 400 * items.len());
        out.push('[');
        for (nth, (api, key)) in items.into_iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            let start = out.len();
            if self.contract.keeps_events() {
                self.write_apim_key(&mut out, api, key);
            } else {
                self.write_platform_key(&mut out, api, key);
            }
            wrong_answer.spoil(&mut out, start, nth);
        }
        out.push(']');
        bodies::json(200, out)
    }

    /// The keys that a list names, API by API. An APIM names active keys of one API, for APIs
    /// that are deployed on this gateway according to the artifact cache: when that is empty, so
    /// is the list (A-H35). The Platform API names every active key of the kind's artifacts.
    fn listed_keys(
        &self,
        gateway: GatewayIndex,
        kind: Kind,
        wrong_answer: &mut WrongAnswer,
    ) -> Vec<(&'a ApiRow, &'a KeyRow)> {
        let mut items = Vec::new();
        let mut nth = 0;
        let all = self.catalog.by_id(self.organization);
        let of_kind = all.filter(|(_, api)| api.kind == kind);
        for (index, api) in of_kind {
            let mut keys = self.keys_listed_for(index).peekable();
            if keys.peek().is_none() {
                continue;
            }
            let there = api.gateways.at(gateway);
            let rows = |wrong_answer: &mut WrongAnswer| {
                wrong_answer.rows(nth, there.state.rows, &there.history)
            };
            if self.contract.keeps_events() && rows(wrong_answer).cached.is_none() {
                continue;
            }
            for (key, subscription) in keys {
                let is_subscribed = subscription.is_none_or(|row| {
                    wrong_answer.seen(nth, &row.row).is_some_and(|terms| terms.status.fans_out())
                });
                let is_active = wrong_answer.seen(nth, &key.row) == Some(&KeyState::Active);
                if is_active & is_subscribed & wrong_answer.seen(nth, &key.mapping).is_some() {
                    items.push((api, key));
                }
                nth += 1;
            }
        }
        items
    }

    /// An API's own keys; in the Platform API also those of the applications subscribed to it.
    fn keys_listed_for(
        &self,
        api: ApiIndex,
    ) -> impl Iterator<Item = (&'a KeyRow, Option<&'a SubscriptionRow>)> + use<'a> {
        let own = self.access.keys.of(KeyOwner::Api(api)).map(|(_, key)| (key, None));
        let lists_all = !self.contract.keeps_events();
        let subscribed = self.access.subscriptions.of_api(api).filter(move |_| lists_all);
        let through = subscribed.flat_map(|row| {
            let keys = self.access.keys.of(KeyOwner::Application(row.application));
            keys.map(move |(_, key)| (key, Some(row)))
        });
        own.chain(through)
    }

    /// One key as the fixed APIM writes it.
    fn write_apim_key(&self, out: &mut String, api: &ApiRow, key: &KeyRow) {
        let name = if self.contract.switches.key_names_folded {
            quote(KeyName::new(&key.name).as_str())
        } else {
            quote(&key.name)
        };
        let prefix = if self.contract.switches.key_hash_prefix { "$sha256$" } else { "" };
        let _ = write!(
            out,
            r#"{{"uuid":"{}","name":{name},"maskedApiKey":"****","apiKeyHashes":{{"sha256":"{prefix}"#,
            key.uuid
        );
        out.push_str(&to_hex(&key.hash.0));
        let _ = write!(out, r#""}},"artifactUuid":"{}","status":"ACTIVE","createdAt":""#, api.id);
        push_java(out, key.created);
        let _ = write!(out, r#"","createdBy":{},"updatedAt":""#, quote(&key.user));
        push_java(out, key.created);
        out.push('"');
        match key.expires {
            Some(expires) => {
                out.push_str(r#","expiresAt":""#);
                push_java(out, expires);
                out.push('"');
            }
            None if self.contract.switches.key_nulls => out.push_str(r#","expiresAt":null"#),
            None => {}
        }
        out.push_str(if self.contract.switches.key_nulls {
            r#","etag":null,"source":"external","externalRefId":null,"issuer":null}"#
        } else {
            r#","source":"external"}"#
        });
    }

    /// One key as the Platform API writes it.
    fn write_platform_key(&self, out: &mut String, api: &ApiRow, key: &KeyRow) {
        let name = quote(KeyName::new(&key.name).as_str());
        let _ = write!(
            out,
            r#"{{"etag":"{}-{}","uuid":"{}","name":{name},"maskedApiKey":"****","apiKeyHashes":{{"sha256":""#,
            key.uuid, key.created, key.uuid
        );
        out.push_str(&to_hex(&key.hash.0));
        let _ = write!(out, r#""}},"artifactUuid":"{}","status":"active","createdAt":""#, api.id);
        let time = |out: &mut String, at: Micros| {
            push_go(out, at, self.contract.switches.offset_minutes.minutes())
        };
        time(out, key.created);
        let _ = write!(out, r#"","createdBy":{},"updatedAt":""#, quote(&key.user));
        time(out, key.created);
        if let Some(expires) = key.expires {
            out.push_str(r#"","expiresAt":""#);
            time(out, expires);
        }
        out.push_str(r#"","source":"external"}"#);
    }

    /// `GET /apis/{id}/subscriptions` of the Platform API: for artifacts that are, or were,
    /// deployed to this gateway (`docs/controller.md` §5).
    pub(in crate::apim) fn read_subscriptions(
        &self,
        gateway: GatewayIndex,
        id: &str,
        wrong_answer: &mut WrongAnswer,
    ) -> HttpResponse {
        let index = with_id(self.catalog, self.organization, id);
        let found = index.and_then(|index| Some((index, self.catalog.get(index)?)));
        let Some((index, api)) = found else {
            return bodies::platform_error(404, "Not Found", "API not found");
        };
        let there = api.gateways.at(gateway);
        let rows = wrong_answer.rows(0, there.state.rows, &there.history);
        if !rows.exists {
            return bodies::platform_error(404, "Not Found", "API not found");
        }
        if rows.cached.is_none() {
            let reason = "The API is not deployed to this gateway";
            return bodies::platform_error(403, "Forbidden", reason);
        }
        let mut items: Vec<(&SubscriptionRow, Terms)> = Vec::new();
        for (nth, row) in self.access.subscriptions.of_api(index).enumerate() {
            items.extend(wrong_answer.seen(nth, &row.row).map(|terms| (row, *terms)));
        }
        wrong_answer.select(&mut items);
        if wrong_answer.take(Wrong::OtherTypes) {
            return bodies::json(200, OTHER_TYPES.to_owned());
        }
        let mut out = String::with_capacity(16 + 320 * items.len());
        out.push('[');
        for (nth, (row, terms)) in items.into_iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            let start = out.len();
            let _ = write!(out, r#"{{"id":"{}","apiId":"{}""#, row.id, api.id);
            push_terms(&mut out, self.access, row.application, row.token.as_ref(), terms);
            out.push('}');
            wrong_answer.spoil(&mut out, start, nth);
        }
        out.push(']');
        bodies::json(200, out)
    }

    /// `GET /subscription-plans` of the Platform API.
    pub(in crate::apim) fn read_plans(&self, wrong_answer: &mut WrongAnswer) -> HttpResponse {
        let mut items = Vec::new();
        let plans = self.access.plans.of(self.organization);
        for (nth, plan) in plans.enumerate() {
            items.extend(wrong_answer.seen(nth, &plan.row).map(|&Limit(limit)| (plan, limit)));
        }
        wrong_answer.select(&mut items);
        if wrong_answer.take(Wrong::OtherTypes) {
            return bodies::json(200, OTHER_TYPES.to_owned());
        }
        let mut out = String::with_capacity(16 + 240 * items.len());
        out.push('[');
        for (nth, (plan, limit)) in items.into_iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            let start = out.len();
            let _ = write!(out, r#"{{"id":"{}""#, plan.id);
            push_plan(&mut out, plan, Some(limit));
            out.push('}');
            wrong_answer.spoil(&mut out, start, nth);
        }
        out.push(']');
        bodies::json(200, out)
    }
}
