//! The store loses nothing that it acknowledged, and its model says what it does.

use std::collections::BTreeMap;

use driftless::story::step::CrashDisk;
use driftless::world::disk::{DiskFault, SimDisk};
use driftless::world::store::{DiskStore, ModelStore, SimStore, StoreFaults};
use driftless_gateway::model::{
    ArtifactId, ArtifactWrite, BasePath, Batch, Content, ContentDigest, ControlPlane, DeployState,
    Dialect, Generation, Held, Kind, Recovered, ResourceId, ResourceRow, Row, Tombstone,
};
use driftless_gateway::store::{RedbStore, Store, StoreError};
use driftless_gateway::time::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sha2::{Digest, Sha256};

use crate::holding::hold;
use crate::resources::resource_writes;

/// Where what broke these properties is kept.
const KEPT: &str = "tests/properties/regressions/store.txt";

const ARTIFACTS: u8 = 5;

/// What happens to a store.
#[derive(Clone, Debug)]
enum Operation {
    Commit(Plan),
    Check,
    Crash(CrashDisk, u64),
    CrashDuring(Plan, CrashDisk, u64),
    FailWrites(u32),
    FailReads(u32),
    SetFull(bool),
    LoseSyncs(bool),
    Wipe,
}

/// A batch before it is known what the store holds.
#[derive(Clone, Debug)]
struct Plan {
    changes: BTreeMap<u8, (Change, Generation)>,
    resources: BTreeMap<ResourceId, Option<ResourceRow>>,
    control_plane: Option<ControlPlane>,
}

#[derive(Clone, Debug)]
enum Change {
    /// A new definition.
    Put {
        seed: u8,
        len: usize,
    },
    /// Another row for the definition that is there, or for none.
    Keep {
        state: DeployState,
        confirmed: bool,
    },
    /// A row that claims a definition that is not there.
    Lie,
    /// A row without definition.
    Empty,
    /// A deletion.
    Bury {
        at: Option<Timestamp>,
    },
    Forget,
}

fn id(number: u8) -> ArtifactId {
    ArtifactId::new(&format!("artifact-{number}"))
}

fn definition(seed: u8, len: usize) -> Content {
    let bytes: Vec<u8> = (0..len).map(|at| seed.wrapping_add((at / 7) as u8)).collect();
    let digest = ContentDigest(Sha256::digest(&bytes).into());
    Content { bytes: bytes.into(), digest }
}

impl Plan {
    fn batch(&self, seen: &Recovered) -> Batch {
        let artifacts = self.changes.iter().map(|(number, (change, generation))| {
            let artifact = id(*number);
            let there = seen.rows.get(&artifact).and_then(|row| row.held);
            let row = |state, held| Row {
                kind: Kind::ALL[usize::from(*number)],
                state,
                generation: generation.clone(),
                held,
            };
            let write = match change {
                Change::Put { seed, len } => {
                    let content = definition(*seed, *len);
                    let held = Some(Held { digest: content.digest, confirmed: seed % 2 == 0 });
                    let row = row(DeployState::Deployed, held);
                    ArtifactWrite::Put { row, content: Some(content) }
                }
                Change::Keep { state, confirmed } => {
                    let held = there.map(|held| Held { confirmed: *confirmed, ..held });
                    ArtifactWrite::Put { row: row(*state, held), content: None }
                }
                Change::Lie => {
                    let held = Some(Held { digest: ContentDigest([7; 32]), confirmed: true });
                    ArtifactWrite::Put { row: row(DeployState::Deployed, held), content: None }
                }
                Change::Empty => {
                    ArtifactWrite::Put { row: row(DeployState::Undeployed, None), content: None }
                }
                Change::Bury { at } => {
                    let generation = generation.clone();
                    ArtifactWrite::Bury(Tombstone { generation, deleted_at: *at })
                }
                Change::Forget => ArtifactWrite::Forget,
            };
            (artifact, write)
        });
        Batch {
            artifacts: artifacts.collect(),
            resources: self.resources.clone(),
            control_plane: self.control_plane.clone(),
        }
    }
}

pub(crate) fn timestamps() -> impl Strategy<Value = Timestamp> {
    let nanos = prop_oneof![
        8 => (1_700_000_000_000_000_000..1_900_000_000_000_000_000_i64).prop_map(i128::from),
        1 => any::<i64>().prop_map(i128::from),
        1 => any::<i64>().prop_map(|seconds| i128::from(seconds) * 1_000_000_000),
    ];
    (nanos, 0..=9_u8).prop_map(|(nanos, digits)| Timestamp::from_unix_nanos(nanos, digits))
}

