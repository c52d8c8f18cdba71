//! The gateway's binary: reads its arguments, does one thing, and ends with an [`ExitStatus`].

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use driftless_gateway::shell::{Arguments, ExitStatus, process, show_store};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if let Some(shell) = arguments.completions {
        let (mut command, mut script) = (Arguments::command(), Vec::new());
        clap_complete::generate(shell, &mut command, "driftless-gateway", &mut script);
        print(&String::from_utf8_lossy(&script))
    } else if let Some(store) = arguments.show_store {
        let mut out = BufWriter::new(io::stdout().lock());
        show_store(store, arguments.format, &mut out)
            .map(|()| ExitStatus::Done)
            .map_err(|error| vec![error.to_string()])
    } else {
        run(&arguments)
    };
    let status = done.unwrap_or_else(|mistakes| {
        for mistake in mistakes {
            // Standard error is the last resort; when it is closed the exit code still tells.
            let _closed = writeln!(io::stderr(), "error: {mistake}");
        }
        ExitStatus::Refused
    });
    status.into()
}

fn run(arguments: &Arguments) -> Result<ExitStatus, Vec<String>> {
    let settings = arguments.settings(std::env::vars_os())?;
    if !arguments.check_config {
        return process::run(settings).map_err(|problem| vec![problem]);
    }
    process::check(&settings).map_err(|problem| vec![problem])?;
    let mut lines: String =
        settings.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    lines.push_str("the settings are fine\n");
    print(&lines)
}

fn print(text: &str) -> Result<ExitStatus, Vec<String>> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that went away has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(vec![error.to_string()]),
        Ok(()) | Err(_) => Ok(ExitStatus::Done),
    }
}
