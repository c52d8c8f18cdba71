//! Fetches: alone or together, failing, short, contradicting what is held.

use super::*;

/// A rig with `count` new rows in its list, which answers what it asks for.
fn listed(count: usize, config: Config) -> (Rig, Vec<Action>) {
    let mut rig = Rig::connected(config, Recovered::default(), Dialect::Apim470Fixed, &[]);
    rig.want_list(&ListId::Artifacts, rig.now.as_millis());
    rig.until(2_000);
    let rows: Vec<ListedArtifact> =
        (0..count).map(|n| row(&format!("a{n}"), &format!("d{n}"))).collect();
    let actions = rig.list(&rows);
    (rig, actions)
}

fn two() -> Rig {
    listed(2, Config::recommended()).0
}

#[test]
fn one_artifact_is_asked_for_alone_and_several_together() {
    assert_eq!(listed(1, Config::recommended()).1, [fetch(12, "a0")]);
    let batch = fetch_batch(12, BatchRoute::FetchBatch, &["d0", "d1", "d2"]);
    assert_eq!(listed(3, Config::recommended()).1, [batch]);
}

#[test]
fn batches_and_what_is_in_flight_are_bounded() {
    let config = Config { batch_size_max: 2, fetches_in_flight_max: 2, ..Config::recommended() };
    let (mut rig, actions) = listed(5, config);
    let route = BatchRoute::FetchBatch;
    let expect = [fetch_batch(12, route, &["d0", "d1"]), fetch_batch(13, route, &["d2", "d3"])];
    assert_eq!(actions, expect);
    let batch = vec![packed("d2", "x"), packed("d3", "y")];
    let actions = rig.answer("fetch_batch", Response::Batch(batch));
    assert_eq!(actions[0], fetch(14, "a4"));
}

#[test]
fn a_missing_batch_route_is_tried_under_its_other_name_and_then_not_at_all() {
    let mut rig = two();
    let batch = fetch_batch(13, BatchRoute::Batch, &["d0", "d1"]);
    assert_eq!(rig.fail("fetch_batch", Failure::RouteMissing), [batch]);
    let alone = [fetch(14, "a0"), fetch(15, "a1")];
    assert_eq!(rig.fail("fetch_batch", Failure::RouteMissing), alone);
}

#[test]
fn a_batch_is_written_at_once() {
    let mut rig = two();
    let batch = vec![packed("d1", "one"), packed("d0", "zero")];
    let write = |deployment, text| put(read(labelled(deployment), text, false), Some(text));
    let expect = store(11, &[("a0", write("d0", "zero")), ("a1", write("d1", "one"))]);
    assert_eq!(rig.answer("fetch_batch", Response::Batch(batch)), [expect]);
}

#[test]
fn what_a_batch_lacks_is_asked_for_alone() {
    let mut rig = two();
    let write = put(read(labelled("d0"), "zero", false), Some("zero"));
    let actions = rig.answer("fetch_batch", Response::Batch(vec![packed("d0", "zero")]));
    assert_eq!(actions, [fetch(13, "a1"), store(11, &[("a0", write)])]);
}

#[test]
fn a_batch_that_fails_is_asked_for_one_by_one() {
    let mut rig = two();
    let alone = [fetch(13, "a0"), fetch(14, "a1")];
    assert_eq!(rig.fail("fetch_batch", Failure::Status(500)), alone);
}

#[test]
fn a_failed_fetch_is_retried_with_backoff() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    let mut delays = Vec::new();
    for _ in 0..9 {
        let failed_at = rig.now;
        rig.fail("fetch", Failure::Status(500));
        let due = rig.engine.artifacts.queue.next_due().unwrap();
        delays.push(due.since(failed_at).as_millis() as u64);
        rig.at(due.as_millis()).input(Input::Pinged(SessionId(1)));
    }
    for (failures, delay) in delays.iter().enumerate() {
        let ceiling = (500 << failures.min(6)).min(30_000);
        assert!((50..=ceiling).contains(delay), "{failures}: {delay}");
    }
}

#[test]
fn a_fetch_that_failed_often_is_acked_as_failed_once_and_goes_on() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    let mut acks = Vec::new();
    for _ in 0..8 {
        acks.extend(rig.fail("fetch", Failure::Status(500)));
        let due = rig.engine.artifacts.queue.next_due().unwrap();
        rig.at(due.as_millis()).input(Input::Pinged(SessionId(1)));
    }
    let failed = Ack { status: AckStatus::Failed, ..ack("a", "d1", AckAction::Deploy, 1) };
    assert_eq!(acks, [Action::Ack(SessionId(1), failed)]);
    let expect = "the definition of a cannot be read: answered 500".to_owned();
    assert_eq!(rig.status(), (SyncState::Stale, expect));
    rig.fetched("one");
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)]);
}

