//! `driftless`: reads the arguments, does what they say, tells the exit code.

use driftless::cli::Exit;
use mimalloc::MiMalloc;

/// A run allocates some thousand small things; this one is a tenth faster at that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Exit {
    driftless::cli::main()
}
