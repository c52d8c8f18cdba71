//! The disk model itself: what each crash, fault and counter does.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use driftless_gateway::store::Disk;
use redb::StorageBackend;

use super::{DiskFault, DiskHandle, SimDisk, Space};
use crate::story::step::CrashDisk;

const SECTOR: usize = 512;

/// A disk with 8 KiB of synced ones.
fn ones() -> (SimDisk, DiskHandle) {
    let disk = SimDisk::holding(&[1; 8192]).unwrap();
    let file = disk.open().unwrap();
    (disk, file)
}

#[track_caller]
fn check_sectors(bytes: &[u8], allowed: &[u8]) -> BTreeSet<u8> {
    let mut seen = BTreeSet::new();
    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
        assert!(sector.iter().all(|byte| *byte == sector[0]), "sector {number} is mixed");
        assert!(allowed.contains(&sector[0]), "sector {number} holds {}", sector[0]);
        seen.insert(sector[0]);
    }
    seen
}

#[test]
fn a_reader_sees_what_was_written_and_zeros_elsewhere() {
    let disk = SimDisk::new();
    let file = disk.open().unwrap();
    assert_eq!(file.len().unwrap(), 0);
    file.set_len(10_000).unwrap();
    file.write(4090, &[7; 10]).unwrap();
    let mut out = [9; 14];
    file.read(4088, &mut out).unwrap();
    assert_eq!(out, [0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
    assert_eq!(file.read(9_999, &mut out).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(file.write(9_999, &[1; 2]).is_err(), "a write does not make the file longer");
    file.set_len(4092).unwrap();
    file.set_len(4100).unwrap();
    let mut out = [9; 12];
    file.read(4088, &mut out).unwrap();
    assert_eq!(out, [0, 0, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0], "what was cut off comes back as zeros");
    assert!(file.set_len(u64::MAX).is_err());
}

#[test]
fn a_crash_that_loses_goes_back_to_the_last_sync() {
    let (disk, file) = ones();
    file.write(0, &[2; 4096]).unwrap();
    file.sync_data().unwrap();
    file.write(4096, &[3; 4096]).unwrap();
    file.set_len(20_000).unwrap();
    assert_eq!(disk.unsynced(), 2);
    disk.crash(CrashDisk::Lost, 1);
    assert_eq!(disk.bytes(), [[2; 4096], [1; 4096]].concat());
    assert_eq!((disk.counts().dropped, disk.counts().kept, disk.unsynced()), (2, 0, 0));
}

#[test]
fn a_crash_that_keeps_is_a_sync() {
    let (disk, file) = ones();
    file.set_len(12_288).unwrap();
    file.write(8192, &[3; 100]).unwrap();
    let seen = disk.bytes();
    disk.crash(CrashDisk::Kept, 1);
    assert_eq!(disk.bytes(), seen);
    disk.crash(CrashDisk::Lost, 1);
    assert_eq!(disk.bytes(), seen);
    assert_eq!((disk.counts().crashes, disk.counts().kept), (2, 2));
}

#[test]
fn a_crash_that_tears_keeps_drops_and_tears_by_sector() {
    let mut outcomes = BTreeSet::new();
    for key in 0..64 {
        let (disk, file) = ones();
        file.write(0, &[2; 4096]).unwrap();
        file.write(4096, &[3; 4096]).unwrap();
        disk.crash(CrashDisk::Torn, key);
        let bytes = disk.bytes();
        let (first, second) = bytes.split_at(4096);
        let first = check_sectors(first, &[1, 2]);
        let second = check_sectors(second, &[1, 3]);
        let counts = disk.counts();
        assert_eq!(counts.dropped + counts.kept + counts.torn, 2, "every write has one fate");
        assert_eq!(counts.torn, u64::from(first.len() == 2) + u64::from(second.len() == 2));
        outcomes.insert((first, second));
    }
    assert_eq!(outcomes.len(), 9, "kept, dropped and torn, each with each, also out of order");
}

#[test]
fn a_torn_image_depends_on_its_key_alone() {
    let image = |key| {
        let (disk, file) = ones();
        (0..16).for_each(|page| file.write(page * 512, &[2; 512]).unwrap());
        disk.crash(CrashDisk::Torn, key);
        disk.bytes()
    };
    assert_eq!(image(7), image(7));
    assert_ne!(image(7), image(8));
}

#[test]
fn what_lies_beyond_the_length_that_survives_is_lost() {
    let mut lengths = BTreeSet::new();
    for key in 0..64 {
        let (disk, file) = ones();
        file.set_len(16_384).unwrap();
        file.write(12_288, &[5; 4096]).unwrap();
        disk.crash(CrashDisk::Torn, key);
        let bytes = disk.bytes();
        assert!(bytes[..8192].iter().all(|byte| *byte == 1));
        check_sectors(&bytes[8192..], &[0, 5]);
        lengths.insert(bytes.len());
    }
    assert_eq!(lengths, BTreeSet::from([8192, 16_384]));
}

#[test]
fn who_had_the_file_open_before_a_crash_has_lost_it() {
    let (disk, before) = ones();
    disk.crash(CrashDisk::Kept, 0);
    assert!(before.len().is_err());
    assert!(before.write(0, &[9]).is_err());
    assert!(before.sync_data().is_err());
    assert_eq!(disk.bytes(), [1; 8192]);
    disk.open().unwrap().write(0, &[9]).unwrap();
    let after = disk.open().unwrap();
    disk.wipe();
    assert!(after.len().is_err());
    assert!(disk.bytes().is_empty());
}

#[test]
fn faults_happen_where_they_were_armed_and_once() {
    let (disk, file) = ones();
    disk.arm(DiskFault::Error(3));
    file.write(0, &[2]).unwrap();
    file.read(0, &mut [0]).unwrap();
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    disk.arm(DiskFault::WriteError);
    file.read(0, &mut [0]).unwrap();
    assert!(file.set_len(1).is_err());
    file.write(0, &[3]).unwrap();
    disk.arm(DiskFault::SyncError);
    assert!(file.sync_data().is_err());
    assert_eq!(disk.unsynced(), 1, "a sync that failed synced nothing");
    disk.arm(DiskFault::WriteError);
    disk.disarm();
    file.write(0, &[4]).unwrap();
    assert_eq!(disk.counts().errors, 3);
}

#[test]
fn without_power_nothing_works_until_the_crash() {
    let (disk, file) = ones();
    disk.arm(DiskFault::PowerLoss(2));
    file.write(0, &[2; 512]).unwrap();
    file.read(0, &mut [0]).unwrap();
    assert!(file.write(512, &[2; 512]).is_err());
    assert!(file.read(0, &mut [0]).is_err());
    disk.crash(CrashDisk::Kept, 0);
    let file = disk.open().unwrap();
    let mut out = [0; 1024];
    file.read(0, &mut out).unwrap();
    assert_eq!(check_sectors(&out, &[1, 2]), BTreeSet::from([1, 2]));
    disk.arm(DiskFault::PowerLossAtSync);
    file.write(0, &[3]).unwrap();
    assert!(file.sync_data().is_err());
    disk.crash(CrashDisk::Lost, 0);
    assert_eq!(disk.bytes()[0], 2);
}

#[test]
fn a_full_disk_refuses_growth_or_every_write() {
    let (disk, file) = ones();
    disk.set_space(Space::NoGrowth);
    file.write(0, &[2]).unwrap();
    file.set_len(100).unwrap();
    assert_eq!(file.set_len(101).unwrap_err().kind(), ErrorKind::StorageFull);
    disk.set_space(Space::NoWrites);
    assert_eq!(file.write(0, &[2]).unwrap_err().kind(), ErrorKind::StorageFull);
    file.sync_data().unwrap();
    disk.set_space(Space::Enough);
    file.set_len(101).unwrap();
    assert_eq!(disk.counts().refused, 2);
}

#[test]
fn a_lost_sync_says_ok_and_does_nothing() {
    let (disk, file) = ones();
    disk.lose_syncs(true);
    file.sync_data().unwrap();
    assert_eq!(disk.counts().lost_syncs, 0, "nothing was lost yet");
    file.write(0, &[2; 8192]).unwrap();
    file.sync_data().unwrap();
    disk.crash(CrashDisk::Lost, 0);
    assert_eq!(disk.bytes(), [1; 8192]);
    assert_eq!((disk.counts().lost_syncs, disk.counts().syncs), (1, 0));
    disk.lose_syncs(false);
    let file = disk.open().unwrap();
    file.write(0, &[2; 8192]).unwrap();
    file.sync_data().unwrap();
    disk.crash(CrashDisk::Lost, 0);
    assert_eq!(disk.bytes(), [2; 8192]);
}

#[test]
fn one_bit_flips_and_only_in_what_was_not_synced() {
    for key in 0..32 {
        let (disk, file) = ones();
        file.write(4096, &[2; 4096]).unwrap();
        disk.flip_bit_at_crash(key);
        disk.crash(CrashDisk::Kept, key);
        let bytes = disk.bytes();
        assert!(bytes[..4096].iter().all(|byte| *byte == 1));
        let flipped: u32 = bytes[4096..].iter().map(|byte| (byte ^ 2).count_ones()).sum();
        assert_eq!((flipped, disk.counts().flipped), (1, 1));
    }
    let (disk, _file) = ones();
    disk.flip_bit_at_crash(1);
    disk.crash(CrashDisk::Kept, 1);
    assert_eq!((disk.counts().flipped, disk.bytes()), (0, vec![1; 8192]));
}