/// The last write is refused for this definition.
fn refused(rig: &mut Rig, id: &str, text: &str) -> Vec<Action> {
    let Content { digest, .. } = content(text);
    let why = "it has no version".to_owned();
    let content = UnreadableContent { artifact: id.into(), digest, why };
    let failure = StoreFailure::Unreadable(vec![content]);
    rig.input(Input::StoreFailed(rig.write.unwrap(), failure))
}

#[test]
fn a_definition_that_cannot_be_read_keeps_the_last_good_one_and_is_acked_as_failed() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(60_000).event(deployed("a", "d2", 9));
    rig.until(60_000);
    rig.fetched("bad");
    rig.event(deployed("b", "e1", 10));
    let failed = Ack { status: AckStatus::Failed, ..ack("a", "d2", AckAction::Deploy, 9) };
    assert_eq!(refused(&mut rig, "a", "bad"), [Action::Ack(SessionId(1), failed)]);
    assert_eq!(rig.served(), ["a"]);
    let expect = "the definition of a cannot be read: it has no version".to_owned();
    assert_eq!(rig.status(), (SyncState::Stale, expect.clone()));
    let due = rig.engine.artifacts.queue.get(&"a".into()).unwrap().due();
    assert!(due >= Instant::from_millis(75_000), "asked for rarely: {due:?}");
    rig.until(due.as_millis());
    assert_eq!(rig.fetched("bad"), [], "not written again, and said once");
    assert_eq!(rig.status(), (SyncState::Stale, expect));
    rig.event(deployed("a", "d3", 20));
    let now = rig.now.as_millis();
    rig.until(now + 10_000);
    rig.answer("fetch", Response::Fetched(content("good")));
    assert!(rig.stored().contains(&acked("a", "d3", AckAction::Deploy, 20)));
}

#[test]
fn an_event_about_a_definition_that_was_refused_before_is_acked_as_failed() {
    let (mut rig, _) = listed(1, Config::recommended());
    rig.answer("fetch", Response::Fetched(content("bad")));
    refused(&mut rig, "a0", "bad");
    let failed = Ack { status: AckStatus::Failed, ..ack("a0", "d0", AckAction::Deploy, 1) };
    rig.event(deployed("a0", "d0", 1));
    rig.answer("fetch", Response::Fetched(content("bad")));
    assert_eq!(refused(&mut rig, "a0", "bad"), [Action::Ack(SessionId(1), failed)]);
}

#[test]
fn what_is_held_under_the_name_of_a_definition_that_cannot_be_read_is_not_confirmed() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fetched("of the revision before");
    rig.stored();
    rig.until(6_000);
    rig.answer("fetch", Response::Fetched(content("bad")));
    refused(&mut rig, "a", "bad");
    rig.until(7_000);
    rig.list(&[row("a", "d1")]);
    rig.until(20_000);
    rig.list(&[row("a", "d1")]);
    let expect = "the definition of a cannot be read: it has no version".to_owned();
    assert_eq!(rig.status(), (SyncState::Stale, expect));
}

#[test]
fn a_write_with_a_definition_that_cannot_be_read_is_repeated_without_it() {
    let config = Config { fetches_in_flight_max: 1, ..Config::recommended() };
    let (mut rig, _) = listed(2, config);
    let batch = vec![packed("d0", "bad"), packed("d1", "good")];
    rig.answer("fetch_batch", Response::Batch(batch));
    let actions = refused(&mut rig, "a0", "bad");
    let [Action::Store(_, batch)] = actions.as_slice() else { panic!("{actions:?}") };
    let ids: Vec<&str> = batch.artifacts.keys().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["a1"]);
    rig.stored();
    assert_eq!(rig.served(), ["a1"]);
}

#[test]
fn a_route_that_is_missing_is_no_answer_about_an_artifact() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.fail("fetch", Failure::RouteMissing);
    assert_eq!(rig.intent("a"), Some(Intent::Deployed));
}

#[test]
fn not_deployed_right_after_the_event_is_asked_again_once_reads_have_settled() {
    let mut rig = Rig::live();
    rig.at(1_000).event(deployed("a", "d1", 1));
    assert_eq!(rig.not_deployed(), []);
    assert_eq!(rig.engine.artifacts.queue.next_due(), Some(Instant::from_millis(6_000)));
    rig.until(6_000);
    assert_eq!(rig.not_deployed(), []);
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
}