fn generations() -> impl Strategy<Value = Generation> {
    let stamp = || proptest::option::of(timestamps());
    (proptest::option::of("[ -~é\n]{0,12}"), stamp(), stamp()).prop_map(
        |(deployment, performed_at, listed_at)| Generation {
            deployment: deployment.as_deref().map(Into::into),
            performed_at,
            listed_at,
        },
    )
}

fn changes() -> impl Strategy<Value = Change> {
    let state = prop_oneof![Just(DeployState::Deployed), Just(DeployState::Undeployed)];
    let len = prop_oneof![6 => 0..600_usize, 2 => 3_000..9_000_usize, 1 => Just(60_000)];
    prop_oneof![
        40 => (any::<u8>(), len).prop_map(|(seed, len)| Change::Put { seed, len }),
        20 => (state, any::<bool>()).prop_map(|(state, confirmed)| Change::Keep { state, confirmed }),
        1 => Just(Change::Lie),
        5 => Just(Change::Empty),
        15 => proptest::option::of(timestamps()).prop_map(|at| Change::Bury { at }),
        5 => Just(Change::Forget),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let dialect = proptest::option::of(prop::sample::select(Dialect::ALL.to_vec()));
    let control_plane = ("/[a-z /]{0,9}", dialect).prop_filter_map("a base", |(base, dialect)| {
        Some(ControlPlane { base: BasePath::parse(&base)?, dialect })
    });
    let changes = prop::collection::btree_map(0..ARTIFACTS, (changes(), generations()), 0..4);
    let resources = prop::collection::btree_map(0..6_u8, resource_writes(), 0..4)
        .prop_map(|writes| writes.into_values().collect());
    (changes, resources, proptest::option::weighted(0.2, control_plane))
        .prop_map(|(changes, resources, control_plane)| Plan { changes, resources, control_plane })
}

fn images() -> impl Strategy<Value = CrashDisk> {
    prop_oneof![Just(CrashDisk::Lost), Just(CrashDisk::Kept), Just(CrashDisk::Torn)]
}

fn operations(with_lost_syncs: bool) -> BoxedStrategy<Vec<Operation>> {
    // A disk that lies about its syncs cannot be torn and come back whole.
    let images = move || {
        images().prop_map(move |image| match image {
            CrashDisk::Torn if with_lost_syncs => CrashDisk::Lost,
            image => image,
        })
    };
    let operation = prop_oneof![
        12 => plans().prop_map(Operation::Commit),
        6 => Just(Operation::Check),
        2 => (images(), any::<u64>()).prop_map(|(image, key)| Operation::Crash(image, key)),
        3 => (plans(), images(), any::<u64>())
            .prop_map(|(plan, image, key)| Operation::CrashDuring(plan, image, key)),
        2 => (0..4_u32).prop_map(Operation::FailWrites),
        1 => (0..4_u32).prop_map(Operation::FailReads),
        2 => any::<bool>().prop_map(Operation::SetFull),
        1 => any::<bool>().prop_map(move |on| Operation::LoseSyncs(on && with_lost_syncs)),
        1 => Just(Operation::Wipe),
    ];
    prop::collection::vec(operation, 1..20).boxed()
}

/// Everything a store holds, definitions included.
fn everything(store: &mut dyn Store) -> (Recovered, Vec<Option<Content>>) {
    let recovered = store.recover().unwrap();
    let contents = (0..ARTIFACTS).map(|number| store.content(&id(number)).unwrap());
    (recovered, contents.collect())
}

/// Errors are alike when the engine would treat them alike; their texts may differ.
fn alike(one: &Result<(), StoreError>, other: &Result<(), StoreError>) -> bool {
    match (one, other) {
        (Err(one), Err(other)) => std::mem::discriminant(one) == std::mem::discriminant(other),
        (one, other) => one.is_ok() == other.is_ok(),
    }
}

fn equal_under(operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let mut disk = DiskStore::new();
    let mut model = ModelStore::new();
    for operation in operations {
        match operation {
            Operation::Commit(plan) => {
                let batch = plan.batch(&model.recover().unwrap());
                let (one, other) = (disk.commit(&batch), model.commit(&batch));
                prop_assert!(alike(&one, &other), "disk {one:?}, model {other:?}");
            }
            Operation::Check => prop_assert_eq!(everything(&mut disk), everything(&mut model)),
            Operation::Crash(image, key) => {
                disk.crash(image, key);
                follow(&mut model, &mut disk, image, |model, key| model.crash(image, key))?;
            }
            Operation::CrashDuring(plan, image, key) => {
                let batch = plan.batch(&model.recover().unwrap());
                disk.crash_during(&batch, image, key);
                follow(&mut model, &mut disk, image, |model, key| {
                    model.crash_during(&batch, image, key);
                })?;
            }
            Operation::FailWrites(count) => {
                disk.fail_writes(count);
                model.fail_writes(count);
            }
            Operation::FailReads(count) => {
                disk.fail_reads(count);
                model.fail_reads(count);
                for number in 0..ARTIFACTS {
                    let (one, other) = (disk.content(&id(number)), model.content(&id(number)));
                    let (one, other) = (one.map_err(drop), other.map_err(drop));
                    prop_assert_eq!(one, other);
                }
            }
            Operation::SetFull(full) => {
                disk.set_full(full);
                model.set_full(full);
            }
            Operation::LoseSyncs(on) => {
                disk.lose_syncs(on);
                model.lose_syncs(on);
            }
            Operation::Wipe => {
                disk.wipe();
                model.wipe();
            }
        }
        prop_assert_eq!(comparable(disk.delivered()), comparable(model.delivered()));
    }
    prop_assert_eq!(everything(&mut disk), everything(&mut model));
    Ok(())
}

/// What both count alike. A disk may have housekeeping to lose in a crash that is no transaction.
fn comparable(faults: StoreFaults) -> StoreFaults {
    let crashes_synced = faults.crashes_synced + faults.crashes_unsynced;
    StoreFaults { crashes_synced, crashes_unsynced: 0, ..faults }
}

/// Crashes the model. Where the image is random the two draw differently: one of the outcomes the
/// model allows must be what the disk holds.
fn follow(
    model: &mut ModelStore,
    disk: &mut DiskStore,
    image: CrashDisk,
    crash: impl Fn(&mut ModelStore, u64),
) -> Result<(), TestCaseError> {
    if image != CrashDisk::Torn {
        crash(model, 0);
        return Ok(());
    }
    let held = everything(disk);
    for key in 0..64 {
        let mut candidate = model.clone();
        crash(&mut candidate, key);
        if everything(&mut candidate) == held {
            *model = candidate;
            return Ok(());
        }
    }
    Err(TestCaseError::fail(format!("the model allows no such outcome: {held:?}")))
}

#[test]
fn the_model_is_equal_to_the_store_on_a_disk() {
    hold(800, KEPT, &operations(false), equal_under);
}

#[test]
fn the_model_is_equal_to_the_store_on_a_disk_that_loses_syncs() {
    hold(400, KEPT, &operations(true), equal_under);
}

/// A crash at any change of the disk, at any tear, in the middle of any commit.
#[derive(Clone, Debug)]
struct CrashStory {
    plans: Vec<Plan>,
    at: u64,
    key: u64,
    image: CrashDisk,
}

fn crash_stories() -> impl Strategy<Value = CrashStory> {
    (prop::collection::vec(plans(), 1..8), 1..70_u64, any::<u64>(), images())
        .prop_map(|(plans, at, key, image)| CrashStory { plans, at, key, image })
}

/// After the crash the state is that of a prefix that covers every acknowledged commit, and it
/// stays so. A sync that lies is planted with `loses_syncs`.
fn survives(story: CrashStory, loses_syncs: bool) -> Result<(), TestCaseError> {
    let disk = SimDisk::new();
    disk.lose_syncs(loses_syncs);
    disk.arm(DiskFault::PowerLoss(story.at));
    let mut store = RedbStore::new(disk.clone());
    let mut model = ModelStore::new();
    let mut acceptable = vec![everything(&mut model)];
    for plan in &story.plans {
        let batch = plan.batch(&model.recover().unwrap());
        let told = store.commit(&batch);
        if matches!(told, Err(StoreError::Corrupt(_))) {
            continue;
        }
        model.commit(&batch).unwrap();
        if told.is_ok() {
            acceptable.clear();
        }
        acceptable.push(everything(&mut model));
        if told.is_err() {
            break;
        }
    }
    disk.crash(story.image, story.key);
    drop(store);
    let mut store = RedbStore::new(disk.clone());
    let recovered = match store.recover() {
        Ok(_) => everything(&mut store),
        Err(error) => return Err(TestCaseError::fail(format!("recover: {error}"))),
    };
    prop_assert!(acceptable.contains(&recovered), "{recovered:?} is none of {acceptable:?}");
    let written = disk.counts().changes();
    prop_assert_eq!(&everything(&mut RedbStore::new(disk.clone())), &recovered);
    prop_assert_eq!(disk.counts().changes(), written, "recovery wrote to the disk");
    Ok(())
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    hold(1_500, KEPT, &crash_stories(), |story| survives(story, false));
}

#[test]
fn the_crash_property_fails_on_a_disk_that_loses_syncs() {
    let mut runner = TestRunner::new_with_rng(
        Config { failure_persistence: None, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let found = (0..60).find(|_| {
        let tree = crash_stories().new_tree(&mut runner).unwrap();
        survives(CrashStory { image: CrashDisk::Lost, ..tree.current() }, true).is_err()
    });
    assert!(
        found.is_some(),
        "60 stories on a disk that lies about its syncs, and nothing was lost"
    );
}
