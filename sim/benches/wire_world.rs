//! How fast the wire world is, with every property on, on one core.
//!
//! `cargo bench -p driftless --bench wire_world` prints the rate of the full workload beside the
//! number to reach: the workload that the fast world's benchmark measures, over sockets and with
//! redb on the simulated disk, and the default sweep with its faults on bytes.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]

mod measure;

use driftless::sockets::Place;
use measure::measure;
use mimalloc::MiMalloc;

/// The same as that of the program that is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Seeds of one measurement: enough for a few seconds.
const SEEDS: u64 = 200;

fn main() {
    // Cargo passes `--bench`, and a filter when asked to; there is nothing to choose here.
    println!("wire world, full workload, every property on, one core, release mode");
    measure(Place::Wire, "minute", "redb on SimDisk", SEEDS, Some(20));
    measure(Place::Wire, "everything", "redb on SimDisk", SEEDS, None);
}
