//! The gateways of a story, the organizations they belong to, and which of them a step is about.

use serde::{Deserialize, Serialize};

use super::Scenario;
use super::document::{Node, Value};
use super::names::NameForm;
use super::reader::read;
use super::refusal::{Refusal, hint};
use crate::story::aim::{Aim, GatewayIndex, OrganizationIndex, Registration};
use crate::story::step::{Scope, Step, Verb};

/// The organization of a gateway that names none: APIM's own.
pub const DEFAULT_ORGANIZATION: &str = "carbon.super";

/// How many gateways a story may have.
pub const GATEWAYS_MAX: usize = 8;

/// A gateway of a story.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayEntry {
    /// Its name.
    pub name: String,
    /// The organization that it belongs to; `carbon.super` unless said otherwise.
    #[serde(default = "default_organization", skip_serializing_if = "is_default_organization")]
    pub organization: String,
}

fn default_organization() -> String {
    DEFAULT_ORGANIZATION.to_owned()
}

fn is_default_organization(organization: &String) -> bool {
    organization == DEFAULT_ORGANIZATION
}

impl GatewayEntry {
    /// A gateway of that name in that organization.
    pub fn new(name: &str, organization: &str) -> Self {
        Self { name: name.to_owned(), organization: organization.to_owned() }
    }
}

impl Scenario {
    /// How many gateways there are.
    pub fn gateway_count(&self) -> usize {
        self.gateways.len().max(1)
    }

    /// The organizations, each once, in the order in which the gateways name them.
    pub fn organizations(&self) -> Vec<&str> {
        organizations(&self.gateways)
    }

    /// The gateways as they are registered at APIM.
    pub fn registrations(&self) -> Vec<Registration> {
        let of = |entry: &GatewayEntry| Registration {
            organization: self.organization(&entry.organization),
        };
        self.gateways.iter().map(of).collect()
    }

    /// The gateways and the organization that a step is about.
    pub fn aim(&self, step: &Step) -> Aim {
        let named = step.scope.gateways.iter().filter_map(|name| self.gateway(name));
        let gateways: Vec<GatewayIndex> = named.collect();
        let of_first = gateways.first().and_then(|first| self.gateways.get(first.0));
        let of_first = of_first.map(|entry| entry.organization.as_str());
        let organization = step.scope.organization.as_deref().or(of_first);
        let organization = organization.map(|name| self.organization(name)).unwrap_or_default();
        Aim { organization, gateways }
    }

    /// The place of the gateway of that name.
    pub fn gateway(&self, name: &str) -> Option<GatewayIndex> {
        self.gateways.iter().position(|entry| entry.name == name).map(GatewayIndex)
    }

    fn organization(&self, name: &str) -> OrganizationIndex {
        let place = self.organizations().iter().position(|known| *known == name);
        OrganizationIndex(place.unwrap_or(0))
    }
}

fn organizations(gateways: &[GatewayEntry]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for entry in gateways {
        if !names.contains(&entry.organization.as_str()) {
            names.push(&entry.organization);
        }
    }
    names
}

/// Reads the list of gateways.
pub(super) fn gateways(node: &Node) -> Result<Vec<GatewayEntry>, Refusal> {
    if !matches!(node.value, Value::Array(_)) {
        return Err(node.place.refuse("`gateways` is not a list", None));
    }
    let mut gateways: Vec<GatewayEntry> = Vec::new();
    for item in node.items() {
        let entry: GatewayEntry = read(item)?;
        let place = |field: &str| item.place_of(&[field]);
        for (field, name, what, form) in [
            ("name", &entry.name, "a gateway", NameForm::API),
            ("organization", &entry.organization, "an organization", NameForm::ORGANIZATION),
        ] {
            if let Some((problem, hint)) = form.refusal(name, what) {
                return Err(place(field).refuse(problem, Some(hint)));
            }
        }
        if gateways.iter().any(|other| other.name == entry.name) {
            let problem = format!("the gateway `{}` is there twice", entry.name);
            return Err(place("name").refuse(problem, None));
        }
        gateways.push(entry);
    }
    if gateways.is_empty() || gateways.len() > GATEWAYS_MAX {
        let hint = format!("expected 1 to {GATEWAYS_MAX}, or no such field for one gateway");
        let problem = format!("`gateways` names {}", gateways.len());
        return Err(node.place.refuse(problem, Some(hint)));
    }
    Ok(gateways)
}

/// Refuses the name of a gateway that the story does not have.
pub(super) fn known_gateway(
    name: &str,
    gateways: &[GatewayEntry],
    place: super::document::TextPlace,
) -> Result<(), Refusal> {
    if gateways.iter().any(|entry| entry.name == name) {
        return Ok(());
    }
    let names: Vec<&str> = gateways.iter().map(|entry| entry.name.as_str()).collect();
    let hint = match names.as_slice() {
        [] => "the story has one gateway without a name; `gateways` gives names".to_owned(),
        names => hint(name, names),
    };
    Err(place.refuse(format!("there is no gateway `{name}`"), Some(hint)))
}

/// Reads where a step happens.
pub(super) fn scope(node: &Node, verb: &Verb, gateways: &[GatewayEntry]) -> Result<Scope, Refusal> {
    let mut scope = Scope::default();
    if let Some(of) = node.get("organization") {
        let name: String = read(of)?;
        let known = organizations(gateways);
        if !known.contains(&name.as_str()) {
            let problem = format!("no gateway is of the organization `{name}`");
            return Err(of.place.refuse(problem, Some(hint(&name, &known))));
        }
        if !verb.is_of_organization() {
            let place = node.place_of_key("organization");
            let problem = format!("`{}` is not about one organization", verb.name());
            return Err(place.refuse(problem, Some("leave it out".to_owned())));
        }
        scope.organization = Some(name);
    }
    let Some(list) = node.get("gateways") else { return Ok(scope) };
    scope.gateways = read(list)?;
    if !verb.is_of_gateways() {
        let place = node.place_of_key("gateways");
        let problem = format!("`{}` is not about single gateways", verb.name());
        return Err(place.refuse(problem, Some("leave it out".to_owned())));
    }
    if scope.gateways.is_empty() {
        let hint = Some("leave it out for every gateway".to_owned());
        return Err(list.place.refuse("`gateways` is empty", hint));
    }
    for (index, name) in scope.gateways.iter().enumerate() {
        let place = list.items().get(index).unwrap_or(list).place;
        known_gateway(name, gateways, place)?;
        if scope.gateways.iter().take(index).any(|other| other == name) {
            return Err(place.refuse(format!("`{name}` is there twice"), None));
        }
        same_organization(&scope, name, verb, gateways, place)?;
    }
    Ok(scope)
}

/// What belongs to an organization reaches gateways of that organization only (§5.8).
fn same_organization(
    scope: &Scope,
    name: &str,
    verb: &Verb,
    gateways: &[GatewayEntry],
    place: super::document::TextPlace,
) -> Result<(), Refusal> {
    let of = |name: &str| {
        let entry = gateways.iter().find(|entry| entry.name == name);
        entry.map(|entry| entry.organization.as_str())
    };
    let first = scope.gateways.first().and_then(|first| of(first));
    let wanted = scope.organization.as_deref().or(first);
    if !verb.is_of_organization() || of(name) == wanted {
        return Ok(());
    }
    let wanted = wanted.unwrap_or_default();
    Err(place.refuse(format!("`{name}` is not a gateway of the organization `{wanted}`"), None))
}
