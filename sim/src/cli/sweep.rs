//! `run`: many seeds, in parallel, folded in order.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::arguments::RunCommand;
use super::check::report;
use super::judge::{Judged, judge};
use super::mix::Mix;
use super::output::Output;
use super::pool::{Beat, cores, in_order};
use super::progress::{Goal, Progress, Stopwatch};
use super::record::{IdleBy, IdleRecord, Record};
use super::seed::Seed;
use super::shard::Shard;
use super::shrink::{Setting, shrink_to};
use super::story::{Told, violation};
use super::{BadArguments, Exit};
use crate::observe::marks;
use crate::plant::Plant;
use crate::properties::Violation;
use crate::run::{IdleStep, RunOptions};
use crate::shrink::ViolationKind;
use crate::sockets::Place;

/// Every so many seeds, one is run twice to compare the traces.
const TWICE_EVERY: u64 = 64;

/// Every so many seeds, one is told to several gateways.
const REPLICAS_EVERY: u64 = 50;

/// How long the first story that does not hold is shrunk at most.
const SHRINK_FOR: Duration = Duration::from_secs(10);

/// How many seeds that did not hold are told in full; the rest are counted.
const FAILED_TOLD_MAX: usize = 100;

/// Which seeds to run.
struct Plan {
    mix: Mix,
    base: Seed,
    shard: Shard,
    goal: Goal,
    plant: Option<Plant>,
}

impl Plan {
    /// The `index`-th seed.
    fn seed(&self, index: u64) -> Seed {
        let offset = match self.goal {
            Goal::Seeds(_) => index,
            Goal::Time(_) => self.shard.nth(index),
        };
        Seed(self.base.0.wrapping_add(offset))
    }
}

/// Sweeps and reports.
pub(super) fn run(
    command: &RunCommand,
    plant: Option<Plant>,
    output: &mut Output,
) -> Result<Exit, BadArguments> {
    let plan = Plan { plant, ..plan(command, output)? };
    output.flush();
    let jobs = command.jobs.and_then(|jobs| NonZeroUsize::new(usize::from(jobs)));
    let watch = Stopwatch::start();
    let totals = sweep(&plan, jobs.unwrap_or_else(cores), command.keep_going, output, &watch);
    if totals.seeds == 0 {
        return Err(BadArguments::nothing("the time was over before one seed was run"));
    }
    let exit = summarise(&totals, &plan, watch.elapsed(), output);
    if !command.keep_going && !totals.failed.is_empty() {
        output.detail(&Record::Stopped { ran: totals.seeds }, None);
    }
    let is_wanted = command.shrink || (output.is_terminal() && !command.no_shrink);
    if let Some(Swept { place, told, judged }) = totals.failed.first().filter(|_| is_wanted) {
        let jobs = jobs.unwrap_or_else(cores);
        let setting = Setting { place: *place, plant, budget: SHRINK_FOR, jobs };
        shrink_first(setting, told, judged, output)?;
    }
    Ok(exit)
}

/// Makes the first story that violates a property small, and says how to keep it.
fn shrink_first(
    setting: Setting,
    told: &Told,
    judged: &Judged,
    output: &mut Output,
) -> Result<(), BadArguments> {
    let Some(first) = judged.outcome.violations.first() else { return Ok(()) };
    let kind = ViolationKind::of(first);
    if shrink_to(setting, told, &kind, output)?.is_some() {
        output.record(&Record::Reproduce { command: told.shrink() });
    }
    Ok(())
}

