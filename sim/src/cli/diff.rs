//! Where two runs part: the last lines that they share, and the first of each that they do not.

use driftless_gateway::time::Instant;

use super::Exit;
use super::judge::judge;
use super::output::Output;
use super::record::Record;
use super::story::Told;
use crate::observe::TraceLine;
use crate::plant::Plant;
use crate::run::RunOptions;
use crate::sockets::Place;

/// How many lines are shown before the runs part, and of each after it.
const SHOWN: usize = 5;

/// Runs two stories and shows where they part.
pub(super) fn diff(
    place: Place,
    told: [&Told; 2],
    until: Option<Instant>,
    plant: Option<Plant>,
    output: &mut Output,
) -> Exit {
    let [one, other] = told.map(|told| lines(place, told, until, plant));
    let shared = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let mut say = |line: String| output.record(&Record::Trace { line });
    for line in one.iter().take(shared).skip(shared.saturating_sub(SHOWN)) {
        say(format!("  {line}"));
    }
    if shared == one.len() && shared == other.len() {
        say(format!("the two runs are the same: {shared} events"));
        return Exit::Held;
    }
    for (mark, lines) in [("-", &one), ("+", &other)] {
        for line in lines.iter().skip(shared).take(SHOWN) {
            say(format!("{mark} {line}"));
        }
        if lines.len() == shared {
            say(format!("{mark} the run is over"));
        }
    }
    say(format!("- {}, + {}: {shared} events are the same", told[0].name, told[1].name));
    Exit::Differed
}

/// Every line of a run.
fn lines(
    place: Place,
    told: &Told,
    until: Option<Instant>,
    plant: Option<Plant>,
) -> Vec<TraceLine> {
    let mut lines = Vec::new();
    let mut keep = |line: &TraceLine| lines.push(line.clone());
    let trace: Option<&mut dyn FnMut(&TraceLine)> = Some(&mut keep);
    let options = RunOptions { trace, until, plant, ..RunOptions::default() };
    let _judged = judge(place, &told.scenario, options, false);
    lines
}
