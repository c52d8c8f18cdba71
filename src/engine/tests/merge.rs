//! Lists: what they add, change, contradict and lack, and when they are asked for.

use super::*;

fn unclear(id: &str) -> ListedArtifact {
    row_in(id, "d1", ListedState::Unclear("DEPLOYING".to_owned()))
}

/// The periodic list is the first thing that falls due at rest; answers when.
fn until_list(rig: &mut Rig) -> Vec<Action> {
    loop {
        let (at, _) = rig.deadline().unwrap();
        let actions = rig.until(at);
        if !actions.is_empty() {
            return actions;
        }
    }
}

#[test]
fn new_rows_are_fetched() {
    let mut rig = Rig::live();
    until_list(&mut rig);
    let actions = rig.list(&[row("a", "d1"), row("b", "d2")]);
    assert_eq!(actions, [fetch_batch(12, BatchRoute::FetchBatch, &["d1", "d2"])]);
}

#[test]
fn a_list_that_agrees_does_nothing() {
    let mut rig = Rig::serving(&[("a", "d1"), ("b", "d2")]);
    rig.at(9_000).event(Event::Deployed(head("a", "d1", None)));
    assert_eq!(rig.until(14_000), [request(11, Request::List)]);
    assert_eq!(rig.list(&[row("b", "d2"), row("a", "d1")]), []);
    assert_eq!(rig.status().0, SyncState::Synced);
}

#[test]
fn an_undeployed_row_of_something_unknown_is_not_fetched() {
    let mut rig = Rig::live();
    until_list(&mut rig);
    assert_eq!(rig.list(&[row_in("a", "d1", ListedState::Undeployed)]), []);
    assert_eq!(rig.intent("a"), Some(Intent::Undeployed));
}

#[test]
fn an_undeployed_row_withdraws_what_is_served() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    let write = put(withdrawn(read(labelled("d1"), "a d1", true)), None);
    let actions = rig.list(&[row_in("a", "d1", ListedState::Undeployed)]);
    assert_eq!(actions, [store(11, &[("a", write)])]);
}

#[test]
fn a_row_that_contradicts_a_young_event_is_doubted_and_asked_again() {
    let mut rig = Rig::live();
    rig.at(118_000).event(deployed("a", "d2", 1));
    rig.fetched("two");
    rig.stored();
    until_list(&mut rig);
    rig.list_is_repeated(rig.now.as_millis(), &[row("a", "d1")], 123_000);
    let known = rig.engine.desired().get(&"a".into()).unwrap();
    assert_eq!(known.generation, performed("d2", 1));
    let expect = "1 told in contradicting or unreadable ways".to_owned();
    assert_eq!(rig.status(), (SyncState::Unverified, expect));
}

#[test]
fn a_row_that_contradicts_an_old_event_is_believed() {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d2", 1));
    rig.fetched("two");
    rig.stored();
    rig.until(5_000);
    assert_eq!(rig.list(&[row("a", "d1")]), [fetch(14, "a")]);
    let known = rig.engine.desired().get(&"a".into()).unwrap();
    assert_eq!(known.generation, performed("d1", 1), "its event stays remembered");
}

#[test]
fn a_row_does_not_bring_back_what_was_deleted_a_moment_ago() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    rig.delete("a", 9);
    rig.stored();
    assert_eq!(rig.list(&[row("a", "d1")]), []);
    assert_eq!(rig.intent("a"), Some(Intent::Deleted));
}

#[test]
fn a_row_in_an_unclear_state_changes_nothing_and_is_said() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    assert_eq!(rig.list(&[unclear("a"), unclear("b")]), []);
    assert_eq!((rig.served(), rig.intent("b")), (vec!["a"], None));
    let expect = "2 list rows in an unclear state".to_owned();
    assert_eq!(rig.status(), (SyncState::Unverified, expect));
}

#[test]
fn a_list_with_an_unreadable_row_proves_no_absence() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    let rows = vec![row("b", "d2")];
    let unreadable = vec!["row 2: artifactId is missing".to_owned()];
    let partial = Listing { rows, unreadable, ..Listing::default() };
    assert_eq!(rig.answer("list", Response::Listed(partial)), [fetch(12, "b")]);
    assert_eq!(rig.engine.desired().get(&"a".into()).unwrap().presence, Presence::Listed);
    let expect = "1 list rows could not be read: row 2: artifactId is missing".to_owned();
    assert_eq!(rig.status(), (SyncState::Unverified, expect));
}

#[test]
fn one_absence_withdraws_nothing_and_wants_a_second_list() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    let asked_at = rig.now.as_millis();
    assert_eq!(rig.list(&[]), []);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.until(asked_at + 4_999), []);
    assert_eq!(rig.until(asked_at + 5_000), [request(12, Request::List)]);
}

#[test]
fn a_second_absence_asks_the_artifact_itself_and_its_answer_withdraws() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    rig.list(&[]);
    until_list(&mut rig);
    assert_eq!(rig.list(&[]), [fetch(13, "a")]);
    assert_eq!(rig.served(), ["a"]);
    let write = put(withdrawn(read(labelled("d1"), "a d1", true)), None);
    assert_eq!(rig.not_deployed(), [store(11, &[("a", write)])]);
}