fn plan(command: &RunCommand, output: &mut Output) -> Result<Plan, BadArguments> {
    let mix = Mix::of(command)?;
    let (shard, named_by) = match command.shard {
        Some(shard) => (shard, None),
        None => {
            let named = Shard::from_environment(|name| std::env::var(name).ok());
            match named.map_err(BadArguments::usage)? {
                Some((shard, name)) => (shard, Some(name)),
                None => (Shard::WHOLE, None),
            }
        }
    };
    let (base, goal) = match command.for_ {
        Some(time) => (command.seed, Goal::Time(time)),
        None => {
            let (start, count) = shard.part(command.seeds);
            (Seed(command.seed.0.wrapping_add(start)), Goal::Seeds(count))
        }
    };
    if command.for_.is_none() && command.seeds == 0 {
        return Err(BadArguments::nothing("--seeds 0 asks for no seed"));
    }
    if goal == Goal::Seeds(0) {
        return Err(BadArguments::nothing(format!("no seed was selected in shard {shard}")));
    }
    let sweep = Record::Sweep {
        mix: mix.words(),
        base: base.to_string(),
        seeds: match goal {
            Goal::Seeds(count) => Some(count),
            Goal::Time(_) => None,
        },
        shard: (shard != Shard::WHOLE).then(|| match named_by {
            Some(name) => format!("{shard} ({name})"),
            None => shard.to_string(),
        }),
    };
    output.detail(&sweep, None);
    Ok(Plan { mix, base, shard, goal, plant: None })
}

/// What a sweep came to.
#[derive(Default)]
struct Totals {
    seeds: u64,
    violated: u64,
    differed: u64,
    simulated: Duration,
    events: u64,
    crashes: u64,
    delivered: BTreeMap<&'static str, u64>,
    marks: BTreeSet<&'static str>,
    idle_faults: Idle,
    idle_people: Idle,
    failed: Vec<Swept>,
}

/// A seed that was told.
struct Swept {
    place: Place,
    told: Told,
    judged: Judged,
}

impl Totals {
    fn add(&mut self, swept: Swept) {
        let Swept { told, judged, .. } = &swept;
        let outcome = &judged.outcome;
        self.seeds += 1;
        self.simulated = self.simulated.saturating_add(outcome.simulated);
        self.events += outcome.events;
        self.crashes += outcome.crashes;
        for (fault, count) in &outcome.delivered {
            *self.delivered.entry(fault).or_insert(0) += count;
        }
        self.marks.extend(&outcome.marks);
        self.idle_faults.add(&told.name, outcome.idle.iter().filter(|step| step.is_fault));
        self.idle_people.add(&told.name, outcome.idle.iter().filter(|step| !step.is_fault));
        match judged.exit() {
            Exit::Held => return,
            Exit::Differed => self.differed += 1,
            _ => self.violated += 1,
        }
        if self.failed.len() < FAILED_TOLD_MAX {
            self.failed.push(swept);
        }
    }
}

/// The seeds with steps that had no effect.
#[derive(Default)]
struct Idle {
    seeds: u64,
    steps: BTreeMap<&'static str, IdleRecord>,
}

impl Idle {
    /// A seed was told, with those steps that had none.
    fn add<'a>(&mut self, seed: &str, steps: impl Iterator<Item = &'a IdleStep>) {
        let names: BTreeSet<&'static str> = steps.map(|step| step.name).collect();
        self.seeds += u64::from(!names.is_empty());
        for name in names {
            let first = || IdleRecord { seeds: 0, example: seed.to_owned() };
            self.steps.entry(name).or_insert_with(first).seeds += 1;
        }
    }

    fn report(&self, by: IdleBy, of: u64, output: &mut Output) {
        if self.seeds > 0 {
            let (seeds, steps) = (self.seeds, self.steps.clone());
            output.detail(&Record::Idle { by, seeds, of, steps }, None);
        }
    }
}

