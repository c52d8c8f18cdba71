//! `no_error_log`: an ERROR line is a failure; what can be expected is not an error.

use super::{Moment, Property, Scene, Verdicts};

/// The property; it has no books.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoErrorLog;

impl Property for NoErrorLog {
    fn name(&self) -> &'static str {
        "no_error_log"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::ErrorLogged(_))
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        if let Moment::ErrorLogged(line) = moment {
            verdicts.violated(self.name(), scene.now, "log", "no line at level ERROR", *line);
        }
    }
}
