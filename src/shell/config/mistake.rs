//! A mistake in the settings, and where it is.

use std::fmt;

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A place in the file: path, line and column, both from 1.
    File(String, usize, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// Nowhere: it is missing.
    Missing,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line, column) => write!(f, "{path}:{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
            Self::Missing => f.write_str("settings"),
        }
    }
}

/// A mistake in the settings. It never repeats a value, which may be a secret in the wrong place
/// (law 16).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    origin: Origin,
    key: String,
    problem: String,
}

impl Mistake {
    pub(super) fn of(origin: Origin, key: &str, problem: impl Into<String>) -> Self {
        Self { origin, key: key.to_owned(), problem: problem.into() }
    }

    /// Line and column, where it is in a file.
    pub(super) const fn place(&self) -> (usize, usize) {
        match self.origin {
            Origin::File(_, line, column) => (line, column),
            Origin::Variable(_) | Origin::Flag(_) | Origin::Missing => (0, 0),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, key, problem } = self;
        if key.is_empty() {
            write!(f, "{origin}: {problem}")
        } else {
            write!(f, "{origin}: {key}: {problem}")
        }
    }
}

/// The name nearest to `name`, for a hint; `None` when none is near.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(name, known);
    names
        .map(|known| (distance(&known), known))
        .filter(|(distance, known)| *distance <= known.len().max(name.len()) / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
