//! Why a scenario is refused, and where.

use std::fmt;

/// Why a scenario is refused: a place, what is wrong there, and what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, as a fragment fit for "refused: …".
    pub problem: String,
    /// What was expected, or the nearest valid name.
    pub hint: Option<String>,
}

impl fmt::Display for Refusal {
    /// `line:column: problem; hint`, ready to follow a file name and a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// Says which names are valid: the nearest one when `found` looks like a slip, else all of them.
pub(super) fn hint(found: &str, valid: &[&str]) -> String {
    match nearest(found, valid) {
        Some(name) => format!("did you mean `{name}`?"),
        None if valid.is_empty() => "nothing is expected here".to_owned(),
        None => {
            let names: Vec<String> = valid.iter().map(|name| format!("`{name}`")).collect();
            format!("expected one of {}", names.join(", "))
        }
    }
}

/// The valid name that `found` most likely stands for: few slips away, or the one that begins
/// or continues it.
pub fn nearest<'a>(found: &str, valid: &[&'a str]) -> Option<&'a str> {
    let found = plain(found);
    let limit = (found.chars().count() / 3).max(1);
    let by_slips = valid
        .iter()
        .map(|name| (strsim::osa_distance(&found, &plain(name)), *name))
        .min_by_key(|(slips, _)| *slips)
        .filter(|(slips, _)| *slips <= limit)
        .map(|(_, name)| name);
    by_slips.or_else(|| {
        let begun = |name: &str| name.starts_with(&found) || found.starts_with(name);
        valid.iter().copied().find(|name| found.len() > 2 && name.len() > 2 && begun(&plain(name)))
    })
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_names_the_nearest_and_a_stranger_lists_all() {
        let valid = ["deploy", "undeploy", "delete"];
        assert_eq!(hint("deplyo", &valid), "did you mean `deploy`?");
        assert_eq!(hint("Undeploy", &valid), "did you mean `undeploy`?");
        assert_eq!(hint("frobnicate", &valid), "expected one of `deploy`, `undeploy`, `delete`");
    }

    #[test]
    fn a_dash_for_an_underscore_is_a_slip() {
        assert_eq!(nearest("fetch-batch", &["fetch", "fetch_batch"]), Some("fetch_batch"));
    }
}
