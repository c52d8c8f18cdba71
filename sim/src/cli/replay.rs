//! `replay`: one story, shown, and saved when asked to.

use std::path::{Path, PathBuf};

use driftless_gateway::time::Instant;

use super::arguments::ReplayCommand;
use super::check::{report, story_record};
use super::diff;
use super::judge::{Judged, judge};
use super::output::Output;
use super::progress::Stopwatch;
use super::record::Record;
use super::story::{FOLDER, Told, of_argument, of_bytes};
use super::{BadArguments, Exit};
use crate::observe::{TraceFilter, TraceLine};
use crate::plant::Plant;
use crate::run::RunOptions;
use crate::sockets::Place;
use crate::story::file::{Only, Scenario, WorldName, is_kebab_case, save};
use crate::story::step::Verb;

/// Runs the story twice, tells every event of the first run when asked to, and reports.
pub(super) fn replay(
    command: &ReplayCommand,
    plant: Option<Plant>,
    output: &mut Output,
) -> Result<Exit, BadArguments> {
    let place = Place::from(command.world);
    let told = told(command, place)?.in_place(place).with_plant(plant);
    let target = command.save.as_ref().map(|name| save_path(name, &told)).transpose()?;
    let until = command.until.map(Instant::from_millis);
    if let Some(other) = &command.diff {
        let other = of_argument(other, command.profile.as_deref(), place)?;
        let other = other.in_place(place).with_plant(plant);
        return Ok(diff::diff(place, [&told, &other], until, plant, output));
    }
    let watch = Stopwatch::start();
    let mut about = command.about.as_deref().map(TraceFilter::new);
    let from = command.from.map_or(Instant::START, Instant::from_millis);
    let is_traced = command.trace || about.is_some() || command.from.is_some();
    let mut is_wanted = |line: &TraceLine| {
        if let Some(about) = &mut about {
            about.note(line);
        }
        line.at >= from && about.as_ref().is_none_or(|about| about.matters(line))
    };
    let judged = if is_traced {
        let mut trace = |line: &TraceLine| {
            if is_wanted(line) {
                output.record(&Record::Trace { line: line.to_string() });
            }
        };
        judge(
            place,
            &told.scenario,
            RunOptions { trace: Some(&mut trace), until, plant, ..RunOptions::default() },
            true,
        )
    } else {
        judge(place, &told.scenario, RunOptions { until, plant, ..RunOptions::default() }, true)
    };
    output.timed(&story_record(&told, &judged), Some(watch.elapsed()));
    if let Some(path) = &target {
        save_story(path, &told, &judged)?;
        output.record(&Record::Saved { path: path.display().to_string() });
    }
    if judged.exit() != Exit::Held {
        report(&told, &judged, output);
    }
    Ok(judged.exit())
}

fn told(command: &ReplayCommand, place: Place) -> Result<Told, BadArguments> {
    match &command.bytes {
        Some(path) => of_bytes(path),
        None => {
            let named = command.story.as_deref().unwrap_or_default();
            of_argument(named, command.profile.as_deref(), place)
        }
    }
}

/// The file to save to; another story's file is never overwritten.
pub(super) fn save_path(name: &str, told: &Told) -> Result<PathBuf, BadArguments> {
    let path = if name.ends_with(".json") || name.contains('/') {
        Path::new(name).with_extension("json")
    } else {
        Path::new(FOLDER).join(format!("{name}.json"))
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !is_kebab_case(stem) {
        let message = format!("cannot save as {name:?}: use lower-case words joined by dashes");
        return Err(BadArguments::usage(message));
    }
    let same = told.path.as_ref().is_some_and(|from| same_file(from, &path));
    if path.exists() && !same {
        return Err(BadArguments::usage(format!("{} is there already", path.display())));
    }
    Ok(path)
}

fn save_story(path: &Path, told: &Told, judged: &Judged) -> Result<(), BadArguments> {
    let scenario = if told.path.is_some() { &told.scenario } else { &judged.outcome.story };
    let mut scenario = scenario.clone();
    if scenario.steps.iter().any(|step| matches!(step.verb, Verb::Bytes(_))) {
        let why = "Bytes go wrong, which the fast world does not carry.".to_owned();
        scenario.only.get_or_insert(Only { world: WorldName::Wire, why });
    }
    if let Err(refusal) = Scenario::parse(&scenario.to_json()) {
        return Err(BadArguments::usage(format!("not saved, it would not read back: {refusal}")));
    }
    Ok(save(path, &scenario)?)
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
