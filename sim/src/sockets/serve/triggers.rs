//! What a served API Manager sees of gateways, for the steps of a story that wait for it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use driftless_gateway::time::Instant;
use tokio::sync::oneshot;

use crate::story::step::{Observable, Trigger};

/// The state of a gateway that its first frame tells: the acknowledgement was sent.
pub(super) const LIVE: &str = "live";

/// What only a gateway knows of itself; everything else is a request, an answer or a frame.
const UNSEEN: [&str; 5] = ["close_session", "store", "stored", "synced", "restarted"];

/// Whether this can be seen from here.
fn is_seen(observable: &Observable) -> bool {
    let (Observable::Action(name)
    | Observable::Event(name)
    | Observable::Answer(name)
    | Observable::State(name)) = observable;
    !UNSEEN.contains(&name.as_str())
}

struct Waiting {
    left: u32,
    from: Instant,
    fired: oneshot::Sender<()>,
}

/// The triggers that wait, by what they wait for.
#[derive(Default)]
pub(super) struct Triggers {
    waiting: RefCell<BTreeMap<Observable, Vec<Waiting>>>,
}

impl Triggers {
    /// Waits for a trigger from now on; `None` where nothing of it is seen here.
    pub(super) fn watch(&self, trigger: &Trigger) -> Option<oneshot::Receiver<()>> {
        if !is_seen(&trigger.seen) {
            return None;
        }
        let (fired, fires) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        let waiting = waiting.entry(trigger.seen.clone()).or_default();
        let from = Instant::from_millis(trigger.from_ms);
        waiting.push(Waiting { left: trigger.nth.max(1), from, fired });
        Some(fires)
    }

    /// Whether anything waits.
    pub(super) fn is_any_waiting(&self) -> bool {
        self.waiting.borrow().values().any(|waiting| !waiting.is_empty())
    }

    /// Something was seen.
    pub(super) fn note(&self, seen: &Observable, now: Instant) {
        let mut waiting = self.waiting.borrow_mut();
        let Some(all) = waiting.get_mut(seen) else { return };
        for mut one in std::mem::take(all) {
            one.left -= u32::from(now >= one.from);
            if one.left > 0 {
                all.push(one);
            } else {
                // Who waited may have ended with the story.
                let _gone = one.fired.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(seen: Observable, nth: u32) -> Trigger {
        Trigger { seen, gateway: None, nth, from_ms: 0, after_ms: 0 }
    }

    #[test]
    fn a_trigger_fires_once_at_its_occurrence() {
        let triggers = Triggers::default();
        let list = Observable::Action("list".to_owned());
        let mut second = triggers.watch(&trigger(list.clone(), 2)).unwrap();
        let mut first = triggers.watch(&trigger(list.clone(), 1)).unwrap();
        triggers.note(&Observable::Answer("list".to_owned()), Instant::START);
        assert!(first.try_recv().is_err() && second.try_recv().is_err());
        triggers.note(&list, Instant::START);
        assert!(first.try_recv().is_ok() && second.try_recv().is_err());
        triggers.note(&list, Instant::START);
        assert!(second.try_recv().is_ok());
        triggers.note(&list, Instant::START);
    }

    #[test]
    fn an_occurrence_counts_from_the_time_that_the_trigger_says() {
        let triggers = Triggers::default();
        let list = Observable::Action("list".to_owned());
        let late = Trigger { from_ms: 500, ..trigger(list.clone(), 1) };
        let mut fires = triggers.watch(&late).unwrap();
        triggers.note(&list, Instant::from_millis(499));
        assert!(fires.try_recv().is_err());
        triggers.note(&list, Instant::from_millis(500));
        assert!(fires.try_recv().is_ok());
    }

    #[test]
    fn what_only_a_gateway_knows_is_not_waited_for() {
        let triggers = Triggers::default();
        for name in crate::story::file::STATES {
            let watched = triggers.watch(&trigger(Observable::State((*name).to_owned()), 1));
            assert_eq!(watched.is_some(), *name == LIVE, "{name}");
        }
        let is_unseen = |name: &&str| {
            triggers.watch(&trigger(Observable::Action((*name).to_owned()), 1)).is_none()
        };
        let unseen: Vec<&str> =
            crate::story::file::ACTIONS.iter().copied().filter(is_unseen).collect();
        assert_eq!(unseen, ["close_session", "store"]);
    }
}
