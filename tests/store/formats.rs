//! Whatever file the store meets: it reads what is ours, and changes no byte of what is not.

use std::collections::BTreeMap;

use driftless::story::step::CrashDisk;
use driftless::world::disk::{DiskFault, SimDisk};
use driftless_gateway::model::{DeployState, Kind};
use driftless_gateway::store::{Disk, SCHEMA, Store, StoreError};
use redb::{Database, TableDefinition};

use crate::resources::{key_id, plan};
use crate::workload::{
    DiskStore, batches, definition, disk_after_all, everything, generation, histories, put,
};

type Table = TableDefinition<'static, &'static str, &'static [u8]>;
const META: Table = TableDefinition::new("meta");
const ARTIFACTS: Table = TableDefinition::new("artifacts");
const CONTENTS: Table = TableDefinition::new("contents");
const RESOURCES: Table = TableDefinition::new("resources");

fn database(disk: &SimDisk) -> Database {
    Database::builder().create_with_backend(disk.open().unwrap()).unwrap()
}

/// Writes entries as a program other than ours would.
fn write(disk: &SimDisk, table: Table, entries: &[(&str, &[u8])]) {
    let database = database(disk);
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(table).unwrap();
        for (key, value) in entries {
            table.insert(*key, *value).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn remove(disk: &SimDisk, table: Table, key: &str) {
    let database = database(disk);
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table).unwrap().remove(key).unwrap();
    transaction.commit().unwrap();
}

/// The store refuses the disk in every way it can be used, and leaves it as it is.
#[track_caller]
fn check_refused(disk: &SimDisk, expected: impl Fn(&StoreError) -> bool) {
    let before = disk.bytes();
    let batch = put("orders", 1, definition("x", 1));
    let mut store = DiskStore::new(disk.clone());
    for error in [
        store.recover().unwrap_err(),
        store.content(&"orders".into()).unwrap_err(),
        store.commit(&batch).unwrap_err(),
        store.recover().unwrap_err(),
        store.prepare().unwrap_err(),
    ] {
        assert!(expected(&error), "{error:?}");
    }
    drop(store);
    assert!(disk.bytes() == before, "the file was changed");
    assert_eq!(disk.unsynced(), 0);
}

fn is_not_ours(error: &StoreError) -> bool {
    matches!(error, StoreError::NotOurs(_))
}

fn is_corrupt(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(_))
}

#[test]
fn an_empty_disk_is_a_store_of_nothing_and_stays_empty_until_something_is_stored() {
    let disk = SimDisk::new();
    let mut store = DiskStore::new(disk.clone());
    assert_eq!(everything(&mut store), Ok(histories()[0].clone()));
    assert_eq!(store.schema(), Ok(None));
    store.commit(&Default::default()).unwrap();
    drop(store);
    assert!(disk.bytes().is_empty());
    let mut store = DiskStore::new(disk.clone());
    store.prepare().unwrap();
    drop(store);
    assert_eq!(DiskStore::new(disk).schema(), Ok(Some(SCHEMA)));
}

#[test]
fn reading_a_store_changes_nothing_whether_it_was_closed_or_not() {
    for ended in [true, false] {
        let disk = disk_after_all(ended);
        let before = disk.bytes();
        let mut store = DiskStore::new(disk.clone());
        assert_eq!(everything(&mut store).as_ref().ok(), histories().last());
        drop(store);
        assert!(disk.bytes() == before);
    }
}

#[test]
fn a_file_of_another_format_is_not_ours() {
    let mut late = vec![0; 200_000];
    late[199_999] = 1;
    let files: [&[u8]; 6] =
        [b"x", b"redb", b"redb\x1A\x0A\xA9\x0D", b"SQLite format 3\0", &[0xFF; 5000], &late];
    for file in files {
        check_refused(&SimDisk::holding(file).unwrap(), is_not_ours);
    }
}

#[test]
fn a_redb_database_of_another_program_is_not_ours() {
    for table in ["meta", "sessions"] {
        let disk = SimDisk::new();
        write(&disk, TableDefinition::new(table), &[("application", b"something else")]);
        check_refused(&disk, is_not_ours);
    }
    let disk = SimDisk::new();
    let numbers: TableDefinition<'_, u64, u64> = TableDefinition::new("meta");
    let foreign = database(&disk);
    let transaction = foreign.begin_write().unwrap();
    transaction.open_table(numbers).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    disk.crash(CrashDisk::Kept, 0);
    drop(foreign);
    check_refused(&disk, is_not_ours);
}

