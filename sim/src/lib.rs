//! A deterministic world that tries to make a gateway drift.
//!
//! # How a run works
//!
//! A seed is [generated](generate) into a story, or a file of `scenarios/` is [read](scenario)
//! into one. A story is a list of [steps](step): what people do at APIM, and what goes wrong
//! with APIM, the network or the machine. Steps are tolerant and a fault carries its own end, so
//! any part of a story is a story.
//!
//! The [world] is one thread and one heap of `(virtual time, sequence)`. The
//! [gateway] in it is the production driver, engine and store contract; across the
//! [network](net) stands the [API Manager](manager), a model of the real one that speaks real
//! frames, bodies and archives and writes everything it issues into its [ledger](manager::Ledger).
//! Time jumps to whatever is due next, and after everything that happens both sides are drained.
//!
//! The [runner] takes a story through its phases: faults while it is told; all faults lifted; the
//! gateway must converge within a virtual deadline; it must be quiet; it is restarted, and must
//! still be the same. Meanwhile every [property](properties) looks at what happens and compares it
//! with the ledger, never with the wire.
//!
//! A run gives an [`Outcome`](runner::Outcome): violations, [marks] reached, how often each fault
//! took effect, and the hash of its [trace], equal in every run of the story. A run that
//! delivered no fault, a sweep that missed a mark and a property that no [planted](plant) defect
//! violates say so: a testbed must not fool itself.
//!
//! # The map
//!
//! - [`step`]: everything a story can contain.
//! - [`scenario`]: a story with its reason and its claims, as a JSON file.
//! - [`random`]: randomness keyed by name and seed.
//! - [`manager`]: the simulated API Manager, sans-IO, and its ledger.
//! - [`net`]: the simulated network.
//! - [`disk`]: the simulated disk.
//! - [`store`]: the model store, and the production store on the simulated disk.
//! - [`told`]: what the gateway was told and cannot have forgotten.
//! - [`view`]: what a data plane sees of the gateway.
//! - [`gateway`]: the gateway as one process that can crash.
//! - [`errors`]: lines at level ERROR.
//! - [`trace`]: what happened, in virtual time, and its hash.
//! - [`marks`]: situations that a sweep must reach.
//! - [`plant`]: defects planted to show that the properties can fail.
//! - [`properties`]: what must hold.
//! - [`world`]: the only scheduler.
//! - [`profile`]: mixes of faults to generate by.
//! - [`generate`]: a seed to its story.
//! - [`runner`]: a story to its outcome: the phases of a run.
//! - [`replicas`]: gateways that were told one story with other faults of their own.
//! - [`parity`]: what a story came to in one world against the other.
//! - `serve`: the simulated API Manager on sockets, behind the feature `wire`.
//! - `wire_world`: the production shell and the served APIM over simulated sockets, behind the
//!   same feature.
//! - [`fuzz`]: what fuzzing checks, and what it begins with.
//! - [`cli`]: the command line.

pub mod random;

pub mod story;

pub mod apim;

pub mod observe;

pub mod plant;

pub mod properties;

pub mod world;

pub mod run;

pub mod sockets;

pub mod cli;
pub mod fuzz;
