//! Scenario files and fuzz targets: there are some, and each is what it must be.

use driftless::story::file::{Scenario, is_kebab_case};

use crate::{Source, files, made_up, none, root};

/// The most lines of a fuzz target: it is glue.
const TARGET_LINES_MAX: usize = 40;

fn complaints(source: &Source) -> Vec<String> {
    let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    let mut found = Vec::new();
    let mut complain = |what: String| found.push(format!("{}: {what}", source.path));
    if !is_kebab_case(stem) || stem.split('-').count() < 3 {
        complain("the name is not a sentence in kebab case".to_owned());
    }
    match Scenario::parse(&source.text) {
        Err(refusal) => complain(refusal.to_string()),
        Ok(scenario) => {
            if scenario.covers.is_empty() {
                complain("covers nothing".to_owned());
            }
            if scenario.to_json() != source.text {
                complain(format!("not canonical: cargo sim replay {0} --save {0}", source.path));
            }
        }
    }
    found
}

/// Fuzz targets that the manifest of `fuzz/` does not name, and names without a target.
fn targets(manifest: &str, names: &[&str]) -> Vec<String> {
    let declared: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""))
        .collect();
    let undeclared = names.iter().filter(|name| !declared.contains(name));
    let unmade = declared.iter().filter(|name| !names.contains(name));
    undeclared
        .map(|name| format!("fuzz/Cargo.toml does not name {name}"))
        .chain(unmade.map(|name| format!("fuzz/fuzz_targets/{name}.rs is not there")))
        .collect()
}

#[test]
fn every_scenario_is_a_story() {
    let stories = files(&["scenarios"], "json");
    assert!(!stories.is_empty(), "there are no scenarios");
    let stories = stories.iter().filter(|story| !story.path.contains("/_found/"));
    none(stories.flat_map(complaints).collect());
}

#[test]
fn the_page_about_the_format_shows_a_file_as_it_is() {
    let page = files(&["scenarios/README.md"], "md").remove(0).text;
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let named = page.rsplit("It is `").next().unwrap().split('`').next().unwrap();
    assert_eq!(std::fs::read_to_string(root().join(named)).unwrap(), example);
}

#[test]
fn every_fuzz_target_is_named_and_is_glue() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let sources = files(&["fuzz/fuzz_targets"], "rs");
    let names: Vec<&str> = sources
        .iter()
        .filter_map(|source| source.path.rsplit('/').next()?.strip_suffix(".rs"))
        .collect();
    none(targets(&manifest, &names));
    assert!(!names.is_empty(), "there are no fuzz targets");
    for source in &sources {
        let lines = source.text.lines().count();
        assert!(lines <= TARGET_LINES_MAX, "{} has {lines} lines: it is glue", source.path);
    }
}

#[test]
fn a_bad_story_and_a_forgotten_target_are_found() {
    let good = files(&["scenarios"], "json").remove(0);
    assert_eq!(complaints(&good), Vec::<String>::new());
    for (path, text) in [
        ("scenarios/short.json", good.text.clone()),
        ("scenarios/Not-Kebab-Case.json", good.text.clone()),
        ("scenarios/an-unsaid-reason.json", good.text.replacen("\"why\": \"", "\"why\": \"a ", 1)),
        ("scenarios/a-wide-story.json", good.text.replacen("  \"why\"", "    \"why\"", 1)),
        ("scenarios/a-broken-story.json", "{".to_owned()),
    ] {
        assert_eq!(complaints(&made_up(path, &text)).len(), 1, "{path}");
    }
    let manifest = "[[bin]]\npath = \"fuzz_targets/wire.rs\"\n";
    assert_eq!(targets(manifest, &["wire"]), Vec::<String>::new());
    assert_eq!(targets(manifest, &["wire", "store"]).len(), 1);
    assert_eq!(targets(manifest, &[]).len(), 1);
}
