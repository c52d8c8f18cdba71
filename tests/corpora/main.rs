//! Every input that fuzzing begins with and every one that it once failed on, as ordinary tests.
//!
//! The allocator counts, because archives are held to what they allocate; so the tests run one
//! after another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::alloc::System;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use driftless::fuzz::seeds::{dictionary, of_scenarios, seeds};
use driftless::fuzz::{TARGETS, Target};
use driftless::story::file::load_folder;
use libtest_mimic::{Arguments, Failed, Trial};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocated() -> u64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as u64 + u64::try_from(stats.bytes_reallocated).unwrap_or_default()
}

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = Vec::new();
    for target in TARGETS {
        trials.push(Trial::test(format!("{}_holds", target.name), || replay(target)));
        trials.push(Trial::test(format!("{}_has_regressions_of_its_name", target.name), || {
            names_are_sentences(target)
        }));
    }
    trials.push(Trial::test("the_corpora_are_what_the_generator_makes", corpora_are_fresh));
    trials.push(Trial::test("every_target_is_built_listed_and_short", targets_are_complete));
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed inputs in a folder: what a fuzzer found has no extension.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    paths.sort();
    paths
}

fn corpus(target: &Target) -> PathBuf {
    root().join("fuzz/corpus").join(target.name)
}

fn regressions(target: &Target) -> PathBuf {
    root().join("fuzz/regressions").join(target.name)
}

fn replay(target: &'static Target) -> Result<(), Failed> {
    let corpus = inputs(&corpus(target));
    if corpus.is_empty() {
        return Err(format!("fuzz/corpus/{} is empty: run `cargo corpora`", target.name).into());
    }
    let mut broken = Vec::new();
    for path in corpus.into_iter().chain(inputs(&regressions(target))) {
        let bytes = fs::read(&path).unwrap();
        let check = AssertUnwindSafe(|| (target.check)(&bytes, allocated));
        if catch_unwind(check).is_err() {
            broken.push(format!("{}\n", path.strip_prefix(root()).unwrap().display()));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.concat().into()) }
}

/// A regression is named by what it once broke, in kebab case.
fn names_are_sentences(target: &Target) -> Result<(), Failed> {
    for path in inputs(&regressions(target)) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if !driftless::story::file::is_kebab_case(stem) || stem.split('-').count() < 3 {
            return Err(format!("{stem}: say in a few words what it showed").into());
        }
    }
    Ok(())
}

/// What the generator makes is there, byte for byte, and every other seed is a scenario's. A
/// scenario that is new need not be a seed.
fn corpora_are_fresh() -> Result<(), Failed> {
    let stories = load_folder(&root().join("scenarios")).unwrap();
    let mut stale = Vec::new();
    for (name, mut made) in seeds() {
        let target = TARGETS.iter().find(|target| target.name == name).unwrap();
        let names: BTreeSet<String> = inputs(&corpus(target))
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        let told = of_scenarios(target, &stories);
        let is_of_stories = !told.is_empty();
        for (file, bytes) in &made {
            let found = fs::read(corpus(target).join(file)).ok();
            if found.as_ref() != Some(bytes) {
                stale.push(format!("{name}/{file}\n"));
            }
        }
        let others = names.iter().filter(|file| !made.contains_key(*file)).count();
        if (others == 0) == is_of_stories {
            stale.push(format!("{name}: {others} seeds of scenarios\n"));
        }
        made.extend(told);
        let words = root().join(format!("fuzz/dictionaries/{name}.dict"));
        if dictionary(target, &made).is_some() != words.exists() {
            stale.push(format!("{name}.dict\n"));
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("stale, run `cargo corpora`:\n{}", stale.concat()).into())
}

/// Every target is a binary of `fuzz/Cargo.toml` of at most 40 lines, and every binary a target.
fn targets_are_complete() -> Result<(), Failed> {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let built: BTreeSet<&str> = manifest
        .split("[[bin]]\nname = \"")
        .skip(1)
        .filter_map(|bin| bin.split('"').next())
        .collect();
    let listed: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    if built != listed {
        return Err(format!("built {built:?}, listed {listed:?}").into());
    }
    for name in built {
        let glue = fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        if glue.lines().count() > 40 {
            return Err(format!("{name} is more than glue").into());
        }
    }
    Ok(())
}
