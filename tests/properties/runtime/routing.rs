//! Which operation a path means, against the naive matcher, and which APIs collide.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driftless_gateway::model::{ArtifactId, AuthType, Definition, Lifecycle, Operation, Tier};
use driftless_gateway::runtime::{ApiRequest, Refusal, Snapshot, SnapshotChange, Subject};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{KEPT, artifact, at, naive};
use crate::holding::hold;

const CONTEXTS: &[&str] = &[
    "/",
    "/a",
    "/a/$version",
    "/a/v1",
    "/a/b",
    "//a/",
    "/ä b",
    "/%C3%A4%20b",
    "/a/../a/b",
    "/{x}",
];

/// Pieces of segments, of which few are many segments that nearly are the same.
const TEMPLATE_PIECES: &[&str] =
    &["a", "b", "{x}", "{y}", ".", "-", ":", "%20", " ", "ä", "%2f", "%", "2", "*", "}", "{"];

/// Whole segments, too, so that they are met.
const TEMPLATE_SEGMENTS: &[&str] = &[
    "a", "b", "{x}", "{x}.a", "a{x}", "a-{x}", "{x}:{y}", "{x}{y}", "{x}0", "{x}20", "ä b", "",
    "..", ".", "*",
];

const PATH_PIECES: &[&str] =
    &["a", "b", ".", "-", ":", "%20", " ", "ä", "%c3%A4", "%2F", "%", "2", "%61", "*", "%7b"];

const PATH_SEGMENTS: &[&str] = &[
    "a",
    "b",
    "ab",
    "b.a",
    "a-b",
    "a:b",
    "a%20",
    "b%200",
    "%C3%A4%20b",
    "",
    "..",
    "%2e",
    "b.a.a",
    "v1",
];

fn path(
    whole: &'static [&'static str],
    pieces: &'static [&'static str],
    segments: usize,
) -> impl Strategy<Value = String> {
    let mixed = vec(select(pieces), 1..4).prop_map(|pieces| pieces.concat());
    let segment = prop_oneof![3 => select(whole).prop_map(str::to_owned), 1 => mixed];
    vec(segment, 1..=segments).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn operation(segments: usize) -> impl Strategy<Value = Operation> {
    let template = path(TEMPLATE_SEGMENTS, TEMPLATE_PIECES, segments);
    let rest = prop::bool::weighted(0.2);
    (select(&["GET", "POST"][..]), template, rest).prop_map(|(method, path, rest)| Operation {
        method: Arc::from(method),
        path: Arc::from(if rest { format!("{path}/*") } else { path }),
        auth: AuthType::None,
        scopes: BTreeSet::new(),
        // So that a grant says which operation it is for.
        tier: Tier::Bronze,
    })
}

fn definition(
    contexts: &'static [&'static str],
    operation: impl Strategy<Value = Operation>,
) -> impl Strategy<Value = Definition> {
    let states = &["PUBLISHED", "PUBLISHED", "PUBLISHED", "BLOCKED", "RETIRED"];
    (select(contexts), vec(operation, 1..8), select(&states[..])).prop_map(
        |(context, operations, state)| Definition {
            display_name: "api".to_owned(),
            version: "v1".to_owned(),
            context: context.to_owned(),
            lifecycle: Lifecycle::parse(state),
            tier: Tier::Unlimited,
            wants_key: false,
            wants_subscription: false,
            operations,
        },
    )
}

type Apis = BTreeMap<ArtifactId, Arc<Definition>>;

fn apis() -> impl Strategy<Value = Apis> {
    let definition = definition(CONTEXTS, operation(3)).prop_map(Arc::new);
    prop::collection::btree_map(artifact(), definition, 1..4)
}

/// What a request is made of: a path of its own, or an operation by number with what stands for
/// its variables.
fn request() -> impl Strategy<Value = (String, usize, Vec<&'static str>)> {
    let fillings = vec(select(&["a", "b", "%20", "b.a", "ä", ":", "-", "a%2Fb"][..]), 3);
    (path(PATH_SEGMENTS, PATH_PIECES, 4), any::<usize>(), fillings)
}