fn sweep(
    plan: &Plan,
    jobs: NonZeroUsize,
    keep_going: bool,
    output: &Output,
    watch: &Stopwatch,
) -> Totals {
    let mut totals = Totals::default();
    let progress = Progress::new(output.is_quiet(), plan.goal);
    let limit = match plan.goal {
        Goal::Seeds(count) => count,
        Goal::Time(_) => u64::MAX,
    };
    let work = |index: u64| {
        let (place, told) = plan.mix.story(plan.seed(index));
        let told = told.with_plant(plan.plant);
        let options = RunOptions { plant: plan.plant, ..RunOptions::default() };
        let mut judged = judge(place, &told.scenario, options, index.is_multiple_of(TWICE_EVERY));
        if index.is_multiple_of(REPLICAS_EVERY) && place == Place::Fast {
            judged.compare_replicas(&told.scenario, plan.plant);
        }
        Swept { place, told, judged }
    };
    in_order(jobs, limit, work, |beat| match beat {
        Beat::Done(swept) => {
            totals.add(swept);
            if keep_going || totals.failed.is_empty() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }
        Beat::Tick => {
            let elapsed = watch.elapsed();
            progress.tick(elapsed, totals.seeds, totals.violated + totals.differed);
            match plan.goal {
                Goal::Time(time) if elapsed >= time => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    });
    progress.clear();
    totals
}

/// Reports what a sweep came to, the guards against a testbed that fools itself included.
fn summarise(totals: &Totals, plan: &Plan, wall: Duration, output: &mut Output) -> Exit {
    let swept = Record::Swept {
        seeds: totals.seeds,
        violated: totals.violated,
        simulated_ms: u64::try_from(totals.simulated.as_millis()).unwrap_or(u64::MAX),
        events: totals.events,
        crashes: totals.crashes,
    };
    output.detail(&swept, Some(wall));
    output.detail(&Record::Faults { delivered: totals.delivered.clone() }, None);
    // What a defect keeps from being reached says nothing about the sweep.
    let guards = match plan.plant {
        None => guards(totals, plan, output),
        Some(_) => Vec::new(),
    };
    totals.idle_faults.report(IdleBy::Faults, totals.seeds, output);
    totals.idle_people.report(IdleBy::People, totals.seeds, output);
    let guarded = u64::try_from(guards.len()).unwrap_or(u64::MAX);
    output.record(&Record::Summary {
        ran: totals.seeds,
        noun: "seed",
        violated: totals.violated + guarded,
        differed: totals.differed,
    });
    let exit = if totals.differed > 0 {
        Exit::Differed
    } else if totals.violated + guarded > 0 {
        Exit::Violated
    } else {
        Exit::Held
    };
    for guard in &guards {
        output.record(&violation("the sweep", guard));
    }
    for Swept { told, judged, .. } in &totals.failed {
        report(told, judged, output);
    }
    exit
}

/// The sweep's own properties: required marks are reached where every fault is in the mix, and the
/// canary is found.
fn guards(totals: &Totals, plan: &Plan, output: &mut Output) -> Vec<Violation> {
    let mix = plan.mix;
    let mut guards = Vec::new();
    let guard = |property, subject: String, expected: &str, found: String| Violation {
        property,
        gateway: None,
        at: Instant::START,
        subject,
        expected: expected.to_owned(),
        found,
        cause: None,
        last_events: Vec::new(),
    };
    // What takes several gateways is asked of those who have them, and of them nothing else.
    let due: Vec<_> = marks().iter().filter(|mark| mix.may_reach(mark.fleet)).collect();
    let missing: Vec<_> = due.iter().filter(|mark| !totals.marks.contains(mark.name)).collect();
    let (of, names) = (due.len(), missing.iter().map(|mark| mark.name).collect());
    output.detail(&Record::Marks { reached: of - missing.len(), of, missing: names }, None);
    let required = missing.iter().filter(|mark| mark.required);
    let required = required.filter(|mark| mix.has_to_reach(mark.fleet, totals.seeds));
    for mark in required {
        let found = format!("never reached in {} seeds", totals.seeds);
        guards.push(guard("marks", mark.name.to_owned(), "reached at least once", found));
    }
    let missed = mix.own_place().canary().err();
    output.detail(&Record::Canary { found: missed.is_none(), missed: missed.clone() }, None);
    if let Some(missed) = missed {
        guards.push(guard("canary", "a planted defect".to_owned(), "found", missed));
    }
    guards
}
