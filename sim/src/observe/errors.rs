//! Watches for lines at level ERROR while a run goes on.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Collects the lines logged at level ERROR by the thread that it is the default of.
#[derive(Clone, Debug, Default)]
pub struct ErrorWatch {
    lines: Arc<Mutex<Vec<String>>>,
    has_lines: Arc<AtomicBool>,
}

impl ErrorWatch {
    /// Whether nothing was logged since the last call of [`ErrorWatch::take`].
    pub fn is_quiet(&self) -> bool {
        !self.has_lines.load(Ordering::Relaxed)
    }

    /// The lines since the last call.
    pub fn take(&self) -> Vec<String> {
        self.has_lines.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct ErrorText(String);

impl Visit for ErrorText {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String does not fail.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for ErrorWatch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = ErrorText(String::new());
        event.record(&mut line);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.0.trim().to_owned());
        self.has_lines.store(true, Ordering::Relaxed);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}
