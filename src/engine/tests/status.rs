//! The status of a kind: its state, why, and since when.

use super::*;

fn since(rig: &Rig) -> u64 {
    let status = rig.engine.status();
    status.kinds[&StatusKind::Artifact(Kind::RestApi)].since.as_millis()
}

#[test]
fn it_is_stale_without_a_session_and_syncing_before_the_first_list() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(1_000).close(1006);
    assert_eq!((rig.status().0, since(&rig)), (SyncState::Stale, 1_000));
    let (at, _) = rig.deadline().unwrap();
    rig.until(at);
    rig.answer("discover", Response::Discovered { base: base() });
    rig.accepted(2);
    let expect = "waiting for the first list of this session".to_owned();
    assert_eq!(rig.status(), (SyncState::Syncing, expect));
    assert_eq!(since(&rig), at);
    rig.list(&[row("a", "d1")]);
    let expect = "1 lists to be read once more".to_owned();
    assert_eq!(rig.status(), (SyncState::Syncing, expect), "the first answer may be old");
    rig.until(at + 5_000);
    rig.list(&[row("a", "d1")]);
    assert_eq!(rig.status().0, SyncState::Synced);
}

#[test]
fn it_is_syncing_while_an_event_is_worked_on() {
    let mut rig = Rig::live();
    assert_eq!(rig.status(), (SyncState::Synced, "the last complete list agreed".to_owned()));
    rig.at(1_000).event(deployed("a", "d1", 1));
    assert_eq!(
        rig.status(),
        (SyncState::Syncing, "1 under way; 1 lists to be read once more".to_owned())
    );
    assert_eq!(since(&rig), 1_000);
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.status().0, SyncState::Syncing, "no list has agreed");
}

#[test]
fn it_counts_what_is_served_and_what_is_only_held() {
    let mut rig = Rig::serving(&[("a", "d1"), ("b", "d2")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.not_deployed();
    rig.stored();
    let status = rig.engine.status();
    let kind = &status.kinds[&StatusKind::Artifact(Kind::RestApi)];
    assert_eq!((kind.served, kind.retained), (1, 1));
}

#[test]
fn a_zombie_row_is_unverified_at_rest_and_costs_little() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    let (mut lists, mut fetches) = (0, 0);
    for second in 1..=1_200 {
        for action in rig.until(second * 1_000) {
            match action {
                Action::Request(_, _, Request::List) => lists += 1,
                Action::Request(_, _, Request::Fetch(..)) => fetches += 1,
                _ => {}
            }
        }
        if rig.is_listing() {
            rig.list(&[row("a", "d1")]);
        }
        if rig.engine.out.fetches() > 0 {
            rig.not_deployed();
        }
    }
    assert_eq!(rig.status().0, SyncState::Unverified);
    assert!(lists <= 30 && fetches <= 40, "{lists} lists and {fetches} fetches in 20 minutes");
}

#[test]
fn kinds_that_no_gateway_is_told_of_say_so() {
    let rig = Rig::live();
    let status = rig.engine.status();
    for kind in [StatusKind::Subscription, StatusKind::Plan, StatusKind::Application] {
        assert_eq!(status.kinds[&kind].state, SyncState::Unsupported);
        assert_eq!(status.kinds[&kind].reason, "the control plane tells gateways nothing of them");
    }
    assert_eq!(status.session, "live");
}
