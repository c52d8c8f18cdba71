//! Acks: after the truth, once each, across sessions.

use super::*;

#[test]
fn an_ack_waits_for_the_write_and_not_for_the_fetch() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    assert_eq!(rig.fetched("one").len(), 1, "the write only");
    assert_eq!(rig.store_failed(), []);
    let (at, what) = rig.deadline().unwrap();
    assert_eq!(what, "write retry");
    rig.until(at);
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)]);
}

#[test]
fn a_redelivered_event_that_is_durable_is_acked_again() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fetched("one");
    rig.stored();
    for _ in 0..2 {
        let actions = rig.event(deployed("a", "d1", 1));
        assert_eq!(actions, [acked("a", "d1", AckAction::Deploy, 1)]);
    }
}

#[test]
fn a_redelivered_undeploy_that_is_durable_is_acked_again() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.not_deployed();
    rig.stored();
    let actions = rig.event(undeployed("a", "d1", 9));
    assert_eq!(actions, [acked("a", "d1", AckAction::Undeploy, 9)]);
}

#[test]
fn an_undeploy_redelivered_within_its_grace_is_acked_once() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    assert_eq!(rig.at(9_100).event(undeployed("a", "d1", 9)), []);
    rig.until(9_250);
    rig.not_deployed();
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Undeploy, 9)]);
}

#[test]
fn an_ack_that_became_true_without_a_session_is_sent_on_the_next() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fetched("one");
    rig.close(1006);
    assert_eq!(rig.stored(), []);
    let (at, _) = rig.deadline().unwrap();
    rig.until(at);
    rig.answer("discover", Response::Discovered { base: base() });
    let actions = rig.accepted(2);
    let expect = Action::Ack(SessionId(2), ack("a", "d1", AckAction::Deploy, 1));
    assert_eq!(actions.last(), Some(&expect));
    assert_eq!(actions.iter().filter(|action| **action == expect).count(), 1);
}

#[test]
fn a_deploy_overtaken_by_another_is_not_acked() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.event(deployed("a", "d2", 2));
    rig.fetched("two");
    assert_eq!(rig.stored(), [acked("a", "d2", AckAction::Deploy, 2)]);
    assert_eq!(rig.engine.status().anomalies.acks_superseded, 1);
}

#[test]
fn every_deploy_of_one_deployment_is_acked() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.event(deployed("a", "d1", 2));
    rig.fetched("one");
    let deploy = |seconds| acked("a", "d1", AckAction::Deploy, seconds);
    assert_eq!(rig.stored(), [deploy(1), deploy(2)]);
}

#[test]
fn a_deploy_of_what_was_deleted_is_acked_only_if_it_came_back() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).delete("a", 9);
    rig.stored();
    assert_eq!(rig.event(deployed("a", "d2", 10)), []);
    rig.until(14_000);
    assert_eq!(rig.list(&[]), []);
    assert_eq!(rig.engine.status().anomalies.acks_superseded, 0, "the list may be older");
    rig.until(16_000);
    assert_eq!(rig.list(&[]), []);
    assert_eq!(rig.engine.status().anomalies.acks_superseded, 1);
}

#[test]
fn acks_owed_are_bounded_and_the_loss_is_counted() {
    let config = Config { acks_owed_max: 2, ..Config::recommended() };
    let mut rig = Rig::connected(config, Recovered::default(), Dialect::Apim470Fixed, &[]);
    for seconds in 1..=4 {
        rig.event(deployed("a", "d1", seconds));
    }
    assert_eq!(rig.engine.status().anomalies.acks_dropped, 2);
    rig.fetched("one");
    let deploy = |seconds| acked("a", "d1", AckAction::Deploy, seconds);
    assert_eq!(rig.stored(), [deploy(1), deploy(2)]);
}

#[test]
fn the_event_of_a_row_that_a_list_brought_first_is_acked() {
    let mut rig = Rig::live();
    rig.event(deployed("b", "d9", 1));
    rig.until(5_000);
    let listed = ListedArtifact { listed_at: Some(stamp(60)), ..row("a", "d1") };
    rig.list(&[row("b", "d9"), listed]);
    rig.fetched("one");
    rig.stored();
    let actions = rig.event(deployed("a", "d1", 61));
    assert_eq!(actions, [acked("a", "d1", AckAction::Deploy, 61)]);
}
