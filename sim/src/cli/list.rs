//! `list`: what there is to choose from.

use driftless_gateway::model::Dialect;

use super::arguments::Listed;
use super::output::Output;
use super::record::{ChoiceRecord, Item, Record};
use super::{BadArguments, Exit};
use crate::observe::marks;
use crate::story::profile::profiles;
use crate::story::step::VERBS;
use crate::{plant, properties};

/// Lists one kind of thing.
pub(super) fn list(what: Listed, output: &mut Output) -> Result<Exit, BadArguments> {
    for item in items(what) {
        output.record(&Record::Item(item));
    }
    Ok(Exit::Held)
}

fn items(what: Listed) -> Vec<Item> {
    let item = |name: &str, class, says: &str, example| Item {
        name: name.to_owned(),
        class,
        says: says.to_owned(),
        example,
        choices: Vec::new(),
    };
    match what {
        Listed::Profiles => {
            profiles().iter().map(|profile| item(profile.name, "", profile.about, "")).collect()
        }
        Listed::Properties => properties::ALL
            .iter()
            .map(|property| item(property.name, property.when, property.says, ""))
            .collect(),
        Listed::Steps => VERBS
            .iter()
            .map(|verb| Item {
                choices: verb.choices.iter().map(ChoiceRecord::of).collect(),
                ..item(verb.name, verb.actor.name(), verb.says, verb.example)
            })
            .collect(),
        Listed::Marks => marks()
            .iter()
            .map(|mark| {
                item(mark.name, if mark.required { "required" } else { "wished" }, mark.says, "")
            })
            .collect(),
        Listed::Dialects => Dialect::ALL
            .iter()
            .map(|dialect| item(dialect.name(), "", about(*dialect), ""))
            .collect(),
        Listed::Plants => plant::ALL
            .iter()
            .map(|entry| {
                let says = format!("{}; found by {}", entry.says, entry.found_by.join(", "));
                item(entry.name, entry.breaks, &says, "")
            })
            .collect(),
    }
}

const fn about(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Apim470 => "API Manager 4.7.0 as it was released: a list without states",
        Dialect::Apim470Fixed => "API Manager 4.7.0 after carbon-apimgt PR 13881",
        Dialect::PlatformApi11 => "the fuller contract that controller 1.1 was written for",
    }
}
