//! API keys: what events and lists do to them.

use super::*;
use crate::model::{
    Credential, KeyName, KeySlot, ListedKey, Resource, ResourceChange, ResourceEvent, ResourceId,
    ResourceRow, SecretHash,
};

/// A stamp of the event clock, in milliseconds of one minute.
fn stamp(millis: u32) -> Timestamp {
    let (minute, second, millis) = (15 + millis / 60_000, millis / 1000 % 60, millis % 1000);
    Timestamp::parse(&format!("2026-06-17T09:{minute}:{second:02}.{millis:03}000Z")).unwrap()
}

fn slot_id(artifact: &str) -> ResourceId {
    ResourceId::ApiKey(artifact.into(), KeyName::new("mobile"))
}

/// A key that is in a list.
fn key(number: u8) -> Credential {
    Credential {
        hash: SecretHash([number; 32]),
        uuid: Some(format!("u{number}").as_str().into()),
        expires_at: None,
        created_at: None,
        is_listable: true,
    }
}

/// A key of an application: no UUID, on no list.
fn app_key(number: u8) -> Credential {
    Credential { uuid: None, is_listable: false, ..key(number) }
}

fn at(created: u32, credential: Credential) -> Credential {
    Credential { created_at: Some(stamp(created)), ..credential }
}

fn changed(change: ResourceChange, sent: u32) -> Event {
    let (id, sent_at) = (slot_id("a"), Some(stamp(sent)));
    Event::Changed(Box::new(ResourceEvent { id, change, sent_at }))
}

fn created(key: Credential, sent: u32) -> Event {
    changed(ResourceChange::KeyCreated(at(sent, key)), sent)
}

fn regenerated(key: Credential, sent: u32) -> Event {
    changed(ResourceChange::KeyRegenerated(at(sent, key)), sent)
}

fn revoked(sent: u32) -> Event {
    changed(ResourceChange::KeyRevoked, sent)
}

/// The write of a slot whose name saw no ending.
fn stored_slot(id: u64, keys: &[Credential]) -> Action {
    let slot = KeySlot { credentials: keys.into() };
    let row = ResourceRow::new(Some(Resource::ApiKey(slot)), None);
    let resources = [(slot_id("a"), Some(row))].into();
    Action::Store(WriteId(id), Batch { resources, ..Batch::default() })
}

fn read_keys(id: u64) -> Action {
    request(id, Request::ReadKeys(Kind::RestApi))
}

fn listed(keys: &[Credential]) -> Response {
    let items = keys.iter().map(|key| ListedKey {
        artifact: "a".into(),
        name: KeyName::new("Mobile"),
        credential: key.clone(),
        is_active: true,
    });
    Response::Keys(KeyReading::Keys(Listed { items: items.collect(), unreadable: Vec::new() }))
}

/// A gateway that serves one API of the fixed dialect and holds these keys, listed and settled.
fn holding_keys(keys: &[Credential]) -> Rig {
    let mut rig = Rig::listed(
        Config::recommended(),
        holding(&[("a", "d1")]),
        Dialect::Apim470Fixed,
        &[("a", "d1")],
    );
    rig.answer("read_keys", listed(keys));
    rig.stored();
    rig.at(5_000);
    assert_eq!(rig.timeout(), [read_keys(FIRST)]);
    rig.answer("read_keys", listed(keys));
    assert_eq!(rig.state(), SyncState::Synced);
    rig
}

impl Rig {
    fn state(&self) -> SyncState {
        self.engine.status().kinds[&StatusKind::ApiKey].state
    }

    fn reason(&self) -> String {
        self.engine.status().kinds[&StatusKind::ApiKey].reason.clone()
    }

    /// What the status says of keys that no list names.
    fn of_applications(&self) -> (SyncState, String) {
        let status = &self.engine.status().kinds[&StatusKind::ApplicationKey];
        (status.state, status.reason.clone())
    }

    fn hashes(&self) -> Vec<u8> {
        match self.engine.observed.resource_in_force(&slot_id("a")) {
            Some(Resource::ApiKey(slot)) => slot.credentials.iter().map(|k| k.hash.0[0]).collect(),
            _ => Vec::new(),
        }
    }
}

