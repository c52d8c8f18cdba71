//! The existence check: only a definite "no" makes an undeployed artifact a deleted one.

use super::*;

const PLATFORM: Dialect = Dialect::PlatformApi11;

fn on_platform(id: u64, request: Request) -> Action {
    Action::Request(RequestId(id), BasePath::platform_api(), request)
}

fn check(id: u64, artifacts: &[&str]) -> Action {
    let artifacts = artifacts.iter().map(|text| ArtifactId::new(text)).collect();
    on_platform(id, Request::CheckExists(artifacts))
}

/// A rig whose one artifact was undeployed at 9 s, and whose check was just sent.
fn asked(config: Config) -> (Rig, Vec<Action>) {
    let rows = [("a", "d1")];
    let mut rig = Rig::connected(config, holding(&rows), PLATFORM, &rows);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.not_deployed();
    rig.stored();
    rig.until(14_000);
    rig.list(&[]);
    let actions = rig.until(16_250);
    (rig, actions)
}

fn answered(answers: &[(&str, bool)]) -> Response {
    Response::Existence(answers.iter().map(|(id, is)| (ArtifactId::new(id), *is)).collect())
}

#[test]
fn what_is_undeployed_is_checked_once_reads_have_settled() {
    assert_eq!(asked(Config::recommended()).1, [check(13, &["a"])]);
}

#[test]
fn what_exists_stays_held() {
    let (mut rig, _) = asked(Config::recommended());
    assert_eq!(rig.answer("check_exists", answered(&[("a", true)])), []);
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
    assert_eq!(rig.status().0, SyncState::Synced);
}

#[test]
fn what_exists_no_more_is_buried() {
    let (mut rig, _) = asked(Config::recommended());
    let actions = rig.answer("check_exists", answered(&[("a", false)]));
    assert_eq!(actions, [store(12, &[("a", bury("d1", 9))])]);
}

#[test]
fn what_the_answer_leaves_out_is_asked_again() {
    let (mut rig, _) = asked(Config::recommended());
    assert_eq!(rig.answer("check_exists", answered(&[("b", false)])), []);
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
    assert_eq!(rig.until(48_249), []);
    assert_eq!(rig.until(48_250), [check(14, &["a"])]);
}

#[test]
fn a_failed_check_removes_nothing_and_is_repeated() {
    for failure in [Failure::RouteMissing, Failure::Status(500), Failure::TimedOut] {
        let (mut rig, _) = asked(Config::recommended());
        assert_eq!(rig.fail("check_exists", failure), []);
        assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
        assert_eq!(rig.status().0, SyncState::Syncing);
        assert_eq!(rig.until(48_250), [check(14, &["a"])]);
    }
}

#[test]
fn what_was_deployed_again_meanwhile_is_not_removed() {
    let (mut rig, _) = asked(Config::recommended());
    rig.event(deployed("a", "d1", 10));
    assert_eq!(rig.answer("check_exists", answered(&[("a", false)])), []);
    assert_eq!(rig.intent("a"), Some(Intent::Deployed));
}

#[test]
fn an_api_manager_is_never_asked() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.not_deployed();
    rig.stored();
    rig.until(14_000);
    assert_eq!(rig.list(&[]), []);
    assert_eq!(rig.status().0, SyncState::Synced, "nothing left to do");
}

#[test]
fn checks_are_asked_in_bounded_requests_one_after_the_other() {
    let config = Config { batch_size_max: 2, ..Config::recommended() };
    let rows = [("a", "d1"), ("b", "d2"), ("c", "d3")];
    let mut rig = Rig::connected(config, holding(&rows), PLATFORM, &rows);
    for (id, deployment) in rows {
        rig.at(9_000).event(undeployed(id, deployment, 9));
    }
    rig.until(9_250);
    for id in 11..=13 {
        rig.input(Input::Responded(RequestId(id), Response::NotDeployed));
    }
    for _ in 0..3 {
        rig.stored();
    }
    rig.until(14_000);
    rig.list(&[]);
    assert_eq!(rig.until(16_250), [check(15, &["a", "b"])]);
    let both = answered(&[("a", true), ("b", true)]);
    assert_eq!(rig.answer("check_exists", both), [check(16, &["c"])]);
}

#[test]
fn a_manager_of_unknown_dialect_leaves_no_check_outstanding() {
    let mut rig = Rig::recovered(Config::recommended(), holding(&[("a", "d1")]));
    rig.drain();
    rig.answer("discover", Response::Discovered { base: base() });
    rig.stored();
    rig.accepted(1);
    let empty = || Response::Listed(Listing::default());
    rig.answer("list", empty());
    rig.until(5_000);
    rig.answer("list", empty());
    rig.until(10_000);
    rig.answer("list", empty());
    rig.not_deployed();
    rig.stored();
    rig.until(120_000);
    rig.answer("list", empty());
    assert_eq!(rig.engine.dialect(), None);
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
    assert_eq!(rig.status().0, SyncState::Synced);
}
