//! `discovery`, `deployments_list`, `api_keys_list` and `subscriptions_and_plans`: a bulk answer
//! is read as the contract says, item for item, or refused as a whole.

use std::collections::BTreeMap;
use std::fmt::Debug;

use driftless_gateway::model::{
    ArtifactId, BasePath, Credential, DeploymentId, KeyName, KeyReading, KeyUuid, Kind, Listed,
    ListedArtifact, ListedKey, ListedState, Listing, Plan, PlanId, Subscription, SubscriptionClaim,
    SubscriptionId, UnknownKind,
};
use driftless_gateway::wire::DecodeError;

use super::event::{
    PLAN_FIELDS, SUBSCRIPTION_FIELDS, a_part_is_refused, claim, hash, plan as read_plan,
};
use super::json::{self, Json, Read, Refused, label};

/// Compares what a production reader made of a body with what the tree says.
fn compare<T: PartialEq + Debug>(body: &[u8], decoded: Result<T, DecodeError>, expected: Read<T>) {
    match (decoded, expected) {
        (Err(_), Err(_)) | (Ok(_), Err(Refused::CannotTell)) => {}
        (Ok(decoded), Ok(expected)) => assert_eq!(decoded, expected, "read in another way"),
        (Ok(decoded), Err(Refused::Wrong)) => {
            let text = String::from_utf8_lossy(body);
            panic!("{text} says nothing of the kind, and was read as {decoded:?}");
        }
        (Err(error), Ok(expected)) => panic!("{expected:?} was refused: {error}"),
    }
}

/// Checks the body of a well-known.
///
/// # Panics
/// When `decode` read it in another way than the contract says.
pub fn check_discovery(body: &[u8], decode: fn(&[u8]) -> Result<BasePath, DecodeError>) {
    let decoded = decode(body);
    if let Ok(base) = &decoded {
        let again = serde_json::json!({"gatewayPath": base.as_str()}).to_string();
        assert_eq!(decode(again.as_bytes()).as_ref(), Ok(base), "not its own base path");
        a_part_is_refused(body, |part| decode(part).is_ok());
    }
    compare(body, decoded, json::read(body).and_then(|tree| base_path(&tree)));
}

/// The base path: what a request may be made below, on this host and without a query.
fn base_path(body: &Json<'_>) -> Read<BasePath> {
    let path = body.object(&["gatewayPath"])?.get("gatewayPath").text()?;
    let base = BasePath::parse(path).ok_or(Refused::Wrong)?;
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(letter);
    let mut segments = base.as_str().split('/');
    let is_rooted = segments.next() == Some("");
    let climbs = segments.any(|segment| segment.is_empty() || segment == "." || segment == "..");
    if !is_rooted || climbs || base.as_str().len() > 512 || !base.as_str().chars().all(plain) {
        return Err(Refused::Wrong);
    }
    Ok(base)
}

/// Checks a deployments list.
///
/// # Panics
/// When `decode` read it in another way than the contract says, or depends on the order of the
/// rows.
pub fn check_deployments(body: &[u8], decode: fn(&[u8]) -> Result<Listing, DecodeError>) {
    let counted = |listing: Listing| {
        let bad = listing.unreadable.len();
        (Listing { unreadable: Vec::new(), ..listing }, bad)
    };
    let decoded = decode(body).map(counted);
    let tree = json::read(body);
    if let (Ok((listing, _)), Ok(tree)) = (&decoded, &tree) {
        let reversed = decode(with_rows_reversed(tree).as_bytes()).map(counted);
        assert_eq!(reversed.map(|(listing, _)| listing).as_ref(), Ok(listing), "order decides");
        a_part_is_refused(body, |part| decode(part).is_ok());
    }
    compare(body, decoded, tree.and_then(|tree| listing(&tree)));
}

fn with_rows_reversed(body: &Json<'_>) -> String {
    let mut body = body.clone();
    if let Json::Fields(fields) = &mut body {
        for (name, value) in fields {
            if let (true, Json::Items(rows)) = (&**name == "deployments", value) {
                rows.reverse();
            }
        }
    }
    let mut text = String::new();
    body.write(&mut text);
    text
}

