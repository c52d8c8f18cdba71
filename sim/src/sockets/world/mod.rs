//! The wire world: the production shell and the served APIM, over simulated sockets.
//!
//! Turmoil runs a host for each gateway and each node of APIM, tick by tick, with one paused
//! runtime each and TCP between them. On a gateway's host runs the production loop
//! ([`driftless_gateway::shell::Gateway`]); it differs from production in who dials, what the
//! clock shows, on which disk its store is, and that a [`World`] looks on as it drives its driver.
//! On APIM's hosts runs the adaptor of [`crate::sockets::serve`], with that world's model behind it. Steps,
//! ledger, properties and phases are those of the fast world: it is the same [`World`], told what
//! sockets carry instead of carrying messages itself.
//!
//! Everything runs on one thread that is made for the run: selects are biased, tasks local, and
//! no library keeps anything of an earlier run. Keys that mask frames and the nonce of an upgrade
//! are drawn by the library and differ between runs; nothing is decided by them, and the trace
//! holds what was decoded.

mod bytes;
mod driver;
mod link;
mod machine;
mod node;
mod panics;
mod stream;
mod watched;

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::{Builder, scope};
use std::time::Duration;

use driftless_gateway::time::Instant;

use crate::observe::{ErrorWatch, Trace, TraceLine, TraceSink};
use crate::plant::Plant;
use crate::run::{Outcome, RunOptions, go_through_phases};
use crate::story::file::Scenario;
use crate::world::World;

use crate::run::with_last_events;
use driver::WireDriver;

/// The world that all hosts of a run share.
type Shared = Rc<RefCell<World<'static>>>;

/// How far every host runs before the next one does. What a host sends arrives at another one a
/// tick later at the earliest.
pub const TICK: Duration = Duration::from_millis(20);

/// Runs a story in the wire world.
pub fn run_story(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    with_last_events(story, options, tell)
}

/// Tells a story in the wire world, on a thread of its own.
fn tell(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    let RunOptions { trace, until, plant, with_states } = options;
    let (tell, told) = mpsc::channel::<TraceLine>();
    let tell = trace.is_some().then_some(tell);
    scope(|scope| {
        let run = || tell_here(story, tell, (until, plant, with_states));
        let thread = Builder::new().name("wire world".to_owned()).spawn_scoped(scope, run);
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => unreachable!("a thread for the run cannot be made: {error}"),
        };
        if let Some(sink) = trace {
            told.iter().for_each(|line| sink(&line));
        }
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn tell_here(
    story: &Scenario,
    tell: Option<mpsc::Sender<TraceLine>>,
    (until, plant, with_states): (Option<Instant>, Option<Plant>, bool),
) -> Outcome {
    let errors = ErrorWatch::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let sink = tell.map(|tell| {
            let sink = move |line: &TraceLine| {
                // Whoever reads along may have heard enough.
                let _gone = tell.send(line.clone());
            };
            Box::new(sink) as TraceSink<'static>
        });
        let world = World::over_sockets(story, Trace::new(sink), errors, plant);
        if plant == Some(Plant::ErrorLine) {
            tracing::error!("planted");
        }
        let mut driver = WireDriver::new(world, story);
        let is_whole = go_through_phases(&mut driver, story, until);
        let mut world = driver.end();
        if !is_whole {
            world.mark_stopped();
        }
        let states = if with_states { world.final_states() } else { Vec::new() };
        Outcome { states, ..Outcome::of(story, world.finish()) }
    })
}
