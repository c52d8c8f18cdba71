//! What a scenario claims about its run, on top of the properties that always hold.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::engine::{StatusKind, SyncState};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::access_claims::AccessClaim;
use super::document::{Node, TextPlace};
use super::fleet::{GatewayEntry, known_gateway};
use super::names::{REQUESTS, RESOURCE_KINDS, SYNC_STATES};
use super::reader::read;
use super::refusal::{Refusal, hint};
use super::{access_claims, names};
use crate::story::step::{Step, VERBS};

/// What is claimed. Every field may be left out, but not all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expect {
    /// By API: the revision that must be served at the end, or 0 when it must not be served.
    pub serving: BTreeMap<String, u32>,
    /// By resource kind: the state of its status at the end.
    pub status: BTreeMap<StatusKind, SyncState>,
    /// What some status must have said at some time of the run.
    pub was_status: Vec<WasStatus>,
    /// APIs that must never stop being served once they were.
    pub always_served: Vec<String>,
    /// APIs that must never be served at all.
    pub never_served: Vec<String>,
    /// By API: how many keys must be in force for it at the end.
    pub keys: BTreeMap<String, u64>,
    /// Requests that must be let through.
    pub opens: Vec<AccessClaim>,
    /// Requests that must be refused.
    pub refuses: Vec<AccessClaim>,
    /// By API: how many of its acks must, or may at most, have said what.
    pub acked: BTreeMap<String, AckedClaim>,
    /// By request: how many the gateway may send at most.
    pub requests_max: BTreeMap<String, u64>,
    /// How many durable writes the gateway may make at most.
    pub writes_max: Option<u64>,
    /// By gateway: what is claimed of it alone. What is beside this is claimed of every gateway.
    pub gateways: BTreeMap<String, Self>,
    /// By fault: how often it must have been delivered at least, to all gateways together.
    pub delivered: BTreeMap<String, u64>,
}

/// What some status must have said at some time of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WasStatus {
    /// Which kind's status.
    pub kind: StatusKind,
    /// What it said.
    pub state: SyncState,
}

/// How many acks of an API must, or may at most, have said what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AckedClaim {
    /// At least this many said success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<u64>,
    /// At most this many said success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_max: Option<u64>,
    /// At most this many said failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// At least this many said failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_min: Option<u64>,
}

impl Expect {
    /// What is claimed of one gateway: of every one, and of the one of that name.
    pub fn of<'a>(&'a self, gateway: Option<&'a str>) -> impl Iterator<Item = &'a Self> {
        let own = gateway.and_then(|name| self.gateways.get(name));
        std::iter::once(self).chain(own)
    }

    /// The times at which something is claimed of a request, in milliseconds.
    pub fn times(&self) -> BTreeSet<u64> {
        let all = std::iter::once(self).chain(self.gateways.values());
        let claims = all.flat_map(|of| of.opens.iter().chain(&of.refuses));
        claims.filter_map(|claim| claim.at_ms).collect()
    }

    /// Whether nothing is claimed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The claims as the file has them, before their names are looked up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    serving: BTreeMap<String, u32>,
    #[serde(default)]
    status: BTreeMap<String, String>,
    #[serde(default)]
    was_status: Vec<RawStatus>,
    #[serde(default)]
    always_served: Vec<String>,
    #[serde(default)]
    never_served: Vec<String>,
    #[serde(default)]
    keys: BTreeMap<String, u64>,
    #[serde(default)]
    opens: Vec<AccessClaim>,
    #[serde(default)]
    refuses: Vec<AccessClaim>,
    #[serde(default)]
    acked: BTreeMap<String, AckedClaim>,
    #[serde(default)]
    requests_max: BTreeMap<String, u64>,
    #[serde(default)]
    writes_max: Option<u64>,
    #[serde(default)]
    #[expect(dead_code, reason = "`parse` reads it from the document, with its places")]
    gateways: Option<IgnoredAny>,
    #[serde(default)]
    delivered: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStatus {
    kind: String,
    state: String,
}

impl Serialize for WasStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawStatus { kind: self.kind.to_string(), state: self.state.to_string() };
        raw.serialize(serializer)
    }
}

