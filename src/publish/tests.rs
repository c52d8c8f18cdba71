//! Exact snapshots and readings for facts and definitions, and what a store's work brings.

use std::sync::Arc;
use std::time::Duration;

use super::{Fact, Publisher, READ_AGAIN, READS_MAX, StoreWorker, StoredDefinition, Unreadable};
use crate::engine::StoreFailure;
use crate::model::{
    ArtifactId, ArtifactWrite, Batch, Content, ContentDigest, Definition, DeployState, Generation,
    Held, Kind, Plan, PlanId, Recovered, Resource, ResourceId, Row,
};
use crate::store::{Store, StoreError};
use crate::time::Instant;
use crate::wire;

const ONE: ContentDigest = ContentDigest([1; 32]);
const TWO: ContentDigest = ContentDigest([2; 32]);

fn id(name: &str) -> ArtifactId {
    ArtifactId::new(name)
}

fn at(seconds: u64) -> Instant {
    Instant::START.after(Duration::from_secs(seconds))
}

/// The text of the definition that the digest stands for.
fn text(digest: ContentDigest) -> String {
    let first = digest.0[0];
    format!("kind: RESTAPI\nspec:\n  context: /{first}\n  operations: [{{method: GET, path: /}}]\n")
}

fn definition(digest: ContentDigest) -> Arc<Definition> {
    Arc::new(wire::decode_api(text(digest).as_bytes()).unwrap())
}

fn given(name: &str, digest: ContentDigest) -> StoredDefinition {
    StoredDefinition { artifact: id(name), digest, definition: Ok(definition(digest)) }
}

fn not_given(name: &str, digest: ContentDigest, why: Unreadable) -> StoredDefinition {
    StoredDefinition { artifact: id(name), digest, definition: Err(why) }
}

fn not_read() -> Unreadable {
    Unreadable::NotRead("the disk did not answer".to_owned())
}

fn malformed() -> Unreadable {
    Unreadable::Malformed("kind is missing".to_owned())
}

fn deployed(name: &str, digest: ContentDigest) -> Fact {
    Fact::Artifact(id(name), Some(digest))
}

fn withdrawn(name: &str) -> Fact {
    Fact::Artifact(id(name), None)
}

/// What is served, as context by artifact.
fn served(publisher: &Publisher) -> Vec<(&str, &str)> {
    let served = publisher.snapshot().served();
    served.map(|(id, definition)| (id.as_str(), definition.context.as_str())).collect()
}

/// A publisher that serves `a` with the first definition.
fn serving() -> Publisher {
    let mut publisher = Publisher::default();
    publisher.committed(vec![given("a", ONE)]);
    assert!(publisher.follow([deployed("a", ONE)], at(0)).is_some());
    assert_eq!(served(&publisher), [("a", "/1")]);
    publisher
}

/// A publisher that knows what `a` is to be served with, and has asked for it at second 0.
fn asking() -> Publisher {
    let mut publisher = Publisher::default();
    assert!(publisher.follow([deployed("a", ONE)], at(0)).is_none());
    assert_eq!(publisher.poll_timeout(), Some(at(0)));
    assert_eq!(publisher.poll_read(at(0)), Some(vec![(id("a"), ONE)]));
    publisher
}

#[test]
fn a_definition_that_came_with_its_commit_is_shown_with_it() {
    let mut publisher = serving();
    assert_eq!(publisher.poll_timeout(), None);
    publisher.committed(vec![given("a", TWO)]);
    assert_eq!(served(&publisher), [("a", "/1")], "before the engine says so");
    publisher.follow([deployed("a", TWO)], at(1));
    assert_eq!(served(&publisher), [("a", "/2")]);
    assert_eq!(publisher.snapshot().version(), 2);
}

#[test]
fn everything_that_changed_makes_one_snapshot_and_nothing_makes_none() {
    let mut publisher = serving();
    publisher.committed(vec![given("b", TWO)]);
    let (plan, held) = (ResourceId::Plan(PlanId::new("p")), Resource::Plan(gold()));
    let facts = [withdrawn("a"), deployed("b", TWO), Fact::Resource(plan.clone(), Some(held))];
    assert_eq!(publisher.follow(facts, at(1)).map(|snapshot| snapshot.version()), Some(2));
    assert_eq!(served(&publisher), [("b", "/2")]);
    let none = [withdrawn("a"), deployed("b", TWO)];
    assert!(publisher.follow(none, at(1)).is_none(), "what is as it was");
    assert!(publisher.follow([], at(1)).is_none());
    let gone = publisher.follow([Fact::Resource(plan, None)], at(1)).cloned();
    let mut bare = Publisher::default();
    bare.committed(vec![given("b", TWO)]);
    let bare = bare.follow([deployed("b", TWO)], at(0)).cloned();
    assert!(gone.unwrap().holds_the_same_as(&bare.unwrap()));
}

