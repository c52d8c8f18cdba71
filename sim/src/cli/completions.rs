//! `completions`: what the arguments are, for a shell.

use clap::CommandFactory;

use super::arguments::Arguments;
use super::output::Output;
use super::{BadArguments, Exit};

/// Writes the completions.
pub(super) fn completions(
    shell: clap_complete::Shell,
    output: &mut Output,
) -> Result<Exit, BadArguments> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "driftless", &mut script);
    output.raw(&String::from_utf8_lossy(&script));
    Ok(Exit::Held)
}
