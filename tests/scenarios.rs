//! Every file in `scenarios/` is a test of its name: it holds in both worlds, two runs have one
//! trace, and both worlds come to the same.

use std::path::Path;
use std::process::ExitCode;

use driftless::run::unequal;
use driftless::run::{Outcome, RunOptions};
use driftless::sockets::Place;
use driftless::story::file::{StoryFile, load_folder};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let trials = match load_folder(&folder) {
        Ok(stories) if stories.is_empty() => vec![failing("there are no scenarios".to_owned())],
        Ok(stories) => stories.into_iter().map(trial).collect(),
        Err(error) => vec![failing(error.to_string())],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(file: StoryFile) -> Trial {
    Trial::test(file.name.clone(), move || {
        let mut outcomes = Vec::new();
        let places = Place::ALL.iter().filter(|place| file.scenario.is_told_in(place.name()));
        for place in places {
            let options = || RunOptions { with_states: true, ..RunOptions::default() };
            let first = place.run(&file.scenario, options());
            let second = place.run(&file.scenario, options());
            let world = place.name().name();
            verdict(&first, &second).map_err(|why| {
                let again =
                    format!("cargo sim replay scenarios/{}.json --world {world}", file.name);
                Failed::from(format!("{why}\nreproduce: {again}"))
            })?;
            outcomes.push(first);
        }
        match outcomes.as_slice() {
            [] => Err(Failed::from("it is told in no world")),
            [fast, wire] => match unequal(fast, wire) {
                Some(differs) => Err(Failed::from(format!("parity: {differs:?}"))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    })
}

fn verdict(first: &Outcome, second: &Outcome) -> Result<(), String> {
    if first.trace_hash != second.trace_hash {
        let (first, second) = (first.trace_hash, second.trace_hash);
        return Err(format!("same_trace: two runs differ, {first:032x} and {second:032x}"));
    }
    let violations: Vec<String> = first
        .violations
        .iter()
        .map(|violation| {
            let mut lines = vec![
                format!("{} at {}: {}", violation.property, violation.at, violation.subject),
                format!("  expected {}", violation.expected),
                format!("  found    {}", violation.found),
            ];
            lines.extend(violation.last_events.iter().map(|event| format!("    {event}")));
            lines.join("\n")
        })
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(violations.join("\n")) }
}

fn failing(why: String) -> Trial {
    Trial::test("the_folder_of_scenarios_can_be_read", || Err(Failed::from(why)))
}
