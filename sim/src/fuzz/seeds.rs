//! What the corpora begin with, and the words of the dictionaries.
//!
//! Seeds are few and small, and are made of what the simulated API Manager sends and of the
//! scenarios. `cargo corpora` writes them; `tests/corpora` says when one is missing or another.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::wire::decode_api;

use super::definition::document_of;
use super::story::bytes_of;
use super::traffic::{self, Traffic};
use super::{Target, structured};
use crate::story::file::StoryFile;
use crate::story::step::{Endpoint, TAGS, tags_of_people};

/// The seeds of one target, by the names of their files.
pub type Seeds = BTreeMap<String, Vec<u8>>;

/// The largest seed, in bytes; larger ones slow every run down and show nothing more.
const SEED_BYTES_MAX: usize = 16 << 10;

/// Makes every seed of every target, except for those that are made of the scenarios.
pub fn seeds() -> BTreeMap<&'static str, Seeds> {
    let traffic = traffic::record();
    let of = |target: &Target| (target.name, of_target(target, &traffic));
    super::TARGETS.iter().map(of).collect()
}

fn of_target(target: &Target, traffic: &Traffic) -> Seeds {
    let made = match target.name {
        "event_frame" => traffic.frames.clone(),
        "event_structured" => choices(),
        "discovery" => bodies(traffic, &[Endpoint::Discover]),
        "deployments_list" => bodies(traffic, &[Endpoint::List]),
        "api_keys_list" => bodies(traffic, &[Endpoint::ReadKeys]),
        "subscriptions_and_plans" => {
            bodies(traffic, &[Endpoint::ReadSubscriptions, Endpoint::ReadPlans])
        }
        "batch_archive" => bodies(traffic, &[Endpoint::Fetch, Endpoint::FetchBatch]),
        "api_yaml" => definitions(traffic),
        "story" => stories(),
        "session" => sessions(),
        "store" => operations(),
        "admit" => admissions(),
        _ => Seeds::new(),
    };
    let small = made.into_iter().filter(|(_, bytes)| bytes.len() <= SEED_BYTES_MAX);
    small.map(|(name, bytes)| (format!("{name}.{}", target.extension), bytes)).collect()
}

fn bodies(traffic: &Traffic, of: &[Endpoint]) -> Seeds {
    let mut seeds = Seeds::new();
    for ((endpoint, name), body) in &traffic.bodies {
        if let Some(place) = of.iter().position(|wanted| wanted == endpoint) {
            let prefix = match (of.len(), endpoint) {
                (1, _) => "",
                (_, Endpoint::ReadPlans) => "plans-",
                (_, Endpoint::ReadSubscriptions) => "subscriptions-",
                (_, Endpoint::FetchBatch) => "batch-",
                _ => "single-",
            };
            debug_assert!(place < of.len());
            seeds.insert(format!("{prefix}{name}"), body.clone());
        }
    }
    seeds
}

/// Definitions as they are sent, and as JSON, which is YAML, too.
fn definitions(traffic: &Traffic) -> Seeds {
    let mut seeds = traffic::definitions(traffic);
    let as_json: Vec<(String, Vec<u8>)> = seeds
        .iter()
        .filter_map(|(name, bytes)| {
            let definition = decode_api(bytes).ok()?;
            Some((format!("{name}-as-json"), document_of(&definition).into_bytes()))
        })
        .collect();
    seeds.extend(as_json);
    seeds
}

/// Stories of a few steps, one for each verb that a step may have.
fn stories() -> Seeds {
    let mut seeds = Seeds::new();
    for tag in 0..TAGS {
        let mut bytes = vec![tag % 4, 0, tag, 0, 0, 0, 0, 0];
        for step in [[0, 0, 0, 0], [6, 0, 0, 0], [9, 0, 0, 0], [tag, tag, 136, 19], [0, 1, 32, 78]]
        {
            bytes.extend(step);
            bytes.extend([tag, 1, tag / 2, 0]);
        }
        seeds.insert(format!("verb-{tag:02}"), bytes);
    }
    seeds
}

/// Sessions in which all goes well but for one kind of operation.
fn sessions() -> Seeds {
    let mut seeds = Seeds::new();
    for what in 0..16_u8 {
        let mut bytes = vec![what % 3, what, 0, 0];
        let well = [15, 3, 0, 0];
        for step in [[2, 3, 1, 0], well, [0, 0, 0, 0], [0, 0, 1, 0], [2, 3, 0, 0], well, well] {
            bytes.extend(step);
        }
        for round in 0..6_u8 {
            bytes.extend([what, round, 7, round * 40]);
            // A step of people about the second API, time, and then what is in flight.
            bytes.extend([0, [1, 2, 3, 4, 6, 8][usize::from(round)], 1, 0]);
            bytes.extend([2, 3, 0, 0]);
            bytes.extend([what, 0, 40, 200]);
            bytes.extend(well);
            bytes.extend([2, 4, 0, 0]);
        }
        seeds.insert(format!("operation-{what:02}"), bytes);
    }
    seeds
}

