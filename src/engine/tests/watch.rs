//! Events: new, repeated, older, unordered, of what is deleted, and undeploys with their grace.

use super::*;

const LIST: Request = Request::List;

#[test]
fn a_new_deploy_is_fetched_at_once_written_and_acked_when_durable() {
    let mut rig = Rig::live();
    assert_eq!(rig.at(1_000).event(deployed("a", "d1", 1)), [fetch(11, "a")]);
    let written = read(performed("d1", 1), "one", false);
    assert_eq!(rig.fetched("one"), [store(11, &[("a", put(written, Some("one")))])]);
    assert_eq!(rig.served(), [""; 0], "not before it is durable");
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)]);
    assert_eq!(rig.served(), ["a"]);
}

#[test]
fn a_provisional_definition_is_read_again_and_confirmed_by_a_list() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.until(5_000), [fetch(12, "a"), request(13, LIST)]);
    assert_eq!(rig.list(&[row("a", "d1")]), []);
    assert_eq!(rig.fetched("one"), []);
    assert_eq!(rig.until(10_000), [request(14, LIST)]);
    let confirmed = put(read(performed("d1", 1), "one", true), None);
    assert_eq!(rig.list(&[row("a", "d1")]), [store(12, &[("a", confirmed)])]);
    assert_eq!(rig.stored(), []);
    assert_eq!(rig.status(), (SyncState::Synced, "the last complete list agreed".to_owned()));
}

#[test]
fn a_deploy_repeated_before_it_is_fetched_adds_nothing() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    assert_eq!(rig.event(deployed("a", "d1", 1)), []);
    rig.fetched("one");
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)], "one ack");
}

#[test]
fn an_older_deploy_wants_a_list_and_nothing_else() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d2", 9));
    rig.fetched("two");
    rig.stored();
    assert_eq!(rig.at(1_000).event(deployed("a", "d1", 5)), []);
    let known = rig.engine.desired().get(&"a".into()).unwrap();
    assert_eq!(known.generation, performed("d2", 9));
    rig.list_is_repeated(5_000, &[row("a", "d2")], 7_000);
}

#[test]
fn an_equal_stamp_on_another_deployment_tells_no_order() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 5));
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.at(1_000).event(deployed("a", "d2", 5)), []);
    let known = rig.engine.desired().get(&"a".into()).unwrap();
    assert_eq!(known.generation, performed("d1", 5));
    rig.list_is_repeated(5_000, &[row("a", "d1")], 7_000);
}

#[test]
fn a_deploy_without_a_stamp_changes_nothing_known_and_wants_a_list() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    assert_eq!(rig.at(1_000).event(Event::Deployed(head("a", "d2", None))), []);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.until(6_000), [request(11, LIST)]);
    assert_eq!(rig.list(&[row("a", "d2")]), [fetch(12, "a")]);
}

#[test]
fn a_deploy_without_a_stamp_of_something_unknown_is_fetched() {
    let mut rig = Rig::live();
    assert_eq!(rig.event(Event::Deployed(head("a", "d1", None))), [fetch(11, "a")]);
}

#[test]
fn a_redeploy_of_the_held_revision_writes_the_event_and_acks_it() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    let write = put(read(performed("d1", 9), "a d1", true), None);
    assert_eq!(rig.at(9_000).event(deployed("a", "d1", 9)), [store(11, &[("a", write)])]);
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 9)]);
}

#[test]
fn a_deploy_of_another_revision_is_fetched_while_the_held_one_is_served() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    assert_eq!(rig.at(9_000).event(deployed("a", "d2", 9)), [fetch(11, "a")]);
    assert_eq!(rig.served(), ["a"]);
    let write = put(read(performed("d2", 9), "two", false), Some("two"));
    assert_eq!(rig.fetched("two"), [store(11, &[("a", write)])]);
}

