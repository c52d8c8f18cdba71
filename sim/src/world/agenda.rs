//! What is due: by time, and at one time in the order in which it was planned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use driftless_gateway::time::Instant;

/// Things that are due at a time. The heap orders numbers only; what they stand for stays where
/// it was put.
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    planned: u64,
    waiting: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Agenda<T> {
    /// Nothing is due.
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), planned: 0, waiting: Vec::new(), free: Vec::new() }
    }

    /// Something will be due.
    pub(super) fn plan(&mut self, at: Instant, what: T) {
        self.planned += 1;
        let place = self.free.pop().unwrap_or(self.waiting.len());
        match self.waiting.get_mut(place) {
            Some(waiting) => *waiting = Some(what),
            None => self.waiting.push(Some(what)),
        }
        self.heap.push(Reverse((at, self.planned, place)));
    }

    /// When the next thing is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next thing that is due.
    pub(super) fn pop(&mut self) -> Option<T> {
        let Reverse((_, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.waiting.get_mut(place)?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_by_time_and_then_as_it_was_planned() {
        let mut agenda = Agenda::new();
        for (at, what) in [(5, "c"), (3, "a"), (5, "d"), (4, "b")] {
            agenda.plan(Instant::from_millis(at), what);
        }
        assert_eq!(agenda.next_at(), Some(Instant::from_millis(3)));
        assert_eq!((agenda.pop(), agenda.pop()), (Some("a"), Some("b")));
        agenda.plan(Instant::from_millis(5), "e");
        assert_eq!((agenda.pop(), agenda.pop(), agenda.pop()), (Some("c"), Some("d"), Some("e")));
        assert_eq!((agenda.pop(), agenda.next_at()), (None, None));
    }
}
