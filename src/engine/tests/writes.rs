//! Writes: one in flight, what waits is one write, failures lose nothing.

use super::*;

fn one(text: &str) -> ArtifactWrite {
    put(read(performed("d1", 1), text, false), Some(text))
}

/// A rig with a write of `a` in flight.
fn writing() -> Rig {
    let mut rig = Rig::live();
    rig.event(deployed("a", "d1", 1));
    assert_eq!(rig.fetched("one"), [store(11, &[("a", one("one"))])]);
    rig
}

#[test]
fn one_write_is_in_flight_and_what_waits_goes_together() {
    let mut rig = writing();
    for (id, text) in [("b", "two"), ("c", "three")] {
        rig.event(deployed(id, "d1", 1));
        assert_eq!(rig.fetched(text), [], "waits");
    }
    let actions = rig.stored();
    let expect = store(12, &[("b", one("two")), ("c", one("three"))]);
    assert_eq!(actions, [expect, acked("a", "d1", AckAction::Deploy, 1)]);
}

#[test]
fn of_two_waiting_writes_of_one_artifact_the_later_is_written() {
    let mut rig = writing();
    rig.event(deployed("b", "d1", 1));
    rig.fetched("two");
    rig.delete("b", 2);
    let actions = rig.stored();
    assert_eq!(actions[0], store(12, &[("b", bury("d1", 2))]));
}

#[test]
fn a_later_row_keeps_the_definition_that_waits_with_an_earlier_one() {
    let mut rig = writing();
    rig.event(deployed("b", "d1", 1));
    rig.fetched("two");
    rig.event(deployed("b", "d1", 2));
    let row = read(performed("d1", 2), "two", false);
    assert_eq!(rig.stored()[0], store(12, &[("b", put(row, Some("two")))]));
}

#[test]
fn a_large_write_is_split() {
    let config = Config { write_size_max: 2, ..Config::recommended() };
    let mut rig = Rig::connected(config, Recovered::default(), Dialect::Apim470Fixed, &[]);
    for id in ["a", "b", "c"] {
        rig.event(deleted(id, 1));
    }
    let tombstone = |id| {
        let deleted_at = Some(stamp(1));
        let generation = Generation { performed_at: deleted_at, ..Generation::default() };
        (id, ArtifactWrite::Bury(Tombstone { generation, deleted_at }))
    };
    rig.event(deleted("d", 1));
    assert_eq!(rig.stored(), [store(12, &[tombstone("b"), tombstone("c")])]);
    assert_eq!(rig.stored(), [store(13, &[tombstone("d")])]);
    assert_eq!(rig.stored(), []);
}

#[test]
fn a_failed_write_is_said_and_repeated_with_backoff() {
    let mut rig = writing();
    assert_eq!(rig.store_failed(), []);
    assert_eq!(rig.status(), (SyncState::Stale, "writes fail: disk full".to_owned()));
    let (at, what) = rig.deadline().unwrap();
    assert_eq!(what, "write retry");
    assert!((50..=500).contains(&at), "{at}");
    assert_eq!(rig.until(at), [store(12, &[("a", one("one"))])]);
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)]);
    assert_eq!(rig.status().0, SyncState::Syncing);
}

#[test]
fn what_was_queued_behind_a_failed_write_goes_with_it() {
    let mut rig = writing();
    rig.event(deployed("b", "d1", 1));
    rig.fetched("two");
    rig.delete("a", 2);
    assert_eq!(rig.store_failed(), []);
    let (at, _) = rig.deadline().unwrap();
    let expect = store(12, &[("a", bury("d1", 2)), ("b", one("two"))]);
    assert_eq!(rig.until(at), [expect]);
}

#[test]
fn a_withdrawal_takes_effect_although_writes_fail() {
    let mut rig = Rig::serving(&[("a", "d1"), ("b", "d2")]);
    rig.at(9_000).delete("a", 9);
    assert_eq!(rig.served(), ["a", "b"], "not before it is durable");
    rig.store_failed();
    assert_eq!(rig.served(), ["b"]);
}

#[test]
fn an_answer_about_another_write_is_ignored() {
    let mut rig = writing();
    assert_eq!(rig.input(Input::Stored(WriteId(10))), []);
    assert_eq!(rig.input(Input::StoreFailed(WriteId(12), StoreFailure::Full)), []);
    assert_eq!(rig.status().0, SyncState::Syncing);
    assert_eq!(rig.stored(), [acked("a", "d1", AckAction::Deploy, 1)]);
    assert_eq!(rig.stored(), [], "once");
}

#[test]
fn what_is_remembered_of_the_gone_is_bounded() {
    let config = Config { gone_max: 4, ..Config::recommended() };
    let mut rig = Rig::connected(config, Recovered::default(), Dialect::Apim470Fixed, &[]);
    for number in 0..9_u32 {
        let id = ArtifactId::new(&format!("a{number}"));
        let known =
            ArtifactBelief::new(Kind::RestApi, Intent::Deleted, Generation::default(), rig.now);
        rig.engine.artifacts.beliefs.insert(id.clone(), known);
        rig.engine.artifacts.touched.insert(id);
        rig.at(u64::from(number) + 1).timeout();
        rig.stored();
        assert!(rig.engine.desired().len() <= 5, "{number}");
    }
    while rig.engine.observed.is_writing() {
        rig.stored();
    }
    let recovered = rig.engine.observed.durable();
    assert_eq!(recovered.tombstones.len(), rig.engine.desired().len());
    assert!(!recovered.tombstones.contains_key(&ArtifactId::new("a0")), "the oldest go first");
    assert!(recovered.tombstones.contains_key(&ArtifactId::new("a8")));
    assert_eq!(rig.engine.status().anomalies.evicted, 9 - recovered.tombstones.len() as u64);
}
