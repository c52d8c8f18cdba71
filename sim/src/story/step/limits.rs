//! The limits of a step's numbers: a fault does something, ends, and stays within what the engine
//! promises to withstand.

/// The longest time in a story: a day.
pub const TIME_MS_MAX: u64 = 86_400_000;

/// The highest count in a story.
pub const COUNT_MAX: u64 = 10_000;

/// A limit that a step does not keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The field, as the names from the step's value down to it.
    pub path: Vec<&'static str>,
    /// What is wrong.
    pub problem: String,
    /// What was expected instead.
    pub expected: Expected,
}

/// What was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// What this says.
    Said(String),
    /// One of these names, where that one was found.
    OneOf(String, Vec<&'static str>),
}

/// Takes the limits of a step, and keeps the first that is broken.
#[derive(Debug, Default)]
pub(super) struct Limits {
    broken: Option<Broken>,
}

impl Limits {
    /// The first limit that is broken.
    pub(super) fn broken(self) -> Option<Broken> {
        self.broken
    }

    /// A number of a field is within bounds.
    pub(super) fn number(&mut self, field: &'static str, value: u64, least: u64, most: u64) {
        self.number_at(&[field], value, least, most);
    }

    /// The same for a field within a field.
    pub(super) fn number_at(&mut self, path: &[&'static str], value: u64, least: u64, most: u64) {
        if (least..=most).contains(&value) {
            return;
        }
        let field = path.last().copied().unwrap_or_default();
        self.refuse(path, format!("`{field}` is {value}"), &format!("expected {least} to {most}"));
    }

    /// The number of a name that takes one is within the bounds of that name.
    pub(super) fn chosen(
        &mut self,
        field: &'static str,
        (name, value): (&'static str, u64),
        numbers: &[(&'static str, u64, u64)],
    ) {
        if let Some((_, least, most)) = numbers.iter().find(|(of, ..)| *of == name) {
            self.number_at(&[field, name], value, *least, *most);
        }
    }

    /// A number of occurrences.
    pub(super) fn count(&mut self, value: u32) {
        self.number("count", u64::from(value), 1, COUNT_MAX);
    }

    /// A time that is not over at once.
    pub(super) fn lasting(&mut self, for_ms: u64) {
        self.number("for_ms", for_ms, 1, TIME_MS_MAX);
    }

    /// A name is one of several.
    pub(super) fn one_of(&mut self, field: &'static str, found: &str, names: &[&'static str]) {
        if !names.contains(&found) {
            let expected = Expected::OneOf(found.to_owned(), names.to_vec());
            let problem = format!("unknown {field} `{found}`");
            self.broken.get_or_insert(Broken { path: vec![field], problem, expected });
        }
    }

    /// Something holds for the fields together.
    pub(super) fn holds(&mut self, holds: bool, problem: &str, hint: &str) {
        if !holds {
            self.refuse(&[], problem.to_owned(), hint);
        }
    }

    /// Something is wrong with a field.
    pub(super) fn refuse(&mut self, path: &[&'static str], problem: String, hint: &str) {
        let expected = Expected::Said(hint.to_owned());
        self.broken.get_or_insert(Broken { path: path.to_vec(), problem, expected });
    }
}

/// Reads and delays that contradict what is known stay below what the engine is told to expect;
/// beyond that, no engine can tell an old view from a new one.
pub(super) const READ_LAG_MS_MAX: u64 = 4_999;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use driftless_gateway::engine::Config;

    use super::*;

    #[test]
    fn the_longest_lag_is_just_below_what_the_engine_expects() {
        let expected = Config::recommended().read_lag_max;
        assert_eq!(Duration::from_millis(READ_LAG_MS_MAX + 1), expected);
    }
}
