//! Going on from a store: served at once, nothing deleted comes back, no session needed.

use super::*;

#[test]
fn rows_are_served_before_anything_is_connected() {
    let mut rig = Rig::recovered(Config::recommended(), holding(&[("a", "d1"), ("b", "d2")]));
    assert_eq!(rig.drain().len(), 1, "discovery and nothing else");
    assert_eq!(rig.served(), ["a", "b"]);
    assert_eq!(rig.status(), (SyncState::Stale, "no session: discovering".to_owned()));
}

#[test]
fn undeployed_rows_are_held_and_not_served() {
    let row = stored_row("d1", DeployState::Undeployed, held("one", true));
    let rows = [(ArtifactId::new("a"), row)].into();
    let rig = Rig::recovered(Config::recommended(), Recovered { rows, ..Recovered::default() });
    assert_eq!(rig.served(), [""; 0]);
    let status = rig.engine.status();
    assert_eq!(status.kinds[&StatusKind::Artifact(Kind::RestApi)].retained, 1);
}

#[test]
fn a_tombstone_refuses_what_is_older_after_a_restart() {
    let deleted_at = Some(stamp(9));
    let tombstone = Tombstone { generation: performed("d1", 8), deleted_at };
    let tombstones = [(ArtifactId::new("a"), tombstone)].into();
    let recovered = Recovered { tombstones, ..Recovered::default() };
    let dialect = Dialect::Apim470Fixed;
    let mut rig = Rig::connected(Config::recommended(), recovered, dialect, &[]);
    assert_eq!(rig.event(deployed("a", "d1", 8)), []);
    assert_eq!(rig.event(deleted("a", 9)), []);
    assert_eq!(rig.intent("a"), Some(Intent::Deleted));
    assert_eq!(rig.stored(), [], "the tombstone is not written again");
}

#[test]
fn a_list_that_agrees_with_the_store_reads_and_writes_nothing() {
    let rig = Rig::serving(&[("a", "d1"), ("b", "d2")]);
    assert_eq!(rig.asked.get("fetch"), None);
    assert_eq!(rig.asked.get("fetch_batch"), None);
    assert_eq!(rig.status().0, SyncState::Synced);
}

#[test]
fn an_empty_list_right_after_a_restart_withdraws_nothing() {
    let rows = [("a", "d1")];
    let dialect = Dialect::Apim470Fixed;
    let mut rig = Rig::connected(Config::recommended(), holding(&rows), dialect, &[]);
    assert_eq!(rig.served(), ["a"]);
    assert_eq!(rig.until(5_000), [request(11, Request::List)]);
    assert_eq!(rig.list(&[]), [], "the first one that counts");
    assert_eq!(rig.until(10_000), [request(12, Request::List)]);
    assert_eq!(rig.list(&[]), [fetch(13, "a")]);
    assert_eq!(rig.served(), ["a"]);
}

#[test]
fn a_provisional_definition_is_read_again_after_a_restart() {
    let row = stored_row("d1", DeployState::Deployed, held("one", false));
    let rows = [(ArtifactId::new("a"), row)].into();
    let recovered = Recovered { rows, ..Recovered::default() };
    let dialect = Dialect::Apim470Fixed;
    let mut rig = Rig::connected(Config::recommended(), recovered, dialect, &[("a", "d1")]);
    assert_eq!(rig.until(4_999), []);
    assert_eq!(rig.until(5_000), [fetch(11, "a")]);
    assert_eq!(rig.fetched("one"), []);
    assert_eq!(rig.until(10_000), [request(12, Request::List)]);
    let confirmed = put(read(labelled("d1"), "one", true), None);
    assert_eq!(rig.list(&[super::row("a", "d1")]), [store(11, &[("a", confirmed)])]);
}