#[test]
fn an_undeploy_waits_for_its_grace_and_then_asks_the_artifact() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    assert_eq!(rig.at(9_000).event(undeployed("a", "d1", 9)), []);
    assert_eq!(rig.deadline(), Some((9_250, "withdrawal")));
    assert_eq!(rig.until(9_250), [fetch(11, "a")]);
    assert_eq!(rig.served(), ["a"]);
}

#[test]
fn an_undeploy_that_the_artifact_confirms_is_done_and_acked_when_durable() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    let write = put(withdrawn(read(performed("d1", 9), "a d1", true)), None);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", write)])]);
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Undeploy, 9)]);
    assert_eq!(rig.served(), [""; 0]);
}

#[test]
fn an_undeploy_that_the_artifact_contradicts_twice_is_void_and_not_acked() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    assert_eq!(rig.fetched("a d1"), [], "may be the state before the undeploy");
    assert_eq!(rig.until(14_000), [fetch(12, "a"), request(13, LIST)]);
    assert_eq!(rig.fetched("a d1"), []);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.engine.status().anomalies.acks_superseded, 1);
}

#[test]
fn an_undeploy_is_not_believed_unanswered_once_another_definition_was_read() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fetched("one");
    rig.stored();
    rig.until(5_000);
    rig.fetched("two");
    rig.stored();
    rig.event(undeployed("a", "d1", 9));
    rig.until(20_000);
    assert_eq!(rig.served(), ["a"], "what is served may be of the next deployment");
    let state = rig.engine.state(StatusKind::Artifact(Kind::RestApi));
    assert_ne!(state, SyncState::Synced);
}

#[test]
fn a_late_copy_of_an_undeploy_that_was_void_is_not_believed_unanswered() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(14_000);
    rig.fetched("a d1");
    rig.at(15_000).event(undeployed("a", "d1", 9));
    rig.until(40_000);
    assert_eq!(rig.served(), ["a"]);
    let state = rig.engine.state(StatusKind::Artifact(Kind::RestApi));
    assert_ne!(state, SyncState::Synced, "what is in doubt is said");
}

#[test]
fn an_undeploy_that_nobody_answers_is_believed() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.until(18_999);
    let write = put(withdrawn(read(performed("d1", 9), "a d1", true)), None);
    assert_eq!(rig.until(19_000), [store(11, &[("a", write)])]);
}

#[test]
fn an_undeploy_that_was_contradicted_is_not_believed_for_want_of_another_answer() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.until(9_250);
    rig.fetched("a d1");
    rig.until(19_500);
    assert_eq!(rig.served(), ["a"]);
    let state = rig.engine.state(StatusKind::Artifact(Kind::RestApi));
    assert_ne!(state, SyncState::Synced, "what is in doubt is said");
}

#[test]
fn an_undeploy_is_believed_without_a_session() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    rig.close(1000);
    rig.at(19_000).timeout();
    rig.timeout();
    rig.stored();
    assert_eq!(rig.served(), [""; 0]);
}

#[test]
fn a_redeploy_within_the_grace_never_interrupts_service() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    assert_eq!(rig.at(9_100).event(deployed("a", "d2", 10)), [fetch(11, "a")]);
    let write = put(read(performed("d2", 10), "two", false), Some("two"));
    assert_eq!(rig.fetched("two"), [store(11, &[("a", write)])]);
    assert_eq!(rig.stored(), [acked("a", "d2", AckAction::Deploy, 10)]);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.engine.status().anomalies.acks_superseded, 1, "the undeploy's");
}

#[test]
fn an_undeploy_of_another_deployment_is_never_believed_unanswered() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d0", 9));
    assert_eq!(rig.until(9_250), [fetch(11, "a")]);
    rig.until(19_000);
    assert_eq!(rig.intent("a"), Some(Intent::Deployed));
    assert_eq!(rig.served(), ["a"]);
}

