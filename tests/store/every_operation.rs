//! A fixed history, interrupted at every single operation of the disk.

use driftless::disk::{DiskFault, SimDisk, Space};
use driftless::step::CrashDisk;
use driftless_gateway::store::{Store, StoreError};

use crate::workload::{DiskStore, batches, definition, everything, histories, put};

/// What can become of unsynced changes, with the keys to draw from.
const IMAGES: [(CrashDisk, u64); 6] = [
    (CrashDisk::Lost, 0),
    (CrashDisk::Kept, 0),
    (CrashDisk::Torn, 1),
    (CrashDisk::Torn, 2),
    (CrashDisk::Torn, 3),
    (CrashDisk::Torn, 4),
];

/// Commits the history until something fails; says how many batches were acknowledged.
fn commit_until_failure(store: &mut DiskStore) -> Result<usize, (usize, StoreError)> {
    for (acknowledged, batch) in batches().iter().enumerate() {
        store.commit(batch).map_err(|error| (acknowledged, error))?;
    }
    Ok(batches().len())
}

/// How many operations an undisturbed run takes: changes, and all with reads.
fn count_operations() -> (u64, u64) {
    let disk = SimDisk::new();
    commit_until_failure(&mut DiskStore::new(disk.clone())).unwrap();
    let counts = disk.counts();
    (counts.changes(), counts.changes() + counts.reads)
}

#[test]
fn a_crash_at_every_change_keeps_what_was_acknowledged() {
    let histories = histories();
    let (changes, _) = count_operations();
    assert!(changes >= 60, "the history makes only {changes} changes to its disk");
    let (mut crashes, mut torn, mut in_doubt) = (0, 0, 0);
    for at in 1..=changes {
        for (image, key) in IMAGES {
            let case = format!("change {at} of {changes}, {image:?} with key {key}");
            let disk = SimDisk::new();
            disk.arm(DiskFault::PowerLoss(at));
            let mut store = DiskStore::new(disk.clone());
            let acknowledged = match commit_until_failure(&mut store) {
                Ok(all) => all,
                Err((acknowledged, _)) => acknowledged,
            };
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
            for batch in &batches()[prefix..] {
                store.commit(batch).unwrap_or_else(|error| panic!("{case}: {error}"));
            }
            let last = histories.last().cloned().unwrap();
            assert_eq!(everything(&mut store), Ok(last), "{case}: after carrying on");
        }
    }
    assert!(crashes >= 360, "only {crashes} crashes");
    assert!(torn >= 100, "only {torn} writes were torn in {crashes} crashes");
    assert!(in_doubt >= 10, "only {in_doubt} unacknowledged batches survived {crashes} crashes");
}

#[test]
fn an_error_at_every_operation_is_survived_by_the_same_store() {
    let (_, operations) = count_operations();
    assert!(operations >= 80, "the history makes only {operations} operations on its disk");
    let last = histories().pop().unwrap();
    let mut failed = 0;
    for at in 1..=operations {
        let disk = SimDisk::new();
        disk.arm(DiskFault::Error(at));
        let mut store = DiskStore::new(disk.clone());
        for batch in batches() {
            if let Err(error) = store.commit(&batch) {
                assert!(matches!(error, StoreError::Io(_)), "operation {at}: {error}");
                failed += 1;
                store.commit(&batch).unwrap_or_else(|error| panic!("operation {at}: {error}"));
            }
        }
        assert_eq!(everything(&mut store), Ok(last.clone()), "operation {at} of {operations}");
        disk.crash(CrashDisk::Lost, 0);
        let again = everything(&mut DiskStore::new(disk));
        assert_eq!(again, Ok(last.clone()), "operation {at} of {operations}, after a crash");
    }
    assert!(failed * 2 >= operations, "{failed} commits failed at {operations} operations");
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
    let next = put("next", 20, definition("next: true\n", 500));
    let mut flipped = 0;
    for key in 0..150 {
        let disk = SimDisk::new();
        let mut store = DiskStore::new(disk.clone());
        commit_until_failure(&mut store).unwrap();
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
