//! What is granted, against a second judgement and against the ledger of keys.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use driftless_gateway::model::{Resource, ResourceId};
use driftless_gateway::runtime::{ApiRequest, Principal, Refusal, Snapshot};
use driftless_gateway::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::model::{self, Allowed};
use super::{Facts, KEPT, SECRETS, at, fact, hash};
use crate::holding::hold;

const PATHS: &[&str] = &[
    "/",
    "/p",
    "/p/v1",
    "/p/v1/",
    "/p/v1/x",
    "/p/v1/x/7",
    "/p/v1/x/y",
    "/p/v1/7/y",
    "/p/v1/x/7/8",
    "/p/v1/x?key=1",
    "/p/v1/x/v1",
    "/p/v1/x/v1/x",
    "/q/v1/x",
    "/q/7",
    "/q/x/y",
    "/p/v1/../x",
    "//p",
];

/// A request, owned.
#[derive(Clone, Debug)]
struct Probe {
    method: &'static str,
    path: &'static str,
    key: Option<&'static str>,
    token: Option<&'static str>,
    user: bool,
    scopes: &'static [&'static str],
    millis: i64,
}

impl Probe {
    fn request(&self) -> ApiRequest<'_> {
        ApiRequest {
            method: self.method,
            path: self.path,
            api_key: self.key,
            subscription_token: self.token,
            principal: if self.user { Principal::User } else { Principal::Application },
            scopes: self.scopes,
        }
    }
}

fn probe() -> impl Strategy<Value = Probe> {
    let scopes: Vec<&'static [&'static str]> = vec![&[], &["read"], &["write", "other"]];
    let key = option::weighted(0.9, prop_oneof![9 => select(SECRETS), 1 => Just("nobody")]);
    let token = option::weighted(0.3, select(&["token-1", "token-2", "token-3"][..]));
    (
        select(&["GET", "POST"][..]),
        select(PATHS),
        key,
        token,
        any::<bool>(),
        select(scopes),
        -3_i64..=3,
    )
        .prop_map(|(method, path, key, token, user, scopes, millis)| Probe {
            method,
            path,
            key,
            token,
            user,
            scopes,
            millis,
        })
}

/// How often each outcome was met, so that a generator that meets nothing is seen.
fn met(counts: &BTreeMap<&str, u64>) -> String {
    counts.iter().map(|(reason, count)| format!("{count:>7} {reason}\n")).collect()
}

#[test]
fn a_decision_equals_that_of_a_second_judgement() {
    let counts = RefCell::new(BTreeMap::new());
    hold(2_000, KEPT, &(vec(fact(), 10..60), vec(probe(), 20)), |(facts, probes)| {
        let now = Facts::after(&facts);
        let snapshot = now.snapshot();
        for probe in &probes {
            let (request, time) = (probe.request(), at(probe.millis));
            let decided = snapshot.judge(&request, time).map(|grant| Allowed {
                artifact: grant.artifact,
                application: grant.application,
                subscription: grant.subscription,
                charges: grant
                    .charges
                    .iter()
                    .map(|charge| (charge.subject.level(), charge.quota))
                    .collect(),
            });
            let outcome = decided.as_ref().map_or_else(|refusal| refusal.reason(), |_| "granted");
            *counts.borrow_mut().entry(outcome).or_insert(0) += 1;
            prop_assert_eq!(decided, model::judge(&now, &request, time), "{:?}", probe);
        }
        Ok(())
    });
    let counts = counts.into_inner();
    assert!(counts.get("granted").is_some_and(|count| *count > 1_000), "{}", met(&counts));
    assert!(counts.len() >= 20, "{}", met(&counts));
}

/// After any history, a request that needs a key is granted only with one of its API that is held
/// and has not expired: never with one that is revoked, replaced, expired or another API's.
#[test]
fn no_dead_or_foreign_key_is_granted() {
    let opened = Cell::new(0_u32);
    hold(2_000, KEPT, &(vec(fact(), 10..60), vec(probe(), 20)), |(facts, probes)| {
        let snapshot =
            facts.iter().fold(Snapshot::default(), |snapshot, fact| snapshot.with([fact.change()]));
        let now = Facts::after(&facts);
        for probe in &probes {
            let (request, time) = (probe.request(), at(probe.millis));
            let Ok(grant) = snapshot.judge(&request, time) else { continue };
            let without = ApiRequest { api_key: None, ..request };
            if snapshot.judge(&without, time) != Err(Refusal::KeyMissing) {
                continue;
            }
            opened.set(opened.get() + 1);
            let live = now.resources.iter().any(|(id, resource)| {
                let (ResourceId::ApiKey(api, _), Resource::ApiKey(slot)) = (id, resource) else {
                    return false;
                };
                *api == grant.artifact
                    && slot.credentials.iter().any(|held| {
                        let ended = |end: Timestamp| time.unix_nanos() >= end.unix_nanos();
                        Some(held.hash) == probe.key.map(hash)
                            && !held.expires_at.is_some_and(ended)
                    })
            });
            prop_assert!(live, "{:?}", probe);
        }
        Ok(())
    });
    assert!(opened.get() > 200, "{} requests were granted for their key", opened.get());
}
