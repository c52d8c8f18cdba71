//! `check`: every scenario file, each twice.

use super::arguments::CheckCommand;
use super::judge::{Judged, judge};
use super::output::Output;
use super::progress::Stopwatch;
use super::record::{Record, Status, StoryRecord};
use super::story::{Told, of_arguments, violation};
use super::{Exit, Refused};
use crate::plant::Plant;
use crate::runner::RunOptions;

/// Runs the scenarios and reports each, then those that did not hold.
pub(super) fn check(
    command: &CheckCommand,
    plant: Option<Plant>,
    output: &mut Output,
) -> Result<Exit, Refused> {
    let stories = of_arguments(&command.scenarios, plant)?;
    let (mut failed, mut exit) = (Vec::new(), Exit::Held);
    let (mut violated, mut differed) = (0, 0);
    for told in &stories {
        let watch = Stopwatch::start();
        let judged = judge(&told.scenario, RunOptions { plant, ..RunOptions::default() }, true);
        output.detail(&story_record(told, &judged), Some(watch.elapsed()));
        output.flush();
        exit = exit.max(judged.exit());
        match judged.exit() {
            Exit::Held => continue,
            Exit::Differed => differed += 1,
            _ => violated += 1,
        }
        failed.push((told, judged));
    }
    let ran = u64::try_from(stories.len()).unwrap_or(u64::MAX);
    output.record(&Record::Summary { ran, noun: "scenario", violated, differed });
    for (told, judged) in &failed {
        report(told, judged, output);
    }
    Ok(exit)
}

/// One line about a story.
pub(super) fn story_record(told: &Told, judged: &Judged) -> Record {
    let outcome = &judged.outcome;
    Record::Story(StoryRecord {
        story: told.name.clone(),
        status: match judged.exit() {
            Exit::Differed => Status::Differed,
            Exit::Violated => Status::Violated,
            _ => Status::Ok,
        },
        covers: told.scenario.covers.clone(),
        simulated_ms: u64::try_from(outcome.simulated.as_millis()).unwrap_or(u64::MAX),
        events: outcome.events,
        delivered: outcome.delivered.clone(),
        idle_faults: outcome.idle_faults.clone(),
        trace_hash: format!("{:032x}", outcome.trace_hash),
    })
}

/// Everything that is wrong with a story, and how to see it again.
pub(super) fn report(told: &Told, judged: &Judged, output: &mut Output) {
    for found in &judged.outcome.violations {
        output.record(&violation(&told.name, found));
    }
    if let Some((first, second)) = judged.difference() {
        let (first, second) = (format!("{first:032x}"), format!("{second:032x}"));
        output.record(&Record::Differed { story: told.name.clone(), first, second });
    }
    output.record(&Record::Reproduce { command: told.reproduce.clone() });
}
