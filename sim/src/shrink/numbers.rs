//! Lower and rounder numbers: first the times of the steps, then every other number.

use serde_json::Value;

use super::document;
use super::trials::Trials;

/// What a number is rounded to, the roundest first.
const ROUND: [i64; 4] = [10_000, 1000, 100, 10];

/// Brings steps nearer to each other and to round times, and lowers what they say.
pub(super) fn lower(trials: &mut Trials<'_>) {
    let count = document::steps(trials.document()).len();
    for place in 0..count {
        let document = trials.document().clone();
        trials.adopt_first(earlier(&document, place));
    }
    let mut numbers = Vec::new();
    document::numbers(
        trials.document().get("steps").unwrap_or(&Value::Null),
        "/steps",
        &mut numbers,
    );
    for (pointer, number) in numbers {
        let document = trials.document().clone();
        let lower = lower_than(number).into_iter();
        trials.adopt_first(lower.map(|number| document::with_number(&document, &pointer, number)));
        if trials.is_over() {
            return;
        }
    }
}

/// The document with everything from a step on told earlier: right after the step before it, or
/// half as long after it.
fn earlier(document: &Value, place: usize) -> Vec<Value> {
    let time = |step: &Value| step.get("at_ms").and_then(Value::as_i64);
    let steps = document::steps(document);
    let Some(at) = steps.get(place).and_then(time) else { return Vec::new() };
    let before = steps.iter().take(place).filter_map(time).next_back().unwrap_or(0);
    let gap = at - before;
    let gains = [gap, gap - 1000, gap / 2, gap % 1000].into_iter().filter(|gain| *gain > 0);
    gains
        .map(|gain| {
            let later = steps.iter().enumerate().map(|(nth, step)| match time(step) {
                Some(at) if nth >= place => document::with(step, "at_ms", Some((at - gain).into())),
                _ => step.clone(),
            });
            document::with_steps(document, later.collect())
        })
        .collect()
}

/// What to try instead of a number: never a larger one, and each once.
fn lower_than(number: i64) -> Vec<i64> {
    let round = ROUND.iter().map(|round| number / round * round);
    let mut lower = Vec::new();
    for candidate in [0, number.signum(), number / 2].into_iter().chain(round) {
        if candidate.abs() < number.abs() && !lower.contains(&candidate) {
            lower.push(candidate);
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_tried_is_lower_and_rounder() {
        assert!(lower_than(0).is_empty());
        assert_eq!(lower_than(1), [0]);
        assert_eq!(lower_than(-7588), [0, -1, -3794, -7000, -7500, -7580]);
    }

    #[test]
    fn what_follows_a_step_comes_earlier_with_it() {
        let story = json!({ "steps": [{ "at_ms": 0 }, { "at_ms": 2500 }, { "at_ms": 2600 }] });
        let candidates = earlier(&story, 1);
        assert_eq!(
            candidates[0],
            json!({ "steps": [{ "at_ms": 0 }, { "at_ms": 0 }, { "at_ms": 100 }] })
        );
        assert_eq!(candidates.len(), 4);
        assert_eq!(earlier(&story, 0), Vec::<Value>::new());
    }
}
