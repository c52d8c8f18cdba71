//! The gateway as a process against the simulated API Manager as a process, over loopback.
//!
//! Nothing sleeps for a fixed time: a test waits until `/status`, the admin API or a log line says
//! what it waits for, and fails with all of them when a deadline passes. The suite is its own
//! simulated API Manager: started again with the argument `serve`, this program is
//! `driftless serve`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::print_stderr, reason = "what is left out is told")]

/// The page for people, in a real browser.
mod browsing;
/// What a gateway that cannot connect says.
mod connecting;
/// Servers that send what no control plane should.
mod hostile;
/// A client for the pages.
mod page;
/// The processes, and waiting for them.
mod processes;
/// What keeps a gateway from starting.
mod refused;
/// A gateway that is connected, and what happens to it.
mod syncing;
/// A browser without a window.
mod webdriver;

use std::process::ExitCode;

use driftless::cli::Exit;
use libtest_mimic::{Arguments, Trial};

/// How many tests run at once unless the command line says so.
const TESTS_AT_ONCE: usize = 8;

/// A test by its name.
type Named = (&'static str, fn());

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        let exit: Exit = driftless::cli::main();
        return ExitCode::from(exit.code());
    }
    let all = [connecting::ALL, hostile::ALL, refused::ALL, syncing::ALL].concat();
    let trial = |(name, test): Named| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let has_browser = webdriver::installed().is_some();
    if !has_browser {
        eprintln!(
            "chromium and chromedriver are not installed: the page is not tried in a browser"
        );
    }
    let in_browser = browsing::ALL.iter().map(|test| trial(*test).with_ignored_flag(!has_browser));
    let all = all.into_iter().map(trial).chain(in_browser).collect();
    let mut arguments = Arguments::from_args();
    // A test waits for other processes most of the time, so many of them share a core.
    arguments.test_threads = arguments.test_threads.or(Some(TESTS_AT_ONCE));
    libtest_mimic::run(&arguments, all).exit_code()
}
