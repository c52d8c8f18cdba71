//! The operations of one API, ready to be found.

use std::sync::Arc;

use super::template::Template;
use crate::model::Definition;

/// An operation as it is found.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) method: Arc<str>,
    pub(super) template: Template,
    /// Its place in the definition.
    pub(super) index: usize,
}

/// The operations of one API, the more precise template first, and among equals in the order of
/// the definition.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Operations(Arc<[Entry]>);

/// What was found for a path and a method.
#[derive(Clone, Copy)]
pub(super) enum Match<'a> {
    /// This operation.
    Operation(&'a Entry),
    /// Operations with this path, none with this method.
    OtherMethod,
    /// No operation with this path.
    Nothing,
}

impl Operations {
    /// Reads the operations of a definition.
    pub(super) fn of(definition: &Definition) -> Self {
        let numbered = definition.operations.iter().enumerate();
        let mut entries: Vec<Entry> = numbered
            .map(|(index, operation)| Entry {
                method: Arc::clone(&operation.method),
                template: Template::read(&operation.path),
                index,
            })
            .collect();
        entries.sort_by(|one, other| one.template.precision().cmp(other.template.precision()));
        Self(Arc::from(entries))
    }

    /// Every operation.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// Finds the operation for the rest of a path below the base path, in its normal form.
    pub(super) fn find(&self, path: &str, method: &str) -> Match<'_> {
        let mut found = Match::Nothing;
        for entry in self.iter() {
            let is_method = &*entry.method == method;
            if !is_method && matches!(found, Match::OtherMethod) || !entry.template.fits(path) {
                continue;
            }
            if is_method {
                return Match::Operation(entry);
            }
            found = Match::OtherMethod;
        }
        found
    }
}
