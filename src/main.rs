//! The gateway's binary: reads its arguments, does one thing, and ends with an [`ExitStatus`].

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use driftless_gateway::shell::{ExitStatus, Format, show_store};

/// A gateway's sync engine for WSO2 API Manager.
///
/// Exit codes: 0 done, 2 the arguments, a file or the environment do not allow it.
#[derive(Parser)]
#[command(name = "driftless-gateway", version, arg_required_else_help = true)]
struct Arguments {
    /// Print what a store holds, without changing it.
    #[arg(long, value_name = "FILE", required = true)]
    show_store: PathBuf,

    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(io::stdout().lock());
    let status = match show_store(arguments.show_store, arguments.format, &mut out) {
        Ok(()) => ExitStatus::Done,
        Err(error) => {
            // Standard error is the last resort; when it is closed the exit code still tells.
            let _closed = writeln!(io::stderr(), "error: {error}");
            ExitStatus::Refused
        }
    };
    status.into()
}
