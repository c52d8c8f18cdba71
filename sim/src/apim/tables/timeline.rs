//! What was said about one thing over time: true from one moment, readable from another.

use driftless_gateway::time::Instant;

use crate::apim::ledger::cause::Cause;

/// One statement about a thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said<T> {
    /// When it became true.
    pub at: Instant,
    /// From when on a fresh read sees it and nothing older.
    pub readable_from: Instant,
    /// Why it was made.
    pub cause: Cause,
    /// How the thing is; `None` when it is not there any more.
    pub what: Option<T>,
}

/// Everything said about one thing, oldest first. Before the first statement it is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline<T>(Vec<Said<T>>);

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + PartialEq> Timeline<T> {
    /// Every statement, oldest first.
    pub fn said(&self) -> &[Said<T>] {
        &self.0
    }

    /// The statement in force.
    pub fn last(&self) -> Option<&Said<T>> {
        self.0.last()
    }

    /// How the thing is now, if it is there.
    pub fn now(&self) -> Option<&T> {
        self.last()?.what.as_ref()
    }

    /// How the thing was at a moment, if it was there.
    pub fn at(&self, at: Instant) -> Option<&T> {
        let after = self.0.partition_point(|said| said.at <= at);
        self.0.get(after.checked_sub(1)?)?.what.as_ref()
    }

    /// What a read at a moment sees; `None` for a moment before the run.
    pub fn read(&self, at: Option<Instant>) -> Option<&T> {
        let at = at?;
        let after = self.0.partition_point(|said| said.readable_from <= at);
        self.0.get(after.checked_sub(1)?)?.what.as_ref()
    }

    /// Since when it is as it is.
    pub fn since(&self) -> Option<Instant> {
        self.last().map(|said| said.at)
    }

    /// Says how the thing is from now on; nothing when that is no news. A statement is not
    /// readable before the one it follows.
    pub(in crate::apim) fn say(
        &mut self,
        what: Option<T>,
        at: Instant,
        readable: Instant,
        cause: Cause,
    ) {
        if self.now() == what.as_ref() {
            return;
        }
        let readable_from = self.last().map_or(readable, |last| last.readable_from.max(readable));
        self.0.push(Said { at, readable_from, cause, what });
    }

    /// Every statement can be read from now on.
    pub(in crate::apim) fn readable_now(&mut self, now: Instant) {
        let late = self.0.iter_mut().rev().take_while(|said| said.readable_from > now);
        late.for_each(|said| said.readable_from = now);
    }

    /// Goes back to how it was at `then`; returns whether that is a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        self.readable_now(now);
        let was = then.and_then(|then| self.at(then)).cloned();
        let differs = was.as_ref() != self.now();
        self.say(was, now, now, Cause::Restore);
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn truth_and_what_is_read_differ_until_a_statement_is_readable() {
        let mut line = Timeline::default();
        line.say(Some(1), at(10), at(10), Cause::People);
        line.say(Some(2), at(20), at(50), Cause::People);
        line.say(Some(2), at(25), at(25), Cause::People);
        line.say(None, at(30), at(30), Cause::People);
        assert_eq!([line.at(at(9)), line.at(at(10)), line.at(at(29))], [None, Some(&1), Some(&2)]);
        assert_eq!(line.now(), None);
        let read = |ms| line.read(Some(at(ms)));
        assert_eq!([read(9), read(49), read(50)], [None, Some(&1), None], "in order, none early");
        assert_eq!((line.read(None), line.said().len()), (None, 3));
        assert_eq!(line.since(), Some(at(30)));
    }

    #[test]
    fn a_restore_says_again_what_was_true_then() {
        let mut line = Timeline::default();
        line.say(Some(1), at(10), at(10), Cause::People);
        line.say(Some(2), at(20), at(90), Cause::People);
        assert!(line.restore(Some(at(15)), at(40)));
        assert!(!line.restore(Some(at(40)), at(41)));
        assert_eq!((line.now(), line.read(Some(at(40)))), (Some(&1), Some(&1)));
        assert_eq!(line.last().map(|said| said.cause), Some(Cause::Restore));
        assert!(line.restore(None, at(50)));
        assert_eq!(line.now(), None);
    }
}
