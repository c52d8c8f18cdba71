//! `driftless`: reads the arguments, does what they say, tells the exit code.

use driftless::cli::Exit;

fn main() -> Exit {
    driftless::cli::main()
}
