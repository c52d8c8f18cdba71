//! What an answer denies although it is so, for the ledger.
//!
//! It looks at the answer as it is sent, so whatever made it wrong counts alike: a fault, a stale
//! view or a lost row.

use std::collections::BTreeSet;

use driftless_gateway::model::{ArtifactId, Dialect, Kind, to_hex};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpResponse;

use super::route::Route;
use crate::apim::ledger::{KeyState, Ledger, Naming, Subject};
use crate::story::step::Wrong;

/// What an answer denies and what it names of all that it should name. With it comes the fault
/// that it met, if any; `is_suspect` says that something may be wrong with it.
pub(super) fn of(
    ledger: &Ledger,
    dialect: Dialect,
    route: Route<'_>,
    (response, wrong): (&HttpResponse, Option<Wrong>),
    is_suspect: bool,
    now: Instant,
) -> Vec<Naming> {
    let naming = |is_named, subject| Naming { subject, is_named, at: now };
    if let Route::Fetch(id) = route {
        let id = ArtifactId::new(id);
        let is_wanted = deployed(ledger, now).any(|deployed| deployed == id);
        let tells = is_wanted && matches!(response.status, 200 | 404);
        let is_named = response.status == 200;
        return tells.then(|| naming(is_named, Subject::Definition(id))).into_iter().collect();
    }
    if response.status != 200 || !wrong.is_none_or(is_well_formed) {
        return Vec::new();
    }
    let mut due = wanted(ledger, dialect, route, now);
    if !is_suspect {
        // What an answer names without a fault matters only where it was denied before.
        due.retain(|subject| ledger.denied().knows(subject));
    }
    if due.is_empty() {
        return Vec::new();
    }
    let body = String::from_utf8_lossy(&response.body);
    let due: Vec<(String, Subject)> =
        due.into_iter().map(|subject| (name_of(&subject), subject)).collect();
    let lengths: BTreeSet<usize> = due.iter().map(|(name, _)| name.len()).collect();
    // A list names something as a text, which may stand in another, as the hash of a key does.
    let texts = body.split(['"', '\\']).filter(|text| lengths.contains(&text.len()));
    let names: BTreeSet<&str> = texts.collect();
    due.into_iter().map(|(name, subject)| naming(names.contains(&*name), subject)).collect()
}

/// The text by which a list names a subject.
fn name_of(subject: &Subject) -> String {
    match subject {
        Subject::Row(id) | Subject::Definition(id) => id.to_string(),
        Subject::Key(hash) => to_hex(&hash.0),
        Subject::Subscription(id) => id.to_string(),
        Subject::Plan(id) => id.to_string(),
    }
}

/// Whether a list that met this fault is still a list to whoever reads it.
const fn is_well_formed(wrong: Wrong) -> bool {
    matches!(
        wrong,
        Wrong::Empty
            | Wrong::WithoutTail
            | Wrong::WithoutMiddle
            | Wrong::FirstOnly
            | Wrong::StaleMs(_)
            | Wrong::MixedMs(_)
            | Wrong::SlowMs(_)
    )
}

/// The artifacts that are deployed, as a fresh read sees them.
fn deployed(ledger: &Ledger, now: Instant) -> impl Iterator<Item = ArtifactId> {
    let readable = ledger.must_serve().filter(move |(_, wanted)| wanted.issue.readable_from <= now);
    readable.map(|(id, _)| id.clone())
}

/// What a list should name.
fn wanted(ledger: &Ledger, dialect: Dialect, route: Route<'_>, now: Instant) -> Vec<Subject> {
    match route {
        Route::List => deployed(ledger, now).map(Subject::Row).collect(),
        Route::Keys(kind) if dialect != Dialect::Apim470 => keys(ledger, dialect, kind, now),
        Route::Subscriptions(of) => {
            let of = ArtifactId::new(of);
            let held = ledger.subscriptions_of(&of).filter(|(_, held)| held.life.now().is_some());
            held.map(|(id, _)| Subject::Subscription(id.clone())).collect()
        }
        Route::Plans => {
            let held = ledger.plans().filter(|(_, plan)| plan.life.now().is_some());
            held.map(|(id, _)| Subject::Plan(id.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// The keys that a list names: active ones of APIs that are deployed. The Platform API also names
/// those of APIs that are not, and those of applications.
fn keys(ledger: &Ledger, dialect: Dialect, kind: Kind, now: Instant) -> Vec<Subject> {
    let names_all = dialect == Dialect::PlatformApi11;
    let artifacts: Vec<ArtifactId> = if names_all {
        let there = ledger.records().filter(|(_, record)| record.deleted_since().is_none());
        there.map(|(id, _)| id.clone()).collect()
    } else {
        deployed(ledger, now).collect()
    };
    let of_kind = |id: &&ArtifactId| ledger.record(id).is_some_and(|record| record.kind == kind);
    let mut wanted = Vec::new();
    for artifact in artifacts.iter().filter(of_kind) {
        let through = ledger.opening(artifact, now).filter(|_| names_all);
        let keys = ledger.keys_of(artifact).chain(through);
        let active = keys.filter(|(_, key)| key.life.now() == Some(&KeyState::Active));
        wanted.extend(active.map(|(_, key)| Subject::Key(key.hash)));
    }
    wanted
}