/// Operations of a store: batches of many forms, with one kind of trouble among them.
fn operations() -> Seeds {
    let mut seeds = Seeds::new();
    for what in 5..12_u8 {
        for form in 0..3_u8 {
            let mut bytes = Vec::new();
            for round in 0..5_u8 {
                bytes.extend([0, 2, round, 1, 9, 9, 0, form, 3, round, 1, 2, form, 5, 7, 2, 1, 1]);
                bytes.extend([what, round * 9, 1, form, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
            seeds.insert(format!("trouble-{what:02}-{form}"), bytes);
        }
    }
    seeds
}

/// Steps of people, one verb after the other, with requests of every kind behind each.
fn admissions() -> Seeds {
    let mut seeds = Seeds::new();
    for dialect in 0..3_u8 {
        for (verb, _) in (0_u8..).zip(tags_of_people()) {
            let mut bytes = vec![dialect, verb];
            let mut word = |tag: u8, who: u8, numbers: [u8; 4]| {
                bytes.extend([tag, who, 200, 1]);
                bytes.extend(numbers);
            };
            for step in [0, 6, 9, 12, verb] {
                word(step, 0, [0, 0, 2, 0]);
            }
            for which in 0..4 {
                for with in [0, 1, 3] {
                    word(0x80, 0, [which, with, 4 | which << 1, 0]);
                }
            }
            seeds.insert(format!("dialect-{dialect}-verb-{verb:02}"), bytes);
        }
    }
    seeds
}

/// One choice of bytes for each type of event, and some with edits.
fn choices() -> Seeds {
    let mut seeds = Seeds::new();
    for which in 0..structured::TYPES {
        let plain: Vec<u8> =
            (0..40_u8).map(|at| if at == 0 { which } else { at.wrapping_mul(7) }).collect();
        let edited: Vec<u8> = plain.iter().chain(&[1, which, 0, 4, which, 9]).copied().collect();
        seeds.insert(format!("type-{which:02}"), plain);
        seeds.insert(format!("type-{which:02}-edited"), edited);
    }
    seeds
}

/// Seeds that are made of scenarios: few that have everything among them.
pub fn of_scenarios(target: &Target, stories: &[StoryFile]) -> Seeds {
    match target.name {
        "scenario_file" => covering(stories),
        "story" => stories
            .iter()
            .filter_map(|story| Some((story.name.clone(), bytes_of(&story.scenario)?)))
            .map(|(name, bytes)| (format!("{name}.{}", target.extension), bytes))
            .collect(),
        _ => Seeds::new(),
    }
}

/// Scenarios that have all words of all scenarios among them, the smallest first.
fn covering(stories: &[StoryFile]) -> Seeds {
    let mut texts: Vec<(String, String)> =
        stories.iter().map(|story| (story.name.clone(), story.scenario.to_json())).collect();
    texts.sort_by_key(|(_, text)| text.len());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut seeds = Seeds::new();
    for (name, text) in texts {
        let before = seen.len();
        seen.extend(json_words(text.as_bytes()));
        if seen.len() > before {
            seeds.insert(format!("{name}.json"), text.into_bytes());
        }
    }
    seeds
}

/// The dictionary of a target, made of its seeds; `None` where words are of no use.
pub fn dictionary(target: &Target, seeds: &Seeds) -> Option<String> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    match target.extension {
        "json" => seeds.values().for_each(|seed| words.extend(json_words(seed))),
        "yaml" => seeds.values().for_each(|seed| words.extend(yaml_words(seed))),
        "archive" => words.extend(
            ["ustar\\x00", "PK\\x03\\x04", "PK\\x01\\x02", "PK\\x05\\x06", "\\x1f\\x8b\\x08"]
                .map(str::to_owned),
        ),
        _ => return None,
    }
    let lines: Vec<String> = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    Some(lines.concat())
}

/// The keys of objects, and the words that values are.
fn json_words(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let is_word = |word: &str| {
        (2..=40).contains(&word.len())
            && word.chars().all(|letter| letter.is_ascii_alphabetic() || "._-$".contains(letter))
    };
    text.split('"').filter(|word| is_word(word)).map(str::to_owned).collect()
}

fn yaml_words(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|letter: char| !letter.is_ascii_alphabetic() && letter != '-');
    words.filter(|word| (3..=40).contains(&word.len())).map(str::to_owned).collect()
}