#[test]
fn an_older_undeploy_does_nothing_but_want_a_list() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 9));
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.at(1_000).event(undeployed("a", "d1", 5)), []);
    let known = rig.engine.desired().get(&"a".into()).unwrap();
    assert_eq!((known.intent, known.withdrawal.clone()), (Intent::Deployed, None));
    rig.list_is_repeated(5_000, &[row("a", "d1")], 7_000);
}

#[test]
fn an_undeploy_of_something_unknown_is_acked_and_remembered() {
    let mut rig = Rig::live();
    let actions = rig.event(undeployed("a", "d1", 5));
    assert_eq!(actions, [acked("a", "d1", AckAction::Undeploy, 5)]);
    assert_eq!(rig.event(deployed("a", "d1", 4)), [], "the older deploy does not bring it in");
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
}

#[test]
fn a_delete_waits_for_its_grace_asks_the_artifact_and_buries() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    assert_eq!(rig.at(9_000).event(deleted("a", 9)), []);
    assert_eq!(rig.until(9_250), [fetch(11, "a")]);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", bury("d1", 9))])]);
    rig.stored();
    assert_eq!(rig.served(), [""; 0]);
}

#[test]
fn a_delete_of_what_is_not_served_buries_at_once() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 8));
    rig.until(9_250);
    rig.not_deployed();
    rig.stored();
    assert_eq!(rig.event(deleted("a", 9)), [store(12, &[("a", bury("d1", 9))])]);
}

#[test]
fn a_delete_that_nobody_answers_is_believed() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(deleted("a", 9));
    rig.until(18_999);
    assert_eq!(rig.until(19_000), [store(11, &[("a", bury("d1", 9))])]);
}

#[test]
fn a_delete_that_the_artifact_contradicts_is_void() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(deleted("a", 9));
    rig.until(9_250);
    rig.fetched("a d1");
    assert_eq!(rig.until(14_000), [fetch(12, "a"), request(13, LIST)]);
    assert_eq!(rig.fetched("a d1"), []);
    assert_eq!((rig.intent("a"), rig.served()), (Some(Intent::Deployed), vec!["a"]));
}

#[test]
fn a_delete_pending_behind_an_undeploy_says_more() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 8));
    rig.at(9_100).event(deleted("a", 9));
    assert_eq!(rig.until(9_350), [fetch(11, "a")]);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", bury("d1", 9))])]);
}

#[test]
fn a_repeated_delete_does_nothing() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).delete("a", 9);
    rig.stored();
    assert_eq!(rig.event(deleted("a", 9)), []);
    assert_eq!(rig.status().0, SyncState::Syncing, "until a list agrees");
}

#[test]
fn an_older_delete_does_not_remove_what_was_deployed_since() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 9));
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.event(deleted("a", 5)), []);
    assert_eq!(rig.served(), ["a"]);
}

#[test]
fn a_late_deploy_brings_nothing_deleted_back() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).delete("a", 9);
    rig.stored();
    assert_eq!(rig.event(deployed("a", "d1", 8)), []);
    assert_eq!(rig.event(deployed("a", "d2", 10)), [], "a newer one neither, before a read");
    assert_eq!(rig.intent("a"), Some(Intent::Deleted));
}

#[test]
fn a_list_that_has_what_was_deleted_and_redeployed_brings_it_back() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).delete("a", 9);
    rig.stored();
    rig.event(deployed("a", "d2", 10));
    assert_eq!(rig.until(14_250), [request(12, LIST)]);
    assert_eq!(rig.list(&[row("a", "d2")]), [fetch(13, "a")]);
}

#[test]
fn a_frame_that_is_no_event_wants_a_list() {
    let mut rig = Rig::live();
    let malformed = Input::Malformed(SessionId(1), "no json".to_owned());
    assert_eq!(rig.at(1_000).input(malformed), []);
    assert_eq!(rig.deadline(), Some((6_000, "list")));
    assert_eq!(rig.engine.status().anomalies.malformed_frames, 1);
}