/// The rows, one for an artifact, and how many could not be read.
fn listing(body: &Json<'_>) -> Read<(Listing, usize)> {
    let rows = body.object(&["deployments"])?.get("deployments").items()?;
    let known = ["artifactId", "deploymentId", "kind", "state", "deployedAt", "updatedAt"];
    let mut objects = Vec::new();
    for row in rows {
        objects.extend(row.optional_object(&known)?);
    }
    let states = objects.iter().filter(|row| row.get("state").is_there()).count();
    let has_state = (!objects.is_empty()).then_some(states > 0);
    let mut read: Vec<ListedArtifact> = Vec::new();
    for row in &objects {
        let (deployed, updated) = (row.get("deployedAt").time(), row.get("updatedAt").time());
        let (artifact, deployment) = (row.get("artifactId").id(), row.get("deploymentId").id());
        let (kind, state) = (row.get("kind").text(), state(row.get("state"), has_state));
        if let (Ok(deployed), Ok(updated), Ok(artifact), Ok(deployment), Ok(kind), Ok(state)) =
            (deployed, updated, artifact, deployment, kind, state)
        {
            read.push(ListedArtifact {
                artifact: ArtifactId::new(artifact),
                deployment: DeploymentId::new(deployment),
                kind: Kind::parse(kind).map_err(|_| UnknownKind(label(kind))),
                state,
                listed_at: deployed.or(updated),
            });
        }
    }
    let bad = rows.len() - read.len();
    if bad > 10_000 {
        return Err(Refused::Wrong);
    }
    let readable = read.len();
    let mut newest: BTreeMap<ArtifactId, ListedArtifact> = BTreeMap::new();
    let age = |row: &ListedArtifact| {
        (row.listed_at, row.deployment.clone(), row.state.clone(), row.kind.clone())
    };
    for row in read {
        let is_older = newest.get(&row.artifact).is_some_and(|kept| age(kept) >= age(&row));
        if !is_older {
            newest.insert(row.artifact.clone(), row);
        }
    }
    let repeated = u64::try_from(readable - newest.len()).unwrap_or(u64::MAX);
    let rows = newest.into_values().collect();
    Ok((Listing { rows, unreadable: Vec::new(), repeated, has_state }, bad))
}

fn state(value: &Json<'_>, has_state: Option<bool>) -> Read<ListedState> {
    if !value.is_there() {
        return Ok(match has_state {
            Some(true) => ListedState::Unclear("missing".to_owned()),
            _ => ListedState::Deployed,
        });
    }
    let word = value.text()?;
    Ok(match word.to_ascii_lowercase().as_str() {
        "deployed" | "deploying" => ListedState::Deployed,
        "undeployed" | "undeploying" => ListedState::Undeployed,
        _ => ListedState::Unclear(label(word)),
    })
}

/// Items that were read, and how many reasons tell of those that were not.
type Counted<T> = (Vec<T>, usize);

fn count_reasons<T>(listed: Listed<T>) -> Counted<T> {
    (listed.items, listed.unreadable.len())
}

/// How many reasons are told for so many items: sixteen, and one that counts the others.
const fn reasons(bad: usize) -> usize {
    if bad > 16 { 17 } else { bad }
}

/// Checks a list of API keys.
///
/// # Panics
/// When `decode` read it in another way than the contract says.
pub fn check_keys(body: &[u8], decode: fn(&[u8]) -> Result<KeyReading, DecodeError>) {
    let decoded = decode(body).map(|reading| match reading {
        KeyReading::Keys(listed) => Some(count_reasons(listed)),
        KeyReading::ApiList => None,
    });
    if decoded.is_ok() {
        a_part_is_refused(body, |part| decode(part).is_ok());
    }
    compare(body, decoded, json::read(body).and_then(|tree| keys(&tree)));
}

/// The keys; `None` for the list of all APIs.
fn keys(body: &Json<'_>) -> Read<Option<Counted<ListedKey>>> {
    if let Json::Fields(_) = body {
        let list = body.object(&["list"])?.get("list").items()?;
        let is_apis = list.iter().all(|item| matches!(item, Json::Fields(_)));
        return if is_apis { Ok(None) } else { Err(Refused::Wrong) };
    }
    let items = body.items()?;
    let mut read = Vec::new();
    for item in items {
        match key(item)? {
            Ok(key) => read.push(key),
            Err(Refused::CannotTell) => return Err(Refused::CannotTell),
            Err(Refused::Wrong) => {}
        }
    }
    let bad = items.len() - read.len();
    Ok(Some((read, reasons(bad))))
}

