//! `no_error_log`: an ERROR line is a failure; what can be expected is not an error.

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoErrorLog;

impl Property for NoErrorLog {
    fn name(&self) -> &'static str {
        "no_error_log"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::ErrorLogged(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        if let Observation::ErrorLogged(line) = observation {
            verdicts.violated(self.name(), context.now, "log", "no line at level ERROR", *line);
        }
    }
}
