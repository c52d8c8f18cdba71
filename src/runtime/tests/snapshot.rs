//! What a snapshot holds after changes.

use super::*;
use crate::model::ContentDigest;

#[test]
fn a_snapshot_does_not_change_when_the_next_is_made() {
    let first = Facts::of(pizza()).key("a", "mine", None, None).snapshot();
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    let key = ResourceId::ApiKey(ArtifactId::new("a"), KeyName::new("mine"));
    let second = first.with([SnapshotChange::Resource(&key, None)]);
    assert_eq!((first.version(), second.version()), (1, 2));
    assert!(first.judge(&items, at(0)).is_ok());
    assert_eq!(second.judge(&items, at(0)), Err(Refusal::KeyInvalid));
    let third = second.with([SnapshotChange::Api(&ArtifactId::new("a"), None)]);
    assert_eq!(third.judge(&items, at(0)), Err(Refusal::ApiNotFound));
    assert!(third.holds_the_same_as(&Snapshot::default()));
    assert_eq!((third.version(), third.served().count()), (3, 0));
}

#[test]
fn a_definition_moves_to_another_path_in_one_swap() {
    let id = ArtifactId::new("a");
    let first = Facts::of(pizza()).snapshot();
    let moved = Arc::new(Definition { context: "/pasta/v1.0".to_owned(), ..pizza() });
    let second = first.with([SnapshotChange::Api(&id, Some(&moved))]);
    for (snapshot, path, served) in [
        (&first, "/pizza/v1.0/open", true),
        (&first, "/pasta/v1.0/open", false),
        (&second, "/pizza/v1.0/open", false),
        (&second, "/pasta/v1.0/open", true),
    ] {
        assert_eq!(snapshot.judge(&ApiRequest::new("GET", path), at(0)).is_ok(), served, "{path}");
    }
    assert_eq!(second.definition(&id), Some(&moved));
}

#[test]
fn apis_with_one_operation_at_one_base_path_collide_while_both_are_there() {
    let held = |context: &str, path: &str| {
        let operations = ["GET", "POST"].map(|method| operation(method, path, AuthType::Any));
        Definition { context: context.to_owned(), operations: operations.to_vec(), ..pizza() }
    };
    let told = |snapshot: &Snapshot| {
        let collisions = snapshot.collisions().map(|Collision { apis, method, path }| {
            let apis: Vec<&str> = apis.iter().map(ArtifactId::as_str).collect();
            format!("{method} {path} of {}", apis.join(" "))
        });
        collisions.collect::<Vec<String>>()
    };
    let [a, b, c] = ["a", "b", "c"].map(ArtifactId::new);
    let facts = Facts::default()
        .api("a", held("/shop/$version", "/items/{id}"))
        .api("b", held("/shop/v1.0", "/items/{number}"))
        .api("c", held("/shop/v1.0", "/items/{id}.json"));
    let all = facts.snapshot();
    let both = ["GET /shop/v1.0/items/{} of a b", "POST /shop/v1.0/items/{} of a b"];
    assert_eq!(told(&all), both);
    let third = all.with([SnapshotChange::Api(
        &c,
        Some(&Arc::new(held("/shop/v1.0/", "/items//{x}/../{id}"))),
    )]);
    let three = both.map(|text| format!("{text} c"));
    assert_eq!(told(&third), three);
    for id in [&a, &b, &c] {
        let fewer = third.with([SnapshotChange::Api(id, None)]);
        assert_eq!(told(&fewer).len(), 2, "without {id}");
    }
    let moved = Arc::new(held("/shop/v2.0", "/items/{id}"));
    let apart = all.with([SnapshotChange::Api(&b, Some(&moved))]);
    assert_eq!(told(&apart), Vec::<String>::new());
    let back = apart.with([SnapshotChange::Api(&b, all.definition(&b))]);
    assert!(told(&back) == both && back.holds_the_same_as(&all));
    let gone = back.with([&a, &b, &c].map(|id| SnapshotChange::Api(id, None)));
    assert!(gone.holds_the_same_as(&Snapshot::default()));
}

#[test]
fn what_an_undeployed_api_had_is_there_when_it_comes_back() {
    let id = ArtifactId::new("a");
    let first = Facts::of(pizza()).key("a", "mine", None, None).snapshot();
    let gone = first.with([SnapshotChange::Api(&id, None)]);
    let back = gone.with([SnapshotChange::Api(&id, Some(&Arc::new(pizza())))]);
    let items = ApiRequest::new("GET", "/pizza/v1.0/items").with_key("mine");
    assert!(back.judge(&items, at(0)).is_ok() && back.holds_the_same_as(&first));
}

#[test]
fn a_resource_of_another_kind_than_its_id_says_is_gone() {
    let first = Facts::default().plan("p", plan(1)).snapshot();
    let id = ResourceId::Plan(PlanId::new("p"));
    let second =
        first.with([SnapshotChange::Resource(&id, Some(&Resource::ApiKey(KeySlot::default())))]);
    assert!(second.holds_the_same_as(&Snapshot::default()));
}

#[test]
fn a_snapshot_prints_no_secret() {
    let facts = Facts::of(pizza()).key("a", "hunter2", None, None);
    let printed = format!("{:?}", facts.snapshot());
    assert_eq!(
        printed,
        "Snapshot { version: 1, apis: 1, subscriptions: 0, plans: 0, applications: 0 }"
    );
}

#[test]
fn the_same_bytes_are_read_once_while_there_is_room() {
    let mut cache = DefinitionCache::new(2);
    let mut reads = 0;
    let digest = |byte| ContentDigest([byte; 32]);
    for (byte, expect) in [(1, 1), (1, 1), (2, 2), (1, 2), (3, 3), (1, 3), (2, 4), (2, 4)] {
        let read = || {
            reads += 1;
            Ok::<_, Refusal>(pizza())
        };
        assert!(cache.get_or_read(digest(byte), read).is_ok());
        assert_eq!(reads, expect, "{byte}");
        assert!(cache.len() <= 2);
    }
    let failed = cache.get_or_read(digest(4), || Err(Refusal::ApiNotFound));
    assert_eq!((failed, cache.len()), (Err(Refusal::ApiNotFound), 2));
}
