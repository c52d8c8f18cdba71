//! The command line: verbs, output and exit codes.
//!
//! Results go to stdout as text or JSON lines, progress to stderr and only on a terminal. The
//! wall clock is read here and nowhere else, for progress and rates; no run sees it.

mod arguments;
mod check;
mod completions;
mod diff;
mod exit;
mod judge;
mod list;
mod measure;
mod mix;
mod output;
mod pool;
mod progress;
mod record;
mod replay;
mod seed;
#[cfg(feature = "wire")]
mod serve;
mod shard;
mod shrink;
mod story;
mod sweep;
mod table;
mod text;

use std::io::Write;

use clap::Parser;

use arguments::{Arguments, Command};
pub use exit::Exit;
use output::Output;

/// Why a verb could not do its work: a message for the user, and the exit code.
#[derive(Clone, PartialEq, Eq, Debug)]
struct BadArguments {
    message: String,
    exit: Exit,
}

impl BadArguments {
    /// Something is wrong with the arguments, a file or the environment.
    fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Usage }
    }

    /// The arguments select nothing to run.
    fn nothing(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::NothingSelected }
    }
}

/// Reads the arguments, does what they say and tells the exit code.
pub fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe leaves nobody to tell.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Held };
        }
    };
    let mut output = Output::new(&arguments.global);
    let plant = arguments.global.plant;
    let done = match &arguments.command {
        Command::Check(command) => check::check(command, plant, &mut output),
        Command::Replay(command) => replay::replay(command, plant, &mut output),
        Command::Shrink(command) => shrink::shrink(command, plant, &mut output),
        Command::Run(command) => sweep::run(command, plant, &mut output),
        Command::List(command) => list::list(command.what, &mut output),
        #[cfg(feature = "wire")]
        Command::Serve(command) => serve::serve(command, &mut output),
        Command::Completions(command) => completions::completions(command.shell, &mut output),
    };
    let done = done.and_then(|exit| output.finish().map(|()| exit));
    match done {
        Ok(exit) => exit,
        Err(refused) => {
            // Nothing is left to do when stderr is gone too.
            drop(writeln!(std::io::stderr(), "error: {}", refused.message));
            refused.exit
        }
    }
}
