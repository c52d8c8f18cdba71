//! How fast the fast world is, with every property on, on one core.
//!
//! `cargo bench -p driftless --bench fast_world` prints the rate of the full workload beside the
//! number to reach: one APIM, one gateway, 20 artifacts with keys and subscriptions, about a minute
//! with a partition, a crash and a wrong list (profile `minute`). Below it are the default sweep,
//! which has more of everything, and that sweep with redb on the simulated disk.

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
const MODEL_SEEDS: u64 = 3000;
const DISK_SEEDS: u64 = 500;

fn main() {
    // Cargo passes `--bench`, and a filter when asked to; there is nothing to choose here.
    println!("fast world, full workload, every property on, one core, release mode");
    measure(Place::Fast, "minute", "model store", MODEL_SEEDS, Some(1000));
    measure(Place::Fast, "everything", "model store", MODEL_SEEDS, None);
    measure(Place::Fast, "disk", "redb on SimDisk", DISK_SEEDS, Some(150));
}
