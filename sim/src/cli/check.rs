//! `check`: every scenario file, in both worlds, each twice.

use super::arguments::CheckCommand;
use super::judge::{Judged, judge};
use super::output::Output;
use super::progress::Stopwatch;
use super::record::{Parity, Record, Status, StoryRecord};
use super::story::{Told, of_arguments, violation};
use super::{BadArguments, Exit};
use crate::plant::Plant;
use crate::run::{RunOptions, Unequal, unequal};
use crate::sockets::Place;
use crate::story::file::Scenario;

/// What came of a story in each world that it is told in.
struct Checked<'a> {
    told: &'a Told,
    judged: Vec<(Place, Judged)>,
    unequal: Option<Unequal>,
}

impl Checked<'_> {
    fn exit(&self) -> Exit {
        let worst = self.judged.iter().map(|(_, judged)| judged.exit()).max();
        let parity = if self.unequal.is_some() { Exit::Violated } else { Exit::Held };
        worst.unwrap_or(Exit::Held).max(parity)
    }
}

/// Runs the scenarios and reports each, then those that did not hold.
pub(super) fn check(
    command: &CheckCommand,
    plant: Option<Plant>,
    output: &mut Output,
) -> Result<Exit, BadArguments> {
    let mut stories = of_arguments(&command.scenarios, plant)?;
    let places = places(command, plant);
    let is_told = |story: &Scenario, place: &Place| story.is_told_in(place.name());
    let asked = stories.len();
    stories.retain(|told| places.iter().any(|place| is_told(&told.scenario, place)));
    if stories.is_empty() {
        return Err(BadArguments::nothing("no scenario is told in that world"));
    }
    let scenarios = asked - stories.len();
    if scenarios > 0 {
        let names: Vec<&str> = places.iter().map(|place| place.name().name()).collect();
        let why = format!("not told in the {} world", names.join(" or "));
        output.detail(&Record::LeftOut { scenarios, why }, None);
    }
    let (mut failed, mut exit) = (Vec::new(), Exit::Held);
    let (mut violated, mut differed) = (0, 0);
    for told in &stories {
        let watch = Stopwatch::start();
        let told_in = places.iter().filter(|place| is_told(&told.scenario, place));
        let checked = tell(told, told_in.copied().collect(), plant);
        output.detail(&checked_record(&checked, places.len() > 1), Some(watch.elapsed()));
        output.flush();
        exit = exit.max(checked.exit());
        match checked.exit() {
            Exit::Held => continue,
            Exit::Differed => differed += 1,
            _ => violated += 1,
        }
        failed.push(checked);
    }
    let ran = u64::try_from(stories.len()).unwrap_or(u64::MAX);
    output.record(&Record::Summary { ran, noun: "scenario", violated, differed });
    failed.iter().for_each(|checked| report_all(checked, output));
    Ok(exit)
}

/// The worlds to run in. A planted defect is at work in some places of the fast world only, so
/// with one the two are not compared unless both are asked for.
fn places(command: &CheckCommand, plant: Option<Plant>) -> Vec<Place> {
    match command.world {
        Some(world) => vec![world.into()],
        None if plant.is_some() => vec![Place::Fast],
        None => Place::ALL.to_vec(),
    }
}

fn tell(told: &Told, places: Vec<Place>, plant: Option<Plant>) -> Checked<'_> {
    let options = || RunOptions { plant, with_states: true, ..RunOptions::default() };
    let judged =
        places.into_iter().map(|place| (place, judge(place, &told.scenario, options(), true)));
    let judged: Vec<(Place, Judged)> = judged.collect();
    let unequal = match judged.as_slice() {
        [(_, fast), (_, wire)] => unequal(&fast.outcome, &wire.outcome),
        _ => None,
    };
    Checked { told, judged, unequal }
}

fn checked_record(checked: &Checked<'_>, is_compared: bool) -> Record {
    let mut record = match checked.judged.first() {
        Some((_, judged)) => story(checked.told, judged),
        None => unreachable!("a story is told somewhere"),
    };
    let parity = match (checked.judged.as_slice(), &checked.unequal) {
        (_, Some(_)) => Parity::Unequal,
        ([(place, _)], _) => match place {
            Place::Fast => Parity::FastOnly,
            #[cfg(feature = "wire")]
            Place::Wire => Parity::WireOnly,
        },
        _ => Parity::Equal,
    };
    record.parity = Some(parity).filter(|_| is_compared);
    record.wire_trace_hash = checked.judged.get(1).map(|(_, judged)| hash(judged));
    record.status = match checked.exit() {
        Exit::Differed => Status::Differed,
        Exit::Held => Status::Ok,
        _ if checked.judged.iter().all(|(_, judged)| judged.exit() == Exit::Held) => {
            Status::Unequal
        }
        _ => Status::Violated,
    };
    Record::Story(record)
}

fn report_all(checked: &Checked<'_>, output: &mut Output) {
    for (place, judged) in &checked.judged {
        if judged.exit() != Exit::Held {
            report_in(checked.told, judged, *place, output);
        }
    }
    if let Some(unequal) = &checked.unequal {
        let Unequal { gateway, item, fast, wire } = unequal.clone();
        let story = checked.told.name.clone();
        output.record(&Record::Unequal { story, gateway, item, fast, wire });
        output.record(&Record::Reproduce { command: checked.told.replay() });
        for (place, _) in checked.judged.iter().skip(1) {
            let command = checked.told.replay_in(*place);
            output.record(&Record::Reproduce { command });
        }
    }
}

fn hash(judged: &Judged) -> String {
    format!("{:032x}", judged.outcome.trace_hash)
}

/// One line about a story.
pub(super) fn story_record(told: &Told, judged: &Judged) -> Record {
    Record::Story(story(told, judged))
}

fn story(told: &Told, judged: &Judged) -> StoryRecord {
    let outcome = &judged.outcome;
    StoryRecord {
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
        idle: outcome.idle.iter().map(ToString::to_string).collect(),
        trace_hash: hash(judged),
        parity: None,
        wire_trace_hash: None,
    }
}

/// Everything that is wrong with a story, and how to see it again.
pub(super) fn report(told: &Told, judged: &Judged, output: &mut Output) {
    report_in(told, judged, Place::Fast, output);
}

fn report_in(told: &Told, judged: &Judged, place: Place, output: &mut Output) {
    for found in &judged.outcome.violations {
        output.record(&violation(&told.name, found));
    }
    if let Some((first, second)) = judged.difference() {
        let (first, second) = (format!("{first:032x}"), format!("{second:032x}"));
        output.record(&Record::Differed { story: told.name.clone(), first, second });
    }
    output.record(&Record::Reproduce { command: told.replay_in(place) });
}