#[test]
fn events_about_what_is_not_held_are_counted_by_type() {
    let mut rig = Rig::live();
    let secret = Event::NotHeld { event_type: "secret.updated".to_owned() };
    assert_eq!(rig.event(secret), []);
    assert_eq!(rig.event(Event::Unknown { event_type: "x".to_owned() }), []);
    let status = rig.engine.status();
    let held = status.anomalies.events_not_held.iter().collect::<Vec<_>>();
    assert_eq!(held, [("secret.updated", 1)]);
    assert_eq!(status.anomalies.unknown_events.iter().collect::<Vec<_>>(), [("x", 1)]);
}

#[test]
fn repeated_unordered_events_cannot_put_off_the_periodic_list() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    let mut listed_at = None;
    for round in 1..=32 {
        let actions = rig.until(round * 4_000);
        if actions.iter().any(|action| matches!(action, Action::Request(_, _, Request::List))) {
            listed_at = Some(rig.now.as_millis());
            break;
        }
        rig.event(Event::Deployed(head("a", "d2", None)));
    }
    assert!(listed_at.is_some_and(|at| at <= 124_000), "{listed_at:?}");
    assert_eq!(rig.list(&[row("a", "d2")]), [fetch(12, "a")]);
}

#[test]
fn a_deploy_between_two_pending_undeploys_is_older_than_the_second() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 5));
    rig.at(9_100).event(undeployed("a", "d1", 9));
    assert_eq!(rig.deadline(), Some((9_250, "withdrawal")), "not put off");
    rig.until(9_250);
    let write = put(withdrawn(read(performed("d1", 9), "a d1", true)), None);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", write)])]);
}

#[test]
fn a_redeploy_of_one_stamp_is_taken_for_what_it_is() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    assert_eq!(rig.event(deployed("a", "d2", 9)), [fetch(11, "a")]);
    rig.fetched("two");
    assert_eq!(rig.stored(), [acked("a", "d2", AckAction::Deploy, 9)]);
    rig.event(undeployed("a", "d1", 9));
    rig.until(40_000);
    assert_eq!(rig.served(), ["a"], "the copy names another deployment than the one served");
}

#[test]
fn an_undeploy_and_a_deploy_of_one_stamp_and_deployment_tell_no_order() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    assert_eq!(rig.event(deployed("a", "d1", 9)), []);
    assert_eq!(rig.until(9_250), [fetch(11, "a")], "the artifact itself decides");
}

#[test]
fn a_late_deploy_within_the_grace_does_not_cancel_a_newer_undeploy() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d1", 9));
    assert_eq!(rig.event(deployed("a", "d1", 8)), []);
    assert_eq!(rig.until(9_250), [fetch(11, "a")]);
    let write = put(withdrawn(read(performed("d1", 9), "a d1", true)), None);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", write)])]);
}

#[test]
fn a_late_deploy_does_not_cancel_a_newer_delete() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(deleted("a", 9));
    assert_eq!(rig.event(deployed("a", "d1", 8)), []);
    rig.until(9_250);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", bury("d1", 9))])]);
}

#[test]
fn an_unordered_undeploy_that_a_zombie_row_contradicts_is_not_forgotten() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(undeployed("a", "d0", 9));
    assert_eq!(rig.until(9_250), [fetch(11, "a")]);
    assert_eq!(rig.not_deployed(), [fetch(12, "a")]);
    assert_eq!(rig.not_deployed(), [request(13, LIST)]);
    rig.list_is_repeated(rig.now.as_millis(), &[row("a", "d1")], 14_000);
    assert_eq!(rig.until(14_000), [request(14, LIST)]);
    rig.list(&[row("a", "d1")]);
    assert_eq!(rig.served(), ["a"]);
    assert_ne!(rig.status().0, SyncState::Synced, "the artifact itself says that it is gone");
    rig.until(45_000);
    assert_eq!(rig.fetched("a d1"), []);
    assert_eq!(rig.status().0, SyncState::Synced);
}