#[test]
fn another_definition_does_not_replace_one_that_was_read_a_moment_ago() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.at(1_000).fetched("one");
    rig.stored();
    assert_eq!(rig.at(2_000).event(deployed("a", "d2", 2)), []);
    assert_eq!(rig.until(6_000), [request(12, Request::List), fetch(13, "a")]);
    let write = put(read(performed("d2", 2), "two", false), Some("two"));
    assert_eq!(rig.fetched("two"), [store(12, &[("a", write)])]);
}

#[test]
fn an_answer_to_a_question_that_was_overtaken_is_ignored() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    assert_eq!(rig.event(deployed("a", "d2", 2)), [fetch(12, "a")]);
    let late = Input::Responded(RequestId(11), Response::Fetched(content("one")));
    assert_eq!(rig.input(late), []);
    let write = put(read(performed("d2", 2), "two", false), Some("two"));
    assert_eq!(rig.fetched("two"), [store(11, &[("a", write)])]);
}

#[test]
fn an_answer_after_its_time_is_ignored() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    rig.until(5_000);
    rig.list(&[row("a", "d1")]);
    assert_eq!(rig.until(30_000), [Action::Cancel(RequestId(11))]);
    let late = Input::Responded(RequestId(11), Response::Fetched(content("one")));
    assert_eq!(rig.input(late), []);
}

#[test]
fn what_is_served_is_not_withdrawn_on_a_404_alone() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(deployed("a", "d2", 9));
    rig.not_deployed();
    rig.until(13_999);
    assert_eq!(rig.until(14_000), [fetch(12, "a"), request(13, Request::List)]);
    rig.list(&[row("a", "d2")]);
    rig.not_deployed();
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.intent("a"), Some(Intent::Deployed));
    assert_ne!(rig.status().0, SyncState::Synced);
}

#[test]
fn what_is_listed_and_not_handed_out_for_long_is_withdrawn_and_said() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.at(9_000).event(deployed("a", "d2", 9));
    let asked = |actions: &[Action], name| {
        actions.iter().any(|a| matches!(a, Action::Request(_, _, r) if r.name() == name))
    };
    while rig.intent("a") == Some(Intent::Deployed) && rig.now.as_millis() < 600_000 {
        let (at, _) = rig.deadline().unwrap();
        let actions = rig.until(at);
        if asked(&actions, "list") {
            rig.list(&[row("a", "d2")]);
        }
        if asked(&actions, "fetch") {
            rig.not_deployed();
        }
    }
    let withdrawn_at = rig.now.as_millis();
    assert!((134_000..=185_000).contains(&withdrawn_at), "{withdrawn_at}");
    rig.stored();
    assert_eq!(rig.served(), [""; 0]);
    let expect = "1 told in contradicting or unreadable ways".to_owned();
    assert_eq!(rig.status(), (SyncState::Unverified, expect));
}

#[test]
fn a_definition_without_a_deployment_id_is_read_until_reads_have_settled_and_no_longer() {
    let mut rig = Rig::live();
    let event = Event::Deployed(EventHead { deployment: None, ..head("a", "", Some(1)) });
    assert_eq!(rig.event(event), [fetch(11, "a")]);
    rig.fetched("one");
    rig.stored();
    assert_eq!(rig.until(4_999), []);
    assert_eq!(rig.until(5_000), [fetch(12, "a"), request(13, Request::List)]);
    rig.fail("list", Failure::Status(500));
    assert_eq!(rig.fetched("one"), [], "nothing more to read before a list names it");
}

#[test]
fn several_batches_that_miss_one_route_try_the_other() {
    let config = Config { batch_size_max: 2, ..Config::recommended() };
    let (mut rig, _) = listed(4, config);
    let missing = |id| Input::RequestFailed(RequestId(id), Failure::RouteMissing);
    let batch = fetch_batch(14, BatchRoute::Batch, &["d0", "d1"]);
    assert_eq!(rig.input(missing(12)), [batch]);
    let batch = fetch_batch(15, BatchRoute::Batch, &["d2", "d3"]);
    assert_eq!(rig.input(missing(13)), [batch], "the other name was not refused yet");
}

#[test]
fn an_answer_of_another_kind_is_no_answer() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    assert_eq!(rig.answer("fetch", Response::Existence(Vec::new())), []);
    assert!(rig.engine.artifacts.queue.next_due().is_some(), "asked again");
    rig.until(5_000);
    assert_eq!(rig.answer("list", Response::NotDeployed), []);
    assert_eq!(rig.status().0, SyncState::Stale);
}
