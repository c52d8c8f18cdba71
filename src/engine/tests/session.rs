//! Discovery, dialing, the lease and the backoff.

use super::*;

fn open(session: u64, base: BasePath) -> Action {
    Action::OpenSession(SessionId(session), base)
}

fn control_plane(id: u64, base: BasePath) -> Action {
    let control_plane = Some(ControlPlane { base, dialect: None });
    Action::Store(WriteId(id), Batch { control_plane, ..Batch::default() })
}

fn discover(id: u64) -> Action {
    Action::Request(RequestId(id), BasePath::platform_api(), Request::Discover)
}

fn known() -> Recovered {
    let control_plane = Some(ControlPlane { base: base(), dialect: Some(Dialect::Apim470) });
    Recovered { control_plane, ..Recovered::default() }
}

#[test]
fn it_asks_where_the_control_plane_serves() {
    let mut rig = Rig::new();
    assert_eq!(rig.drain(), [discover(1)]);
    assert_eq!(rig.deadline(), Some((30_000, "request timeout")));
}

#[test]
fn what_discovery_finds_is_dialed_and_remembered() {
    let mut rig = Rig::new();
    rig.drain();
    let actions = rig.answer("discover", Response::Discovered { base: base() });
    assert_eq!(actions, [open(1, base()), control_plane(1, base())]);
    assert_eq!(rig.deadline(), Some((10_000, "dial timeout")));
}

#[test]
fn what_discovery_finds_again_is_not_written_again() {
    let mut rig = Rig::recovered(Config::recommended(), known());
    rig.drain();
    let actions = rig.answer("discover", Response::Discovered { base: base() });
    assert_eq!(actions, [open(1, base())]);
}

#[test]
fn a_failed_discovery_falls_back_to_the_known_base_and_keeps_its_dialect() {
    for failure in [Failure::RouteMissing, Failure::Status(503), Failure::Refused(401)] {
        let mut rig = Rig::recovered(Config::recommended(), known());
        rig.drain();
        assert_eq!(rig.fail("discover", failure), [open(1, base())]);
        assert_eq!(rig.engine.dialect(), Some(Dialect::Apim470));
    }
}

#[test]
fn a_failed_discovery_without_a_known_base_is_retried() {
    let mut rig = Rig::new();
    rig.drain();
    assert_eq!(rig.fail("discover", Failure::Status(503)), []);
    let (at, what) = rig.deadline().unwrap();
    assert_eq!(what, "reconnect");
    assert!((50..=500).contains(&at), "{at}");
    assert_eq!(rig.status().1, "no session: waiting to reconnect (discovery failed: answered 503)");
    assert_eq!(rig.until(at), [discover(2)]);
}

#[test]
fn where_no_well_known_is_served_the_platform_api_is_asked_for_evidence() {
    let mut rig = Rig::new();
    rig.drain();
    let probe = Action::Request(RequestId(2), BasePath::platform_api(), Request::List);
    assert_eq!(rig.fail("discover", Failure::RouteMissing), [probe]);
    let actions = rig.list(&[row("a", "d1")]);
    let platform = BasePath::platform_api();
    assert_eq!(actions, [open(1, platform.clone()), control_plane(1, platform)]);
    assert_eq!(rig.intent("a"), None, "a probe is no list of a session");
}

#[test]
fn a_probe_without_evidence_changes_nothing() {
    for failure in [Failure::RouteMissing, Failure::Malformed("x".to_owned())] {
        let mut rig = Rig::new();
        rig.drain();
        rig.fail("discover", Failure::RouteMissing);
        assert_eq!(rig.fail("list", failure), []);
        assert_eq!(rig.deadline().unwrap().1, "reconnect");
    }
}

#[test]
fn a_pinned_base_is_dialed_without_discovery() {
    let pinned = BasePath::parse("/elsewhere").unwrap();
    let config = Config { base: Some(pinned.clone()), ..Config::recommended() };
    let mut rig = Rig::recovered(config, known());
    assert_eq!(rig.drain(), [open(1, pinned)]);
}

#[test]
fn a_pinned_platform_api_needs_no_well_known() {
    let config = Config { dialect: Some(Dialect::PlatformApi11), ..Config::recommended() };
    let mut rig = Rig::recovered(config, Recovered::default());
    rig.drain();
    let actions = rig.fail("discover", Failure::RouteMissing);
    assert_eq!(actions, [open(1, BasePath::platform_api())]);
}

#[test]
fn a_dial_that_hangs_is_given_up() {
    let mut rig = Rig::recovered(Config::recommended(), known());
    rig.drain();
    rig.fail("discover", Failure::TimedOut);
    assert_eq!(rig.until(10_000), [Action::CloseSession(SessionId(1))]);
    assert_eq!(rig.deadline().unwrap().1, "reconnect");
}