/// Reads the claims and holds them against the steps they are about.
pub(super) fn parse(
    node: &Node,
    steps: &[Step],
    gateways: &[GatewayEntry],
) -> Result<Expect, Refusal> {
    let mut expect = claims(node, steps)?;
    let of_gateways = node.get("gateways");
    for (key, claimed) in of_gateways.into_iter().flat_map(Node::entries) {
        known_gateway(&key.name, gateways, key.place)?;
        if let Some(field) = ["gateways", "delivered"].iter().find(|it| claimed.get(it).is_some()) {
            let problem = format!("`{field}` is claimed of all gateways together");
            return Err(claimed.place_of_key(field).refuse(problem, None));
        }
        let of = claims(claimed, steps)?;
        if of.is_empty() {
            let problem = format!("nothing is claimed of the gateway `{}`", key.name);
            return Err(claimed.place.refuse(problem, None));
        }
        expect.gateways.insert(key.name.clone(), of);
    }
    if expect.is_empty() {
        let hint = Some("say what must be true at the end, as `serving` does".to_owned());
        return Err(node.place.refuse("`expect` claims nothing", hint));
    }
    Ok(expect)
}

/// Reads what is claimed of one gateway, or of all.
fn claims(node: &Node, steps: &[Step]) -> Result<Expect, Refusal> {
    let raw: Raw = read(node)?;
    known_apis(&raw, node, steps)?;
    let expect = Expect {
        status: statuses(&raw, node)?,
        was_status: was_statuses(&raw, node)?,
        serving: raw.serving,
        always_served: raw.always_served,
        never_served: raw.never_served,
        keys: raw.keys,
        opens: raw.opens,
        refuses: raw.refuses,
        acked: raw.acked,
        requests_max: raw.requests_max,
        writes_max: raw.writes_max,
        gateways: BTreeMap::new(),
        delivered: raw.delivered,
    };
    claims_mean_something(&expect, node)?;
    access_claims::check(&expect.opens, &expect.refuses, node, steps)?;
    known_requests(&expect, node)?;
    known_faults(&expect, node, steps)?;
    Ok(expect)
}

/// Every API that is claimed something about must be named by a step.
fn known_apis(raw: &Raw, node: &Node, steps: &[Step]) -> Result<(), Refusal> {
    let apis: BTreeSet<&str> = steps.iter().filter_map(|step| step.verb.api()).collect();
    let apis: Vec<&str> = apis.into_iter().collect();
    let check = |name: &str, place: TextPlace| {
        if apis.contains(&name) {
            return Ok(());
        }
        let problem = format!("`expect` speaks of `{name}`, which no step names");
        Err(place.refuse(problem, Some(hint(name, &apis))))
    };
    for (field, names) in [
        ("serving", raw.serving.keys().collect::<Vec<_>>()),
        ("keys", raw.keys.keys().collect()),
        ("acked", raw.acked.keys().collect()),
    ] {
        for name in names {
            check(name, node.get(field).unwrap_or(node).place_of_key(name))?;
        }
    }
    for (field, names) in
        [("always_served", &raw.always_served), ("never_served", &raw.never_served)]
    {
        for (index, name) in names.iter().enumerate() {
            let place = item_place(node, field, index);
            check(name, place)?;
            if names.iter().take(index).any(|other| other == name) {
                return Err(place.refuse(format!("`{name}` is there twice"), None));
            }
        }
    }
    Ok(())
}

fn item_place(node: &Node, field: &str, index: usize) -> TextPlace {
    let list = node.get(field).unwrap_or(node);
    list.items().get(index).map_or(list.place, |item| item.place)
}

fn statuses(raw: &Raw, node: &Node) -> Result<BTreeMap<StatusKind, SyncState>, Refusal> {
    let list = node.get("status").unwrap_or(node);
    raw.status
        .iter()
        .map(|(kind, state)| {
            Ok((
                kind_named(kind, list.place_of_key(kind))?,
                state_named(state, list.place_of(&[kind]))?,
            ))
        })
        .collect()
}

