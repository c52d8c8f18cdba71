//! Panics of tasks, which tokio would swallow: each fails the run that it happens in.

use std::cell::RefCell;
use std::panic::{PanicHookInfo, resume_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// What panicked in the run of this thread, where one is being watched.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Watches this thread for panics; they are not printed from now on.
pub(super) fn watch() {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !note(panic) {
                before(panic);
            }
        }));
    });
    SEEN.set(Some(Vec::new()));
}

/// The first panic since the watch began.
pub(super) fn first() -> Option<String> {
    SEEN.with_borrow(|seen| seen.as_ref()?.first().cloned())
}

/// Ends the watch and the run with it.
pub(super) fn give_up(panic: &str) -> ! {
    resume_unwind(Box::new(panic.to_owned()))
}

fn note(panic: &PanicHookInfo<'_>) -> bool {
    SEEN.with_borrow_mut(|seen| {
        let Some(seen) = seen else { return false };
        seen.push(panic.to_string());
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_the_runtime_swallows_is_seen_and_on_its_own_thread_only() {
        let seen = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                watch();
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let ended = tokio::task::LocalSet::new()
                    .block_on(&runtime, async { tokio::task::spawn_local(swallowed()).await });
                assert!(ended.is_err(), "the task did not panic");
                first()
            });
            run.join().unwrap()
        });
        assert!(seen.is_some_and(|panic| panic.contains("nobody awaits this")));
        assert_eq!(first(), None);
    }

    async fn swallowed() {
        panic!("nobody awaits this");
    }
}
