//! Telling smaller stories, several at once, and keeping the first that still breaks.

use std::thread;

use serde_json::Value;

use super::{Shrunk, Tools, ViolationKind, document};
use crate::properties::Violation;
use crate::story::file::Scenario;

/// The smallest story so far, and what it takes to find a smaller one.
pub(super) struct Trials<'a> {
    target: &'a ViolationKind,
    tools: Tools<'a>,
    document: Value,
    story: Scenario,
    violation: Violation,
    told: u64,
    adopted: u64,
    was_over: bool,
}

impl<'a> Trials<'a> {
    /// Begins with a story; `None` where it does not break.
    pub(super) fn new(
        story: &Scenario,
        target: &'a ViolationKind,
        tools: Tools<'a>,
    ) -> Option<Self> {
        let document = document::of(story);
        let story = document::story(&document)?;
        let violation = target.found_in(&(tools.tell)(&story))?.clone();
        let (told, adopted, was_over) = (1, 0, false);
        Some(Self { target, tools, document, story, violation, told, adopted, was_over })
    }

    /// The smallest story so far, as a document.
    pub(super) const fn document(&self) -> &Value {
        &self.document
    }

    /// How often a smaller story was found.
    pub(super) const fn count_adopted(&self) -> u64 {
        self.adopted
    }

    /// Whether the time is up.
    pub(super) fn is_over(&mut self) -> bool {
        self.was_over = self.was_over || (self.tools.is_over)();
        self.was_over
    }

    /// Keeps the first of the candidates that still breaks; returns its place among them.
    pub(super) fn adopt_first(
        &mut self,
        candidates: impl IntoIterator<Item = Value>,
    ) -> Option<usize> {
        let mut candidates = candidates.into_iter().enumerate();
        loop {
            if self.is_over() {
                return None;
            }
            let some: Vec<(usize, Value)> =
                candidates.by_ref().take(self.tools.jobs.get()).collect();
            if some.is_empty() {
                return None;
            }
            let found = self.tell_all(&some);
            self.told += some.len() as u64;
            let first =
                found.into_iter().zip(some).find_map(|(found, tried)| Some((found?, tried)));
            if let Some(((story, violation), (place, document))) = first {
                (self.story, self.violation, self.document) = (story, violation, document);
                self.adopted += 1;
                return Some(place);
            }
        }
    }

    /// Tells each of them at the same time.
    fn tell_all(&self, candidates: &[(usize, Value)]) -> Vec<Option<(Scenario, Violation)>> {
        let (target, tell) = (self.target, self.tools.tell);
        let try_one = |document: &Value| {
            let story = document::story(document)?;
            let violation = target.found_in(&tell(&story))?.clone();
            Some((story, violation))
        };
        if let [(_, only)] = candidates {
            return vec![try_one(only)];
        }
        thread::scope(|scope| {
            let threads: Vec<_> = candidates
                .iter()
                .map(|(_, document)| scope.spawn(move || try_one(document)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(None)).collect()
        })
    }

    /// The smallest story.
    pub(super) fn finish(self) -> Option<Shrunk> {
        let Self { story, violation, told, was_over, .. } = self;
        Some(Shrunk { story, violation, told, is_done: !was_over })
    }
}
