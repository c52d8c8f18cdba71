//! Log lines: text for people or JSON for machines, on standard error.

use std::io;
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::ExitStatus;
use super::config::{Log, LogFormat};

/// Begins to log. Lines of other crates are kept from warnings on.
///
/// # Errors
/// When somebody in this process logs already.
pub(super) fn start(log: Log) -> Result<(), TryInitError> {
    let level = LevelFilter::from_level(log.level);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("driftless_gateway", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let layer = match log.format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets)).try_init()
}

/// Lets a panic end the process: the runtime would go on without the task that panicked, and what
/// is durable is served again after a restart (law 10).
pub(super) fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(at, what, "panic");
        std::process::exit(i32::from(ExitStatus::Failed as u8));
    }));
}