fn was_statuses(raw: &Raw, node: &Node) -> Result<Vec<WasStatus>, Refusal> {
    let item = |(index, raw): (usize, &RawStatus)| {
        let list = node.get("was_status").unwrap_or(node);
        let item = list.items().get(index).unwrap_or(list);
        Ok(WasStatus {
            kind: kind_named(&raw.kind, item.place_of(&["kind"]))?,
            state: state_named(&raw.state, item.place_of(&["state"]))?,
        })
    };
    raw.was_status.iter().enumerate().map(item).collect()
}

fn kind_named(name: &str, place: TextPlace) -> Result<StatusKind, Refusal> {
    names::resource_kind(name).ok_or_else(|| {
        let kinds: Vec<String> = RESOURCE_KINDS.iter().map(ToString::to_string).collect();
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        place.refuse(format!("unknown resource kind `{name}`"), Some(hint(name, &kinds)))
    })
}

fn state_named(name: &str, place: TextPlace) -> Result<SyncState, Refusal> {
    names::sync_state(name).ok_or_else(|| {
        let states = SYNC_STATES.map(SyncState::name);
        place.refuse(format!("unknown status `{name}`"), Some(hint(name, &states)))
    })
}

/// Refuses claims that every run fulfils, or none.
fn claims_mean_something(expect: &Expect, node: &Node) -> Result<(), Refusal> {
    for (name, claim) in &expect.acked {
        let place = node.place_of(&["acked", name]);
        let least = [claim.success, claim.failed_min].into_iter().flatten();
        let most = claim.success_max.or(claim.failed);
        if least.max().unwrap_or(0) == 0 && most.is_none() {
            let problem = format!("the claim about acks of `{name}` says nothing");
            let hint = "give `success` or `failed_min` (at least), `failed` or `success_max` (at \
                        most)";
            return Err(place.refuse(problem, Some(hint.to_owned())));
        }
        let is_empty = |least: Option<u64>, most: Option<u64>| {
            least.zip(most).is_some_and(|(least, most)| least > most)
        };
        if is_empty(claim.success, claim.success_max) || is_empty(claim.failed_min, claim.failed) {
            let problem = format!("acks of `{name}` cannot be more than they may be at most");
            return Err(place.refuse(problem, None));
        }
    }
    for (name, least) in &expect.delivered {
        if *least == 0 {
            let place = node.place_of(&["delivered", name]);
            return Err(place.refuse("delivered at least 0 times says nothing", None));
        }
    }
    for (name, revision) in &expect.serving {
        let contradicted =
            if *revision == 0 { &expect.always_served } else { &expect.never_served };
        if contradicted.contains(name) {
            let problem = format!("`{name}` cannot be {revision} here and also be in the list");
            return Err(node.place_of(&["serving", name]).refuse(problem, None));
        }
    }
    Ok(())
}

fn known_requests(expect: &Expect, node: &Node) -> Result<(), Refusal> {
    for name in expect.requests_max.keys() {
        if !REQUESTS.contains(&name.as_str()) {
            let place = node.get("requests_max").unwrap_or(node).place_of_key(name);
            let problem = format!("unknown request `{name}`");
            return Err(place.refuse(problem, Some(hint(name, REQUESTS))));
        }
    }
    Ok(())
}

/// Every fault whose delivery is claimed must be in the story.
fn known_faults(expect: &Expect, node: &Node, steps: &[Step]) -> Result<(), Refusal> {
    let told: BTreeSet<&str> = steps
        .iter()
        .filter(|step| step.verb.is_fault())
        .map(|step| step.verb.delivered_as())
        .collect();
    let told: Vec<&str> = told.into_iter().collect();
    for name in expect.delivered.keys() {
        if told.contains(&name.as_str()) {
            continue;
        }
        let place = node.get("delivered").unwrap_or(node).place_of_key(name);
        let verb = name.split('.').next().unwrap_or(name);
        let known = VERBS.iter().any(|entry| entry.name == verb);
        let problem = if known {
            format!("`{name}` cannot be delivered: no step is that fault")
        } else {
            format!("unknown fault `{name}`")
        };
        return Err(place.refuse(problem, Some(hint(name, &told))));
    }
    Ok(())
}