#[test]
fn a_connection_that_is_never_acknowledged_is_given_up() {
    let mut rig = Rig::recovered(Config::recommended(), known());
    rig.drain();
    rig.fail("discover", Failure::TimedOut);
    assert_eq!(rig.at(2_000).input(Input::SessionOpened(SessionId(1))), []);
    assert_eq!(rig.deadline(), Some((12_000, "connection.ack timeout")));
    assert_eq!(rig.until(12_000), [Action::CloseSession(SessionId(1))]);
}

#[test]
fn an_acknowledged_session_lists_at_once() {
    let mut rig = Rig::recovered(Config::recommended(), known());
    rig.drain();
    rig.fail("discover", Failure::TimedOut);
    assert_eq!(
        rig.accepted(1),
        [request(2, Request::List), request(3, Request::ReadKeys(Kind::RestApi))]
    );
}

#[test]
fn an_event_that_overtakes_the_ack_counts_and_keeps_the_session() {
    let mut rig = Rig::recovered(Config::recommended(), known());
    rig.drain();
    rig.fail("discover", Failure::TimedOut);
    rig.input(Input::SessionOpened(SessionId(1)));
    assert_eq!(rig.event(deployed("a", "d1", 1)), []);
    assert_eq!(rig.intent("a"), Some(Intent::Deployed));
    let actions = rig.event(Event::ConnectionAck { gateway: "g".to_owned() });
    let expect =
        [fetch(2, "a"), request(3, Request::List), request(4, Request::ReadKeys(Kind::RestApi))];
    assert_eq!(actions, expect);
}

#[test]
fn a_silent_session_ends_with_its_lease_and_a_ping_renews_it() {
    let mut rig = Rig::live();
    assert_eq!(rig.deadline(), Some((35_000, "lease")));
    assert_eq!(rig.at(20_000).input(Input::Pinged(SessionId(1))), []);
    assert_eq!(rig.deadline(), Some((55_000, "lease")));
    assert_eq!(rig.at(55_000).timeout(), [Action::CloseSession(SessionId(1))]);
    assert!(!rig.engine.is_live());
}

#[test]
fn a_refused_token_is_retried_and_said() {
    let mut rig = Rig::live();
    assert_eq!(rig.close(4401), []);
    assert_eq!(rig.deadline().unwrap().1, "reconnect");
    let expect = "no session: waiting to reconnect (closed 4401 \"\")".to_owned();
    assert_eq!(rig.status(), (SyncState::Stale, expect));
}

#[test]
fn attempts_back_off_and_a_session_that_dies_young_is_another_failure() {
    let pinned = Config { base: Some(base()), ..Config::recommended() };
    let mut rig = Rig::recovered(pinned, Recovered::default());
    rig.drain();
    let mut delays = Vec::new();
    for session in 1..=10 {
        rig.accepted(session);
        rig.close(1000);
        let at = rig.reconnect_at();
        delays.push(at - rig.now.as_millis());
        rig.until(at);
    }
    for (failures, delay) in delays.iter().enumerate() {
        let ceiling = (500 << failures.min(6)).min(30_000);
        assert!((50..=ceiling).contains(delay), "{failures}: {delay}");
    }
}

#[test]
fn a_session_that_lived_starts_the_backoff_anew() {
    let mut rig = Rig::live();
    rig.close(1000);
    let at = rig.reconnect_at();
    rig.until(at);
    rig.answer("discover", Response::Discovered { base: base() });
    rig.accepted(2);
    rig.until(at + 30_000);
    rig.close(1000);
    let next = rig.reconnect_at();
    assert!(next - rig.now.as_millis() <= 500);
}

#[test]
fn inputs_of_an_earlier_session_are_ignored() {
    let mut rig = Rig::live();
    rig.close(1000);
    let at = rig.reconnect_at();
    rig.until(at);
    rig.answer("discover", Response::Discovered { base: base() });
    rig.accepted(2);
    let old = SessionId(1);
    assert_eq!(rig.input(Input::Watched(old, deployed("a", "d1", 1))), []);
    assert_eq!(rig.input(Input::Malformed(old, "x".to_owned())), []);
    assert_eq!(rig.input(Input::SessionClosed(old, CloseReason::Lost("x".to_owned()))), []);
    assert_eq!(rig.input(Input::SessionOpened(old)), []);
    assert_eq!(rig.intent("a"), None);
    assert!(rig.engine.is_live());
}

#[test]
fn a_list_still_on_its_way_is_asked_anew_by_a_new_session() {
    let mut rig = Rig::live();
    rig.relist();
    let late = rig.asked["list"];
    rig.close(1000);
    let at = rig.reconnect_at();
    rig.until(at);
    rig.answer("discover", Response::Discovered { base: base() });
    rig.input(Input::SessionOpened(SessionId(2)));
    let actions = rig.event(Event::ConnectionAck { gateway: "g".to_owned() });
    assert_eq!(actions[0], Action::Cancel(late));
    let listed = Response::Listed(listing(&[row("a", "d1")]));
    assert_eq!(rig.input(Input::Responded(late, listed)), []);
    assert_eq!(rig.intent("a"), None);
}