/// The path of a request: two of three are made of a template, in some spelling.
fn asked(apis: &Apis, (path, number, fillings): &(String, usize, Vec<&'static str>)) -> String {
    let operations: Vec<(&Definition, &Operation)> = apis
        .values()
        .flat_map(|api| api.operations.iter().map(move |operation| (&**api, operation)))
        .collect();
    let (api, operation) = operations[number % operations.len()];
    let mut filled = operation.path.to_string();
    for (variable, filling) in ["{x}", "{y}", "*"].iter().zip(fillings) {
        filled = filled.replace(variable, filling);
    }
    let filled = format!("{}{filled}", api.context.replace("$version", &api.version));
    match number / operations.len() % 6 {
        0 => path.clone(),
        1 => format!("{}{path}", api.context.replace("$version", "v1")),
        2 => filled.replace("ä", "%c3%a4").replace('a', "%61"),
        3 => format!("{filled}/"),
        4 => filled.replacen('/', "/./b/..//", 1),
        _ => filled,
    }
}

/// What the naive matcher says: the API and the operation's template, or why none.
fn expected(apis: &Apis, method: &str, path: &str) -> Result<(ArtifactId, String), Refusal> {
    let path = naive::asked(path);
    let there = apis.iter().filter(|(_, api)| api.lifecycle != Lifecycle::Retired);
    let there: Vec<_> = there.filter(|(_, api)| naive::leads_to(api, &path)).collect();
    let fitting: Vec<(&ArtifactId, &Definition, &Operation)> = there
        .iter()
        .flat_map(|(id, api)| api.operations.iter().map(move |one| (*id, &***api, one)))
        .filter(|(_, api, operation)| naive::fits(api, operation, &path))
        .collect();
    let with_method = fitting.iter().filter(|(_, _, operation)| &*operation.method == method);
    let least = with_method.min_by_key(|(id, api, one)| naive::preference(id, api, one));
    if let Some((id, api, operation)) = least {
        return match api.lifecycle {
            Lifecycle::Blocked => Err(Refusal::ApiBlocked),
            _ => Ok(((*id).clone(), operation.path.to_string())),
        };
    }
    let is_open = |api: &Definition| api.lifecycle == Lifecycle::Published;
    if there.is_empty() {
        Err(Refusal::ApiNotFound)
    } else if !there.iter().any(|(_, api)| is_open(api)) {
        Err(Refusal::ApiBlocked)
    } else if fitting.iter().any(|(_, api, _)| is_open(api)) {
        Err(Refusal::MethodNotAllowed)
    } else {
        Err(Refusal::ResourceNotFound)
    }
}

#[test]
fn a_path_means_the_operation_that_the_naive_matcher_finds() {
    let met = RefCell::new(BTreeMap::<String, u32>::new());
    hold(3_000, KEPT, &(apis(), vec(request(), 20)), |(apis, requests)| {
        let snapshot = Snapshot::of(&apis, []);
        for request in &requests {
            let path = asked(&apis, request);
            let decided = snapshot.judge(&ApiRequest::new("GET", &path), at(0)).map(|grant| {
                let named = grant.charges.iter().find_map(|charge| match &charge.subject {
                    Subject::Resource(_, _, path) => Some(path.to_string()),
                    _ => None,
                });
                (grant.artifact, named.unwrap_or_default())
            });
            let kind = match &decided {
                Err(refusal) => refusal.reason().to_owned(),
                Ok((_, path)) if path.ends_with("/*") => "a rest".to_owned(),
                Ok((_, path)) if path.contains("}{") => "two variables".to_owned(),
                Ok((_, path)) if path.contains('{') => "a variable".to_owned(),
                Ok(_) => "a text".to_owned(),
            };
            *met.borrow_mut().entry(kind).or_default() += 1;
            prop_assert_eq!(decided, expected(&apis, "GET", &path), "{}", path);
        }
        Ok(())
    });
    let met = met.into_inner();
    assert!(met.len() == 8 && met.values().all(|count| *count > 100), "{met:?}");
}

/// The operations that several APIs have, by base path, method and template.
fn colliding(apis: &Apis) -> BTreeSet<(Vec<ArtifactId>, String, String)> {
    let mut by_place: BTreeMap<_, BTreeSet<ArtifactId>> = BTreeMap::new();
    for (id, api) in apis.iter().filter(|(_, api)| api.lifecycle != Lifecycle::Retired) {
        for operation in &api.operations {
            let whole = [naive::base(api), naive::template(operation)].concat();
            let place = (naive::base(api), whole, operation.method.to_string());
            by_place.entry(place).or_default().insert(id.clone());
        }
    }
    let several = by_place.into_iter().filter(|(_, apis)| apis.len() > 1);
    several
        .map(|((_, whole, method), apis)| (apis.into_iter().collect(), method, shown(&whole)))
        .collect()
}

fn shown(path: &[naive::Pieces]) -> String {
    let segment = |pieces: &naive::Pieces| -> String {
        let pieces = pieces.iter().map(|piece| match piece {
            naive::Piece::Raw(octet) => char::from(*octet).to_string(),
            naive::Piece::Escaped(octet) => format!("%{octet:02X}"),
            naive::Piece::Variable => "{}".to_owned(),
        });
        pieces.collect()
    };
    path.iter().map(|pieces| format!("/{}", segment(pieces))).collect()
}

/// After any history a snapshot names what collides then, and equals one that was built at once.
#[test]
fn the_apis_that_collide_are_named_after_any_history() {
    let met = RefCell::new(0);
    let definition = definition(&CONTEXTS[..4], operation(1)).prop_map(Arc::new);
    let change = (artifact(), proptest::option::weighted(0.8, definition));
    hold(1_000, KEPT, &vec(change, 1..20), |changes| {
        let (mut apis, mut snapshot) = (Apis::new(), Snapshot::default());
        for (id, definition) in changes {
            snapshot = snapshot.with([SnapshotChange::Api(&id, definition.as_ref())]);
            match definition {
                Some(definition) => drop(apis.insert(id, definition)),
                None => drop(apis.remove(&id)),
            }
            let named: Vec<_> = snapshot
                .collisions()
                .map(|it| (it.apis.to_vec(), it.method.to_owned(), it.path))
                .collect();
            *met.borrow_mut() += named.len();
            prop_assert_eq!(named.len(), colliding(&apis).len());
            prop_assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), colliding(&apis));
            prop_assert!(snapshot.holds_the_same_as(&Snapshot::of(&apis, [])));
        }
        Ok(())
    });
    let met = met.into_inner();
    assert!(met > 500, "{met}");
}
