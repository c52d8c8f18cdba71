//! Fewer steps: delta debugging, from halves down to single steps.
//!
//! Faults end by themselves, so any part of a story is a story.

use serde_json::Value;

use super::document;
use super::trials::Trials;

/// Removes what can go, in ever smaller pieces.
pub(super) fn remove(trials: &mut Trials<'_>) {
    let mut size = document::steps(trials.document()).len().div_ceil(2).max(1);
    loop {
        remove_pieces(trials, size);
        if size == 1 || trials.is_over() {
            return;
        }
        size = size.div_ceil(2);
    }
}

/// Removes pieces of that size from the last to the first: what comes last needs what is before it
/// more often than the other way round.
fn remove_pieces(trials: &mut Trials<'_>, size: usize) {
    let mut end = document::steps(trials.document()).len();
    while end > 0 && !trials.is_over() {
        let starts: Vec<usize> = (0..end).rev().step_by(size).map(|last| last + 1).collect();
        let document = trials.document().clone();
        let candidates =
            starts.iter().map(|end| without(&document, end.saturating_sub(size), *end));
        match trials.adopt_first(candidates) {
            Some(place) => end = starts.get(place).map_or(0, |end| end.saturating_sub(size)),
            None => return,
        }
    }
}

/// The document without the steps of a range.
pub(super) fn without(document: &Value, start: usize, end: usize) -> Value {
    let steps = document::steps(document);
    let is_left = |place: &usize| !(start..end).contains(place);
    let left = (0..steps.len()).filter(is_left).filter_map(|place| steps.get(place).cloned());
    document::with_steps(document, left.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_range_of_steps_goes_and_the_rest_stays() {
        let story = json!({ "why": "w", "steps": [1, 2, 3, 4] });
        assert_eq!(without(&story, 1, 3), json!({ "why": "w", "steps": [1, 4] }));
        assert_eq!(without(&story, 0, 9), json!({ "why": "w", "steps": [] }));
    }
}
