//! A fixed history, interrupted at every single operation of the disk.

use driftless::story::step::CrashDisk;
use driftless::world::disk::{DiskFault, SimDisk, Space};
use driftless_gateway::model::Batch;
use driftless_gateway::store::{Store, StoreError};

use crate::workload::{
    DiskStore, Everything, batches, definition, disk_after_all, everything, histories, put,
};

/// What can become of unsynced changes, with the keys to draw from.
const IMAGES: [(CrashDisk, u64); 4] =
    [(CrashDisk::Lost, 0), (CrashDisk::Kept, 0), (CrashDisk::Torn, 1), (CrashDisk::Torn, 2)];

/// Commits the history until something fails; says how many batches were acknowledged.
fn commit_until_failure(store: &mut DiskStore, batches: &[Batch]) -> usize {
    batches.iter().take_while(|batch| store.commit(batch).is_ok()).count()
}

/// How many changes an undisturbed run makes to its disk.
fn count_changes() -> u64 {
    let disk = SimDisk::new();
    let batches = batches();
    assert_eq!(commit_until_failure(&mut DiskStore::new(disk.clone()), &batches), batches.len());
    let counts = disk.counts();
    assert!(counts.resizes >= 2, "the file never grew after it was made");
    counts.changes()
}

#[test]
fn a_crash_at_every_change_keeps_what_was_acknowledged() {
    let (batches, histories) = (batches(), histories());
    let changes = count_changes();
    assert!(changes >= 60, "the history makes only {changes} changes to its disk");
    let (mut crashes, mut torn, mut in_doubt) = (0, 0, 0);
    for at in 1..=changes {
        for (image, key) in IMAGES {
            let case = format!("change {at} of {changes}, {image:?} with key {key}");
            let disk = SimDisk::new();
            disk.arm(DiskFault::PowerLoss(at));
            let mut store = DiskStore::new(disk.clone());
            let acknowledged = commit_until_failure(&mut store, &batches);
            disk.crash(image, key);
            drop(store);
            crashes += 1;
            torn += disk.counts().torn;
            let mut store = DiskStore::new(disk.clone());
            let held = everything(&mut store).unwrap_or_else(|error| panic!("{case}: {error}"));
            let prefix = (acknowledged..histories.len().min(acknowledged + 2))
                .find(|prefix| histories[*prefix] == held);
            let Some(prefix) = prefix else {
                panic!("{case}: {acknowledged} batches were acknowledged, and {held:?} is held");
            };
            in_doubt += usize::from(prefix > acknowledged);
            let before = disk.bytes();
            let again = everything(&mut DiskStore::new(disk.clone()));
            assert_eq!(again, Ok(held), "{case}: the second recovery");
            assert!(disk.bytes() == before, "{case}: recovery wrote to the disk");
            for batch in &batches[prefix..] {
                store.commit(batch).unwrap_or_else(|error| panic!("{case}: {error}"));
            }
            let last = histories.last().cloned().unwrap();
            assert_eq!(everything(&mut store), Ok(last), "{case}: after carrying on");
        }
    }
    assert!(crashes >= 240, "only {crashes} crashes");
    assert!(torn >= 100, "only {torn} writes were torn in {crashes} crashes");
    assert!(in_doubt >= 10, "only {in_doubt} unacknowledged batches survived {crashes} crashes");
}

/// Stores the history on `disk` with an i/o error at operation `at`, trying again what fails; says
/// how often that was.
fn store_with_error(disk: &SimDisk, at: u64, batches: &[Batch], last: &Everything) -> u64 {
    let mut failures = 0;
    let mut retry = |result: Result<(), StoreError>| match result {
        Ok(()) => false,
        Err(error) => {
            assert!(matches!(error, StoreError::Io(_)), "operation {at}: {error}");
            failures += 1;
            assert!(failures <= 1, "operation {at}: it failed again: {error}");
            true
        }
    };
    disk.arm(DiskFault::Error(at));
    let mut store = DiskStore::new(disk.clone());
    while retry(store.recover().map(drop)) {}
    for batch in batches {
        while retry(store.commit(batch)) {}
    }
    assert_eq!(everything(&mut store).as_ref(), Ok(last), "operation {at}");
    disk.crash(CrashDisk::Lost, 0);
    let again = everything(&mut DiskStore::new(disk.clone()));
    assert_eq!(again.as_ref(), Ok(last), "operation {at}, after a crash");
    failures
}

#[test]
fn an_error_at_every_operation_is_survived_by_the_same_store() {
    let crashed = disk_after_all(false).bytes();
    let (batches, last) = (batches(), histories().pop().unwrap());
    for (bytes, least) in [(Vec::new(), 100), (crashed, 120)] {
        let undisturbed = SimDisk::holding(&bytes).unwrap();
        store_with_error(&undisturbed, u64::MAX, &batches, &last);
        let counts = undisturbed.counts();
        let operations = counts.changes() + counts.reads;
        assert!(operations >= least, "only {operations} operations");
        let disk = || SimDisk::holding(&bytes).unwrap();
        let failed: u64 =
            (1..=operations).map(|at| store_with_error(&disk(), at, &batches, &last)).sum();
        assert!(failed * 4 >= operations * 3, "{failed} failures at {operations} operations");
    }
}

#[test]
fn a_full_disk_keeps_nothing_from_being_read() {
    let (batches, histories) = (batches(), histories());
    for full_from in 0..batches.len() {
        for space in [Space::NoWrites, Space::NoGrowth] {
            let disk = SimDisk::new();
            let mut store = DiskStore::new(disk.clone());
            batches[..full_from].iter().for_each(|batch| store.commit(batch).unwrap());
            disk.set_space(space);
            let mut held = full_from;
            while held < batches.len() {
                match store.commit(&batches[held]) {
                    Ok(()) => held += 1,
                    Err(error) => {
                        assert_eq!(error, StoreError::Full);
                        break;
                    }
                }
            }
            assert!(space == Space::NoGrowth || held == full_from);
            assert_eq!(everything(&mut store), Ok(histories[held].clone()));
            disk.crash(CrashDisk::Kept, 0);
            let mut store = DiskStore::new(disk.clone());
            assert_eq!(everything(&mut store), Ok(histories[held].clone()), "from {full_from}");
            disk.set_space(Space::Enough);
            batches[held..].iter().for_each(|batch| store.commit(batch).unwrap());
            assert_eq!(everything(&mut store), Ok(histories[batches.len()].clone()));
        }
    }
}

#[test]
fn a_bit_that_flips_in_what_was_not_synced_is_noticed() {
    let batches = &batches()[..5];
    let next = put("next", 20, definition("next: true\n", 500));
    let mut flipped = 0;
    for key in 0..150 {
        let disk = SimDisk::new();
        let mut store = DiskStore::new(disk.clone());
        batches.iter().for_each(|batch| store.commit(batch).unwrap());
        let before = everything(&mut store).unwrap();
        disk.arm(DiskFault::PowerLossAtSync);
        assert!(store.commit(&next).is_err());
        disk.flip_bit_at_crash(key);
        disk.crash(CrashDisk::Kept, key);
        drop(store);
        flipped += disk.counts().flipped;
        let mut after = before.clone();
        after.0.apply(&next);
        let mut store = DiskStore::new(disk);
        let held = everything(&mut store).unwrap();
        assert!(held.0 == before.0 || held.0 == after.0, "key {key}: {held:?}");
    }
    assert_eq!(flipped, 150);
}
