//! Every planted defect is found by what its entry names, and every property finds one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use driftless::plant::{ALL, Plant, PlantEntry};
use driftless::runner::{RunOptions, generate, profiles, properties, run_story, trace_hash};
use driftless::scenario::{Scenario, load_folder};

/// How many seeds of the first profile are searched, from 0, after the scenarios.
const SEEDS: u64 = 16;

/// Every scenario by name, then the seeds.
fn stories() -> Vec<(String, Scenario)> {
    let [profile, ..] = profiles() else { panic!("there is no profile") };
    let seeds = (0..SEEDS).map(|seed| (format!("seed {seed}"), generate(profile, seed)));
    scenarios().into_iter().chain(seeds).collect()
}

/// Every scenario by name.
pub(crate) fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = load_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(!files.is_empty(), "there are no scenarios");
    files.into_iter().map(|file| (file.name, file.scenario)).collect()
}

/// The properties that a story violates with `plant`, `same_trace` among them.
pub(crate) fn violated(story: &Scenario, plant: Option<Plant>) -> BTreeSet<&'static str> {
    let run = || run_story(story, RunOptions { plant, ..RunOptions::default() });
    let first = run();
    let mut found: BTreeSet<_> = first.violations.iter().map(|found| found.property).collect();
    if found.is_empty() && run().trace_hash != first.trace_hash {
        found.insert("same_trace");
    }
    found
}

/// What each story that the plant breaks violates, until everything that its entry names is found.
fn found(
    stories: &[(String, Scenario)],
    entry: &PlantEntry,
) -> Vec<(String, BTreeSet<&'static str>)> {
    let mut missing: BTreeSet<&str> = entry.found_by.iter().copied().collect();
    let mut broken = Vec::new();
    for (name, story) in stories {
        let found = violated(story, Some(entry.plant));
        missing.retain(|name| !found.contains(name));
        if !found.is_empty() {
            broken.push((name.clone(), found));
        }
        if missing.is_empty() {
            break;
        }
    }
    broken
}

#[test]
fn a_run_without_a_plant_violates_nothing() {
    for (name, story) in stories() {
        assert_eq!(violated(&story, None), BTreeSet::new(), "{name}");
    }
}

#[test]
fn every_plant_is_found_and_every_property_finds_one_alone() {
    let stories = stories();
    let (mut missed, mut table) = (Vec::new(), Vec::new());
    let mut alone: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in ALL {
        let broken = found(&stories, entry);
        let names: BTreeSet<&str> = broken.iter().flat_map(|(_, found)| found).copied().collect();
        for (_, found) in &broken {
            if let (1, Some(property)) = (found.len(), found.first()) {
                alone.entry(property).or_insert(entry.name);
            }
        }
        table.push(format!("{:<22} {:>2} stories  {names:?}", entry.name, broken.len()));
        missed.extend(
            entry
                .found_by
                .iter()
                .filter(|name| !names.contains(*name))
                .map(|name| format!("{} is not found by {name}", entry.name)),
        );
    }
    let lonely = properties().iter().filter(|property| !alone.contains_key(property.name));
    missed.extend(lonely.map(|property| format!("no plant is found by {} alone", property.name)));
    assert!(missed.is_empty(), "{}\n\n{}", missed.join("\n"), table.join("\n"));
}

#[test]
fn names_are_known_and_unique() {
    let names: BTreeSet<&str> = ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), ALL.len());
    for entry in ALL {
        assert_eq!(Plant::parse(entry.name), Some(entry.plant));
        assert!(!entry.found_by.is_empty(), "{}", entry.name);
        for name in entry.found_by {
            assert!(properties().iter().any(|known| known.name == *name), "{name}");
        }
    }
    assert_eq!(Plant::parse("none"), None);
}

#[test]
fn chance_changes_a_trace_and_nothing_else_does() {
    let (_, story) = stories().swap_remove(0);
    let with = |plant| run_story(&story, RunOptions { plant, ..RunOptions::default() }).trace_hash;
    assert_eq!(with(None), trace_hash(&story));
    assert_ne!(with(Some(Plant::Chance)), with(Some(Plant::Chance)));
    assert_eq!(with(Some(Plant::NoAcks)), with(Some(Plant::NoAcks)));
}
