//! A deterministic world that tries to make a gateway drift.
//!
//! # How a run works
//!
//! A seed is [generated](story::generate) into a story, or a file of `scenarios/` is
//! [read](story::file) into one. A story is a list of [steps](story::step): what people do at
//! APIM, and what goes wrong with APIM, the network or the machine. Steps are tolerant and a fault
//! carries its own end, so any part of a story is a story.
//!
//! The [world] is one thread and one heap of `(virtual time, sequence)`. The
//! [gateway](world::gateway) in it is the production driver, engine and store contract; across the
//! [network](world::net) stands the [API Manager](apim), a model of the real one that speaks real
//! frames, bodies and archives and writes everything it issues into its [ledger](apim::Ledger).
//! Time jumps to whatever is due next, and after everything that happens both sides are drained.
//!
//! A [run] takes a story through its phases: faults while it is told; all faults lifted; the
//! gateway must converge within a virtual deadline; it must be quiet; it is restarted, and must
//! still be the same. Meanwhile every [property](properties) looks at what is
//! [observed](observe) and compares it with the ledger, never with the wire.
//!
//! A run gives an [`Outcome`](run::Outcome): violations, [marks](observe::marks) reached, how often
//! each fault took effect, and the hash of its [trace](observe::Trace), equal in every run of the
//! story. A run that delivered no fault, a sweep that missed a mark and a property that no
//! [planted](plant) defect violates say so: a testbed must not fool itself.
//!
//! # The map
//!
//! Each room may import what stands before it, and nothing after it.
//!
//! - [`random`]: randomness keyed by name and seed.
//! - [`story`]: everything a story can contain, its JSON file, and the stories of seeds.
//! - [`apim`]: the simulated API Manager, sans-IO, and its ledger.
//! - [`observe`]: what is seen of a gateway, marks, lines at level ERROR, and the trace.
//! - [`properties`]: what must hold.
//! - [`plant`]: defects planted to show that the properties can fail.
//! - [`world`]: the only scheduler; its gateways, network, disks and stores.
//! - [`run`]: a story to its outcome: the phases of a run, and two worlds or several gateways held
//!   against each other.
//! - [`shrink`]: the smallest story with the same violation.
//! - [`sockets`]: the simulated API Manager on sockets, and the production shell beside it over
//!   simulated ones, both behind the feature `wire`; the choice between the two worlds.
//! - [`fuzz`]: what fuzzing checks, and what it begins with.
//! - [`cli`]: the command line.

pub mod random;

pub mod story;

pub mod apim;

pub mod observe;

pub mod properties;

pub mod plant;

pub mod world;

pub mod run;

pub mod shrink;

pub mod sockets;

pub mod fuzz;

pub mod cli;