fn gold() -> Plan {
    Plan {
        name: "Gold".to_owned(),
        quota: None,
        stops_on_quota: true,
        expires_at: None,
        is_active: true,
    }
}

#[test]
fn what_is_withdrawn_is_gone_at_once_and_not_read() {
    let mut publisher = serving();
    publisher.follow([withdrawn("a")], at(1));
    assert_eq!(served(&publisher), []);
    let mut publisher = asking();
    publisher.follow([withdrawn("a")], at(1));
    assert_eq!((publisher.unread(), publisher.poll_timeout()), (0, None));
    publisher.was_read(vec![given("a", ONE)]);
    assert!(publisher.follow([], at(2)).is_none(), "a reading that came too late");
}

#[test]
fn what_is_shown_is_withdrawn_while_another_definition_is_waited_for() {
    let mut publisher = serving();
    publisher.follow([deployed("a", TWO)], at(1));
    assert_eq!(served(&publisher), [], "the durable definition is another one");
    assert_eq!(publisher.poll_read(at(1)), Some(vec![(id("a"), TWO)]));
    publisher.was_read(vec![given("a", TWO)]);
    publisher.follow([], at(1));
    assert_eq!(served(&publisher), [("a", "/2")]);
}

#[test]
fn one_reading_is_asked_for_at_a_time() {
    let mut publisher = asking();
    publisher.follow([deployed("b", TWO)], at(0));
    assert_eq!((publisher.poll_timeout(), publisher.poll_read(at(9))), (None, None));
    publisher.was_read(vec![given("a", ONE)]);
    assert_eq!(publisher.poll_read(at(0)), Some(vec![(id("b"), TWO)]));
}

#[test]
fn a_definition_that_the_store_did_not_give_is_asked_for_again() {
    let mut publisher = asking();
    publisher.was_read(vec![not_given("a", ONE, not_read())]);
    publisher.follow([], at(0));
    let why: Vec<_> = publisher.unreadable().collect();
    assert_eq!(why, [(&id("a"), "the disk did not answer")]);
    publisher.follow([deployed("a", ONE)], at(1));
    let due = at(0).after(READ_AGAIN);
    assert_eq!((publisher.poll_timeout(), publisher.unread()), (Some(due), 1));
    assert_eq!(publisher.poll_read(at(4)), None);
    assert_eq!(publisher.poll_read(due), Some(vec![(id("a"), ONE)]));
    publisher.was_read(vec![given("a", ONE)]);
    publisher.follow([], due);
    assert_eq!(served(&publisher), [("a", "/1")]);
    assert_eq!((publisher.unreadable().count(), publisher.unread()), (0, 0));
}

#[test]
fn a_definition_that_is_not_there_yet_is_asked_for_again() {
    let mut publisher = asking();
    publisher.was_read(Vec::new());
    assert_eq!(publisher.poll_timeout(), Some(at(0).after(READ_AGAIN)));
    assert_eq!(publisher.unreadable().count(), 0);
    publisher.committed(vec![given("a", TWO)]);
    publisher.follow([deployed("a", TWO)], at(2));
    assert_eq!(served(&publisher), [("a", "/2")], "a commit brought another one");
    assert_eq!((publisher.unread(), publisher.poll_timeout()), (0, None));
}

#[test]
fn a_definition_that_its_commit_could_not_read_is_asked_for_again() {
    let mut publisher = Publisher::default();
    publisher.committed(vec![not_given("a", ONE, not_read())]);
    publisher.follow([deployed("a", ONE)], at(0));
    assert_eq!(publisher.poll_timeout(), Some(at(0).after(READ_AGAIN)));
}

#[test]
fn a_definition_that_says_nothing_is_not_asked_for_again_but_another_one_is() {
    let mut publisher = asking();
    publisher.was_read(vec![not_given("a", ONE, malformed())]);
    publisher.follow([deployed("a", ONE)], at(0));
    assert_eq!((publisher.unread(), publisher.poll_timeout()), (0, None));
    assert_eq!(publisher.unreadable().next(), Some((&id("a"), "kind is missing")));
    publisher.committed(vec![not_given("b", TWO, malformed())]);
    publisher.follow([deployed("b", TWO)], at(0));
    assert_eq!(publisher.poll_timeout(), None);
    publisher.follow([deployed("a", TWO)], at(1));
    assert_eq!(publisher.poll_read(at(1)), Some(vec![(id("a"), TWO)]));
}

#[test]
fn a_late_reading_of_another_definition_is_not_shown() {
    let mut publisher = asking();
    publisher.follow([deployed("a", TWO)], at(0));
    publisher.was_read(vec![given("a", ONE)]);
    assert!(publisher.follow([], at(1)).is_none());
    assert_eq!(publisher.poll_read(at(1)), Some(vec![(id("a"), TWO)]));
}

