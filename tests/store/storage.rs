//! The store's work, in line and on the shell's thread, over the production store. Both do the
//! same, and hold nothing back.

use driftless::world::disk::{SimDisk, Space};
use driftless_gateway::engine::StoreFailure;
use driftless_gateway::model::{ArtifactId, Content, WriteId};
use driftless_gateway::publish::{Done, Job, StoreWorker, StoredDefinition};
use driftless_gateway::shell::{Storage, ThreadedStorage};
use driftless_gateway::store::RedbStore;

use crate::serving::InlineStorage;
use crate::workload::{definition, put};

const DEFINITION: &str =
    "kind: RESTAPI\nspec:\n  context: /p\n  operations: [{method: GET, path: /}]\n";

/// Hands in a job and waits until it is done.
fn carry_out(storage: &mut impl Storage, job: Job) -> Done {
    storage.submit(job);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(storage.done()).unwrap()
}

fn definitions(done: Done) -> Vec<StoredDefinition> {
    match done {
        Done::Read(defined) | Done::Committed(_, Ok(defined)) => defined,
        Done::Committed(write, Err(error)) => panic!("{write} failed: {error}"),
    }
}

fn written(storage: &mut impl Storage, write: u64, artifact: &str, content: Content) -> Done {
    carry_out(storage, Job::Commit(WriteId(write), put(artifact, 1, content)))
}

/// Writes and reads; `disk` is the one below the store.
fn does_the_work(mut storage: impl Storage, disk: &SimDisk) {
    let good = definition(DEFINITION, 1);
    let wanted = |name: &str| vec![(ArtifactId::new(name), good.digest)];
    let told = definitions(written(&mut storage, 1, "a", good.clone()));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].artifact.as_str(), told[0].digest), ("a", good.digest));
    assert_eq!(told[0].definition.as_ref().unwrap().context, "/p");

    let read = definitions(carry_out(&mut storage, Job::Read(wanted("a"))));
    assert_eq!(read[0].definition.as_ref().unwrap().context, "/p");
    // What is stored by now is another one, or nothing; a commit tells of that.
    let other = vec![(ArtifactId::new("a"), definition("other", 1).digest)];
    assert!(definitions(carry_out(&mut storage, Job::Read(other))).is_empty());
    assert!(definitions(carry_out(&mut storage, Job::Read(wanted("b")))).is_empty());

    // What cannot be read is told with the reason, and takes the place of nothing.
    let bad = definition("hunter2", 1);
    let refused = written(&mut storage, 2, "a", bad.clone());
    let Done::Committed(WriteId(2), Err(StoreFailure::Unreadable(contents))) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!((contents[0].artifact.as_str(), contents[0].digest), ("a", bad.digest));
    let read = definitions(carry_out(&mut storage, Job::Read(wanted("a"))));
    assert_eq!(read[0].definition.as_ref().unwrap().context, "/p");

    // A write that fails says so, and the next one does not.
    disk.set_space(Space::NoWrites);
    let failed = written(&mut storage, 3, "c", good.clone());
    assert!(matches!(failed, Done::Committed(WriteId(3), Err(StoreFailure::Full))), "{failed:?}");
    disk.set_space(Space::Enough);
    assert_eq!(definitions(written(&mut storage, 4, "c", good)).len(), 1);
}

#[test]
fn the_work_is_done_in_line() {
    let disk = SimDisk::new();
    does_the_work(InlineStorage::new(RedbStore::new(disk.clone())), &disk);
}

#[test]
fn the_work_is_done_on_a_thread() {
    let disk = SimDisk::new();
    does_the_work(
        ThreadedStorage::start(RedbStore::new(disk.clone()), StoreWorker::new(1)).unwrap(),
        &disk,
    );
}

#[test]
fn jobs_are_done_in_the_order_of_their_coming() {
    let good = definition(DEFINITION, 1);
    let mut inline = InlineStorage::new(RedbStore::new(SimDisk::new()));
    let mut threaded =
        ThreadedStorage::start(RedbStore::new(SimDisk::new()), StoreWorker::new(1)).unwrap();
    for write in 1..=5 {
        inline.submit(Job::Commit(WriteId(write), put("a", 1, good.clone())));
        threaded.submit(Job::Commit(WriteId(write), put("a", 1, good.clone())));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for write in 1..=5 {
        for done in [runtime.block_on(inline.done()), runtime.block_on(threaded.done())] {
            let done = done.unwrap();
            assert!(matches!(done, Done::Committed(WriteId(told), Ok(_)) if told == write));
        }
    }
}