#[test]
fn what_is_absent_twice_and_still_handed_out_stays_and_is_said() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    rig.list(&[]);
    until_list(&mut rig);
    rig.list(&[]);
    assert_eq!(rig.fetched("a d1"), []);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.status().0, SyncState::Unverified);
    let (at, what) = rig.deadline().unwrap();
    assert_eq!(what, "lease", "nothing but the session's own deadlines before the next list");
    assert!(at < rig.now.as_millis() + 35_000);
}

#[test]
fn what_is_absent_and_listed_again_needs_no_question() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    rig.list(&[]);
    until_list(&mut rig);
    assert_eq!(rig.list(&[row("a", "d1")]), []);
    assert_eq!(rig.status().0, SyncState::Synced);
}

#[test]
fn a_failed_list_removes_nothing_and_is_repeated() {
    for failure in [
        Failure::Status(500),
        Failure::Refused(401),
        Failure::RouteMissing,
        Failure::Malformed("deployments is missing".to_owned()),
    ] {
        let mut rig = Rig::serving(&[("a", "d1")]);
        rig.relist();
        let failed_at = rig.now.as_millis();
        let why = format!("the list cannot be read: {failure}");
        assert_eq!(rig.fail("list", failure), []);
        assert_eq!(rig.status(), (SyncState::Stale, why));
        assert_eq!(until_list(&mut rig), [request(12, Request::List)]);
        let delay = rig.now.as_millis() - failed_at;
        assert!((50..=2_000).contains(&delay), "spaced from the first: {delay}");
        assert_eq!(rig.list(&[row("a", "d1")]), []);
        assert_eq!(rig.status().0, SyncState::Synced);
    }
}

#[test]
fn a_list_that_never_answers_is_cancelled_and_repeated() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    assert_eq!(until_list(&mut rig), [Action::Cancel(RequestId(11))]);
    assert_eq!(rig.status().1, "the list cannot be read: timed out");
    assert_eq!(until_list(&mut rig), [request(12, Request::List)]);
    let late = Response::Listed(listing(&[row("a", "d1"), row("b", "d2")]));
    assert_eq!(rig.input(Input::Responded(RequestId(11), late)), []);
    assert_eq!(rig.intent("b"), None);
}

#[test]
fn at_rest_one_list_is_asked_in_two_minutes_less_up_to_a_tenth() {
    let mut last = 0;
    let mut gaps = Vec::new();
    let mut rig = Rig::live();
    for _ in 0..20 {
        assert_eq!(until_list(&mut rig).len(), 1);
        gaps.push(rig.now.as_millis() - last);
        last = rig.now.as_millis();
        assert_eq!(rig.list(&[]), []);
    }
    assert!(gaps.iter().all(|gap| (108_000..=120_000).contains(gap)), "{gaps:?}");
    assert!(gaps.windows(2).any(|pair| pair[0] != pair[1]), "jittered");
}

#[test]
fn two_lists_are_spaced() {
    let mut rig = Rig::live();
    rig.at(1_000).input(Input::Malformed(SessionId(1), "x".to_owned()));
    assert_eq!(rig.until(6_000), [request(11, Request::List)]);
    rig.want_list(&ListId::Artifacts, 6_100);
    rig.list(&[]);
    assert_eq!(rig.deadline(), Some((8_000, "list")));
}

#[test]
fn a_periodic_list_reads_some_definitions_again_in_turn() {
    let config = Config { batch_size_max: 2, ..Config::recommended() };
    let rows = [("a", "d1"), ("b", "d2"), ("c", "d3")];
    let dialect = Dialect::Apim470Fixed;
    let mut rig = Rig::connected(config, holding(&rows), dialect, &rows);
    let listed: Vec<ListedArtifact> =
        rows.iter().map(|(id, deployment)| row(id, deployment)).collect();
    until_list(&mut rig);
    let batch = fetch_batch(12, BatchRoute::FetchBatch, &["d1", "d2"]);
    assert_eq!(rig.list(&listed), [batch]);
    let same = vec![packed("d1", "a d1"), packed("d2", "b d2")];
    assert_eq!(rig.answer("fetch_batch", Response::Batch(same)), []);
    until_list(&mut rig);
    assert_eq!(rig.list(&listed), [fetch(14, "c")]);
}

#[test]
fn a_row_of_an_unknown_kind_is_no_absence() {
    let mut rig = Rig::serving(&[("a", "d1")]);
    rig.relist();
    let kind = Err(crate::model::UnknownKind("Soap".to_owned()));
    assert_eq!(rig.list(&[ListedArtifact { kind, ..row("a", "d1") }]), []);
    assert_eq!(rig.engine.desired().get(&"a".into()).unwrap().presence, Presence::Listed);
    let expect = "1 list rows of an unknown kind".to_owned();
    assert_eq!(rig.status(), (SyncState::Unverified, expect));
}

#[test]
fn an_absence_before_and_after_an_unclear_row_is_the_first_again() {
    let unknown_kind = ListedArtifact {
        kind: Err(crate::model::UnknownKind("Soap".to_owned())),
        ..row("a", "d1")
    };
    for present in [unclear("a"), unknown_kind] {
        let mut rig = Rig::serving(&[("a", "d1")]);
        rig.relist();
        rig.list(&[]);
        until_list(&mut rig);
        assert_eq!(rig.list(&[present]), []);
        rig.want_list(&ListId::Artifacts, rig.now.as_millis() + 10_000);
        until_list(&mut rig);
        assert_eq!(rig.list(&[]), [], "not yet the artifact itself");
    }
}
