//! Less around the steps: claims, switches, gateways, and what a step says besides the least.

use serde_json::Value;

use super::document;
use super::trials::Trials;

/// What a story may have and may do without.
const PARTS: [&str; 6] = ["expect", "switches", "gateways", "faults_stay_ms", "store", "source"];

/// Drops each part as a whole, then each field of what is left, for as long as that helps.
pub(super) fn drop_parts(trials: &mut Trials<'_>) {
    for part in PARTS {
        let document = trials.document();
        if document.get(part).is_some() {
            let candidate = document::with(document, part, None);
            trials.adopt_first([candidate]);
        }
    }
    while drop_one_field(trials) && !trials.is_over() {}
}

fn drop_one_field(trials: &mut Trials<'_>) -> bool {
    let document = trials.document().clone();
    let mut fields = Vec::new();
    for part in ["expect", "switches", "gateways", "steps"] {
        let value = document.get(part).unwrap_or(&Value::Null);
        document::fields(value, &format!("/{part}"), &mut fields);
    }
    let candidates =
        fields.iter().map(|(pointer, name)| document::without_field(&document, pointer, name));
    trials.adopt_first(candidates).is_some()
}
