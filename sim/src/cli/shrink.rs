//! `shrink`: the smallest story with the same violation, written to a file.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::arguments::ShrinkCommand;
use super::check::report;
use super::judge::{Judged, judge};
use super::output::Output;
use super::pool::cores;
use super::progress::{Spinner, Stopwatch};
use super::record::{Record, ShrunkRecord};
use super::replay::save_path;
use super::story::{Told, of_argument};
use super::{BadArguments, Exit};
use crate::plant::Plant;
use crate::properties::Violation;
use crate::run::RunOptions;
use crate::shrink::{Shrunk, Tools, ViolationKind, claims, shrink as smallest};
use crate::sockets::Place;
use crate::story::file::{Scenario, save};

/// How the stories are told, and for how long.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    /// The world.
    pub(super) place: Place,
    /// A planted defect.
    pub(super) plant: Option<Plant>,
    /// How long to go on.
    pub(super) budget: Duration,
    /// How many stories at once.
    pub(super) jobs: NonZeroUsize,
}

/// Shrinks one story and writes it.
pub(super) fn shrink(
    command: &ShrinkCommand,
    plant: Option<Plant>,
    output: &mut Output,
) -> Result<Exit, BadArguments> {
    let place = Place::from(command.world);
    let told = of_argument(&command.story, command.profile.as_deref(), place)?;
    let path = path(command, &told)?;
    let jobs = command.jobs.and_then(|jobs| NonZeroUsize::new(usize::from(jobs)));
    let jobs = jobs.unwrap_or_else(cores);
    let setting = Setting { place, plant, budget: command.for_, jobs };
    let violations = violations(setting, &told.scenario);
    let Some(target) = target(command, &violations)? else {
        return Err(BadArguments::nothing(format!("{} violates no property", told.name)));
    };
    let found = shrink_to(setting, &told, &target, output)?;
    let Some(shrunk) = found else {
        let message = format!("{} does not break the same way twice", told.name);
        return Err(BadArguments { message, exit: Exit::Differed });
    };
    let story = claims::filled(&shrunk);
    // What is to be served at the end is claimed where the violation claims nothing itself.
    let options = RunOptions { plant, ..RunOptions::default() };
    let story = judge(place, &story, options, false).outcome.story;
    save(&path, &story)?;
    output.record(&Record::Saved { path: path.display().to_string() });
    let words = path.display().to_string();
    let told = Told { name: told.name, scenario: story, words, path: Some(path) };
    let told = told.in_place(place).with_plant(plant);
    let options = RunOptions { plant, ..RunOptions::default() };
    let judged = judge(place, &told.scenario, options, true);
    report(&told, &judged, output);
    Ok(judged.exit())
}

/// Shrinks a story and says how far that went; `None` where it does not break.
pub(super) fn shrink_to(
    setting: Setting,
    told: &Told,
    target: &ViolationKind,
    output: &mut Output,
) -> Result<Option<Shrunk>, BadArguments> {
    let watch = Stopwatch::start();
    let spinner = Spinner::new(output.is_quiet(), "shrinking");
    let tell = |story: &Scenario| violations(setting, story);
    let is_over = || {
        spinner.tick(watch.elapsed(), setting.budget);
        watch.elapsed() >= setting.budget
    };
    let tools = Tools { tell: &tell, jobs: setting.jobs, is_over: &is_over };
    let found = smallest(&told.scenario, target, tools);
    spinner.clear();
    if let Some(shrunk) = &found {
        let record = ShrunkRecord {
            story: told.name.clone(),
            property: target.property().to_owned(),
            steps_before: told.scenario.steps.len(),
            steps_after: shrunk.story.steps.len(),
            told: shrunk.told,
            is_done: shrunk.is_done,
            steps: steps(&shrunk.story),
        };
        output.timed(&Record::Shrunk(record), Some(watch.elapsed()));
    }
    Ok(found)
}

/// What a story violates.
fn violations(setting: Setting, story: &Scenario) -> Vec<Violation> {
    let options = RunOptions { plant: setting.plant, ..RunOptions::default() };
    let Judged { outcome, .. } = judge(setting.place, story, options, false);
    outcome.violations
}

/// The violation that is to stay: of the property that is named, or the first.
fn target(
    command: &ShrinkCommand,
    violations: &[Violation],
) -> Result<Option<ViolationKind>, BadArguments> {
    let Some(named) = &command.property else {
        return Ok(violations.first().map(ViolationKind::of));
    };
    let found = violations.iter().find(|violation| violation.property == *named);
    if found.is_none() && !violations.is_empty() {
        let mut violated: Vec<&str> = violations.iter().map(|it| it.property).collect();
        violated.dedup();
        let violated = violated.join(", ");
        return Err(BadArguments::usage(format!("it does not violate `{named}` but {violated}")));
    }
    Ok(found.map(ViolationKind::of))
}

/// Each step of a story as its file has it.
fn steps(story: &Scenario) -> Vec<String> {
    let text = story.to_json();
    let lines = text.lines().skip_while(|line| !line.contains("\"steps\"")).skip(1);
    let steps = lines.take_while(|line| line.starts_with("    "));
    steps.map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
}

/// Where the story is written: where it is told to, or beside where the command runs.
fn path(command: &ShrinkCommand, told: &Told) -> Result<PathBuf, BadArguments> {
    match &command.save {
        Some(name) => save_path(name, told),
        None => Ok(PathBuf::from(format!("{}-shrunk.json", told.name.replace(' ', "-")))),
    }
}