#[test]
fn a_created_key_is_written_once_however_often_it_is_said() {
    let mut rig = holding_keys(&[]);
    assert_eq!(rig.event(created(key(1), 1_000)), [stored_slot(FIRST, &[at(1_000, key(1))])]);
    rig.stored();
    assert_eq!(rig.event(created(key(1), 1_000)), []);
    assert_eq!(rig.hashes(), [1]);
}

#[test]
fn a_revoked_key_stays_out_whatever_comes_late() {
    let mut rig = holding_keys(&[]);
    rig.event(created(key(1), 1_000));
    rig.stored();
    rig.event(revoked(2_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.event(created(key(1), 1_000)), [], "the polled copy (A-H1)");
    assert_eq!(rig.event(revoked(2_000)), []);
    assert_eq!(rig.state(), SyncState::Synced, "nothing about that is unclear");
    rig.event(created(key(2), 6_000));
    rig.stored();
    assert_eq!(rig.event(revoked(2_000)), [], "a late copy ends no newer key");
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn of_two_events_of_one_stamp_the_one_that_opens_less_counts_until_a_list_settles_it() {
    let mut rig = holding_keys(&[]);
    rig.event(revoked(1_000));
    rig.stored();
    assert_eq!(rig.event(created(key(1), 1_000)), []);
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.until(10_000), [read_keys(FIRST + 1)]);
    rig.answer("read_keys", listed(&[key(1)]));
    rig.stored();
    assert_eq!(rig.hashes(), [1]);
    assert_eq!(rig.state(), SyncState::Synced);
}

#[test]
fn a_regenerated_key_ends_the_one_before_and_its_late_copies() {
    let mut rig = holding_keys(&[key(1)]);
    rig.event(regenerated(key(2), 9_000));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
    rig.event(created(key(1), 1_000));
    assert_eq!(rig.hashes(), [2]);
    assert_eq!(rig.event(regenerated(key(2), 9_000)), [], "the polled copy (A-H1)");
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn a_list_may_be_ahead_of_the_event_that_a_key_was_regenerated() {
    let mut rig = holding_keys(&[at(1_000, key(1))]);
    rig.want_list(&ListId::Keys(Kind::RestApi), 11_000);
    rig.until(11_000);
    rig.answer("read_keys", listed(&[key(2)]));
    rig.stored();
    assert_eq!(rig.hashes(), [1, 2], "absence alone removes nothing");
    rig.event(regenerated(key(2), 9_000));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn an_ending_sent_before_the_last_one_is_another_and_closes_what_it_finds() {
    let mut rig = holding_keys(&[at(1_000, key(1))]);
    rig.event(regenerated(key(2), 9_000));
    rig.stored();
    rig.event(revoked(2_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "a clock may have been set back between");
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.until(10_000), [read_keys(FIRST + 1)]);
    rig.answer("read_keys", listed(&[key(2)]));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
    assert_eq!(rig.event(revoked(2_000)), [], "the polled copy (A-H1)");
    assert_eq!(rig.event(regenerated(key(2), 9_000)), []);
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn an_ending_stamped_before_the_key_it_finds_ends_it_in_doubt_until_a_list_tells() {
    let mut rig = holding_keys(&[]);
    rig.event(created(key(1), 20_000));
    rig.stored();
    rig.event(revoked(1_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "a clock may have been set back between");
    assert_eq!(rig.state(), SyncState::Unverified);
    let settled_at = rig.now.as_millis() + 5_000;
    assert_eq!(rig.until(settled_at), [read_keys(FIRST + 1)]);
    rig.answer("read_keys", listed(&[key(1)]));
    rig.stored();
    assert_eq!(rig.hashes(), [1], "it was a late ending of the one before");
    assert_eq!(rig.state(), SyncState::Synced);
}

#[test]
fn a_regeneration_stamped_before_the_key_it_finds_ends_it_in_doubt() {
    let mut rig = holding_keys(&[]);
    rig.event(created(key(1), 20_000));
    rig.stored();
    rig.event(regenerated(key(2), 1_000));
    rig.stored();
    assert!(!rig.hashes().contains(&1));
    assert_eq!(rig.state(), SyncState::Unverified);
}

#[test]
fn a_creation_within_the_margin_of_an_ending_stays_out_until_a_list_names_it() {
    let mut rig = holding_keys(&[key(1)]);
    rig.event(revoked(9_000));
    rig.stored();
    assert_eq!(rig.event(created(key(2), 11_000)), [], "a clock may have been set back between");
    assert_eq!(rig.state(), SyncState::Unverified);
    let settled_at = rig.now.as_millis() + 5_000;
    assert_eq!(rig.until(settled_at), [read_keys(FIRST + 1)]);
    rig.answer("read_keys", listed(&[key(2)]));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn a_regeneration_within_the_margin_of_an_ending_stays_out_like_a_creation() {
    let mut rig = holding_keys(&[key(1)]);
    rig.event(revoked(9_000));
    rig.stored();
    rig.event(regenerated(key(2), 11_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.state(), SyncState::Unverified);
}

#[test]
fn a_list_that_is_too_early_still_shows_that_lists_name_a_key() {
    let mut rig = holding_keys(&[]);
    rig.event(created(app_key(7), 9_000));
    rig.stored();
    let soon = rig.now.as_millis() + 2_000;
    rig.want_list(&ListId::Keys(Kind::RestApi), soon);
    rig.until(soon);
    assert_eq!(rig.of_applications().1, "no list; 1 known from events alone");
    rig.answer("read_keys", listed(&[key(7)]));
    rig.stored();
    assert_eq!(rig.of_applications().1, "no list; 0 known from events alone");
}

#[test]
fn of_two_endings_of_one_stamp_the_second_counts_and_a_copy_does_not() {
    let mut rig = holding_keys(&[]);
    rig.event(regenerated(key(1), 1_000));
    rig.stored();
    assert_eq!(rig.event(regenerated(key(1), 1_000)), [], "the polled copy");
    assert_eq!(rig.hashes(), [1]);
    rig.event(revoked(1_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "it may have been the second (A-H3)");
    rig.event(created(key(2), 70_000));
    rig.stored();
    assert_eq!(rig.event(revoked(1_000)), []);
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn a_name_that_two_people_chose_is_closed_to_both_until_a_list_tells_them_apart() {
    let mut rig = holding_keys(&[key(1), key(2)]);
    rig.event(revoked(9_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "which of them was meant is not said (A-H29)");
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.until(10_000), [read_keys(FIRST + 1)]);
    rig.answer("read_keys", listed(&[key(2)]));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn a_list_asked_before_an_event_neither_removes_nor_brings_back() {
    let mut rig = holding_keys(&[key(1)]);
    rig.want_list(&ListId::Keys(Kind::RestApi), 7_000);
    assert_eq!(rig.until(7_000), [read_keys(FIRST + 1)]);
    let other = ResourceId::ApiKey("a".into(), KeyName::new("other"));
    let change = ResourceChange::KeyCreated(at(9_000, key(9)));
    let (id, sent_at) = (other.clone(), Some(stamp(9_000)));
    rig.event(Event::Changed(Box::new(ResourceEvent { id, change, sent_at })));
    rig.stored();
    rig.event(revoked(9_100));
    rig.stored();
    rig.answer("read_keys", listed(&[key(1)]));
    assert_eq!(rig.hashes(), [0_u8; 0], "a list does not undo a revocation (R4)");
    assert!(rig.engine.observed.resource_in_force(&other).is_some(), "nor a creation (R3)");
    assert_eq!(rig.until(12_000), [read_keys(FIRST + 2)], "it is asked again");
}

#[test]
fn an_empty_list_removes_nothing_until_a_second_one_and_the_api_itself_agree() {
    let mut rig = holding_keys(&[key(1)]);
    let ask = |rig: &mut Rig, at: u64| {
        rig.want_list(&ListId::Keys(Kind::RestApi), at);
        rig.until(at);
        rig.answer("read_keys", listed(&[]));
        rig.stored();
    };
    ask(&mut rig, 12_000);
    assert_eq!(rig.hashes(), [1]);
    assert_eq!(rig.state(), SyncState::Syncing);
    ask(&mut rig, 17_000);
    assert_eq!(rig.hashes(), [1], "soon after, it is the same mistake (A-H35)");
    ask(&mut rig, 42_000);
    assert_eq!(rig.hashes(), [1], "the API may have been undeployed unheard (A-H28)");
    rig.until(47_000);
    assert!(rig.is_listing());
    rig.list(&[row("a", "d1")]);
    ask(&mut rig, 47_000);
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.state(), SyncState::Synced);
}

#[test]
fn keys_of_applications_are_on_no_list_and_stay_and_are_counted() {
    let mut rig = holding_keys(&[]);
    rig.event(created(app_key(7), 9_000));
    rig.stored();
    for at in [12_000, 60_000, 110_000] {
        rig.want_list(&ListId::Keys(Kind::RestApi), at);
        rig.until(at);
        rig.answer("read_keys", listed(&[]));
        rig.stored();
    }
    assert_eq!(rig.hashes(), [7], "the list names keys of APIs alone (A-H28)");
    assert_eq!(rig.state(), SyncState::Synced);
    let told = "no list; 1 known from events alone".to_owned();
    assert_eq!(rig.of_applications(), (SyncState::Unverified, told));
}

#[test]
fn keys_of_an_api_that_is_not_deployed_are_on_no_list_and_stay() {
    let mut rig = holding_keys(&[key(1)]);
    rig.engine.artifacts.beliefs.update(&"a".into(), |known| {
        known.intend(Intent::Undeployed, Instant::from_millis(5_000));
    });
    for at in [20_000, 60_000, 110_000] {
        rig.want_list(&ListId::Keys(Kind::RestApi), at);
        rig.until(at);
        rig.answer("read_keys", listed(&[]));
    }
    assert_eq!(rig.hashes(), [1], "a redeploy brings them back (closure)");
}

#[test]
fn a_control_plane_without_a_key_list_is_said_with_counts() {
    let mut rig = Rig::listed(
        Config::recommended(),
        holding(&[("a", "d1")]),
        Dialect::Apim470,
        &[("a", "d1")],
    );
    rig.answer("read_keys", Response::Keys(KeyReading::ApiList));
    rig.event(created(key(1), 1_000));
    rig.stored();
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.reason(), "no key list; 1 keys known from events alone");
    assert_eq!(rig.engine.status().kinds[&StatusKind::ApiKey].bound, None);
}

#[test]
fn a_key_that_cannot_be_read_ends_the_one_it_replaces_and_is_said() {
    let mut rig = holding_keys(&[key(1)]);
    let why = "apiKeyHashes has no sha256".to_owned();
    rig.event(changed(ResourceChange::KeyUnreadable { regenerated: true, why }, 9_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.engine.status().anomalies.unreadable_keys, 1);
}

#[test]
fn a_key_waits_for_its_api_and_goes_with_it() {
    let mut rig = Rig::live();
    rig.event(created(key(1), 1_000));
    rig.stored();
    assert_eq!(rig.hashes(), [1], "kept for an API that is not known yet (C-H47)");
    let id = ArtifactId::new("a");
    let deleted =
        ArtifactBelief::new(Kind::RestApi, Intent::Deleted, Generation::default(), rig.now);
    rig.engine.artifacts.beliefs.insert(id.clone(), deleted);
    rig.engine.artifacts.touched.insert(id);
    rig.timeout();
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.event(created(key(1), 1_000)), [], "an API's id is never used again");
    rig.event(revoked(5_000));
    rig.stored();
    let id = ArtifactId::new("a");
    rig.engine.artifacts.beliefs.update(&id, |known| known.intend(Intent::Deployed, rig.now));
    assert_eq!(rig.event(created(key(1), 1_000)), [], "nor if a zombie row names it (A-H14)");
    rig.event(created(key(2), 4_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "what ended meanwhile ended");
}

#[test]
fn what_waits_for_an_unknown_api_is_bounded_and_said() {
    let config = Config { parked_max: 1, ..Config::recommended() };
    let mut rig = Rig::connected(config, Recovered::default(), Dialect::Apim470Fixed, &[]);
    rig.event(created(key(1), 1_000));
    rig.stored();
    assert_eq!(rig.event(created(key(2), 2_000)), []);
    assert!(rig.reason().contains("1 events about unknown artifacts were not kept"));
}

#[test]
fn a_revocation_holds_although_writes_fail() {
    let mut rig = holding_keys(&[key(1)]);
    rig.event(revoked(9_000));
    let write = rig.write.unwrap();
    rig.input(Input::StoreFailed(write, StoreFailure::Full));
    assert_eq!(rig.hashes(), [0_u8; 0]);
}

#[test]
fn a_key_made_soon_after_the_end_of_one_that_no_event_told_of_opens() {
    let mut rig = holding_keys(&[]);
    // A key that is older than its subscription is told of at its end alone (A-H28).
    rig.event(revoked(2_000));
    rig.stored();
    rig.event(created(app_key(2), 6_000));
    rig.stored();
    assert_eq!(rig.hashes(), [2]);
}

#[test]
fn a_creation_that_comes_after_its_own_end_explains_it_and_is_no_doubt() {
    let mut rig = holding_keys(&[]);
    rig.event(revoked(9_000));
    rig.stored();
    rig.event(created(key(1), 4_000));
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0]);
    assert_eq!(rig.state(), SyncState::Synced);
    rig.event(created(key(2), 5_000));
    assert_eq!(rig.state(), SyncState::Unverified, "one ending explains one creation");
}

#[test]
fn a_creation_sent_before_the_last_ending_of_a_key_never_held_is_in_doubt() {
    let mut rig = holding_keys(&[at(1_000, key(1))]);
    rig.event(revoked(30_000));
    rig.stored();
    assert_eq!(rig.event(created(key(1), 1_000)), [], "a copy");
    assert_eq!(rig.event(created(key(1), 90_000)), [], "whatever its stamp");
    assert_eq!(rig.state(), SyncState::Synced);
    assert_eq!(rig.event(created(key(2), 10_000)), [], "a clock may have been set back");
    assert_eq!(rig.state(), SyncState::Unverified);
}

#[test]
fn a_list_that_does_not_cover_a_name_settles_no_doubt_about_it_and_forgets_no_absence() {
    let mut rig = holding_keys(&[at(1_000, key(1))]);
    rig.event(created(key(2), 20_000));
    rig.stored();
    rig.event(revoked(9_000));
    rig.stored();
    assert_eq!(rig.state(), SyncState::Unverified);
    rig.engine.artifacts.beliefs.update(&"a".into(), |known| {
        known.presence = Presence::AbsentSince(known.known_at);
    });
    rig.until(10_000);
    rig.answer("read_keys", listed(&[]));
    assert_eq!(rig.state(), SyncState::Unverified, "APIM lists no keys of what has no row (A-H14)");
}

#[test]
fn a_revoked_key_stays_out_while_its_write_waits_behind_one_that_failed_before() {
    let mut rig = holding_keys(&[at(1_000, key(1))]);
    rig.event(created(key(2), 8_000));
    rig.store_failed();
    let retry_at = rig.engine.writes.due_at(&rig.engine.observed).unwrap();
    rig.until(retry_at.as_millis());
    rig.event(revoked(9_000));
    assert_eq!(rig.hashes(), [0_u8; 0], "refused at once while writes fail");
    rig.stored();
    assert_eq!(rig.hashes(), [0_u8; 0], "and still, though the write before it is durable");
}

#[test]
fn a_kind_whose_keys_some_builds_do_not_list_makes_no_list_fail() {
    let mut rig = holding_keys(&[key(1)]);
    let keys = ListId::Keys(Kind::WebSubApi);
    let now = rig.now;
    rig.engine.lists.read(&keys, now, now);
    let asked = rig.until(now.as_millis() + 2_000);
    assert!(asked.contains(&request(FIRST + 1, Request::ReadKeys(Kind::WebSubApi))), "{asked:?}");
    rig.fail("read_keys", Failure::RouteMissing);
    assert_eq!(rig.state(), SyncState::Unverified);
    assert_eq!(rig.reason(), "no key list; 1 keys known from events alone");
}
