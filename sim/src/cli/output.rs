//! Where results go: stdout, as text or JSON lines.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::time::Duration;

use console::Term;

use super::BadArguments;
use super::arguments::{Color, Format, Global};
use super::record::Record;
use super::text::Text;

/// How wide a line is where nobody says.
const WIDTH: usize = 80;

/// How many columns the terminal has.
fn width() -> usize {
    let size = Term::stdout().size_checked();
    size.map_or(WIDTH, |(_, columns)| usize::from(columns))
}

/// Writes results. A reader that went away ends the writing and not the run: the exit code still
/// tells the verdict.
pub(super) struct Output {
    format: Format,
    text: Text,
    quiet: bool,
    stdout: BufWriter<Stdout>,
    closed: bool,
    failure: Option<io::Error>,
}

impl Output {
    /// Writes to stdout as the arguments say.
    pub(super) fn new(global: &Global) -> Self {
        let stdout = io::stdout();
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                stdout.is_terminal() && !unwanted
            }
        };
        Self {
            format: global.format,
            text: Text { color, verbose: global.verbose, width: width() },
            quiet: global.quiet,
            stdout: BufWriter::new(stdout),
            closed: false,
            failure: None,
        }
    }

    /// Whether people read along.
    pub(super) fn is_terminal(&self) -> bool {
        self.format == Format::Text && io::stdout().is_terminal()
    }

    /// Whether only violations and the summary are wanted.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes a result.
    pub(super) fn record(&mut self, record: &Record) {
        self.timed(record, None);
    }

    /// Writes a result and, as text, how long it took.
    pub(super) fn timed(&mut self, record: &Record, wall: Option<Duration>) {
        let text = match self.format {
            Format::Text => self.text.record(record, wall),
            Format::Json => match serde_json::to_string(record) {
                Ok(line) => line + "\n",
                Err(error) => return self.fail(io::Error::other(error)),
            },
        };
        self.raw(&text);
    }

    /// Writes a result unless only violations and the summary are wanted.
    pub(super) fn detail(&mut self, record: &Record, wall: Option<Duration>) {
        if !self.quiet {
            self.timed(record, wall);
        }
    }

    /// Writes text as it is.
    pub(super) fn raw(&mut self, text: &str) {
        if self.closed {
            return;
        }
        if let Err(error) = self.stdout.write_all(text.as_bytes()) {
            self.fail(error);
        }
    }

    /// Shows what was written so far.
    pub(super) fn flush(&mut self) {
        if self.closed {
            return;
        }
        if let Err(error) = self.stdout.flush() {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure = Some(error);
        }
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// When something could not be written and a reader was there.
    pub(super) fn finish(mut self) -> Result<(), BadArguments> {
        self.flush();
        match self.failure {
            Some(error) => Err(BadArguments::usage(format!("cannot write to stdout: {error}"))),
            None => Ok(()),
        }
    }
}
