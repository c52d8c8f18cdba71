//! Every planted defect is found by what its entry names, and every property finds one alone.

use std::collections::BTreeSet;
use std::path::Path;

use driftless::plant::{ALL, Plant};
use driftless::properties;
use driftless::run::{RunOptions, disagreement, run_story, trace_hash};
use driftless::sockets::Place;
use driftless::story::file::{Scenario, load_folder};
use driftless::story::generate::generate;
use driftless::story::profile::profiles;

use crate::credentials;

/// How many seeds of each of these profiles are searched, from 0, after the scenarios.
const SEEDS: u64 = 24;

/// Every fault, and no crash.
const PROFILES: [&str; 2] = ["everything", "answers"];

/// Every scenario of the fast world by name, then the stories about keys, then the seeds.
fn stories() -> Vec<(String, Scenario)> {
    let profiles = profiles().iter().filter(|profile| PROFILES.contains(&profile.name));
    let seeds = profiles.flat_map(|profile| {
        (0..SEEDS).map(|seed| (format!("{} {seed}", profile.name), generate(profile, seed)))
    });
    let told = scenarios().into_iter();
    let told = told.filter(|(_, story)| place(story) == Place::Fast);
    told.chain(credentials::stories()).chain(seeds).collect()
}

/// Every scenario by name.
pub(crate) fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = load_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(!files.is_empty(), "there are no scenarios");
    files.into_iter().map(|file| (file.name, file.scenario)).collect()
}

/// The fast world, or the wire world where a story is told only there.
fn place(story: &Scenario) -> Place {
    let mut places = Place::ALL.iter().copied();
    places.find(|place| story.is_told_in(place.name())).unwrap_or_default()
}

/// The properties that a story violates with `plant`, those of several runs among them. Gateways
/// are compared only where a plant is to make them differ.
pub(crate) fn violated(story: &Scenario, plant: Option<Plant>) -> BTreeSet<&'static str> {
    let place = place(story);
    let run = || place.run(story, RunOptions { plant, ..RunOptions::default() });
    let first = run();
    let mut found: BTreeSet<_> = first.violations.iter().map(|found| found.property).collect();
    if found.is_empty() && run().trace_hash != first.trace_hash {
        found.insert("same_trace");
    }
    let entry = ALL.iter().find(|entry| Some(entry.plant) == plant);
    if entry.is_some_and(|entry| entry.is_found_by("replicas_agree")) {
        found.extend(disagreement(story, plant).map(|found| found.property));
    }
    found
}

#[test]
fn a_run_without_a_plant_violates_nothing() {
    let mut failed = Vec::new();
    for (name, story) in stories() {
        let violations = run_story(&story, RunOptions::default()).violations;
        failed.extend(violations.iter().map(|found| format!("{name}: {found:?}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_plant_is_found_by_what_its_entry_names() {
    let stories = stories();
    let mut missed = Vec::new();
    for entry in ALL {
        let mut missing: BTreeSet<&str> = entry.found_by.iter().copied().collect();
        let mut found = BTreeSet::new();
        for (_, story) in &stories {
            found.append(&mut violated(story, Some(entry.plant)));
            missing.retain(|name| !found.contains(name));
            if missing.is_empty() {
                break;
            }
        }
        println!("{}: {}", entry.name, found.iter().copied().collect::<Vec<_>>().join(" "));
        if !missing.is_empty() {
            missed.push(format!("{} is not found by {missing:?}, but by {found:?}", entry.name));
        }
    }
    assert!(missed.is_empty(), "in {} stories:\n{}", stories.len(), missed.join("\n"));
}

#[test]
fn every_property_finds_a_plant_that_nothing_else_finds() {
    let stories = stories();
    let finds_alone = |property: &str| {
        let candidates = ALL.iter().filter(|entry| entry.found_by.contains(&property));
        candidates.into_iter().any(|entry| {
            let mut stories = stories.iter();
            stories
                .any(|(_, story)| violated(story, Some(entry.plant)) == BTreeSet::from([property]))
        })
    };
    let idle: Vec<&str> = properties::ALL
        .iter()
        .map(|property| property.name)
        .filter(|name| !finds_alone(name))
        .collect();
    assert!(idle.is_empty(), "no plant is found by one of these alone: {idle:?}");
}

#[test]
fn every_kind_of_resource_is_watched() {
    #[track_caller]
    fn check(story: &Scenario, plant: Plant, properties: &[&str], kind: &str) {
        let options = RunOptions { plant: Some(plant), ..RunOptions::default() };
        let violations = run_story(story, options).violations;
        for property in properties {
            let mut of_property = violations.iter().filter(|found| found.property == *property);
            let is_found = of_property.any(|found| found.subject.starts_with(kind));
            assert!(is_found, "{property} finds no {kind} with {plant:?}: {violations:?}");
        }
    }
    for (kind, request, step) in credentials::CHANGES {
        let untold = credentials::untold(step);
        check(&untold, Plant::StuckLists, &["converges", "converged_or_loud"], kind);
        let unreadable = credentials::unreadable(request, step);
        assert_eq!(violated(&unreadable, None), BTreeSet::new(), "{kind}");
        check(&unreadable, Plant::LyingStatus, &["converged_or_loud"], kind);
    }
    check(&credentials::mapped(), Plant::Deaf, &["converges"], "application");
}

#[test]
fn names_are_known_and_unique() {
    let names: BTreeSet<&str> = ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), ALL.len());
    for entry in ALL {
        assert_eq!(Plant::parse(entry.name), Some(entry.plant));
        assert!(!entry.found_by.is_empty(), "{}", entry.name);
        for name in entry.found_by {
            assert!(properties::ALL.iter().any(|known| known.name == *name), "{name}");
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
