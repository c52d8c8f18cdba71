//! The smallest story with the same violation.
//!
//! A story of a seed has a hundred steps, and a handful of them break the property. Shrinking tells
//! smaller stories as long as they break the *same* property, of the same kind of subject:
//!
//! 1. `steps`: delta debugging of the steps, down to single ones.
//! 2. `parts`: what a story has besides its steps, and what a step has besides its verb.
//! 3. `numbers`: times come nearer to each other, counts and lengths get lower and rounder.
//! 4. `seeds`: a step that is only needed because it shifts what is left to chance goes once
//!    another seed is tried.
//!
//! Each pass proposes stories as JSON documents, so a new step is shrunk without a word here; what
//! the file format refuses is no story. The passes are repeated until none of them helps, or until
//! the budget is spent. Nothing here reads a clock: whoever asks says when time is up.

pub mod claims;
mod document;
mod numbers;
mod parts;
mod seeds;
mod steps;
mod trials;
mod violation_kind;

pub use violation_kind::ViolationKind;

use std::num::NonZeroUsize;

use trials::Trials;

use crate::properties::Violation;
use crate::story::file::Scenario;

/// What shrinking needs from whoever asks for it.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Tells a story, and which properties it violates.
    pub tell: &'a (dyn Fn(&Scenario) -> Vec<Violation> + Sync),
    /// How many stories to tell at once.
    pub jobs: NonZeroUsize,
    /// Whether the time is up.
    pub is_over: &'a dyn Fn() -> bool,
}

/// What shrinking came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest story found.
    pub story: Scenario,
    /// The violation that it has.
    pub violation: Violation,
    /// How many stories were told.
    pub told: u64,
    /// Whether nothing more helped; otherwise the time was up.
    pub is_done: bool,
}

/// Shrinks a story that violates `target`; `None` where it does not.
pub fn shrink(story: &Scenario, target: &ViolationKind, tools: Tools<'_>) -> Option<Shrunk> {
    let mut trials = Trials::new(story, target, tools)?;
    while !trials.is_over() {
        let before = trials.count_adopted();
        steps::remove(&mut trials);
        parts::drop_parts(&mut trials);
        seeds::remove_steps(&mut trials);
        numbers::lower(&mut trials);
        if trials.count_adopted() == before {
            break;
        }
    }
    trials.finish()
}
