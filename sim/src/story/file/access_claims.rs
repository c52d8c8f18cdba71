//! Claims about what a key opens: `keys`, `opens` and `refuses`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::document::{Node, TextPlace};
use super::refusal::{Refusal, hint};
use super::step_limits::within;
use crate::story::step::{COUNT_MAX, Owner, Step, TIME_MS_MAX, Verb};

/// A request with a key, and when it is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaim {
    /// The API that is called.
    pub api: String,
    /// The application that the key belongs to; it is the API's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The key's name.
    pub name: String,
    /// Whose it is; `admin` unless said otherwise.
    #[serde(default = "admin", skip_serializing_if = "is_admin")]
    pub user: String,
    /// Which of the keys issued under that name, from 1; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// The application whose subscription token comes along; none when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriber: Option<String>,
    /// When the request is made, in milliseconds from the start; at the end when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
}

fn admin() -> String {
    "admin".to_owned()
}

fn is_admin(user: &String) -> bool {
    user == "admin"
}

/// The user that imported keys belong to.
const IMPORTED_BY: &str = "import";

/// Holds the claims against the steps they are about.
pub(super) fn check(
    opens: &[AccessClaim],
    refuses: &[AccessClaim],
    node: &Node,
    steps: &[Step],
) -> Result<(), Refusal> {
    for (field, claims) in [("opens", opens), ("refuses", refuses)] {
        let list = node.get(field).unwrap_or(node);
        for (index, claim) in claims.iter().enumerate() {
            let item = list.items().get(index).unwrap_or(list);
            check_claim(claim, item, steps)?;
            let is_twice = claims.iter().take(index).any(|other| other == claim);
            if is_twice || (field == "refuses" && opens.contains(claim)) {
                return Err(item.place.refuse("the claim is there twice", None));
            }
        }
    }
    Ok(())
}

fn check_claim(claim: &AccessClaim, item: &Node, steps: &[Step]) -> Result<(), Refusal> {
    let place = |field: &str| item.place_of(&[field]);
    named("API", &claim.api, place("api"), steps.iter().filter_map(|step| step.verb.api()))?;
    let owned = steps.iter().filter(|step| step.verb.names().owner == Some(claim.owner()));
    let keys = owned.clone().filter_map(|step| step.verb.key());
    if !(is_imported(claim) && owned.clone().any(|step| matches!(step.verb, Verb::ImportKeys(_)))) {
        named("key", &claim.name, place("name"), keys.clone().map(|(name, _)| name))?;
        let users = keys.filter(|(name, _)| *name == claim.name).map(|(_, user)| user);
        named("user", &claim.user, place("user"), users)?;
    }
    if let Some(subscriber) = &claim.subscriber {
        let to_it = steps
            .iter()
            .filter(|step| matches!(&step.verb, Verb::Subscribe(it) if it.api == claim.api));
        let subscribers = to_it.filter_map(|step| step.verb.application());
        named("subscriber", subscriber, place("subscriber"), subscribers)?;
    }
    if let Some(nth) = claim.nth {
        within("nth", u64::from(nth), 1, COUNT_MAX, place("nth"))?;
    }
    match claim.at_ms {
        Some(at_ms) => within("at_ms", at_ms, 1, TIME_MS_MAX, place("at_ms")),
        None => Ok(()),
    }
}

impl AccessClaim {
    /// Whose key it is: an application's, or an API's.
    fn owner(&self) -> Owner<'_> {
        match &self.application {
            Some(application) => Owner::Application(application),
            None => Owner::Api(&self.api),
        }
    }
}

/// Whether a claim names a key as `import_keys` names them.
fn is_imported(claim: &AccessClaim) -> bool {
    let number = claim.name.strip_prefix("imported-");
    claim.user == IMPORTED_BY && number.is_some_and(|number| number.parse::<u32>().is_ok())
}

fn named<'a>(
    what: &str,
    name: &str,
    place: TextPlace,
    known: impl Iterator<Item = &'a str>,
) -> Result<(), Refusal> {
    let known: BTreeSet<&str> = known.collect();
    if known.contains(name) {
        return Ok(());
    }
    let known: Vec<&str> = known.into_iter().collect();
    let problem = format!("`expect` speaks of the {what} `{name}`, which no step names");
    Err(place.refuse(problem, Some(hint(name, &known))))
}