#[test]
fn no_more_is_read_at_once_than_is_allowed() {
    let mut publisher = Publisher::default();
    let facts = (0..=READS_MAX).map(|number| deployed(&format!("{number:04}"), ONE));
    publisher.follow(facts, at(0));
    let first = publisher.poll_read(at(0)).unwrap();
    assert_eq!((first.len(), first[0].0.as_str()), (READS_MAX, "0000"));
    publisher.was_read(Vec::new());
    let rest = format!("{READS_MAX:04}");
    assert_eq!(publisher.poll_read(at(0)), Some(vec![(id(&rest), ONE)]));
}

/// A store of one definition, which may give it or not.
struct OneDefinition {
    content: Option<Content>,
    gives: bool,
    is_full: bool,
}

impl Store for OneDefinition {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        Ok(Recovered::default())
    }

    fn commit(&mut self, _batch: &Batch) -> Result<(), StoreError> {
        if self.is_full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn content(&mut self, _artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        if self.gives { Ok(self.content.clone()) } else { Err(StoreError::Io("gone".to_owned())) }
    }
}

fn content(text: &str, digest: ContentDigest) -> Content {
    Content { bytes: text.as_bytes().into(), digest }
}

/// A write of `a` with the first definition, with its bytes or without.
fn put(state: DeployState, content: Option<Content>) -> Batch {
    let held = Some(Held { digest: ONE, confirmed: true });
    let row = Row { kind: Kind::RestApi, state, generation: Generation::default(), held };
    let artifacts = [(id("a"), ArtifactWrite::Put { row, content })].into();
    Batch { artifacts, ..Batch::default() }
}

#[test]
fn a_reading_gives_what_the_store_holds_and_says_nothing_of_another_definition() {
    let mut worker = StoreWorker::new(1);
    let mut store =
        OneDefinition { content: Some(content(&text(ONE), ONE)), gives: true, is_full: false };
    let mut read = |store: &mut OneDefinition, digest| worker.read(store, vec![(id("a"), digest)]);
    assert_eq!(read(&mut store, ONE), [given("a", ONE)]);
    assert_eq!(read(&mut store, TWO), []);
    store.gives = false;
    let gone = Unreadable::NotRead("i/o error: gone".to_owned());
    assert_eq!(read(&mut store, ONE), [not_given("a", ONE, gone)], "read before is not read now");
    store = OneDefinition { content: None, gives: true, is_full: false };
    assert_eq!(read(&mut store, ONE), []);
    store.content = Some(content("hunter2", TWO));
    let found = read(&mut store, TWO);
    assert!(matches!(found[0].definition, Err(Unreadable::Malformed(_))), "{found:?}");
}

#[test]
fn a_commit_gives_the_definitions_of_what_it_deploys() {
    let mut worker = StoreWorker::new(1);
    let mut store = OneDefinition { content: None, gives: false, is_full: false };
    let mut commit = |store: &mut OneDefinition, batch: &Batch| worker.commit(store, batch);
    let bytes = Some(content(&text(ONE), ONE));
    let deployed = put(DeployState::Deployed, bytes.clone());
    assert_eq!(commit(&mut store, &deployed), Ok(vec![given("a", ONE)]), "from the batch");
    let undeployed = put(DeployState::Undeployed, bytes.clone());
    assert_eq!(commit(&mut store, &undeployed), Ok(Vec::new()));
    let kept = put(DeployState::Deployed, None);
    let gone = Unreadable::NotRead("i/o error: gone".to_owned());
    assert_eq!(commit(&mut store, &kept), Ok(vec![not_given("a", ONE, gone)]));
    (store.gives, store.content) = (true, bytes);
    assert_eq!(commit(&mut store, &kept), Ok(vec![given("a", ONE)]), "from the store");
    store.is_full = true;
    assert_eq!(commit(&mut store, &deployed), Err(StoreFailure::Full));
}

#[test]
fn a_definition_that_cannot_be_read_is_not_written() {
    let mut worker = StoreWorker::new(1);
    // A store that is full would say so, if it were asked.
    let mut store = OneDefinition { content: None, gives: true, is_full: true };
    let batch = put(DeployState::Deployed, Some(content("hunter2", ONE)));
    let refused = worker.commit(&mut store, &batch);
    let Err(StoreFailure::Unreadable(contents)) = refused else { panic!("{refused:?}") };
    assert_eq!((contents.len(), &contents[0].artifact, contents[0].digest), (1, &id("a"), ONE));
    assert!(!contents[0].why.contains("hunter2"), "{contents:?}");
}

#[test]
fn a_definition_that_cannot_be_read_is_not_kept_for_later_and_not_served_from_the_store() {
    let mut worker = StoreWorker::new(1);
    let bad = content("hunter2", ONE);
    let mut store = OneDefinition { content: Some(bad.clone()), gives: true, is_full: true };
    for (state, bytes) in [(DeployState::Undeployed, Some(bad)), (DeployState::Deployed, None)] {
        let refused = worker.commit(&mut store, &put(state, bytes));
        assert!(matches!(refused, Err(StoreFailure::Unreadable(_))), "{state:?}: {refused:?}");
    }
}