/// The outer error is the whole list's.
fn key(item: &Json<'_>) -> Read<Read<ListedKey>> {
    let known =
        ["uuid", "name", "artifactUuid", "apiKeyHashes", "status", "createdAt", "expiresAt"];
    let Some(item) = item.optional_object(&known)? else { return Ok(Err(Refused::Wrong)) };
    item.get("apiKeyHashes").optional_object(&["sha256"])?;
    let read = || -> Read<ListedKey> {
        let status = item.get("status").text()?.to_ascii_lowercase();
        let is_active = match status.as_str() {
            "active" => true,
            "revoked" | "expired" | "inactive" => false,
            _ => return Err(Refused::Wrong),
        };
        Ok(ListedKey {
            artifact: ArtifactId::new(item.get("artifactUuid").id()?),
            name: KeyName::new(item.get("name").name()?),
            credential: Credential {
                hash: hash(item.get("apiKeyHashes"))?,
                uuid: Some(KeyUuid::new(item.get("uuid").id()?)),
                expires_at: item.get("expiresAt").time()?,
                created_at: item.get("createdAt").time()?,
                is_listable: true,
            },
            is_active,
        })
    };
    Ok(read())
}

/// What reads the subscriptions of one API.
pub type DecodeSubscriptions =
    fn(&[u8], &ArtifactId) -> Result<Listed<(SubscriptionId, Subscription)>, DecodeError>;
/// What reads plans.
pub type DecodePlans = fn(&[u8]) -> Result<Listed<(PlanId, Plan)>, DecodeError>;

/// Checks a body as a list of subscriptions and as a list of plans; it is asked about the API
/// that its first item names.
///
/// # Panics
/// When either read it in another way than the contract says.
pub fn check_subscriptions_and_plans(
    body: &[u8],
    subscriptions: DecodeSubscriptions,
    plans: DecodePlans,
) {
    let tree = json::read(body);
    let of = tree.as_ref().ok().and_then(first_api).unwrap_or_else(|| ArtifactId::new("d34a"));
    let decoded = subscriptions(body, &of).map(count_reasons);
    if decoded.is_ok() {
        a_part_is_refused(body, |part| subscriptions(part, &of).is_ok());
    }
    compare(body, decoded, of_tree(&tree, &SUBSCRIPTION_FIELDS, |item| subscription(item, &of)));
    let decoded = plans(body).map(count_reasons);
    compare(body, decoded, of_tree(&tree, &PLAN_FIELDS, plan));
}

fn first_api(body: &Json<'_>) -> Option<ArtifactId> {
    let first = body.items().ok()?.iter().find_map(|item| item.optional_object(&[]).ok()?)?;
    first.get("apiId").id().ok().map(ArtifactId::new)
}

fn of_tree<T: PartialEq + Clone, I: Ord + Clone>(
    tree: &Read<Json<'_>>,
    known: &[&str],
    read: impl Fn(json::Object<'_, '_>) -> Read<(I, T)>,
) -> Read<Counted<(I, T)>> {
    let items = tree.as_ref().map_err(|refused| *refused)?.items()?;
    let mut good = Vec::new();
    for item in items {
        let Some(item) = item.optional_object(known)? else { continue };
        good.extend(read(item).ok());
    }
    let mut said: BTreeMap<I, Vec<T>> = BTreeMap::new();
    for (id, item) in &good {
        said.entry(id.clone()).or_default().push(item.clone());
    }
    let agree =
        |id: &I| said.get(id).is_some_and(|all| all.iter().all(|one| Some(one) == all.first()));
    let contradicted = good.iter().filter(|(id, _)| !agree(id)).count();
    let bad = items.len() - good.len() + contradicted;
    let mut kept: Vec<(I, T)> = Vec::new();
    for (id, item) in good {
        if agree(&id) && !kept.iter().any(|(other, _)| *other == id) {
            kept.push((id, item));
        }
    }
    Ok((kept, reasons(bad)))
}

fn subscription(
    item: json::Object<'_, '_>,
    of: &ArtifactId,
) -> Read<(SubscriptionId, Subscription)> {
    let id = SubscriptionId::new(item.get("id").id()?);
    let SubscriptionClaim { artifact, application, token, plan, status } = claim(item)?;
    let (artifact, status) = (artifact.ok_or(Refused::Wrong)?, status.ok_or(Refused::Wrong)?);
    if artifact != *of {
        return Err(Refused::Wrong);
    }
    Ok((id, Subscription { artifact, application, token, plan, status }))
}

fn plan(item: json::Object<'_, '_>) -> Read<(PlanId, Plan)> {
    Ok((PlanId::new(item.get("id").id()?), read_plan(item)?))
}