#[test]
fn a_store_of_a_later_version_is_left_alone() {
    for ended in [true, false] {
        let disk = disk_after_all(ended);
        let found = SCHEMA + 1;
        write(&disk, META, &[("schema", found.to_string().as_bytes())]);
        let newer = StoreError::NewerSchema { found, supported: SCHEMA };
        check_refused(&disk, |error| *error == newer);
        write(&disk, META, &[("schema", b"two")]);
        check_refused(&disk, is_corrupt);
    }
}

/// A store as an older version wrote it: a row with a definition, an undeployed one that never
/// had one, and a tombstone.
fn disk_of_schema(schema: u32) -> SimDisk {
    let disk = SimDisk::new();
    let digest: String =
        definition("a", 9).digest.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let held = match schema {
        1 => format!(r#""digest":"{digest}""#),
        _ => format!(r#""held":{{"digest":"{digest}","confirmed":true}}"#),
    };
    let row = format!(
        r#"{{"row":{{"kind":"RestApi","state":"deployed","generation":{{"deployment":"deployment-1","performed_at":"1772326923.45"}},{held}}}}}"#
    );
    let empty = r#"{"row":{"kind":"Mcp","state":"undeployed","generation":{}}}"#;
    let buried = r#"{"tombstone":{"generation":{"listed_at":"-1.5"},"deleted_at":"12"}}"#;
    let base = br#"{"base":"/internal/data/v1","dialect":"apim-4.7.0"}"#;
    write(&disk, ARTIFACTS, &[("a", row.as_bytes()), ("b", empty.as_bytes())]);
    write(&disk, ARTIFACTS, &[("c", buried.as_bytes())]);
    write(&disk, CONTENTS, &[("a", &definition("a", 9).bytes)]);
    let schema = schema.to_string();
    let meta: [(&str, &[u8]); 3] = [
        ("application", b"driftless-gateway"),
        ("schema", schema.as_bytes()),
        ("control_plane", base),
    ];
    write(&disk, META, &meta);
    disk
}

#[test]
fn an_older_schema_is_read_as_it_is_and_becomes_the_current_one_with_the_first_commit() {
    for (older, confirmed) in [(1, false), (2, true), (3, true)] {
        let disk = disk_of_schema(older);
        let before = disk.bytes();
        let mut store = DiskStore::new(disk.clone());
        assert_eq!(store.schema(), Ok(Some(older)));
        let migrated = everything(&mut store).unwrap();
        assert!(disk.bytes() == before, "reading alone migrates nothing on the disk");
        let rows = &migrated.0.rows;
        let (a, b) = (&rows[&"a".into()], &rows[&"b".into()]);
        assert_eq!(a.held.map(|held| (held.digest, held.confirmed)), {
            Some((definition("a", 9).digest, confirmed))
        });
        assert_eq!((a.kind, a.state), (Kind::RestApi, DeployState::Deployed));
        assert_eq!(a.generation, generation(1));
        assert_eq!((b.kind, b.state, b.held), (Kind::Mcp, DeployState::Undeployed, None));
        let buried = &migrated.0.tombstones[&"c".into()];
        assert_eq!(buried.generation.listed_at.unwrap().unix_nanos(), -500_000_000);
        assert_eq!(buried.deleted_at.unwrap().digits(), 0);
        assert!(migrated.0.resources.is_empty());

        store.prepare().unwrap();
        disk.crash(CrashDisk::Lost, 0);
        let mut store = DiskStore::new(disk.clone());
        assert_eq!(store.schema(), Ok(Some(SCHEMA)));
        assert_eq!(everything(&mut store).as_ref(), Ok(&migrated));
        let mut expected = migrated.0;
        for batch in batches() {
            store.commit(&batch).unwrap();
            expected.apply(&batch);
        }
        disk.crash(CrashDisk::Lost, 0);
        assert_eq!(DiskStore::new(disk).recover(), Ok(expected));
    }
}

#[test]
fn a_migration_that_is_interrupted_anywhere_is_done_or_not_begun() {
    for older in [1, 2, 3] {
        let bytes = disk_of_schema(older).bytes();
        let migrated = everything(&mut DiskStore::new(disk_of_schema(older))).unwrap();
        let mut schemas = BTreeMap::new();
        let mut cases = 0;
        for image in [CrashDisk::Lost, CrashDisk::Kept, CrashDisk::Torn] {
            for at in 1.. {
                let disk = SimDisk::holding(&bytes).unwrap();
                disk.arm(DiskFault::PowerLoss(at));
                let mut store = DiskStore::new(disk.clone());
                let done = store.prepare().is_ok();
                disk.crash(image, at);
                drop(store);
                let mut store = DiskStore::new(disk);
                let schema = store.schema().unwrap().unwrap();
                assert!(schema == older || schema == SCHEMA, "change {at}: {schema:?}");
                assert!(!done || schema == SCHEMA, "change {at}: the migration was lost");
                assert_eq!(everything(&mut store).as_ref(), Ok(&migrated), "change {at}");
                *schemas.entry(schema).or_insert(0) += 1;
                cases += 1;
                if done {
                    break;
                }
            }
        }
        assert!(cases >= 20, "only {cases} interruptions");
        assert_eq!(schemas.len(), 2, "every interruption ended alike: {schemas:?}");
    }
}

#[test]
fn what_does_not_hold_together_is_said_and_not_served() {
    let disk = disk_after_all(true);
    write(&disk, CONTENTS, &[("orders", b"another definition")]);
    let mut store = DiskStore::new(disk.clone());
    assert_eq!(store.recover().as_ref().ok(), histories().last().map(|last| &last.0));
    assert!(is_corrupt(&store.content(&"orders".into()).unwrap_err()));
    assert!(store.content(&"pets".into()).unwrap().is_some(), "the others are still served");

    remove(&disk, CONTENTS, "orders");
    let mut store = DiskStore::new(disk.clone());
    assert!(is_corrupt(&store.recover().unwrap_err()));
    assert!(is_corrupt(&store.content(&"orders".into()).unwrap_err()));

    for record in ["", "{}", r#"{"row":{"kind":"RestApi"}}"#, "\u{0}"] {
        let disk = disk_after_all(true);
        write(&disk, ARTIFACTS, &[("orders", record.as_bytes())]);
        let error = DiskStore::new(disk).recover().unwrap_err();
        assert!(is_corrupt(&error) && error.to_string().contains("orders"), "{error}");
    }
}

#[test]
fn a_damaged_resource_is_named_and_nothing_of_it_is_told() {
    let hash = "ab".repeat(32);
    let key = r#"["key","orders","mobile"]"#;
    let keys = format!(r#"{{"is":{{"keys":[{{"hash":"{hash}","listable":true}}]}}}}"#);
    let cases = [
        (key, String::new(), "key mobile of orders"),
        (key, "{}".to_owned(), "key mobile of orders"),
        (key, hash.clone(), "key mobile of orders"),
        (key, keys.replace("listable", &hash), "key mobile of orders"),
        (key, keys.replacen("ab", "", 1), "key mobile of orders"),
        (key, format!(r#"{{"is":"gone","fence":"{hash}"}}"#), "key mobile of orders"),
        (r#"["plan","gold"]"#, keys.clone(), "plan gold: the record is of another kind"),
        (r#"["plan","gold","x"]"#, r#"{"is":"gone"}"#.to_owned(), "names no resource"),
    ];
    for (key, record, named) in cases {
        let disk = disk_after_all(true);
        write(&disk, RESOURCES, &[(key, record.as_bytes())]);
        let mut store = DiskStore::new(disk);
        let error = store.recover().unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(is_corrupt(&error) && told.contains(named), "{record}: {told}");
        assert!(!told.contains(&hash[2..]), "{told}");
        assert!(store.content(&"orders".into()).unwrap().is_some(), "definitions can be read");
    }
}

#[test]
fn a_batch_that_contradicts_itself_is_refused_whole() {
    let disk = disk_after_all(true);
    let mut store = DiskStore::new(disk);
    let mut batch = put("fine", 1, definition("fine", 1));
    let mut wrong = put("wrong", 1, definition("one", 1));
    for write in wrong.artifacts.values_mut() {
        let driftless_gateway::model::ArtifactWrite::Put { content, .. } = write else { continue };
        *content = Some(definition("other", 1));
    }
    batch.artifacts.extend(wrong.artifacts);
    assert!(is_corrupt(&store.commit(&batch).unwrap_err()));
    let mut batch = put("fine", 1, definition("fine", 1));
    let (_, plan) = plan("gold", 1, 1);
    batch.resources = [(key_id("orders", "mobile"), plan)].into();
    assert!(is_corrupt(&store.commit(&batch).unwrap_err()));
    assert_eq!(everything(&mut store).as_ref().ok(), histories().last());
}

#[test]
fn a_damaged_file_is_refused_or_read_right_and_never_panics() {
    let whole = disk_after_all(true).bytes();
    let expected = histories().pop().unwrap();
    for len in [9, 64, 320, 4095, 4096, 8192, whole.len() / 2, whole.len() - 1] {
        let disk = SimDisk::holding(&whole[..len]).unwrap();
        check_refused(&disk, is_corrupt);
    }
    let mut refused = 0;
    for step in 0..400 {
        let at = step * 7919 % whole.len();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (step % 8);
        match everything(&mut DiskStore::new(SimDisk::holding(&bytes).unwrap())) {
            Ok(held) => assert_eq!(held, expected, "a flipped bit in byte {at} was served"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "no flipped bit was noticed");
}
