//! Work on several threads, taken up in order: the result does not depend on how many there are.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// The longest time between two beats.
const BEAT: Duration = Duration::from_millis(200);

/// What the collector is told.
pub(super) enum Beat<T> {
    /// The next result, in order. Breaking drops everything after it.
    Done(T),
    /// Time has passed. Breaking hands out no more work; what is under way is still collected.
    Tick,
}

/// Runs `work` on 0, 1, 2, … below `limit`, on `jobs` threads, and `collect`s in that order.
pub(super) fn in_order<T: Send>(
    jobs: NonZeroUsize,
    limit: u64,
    work: impl Fn(u64) -> T + Sync,
    mut collect: impl FnMut(Beat<T>) -> ControlFlow<()>,
) {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(jobs.get() * 4);
        for _ in 0..jobs.get() {
            let sender = sender.clone();
            let (next, stop, work) = (&next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= limit || sender.send((index, work(index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut waiting, mut due) = (BTreeMap::new(), 0);
        loop {
            match receiver.recv_timeout(BEAT) {
                Ok((index, done)) => {
                    waiting.insert(index, done);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(done) = waiting.remove(&due) {
                due += 1;
                if collect(Beat::Done(done)).is_break() {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
            if collect(Beat::Tick).is_break() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// As many threads as there are cores.
pub(super) fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn collected(jobs: usize, limit: u64, until: u64) -> Vec<u64> {
        let mut collected = Vec::new();
        let work =
            |index: u64| (0..index % 7 * 1000).fold(index, |sum, _| std::hint::black_box(sum));
        in_order(NonZeroUsize::new(jobs).unwrap(), limit, work, |beat| match beat {
            Beat::Done(index) if index == until => ControlFlow::Break(()),
            Beat::Done(index) => {
                collected.push(index);
                ControlFlow::Continue(())
            }
            Beat::Tick => ControlFlow::Continue(()),
        });
        collected
    }

    #[test]
    fn results_come_in_order_and_stop_at_the_same_one_whatever_the_number_of_threads() {
        for jobs in [1, 2, 5] {
            assert_eq!(collected(jobs, 100, u64::MAX), (0..100).collect::<Vec<_>>());
            assert_eq!(collected(jobs, 100, 40), (0..40).collect::<Vec<_>>());
            assert_eq!(collected(jobs, 0, 0), Vec::<u64>::new());
        }
    }
}
