//! Faults on bytes, which only the wire world has on the way.

use crate::random::Key;
use crate::story::file::{Only, Scenario, WorldName, timed_end};
use crate::story::step::{ByteFault, Bytes, Scope, Step, Verb, When};

/// Why such a story is told in the wire world alone.
const WHY: &str = "Bytes go wrong on the way, and the fast world carries messages.";

/// The story with faults on bytes beside its own, drawn from its seed. A draw has a name of its
/// own, so the rest of the story is as it was.
pub fn with_byte_faults(mut story: Scenario) -> Scenario {
    let key = Key::new(story.seed).child("bytes");
    let end = timed_end(&story).as_millis();
    for (place, fault) in (0..).zip(ByteFault::ALL) {
        let own = key.nth(place);
        if own.chance("there", 1, 2) {
            let count = u32::try_from(own.between("count", 1, 3)).unwrap_or(1);
            let when = When::AtMs(own.between("at", 0, end));
            let verb = Verb::Bytes(Bytes { fault, count });
            story.steps.push(Step { when, scope: Scope::default(), verb });
            // No file may tell of such faults in the fast world, so none could be shrunk or kept.
            story.only = Some(Only { world: WorldName::Wire, why: WHY.to_owned() });
        }
    }
    story
}
