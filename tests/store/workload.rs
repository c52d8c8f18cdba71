//! One fixed history of a store: creations, replacements, deletions, small and large definitions,
//! and resources of every kind along with them.

use driftless::world::disk::SimDisk;
use driftless_gateway::model::{
    ArtifactId, ArtifactWrite, BasePath, Batch, Content, ContentDigest, ControlPlane, DeployState,
    Dialect, Generation, Held, Kind, Recovered, ResourceId, Row, Tombstone,
};
use driftless_gateway::store::{RedbStore, Store, StoreError};
use driftless_gateway::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::resources::{Write, application, gone, key, key_id, plan, subscription};

/// A store on a simulated disk.
pub(crate) type DiskStore = RedbStore<SimDisk>;

/// What a store holds: state and definitions.
pub(crate) type Everything = (Recovered, Vec<Content>);

pub(crate) fn definition(text: &str, times: usize) -> Content {
    let bytes = text.repeat(times).into_bytes();
    let digest = ContentDigest(Sha256::digest(&bytes).into());
    Content { bytes: bytes.into(), digest }
}

pub(crate) fn generation(day: u32) -> Generation {
    Generation {
        deployment: Some(format!("deployment-{day}").as_str().into()),
        performed_at: Some(Timestamp::parse(&format!("2026-03-{day:02}T01:02:03.45Z")).unwrap()),
        listed_at: None,
    }
}

pub(crate) fn put(artifact: &str, day: u32, content: Content) -> Batch {
    let held = Some(Held { digest: content.digest, confirmed: true });
    let (kind, state) = (Kind::RestApi, DeployState::Deployed);
    let row = Row { kind, state, generation: generation(day), held };
    let write = ArtifactWrite::Put { row, content: Some(content) };
    Batch { artifacts: [(artifact.into(), write)].into(), ..Batch::default() }
}

fn bury(artifact: &str, day: u32) -> Batch {
    let tombstone = Tombstone { generation: generation(day), deleted_at: None };
    let artifacts = [(artifact.into(), ArtifactWrite::Bury(tombstone))].into();
    Batch { artifacts, ..Batch::default() }
}

fn undeploy(artifact: &str, day: u32, content: &Content) -> Batch {
    let held = Some(Held { digest: content.digest, confirmed: false });
    let (kind, state) = (Kind::RestApi, DeployState::Undeployed);
    let row = Row { kind, state, generation: generation(day), held };
    let write = ArtifactWrite::Put { row, content: None };
    Batch { artifacts: [(artifact.into(), write)].into(), ..Batch::default() }
}

fn with(batch: Batch, resources: impl IntoIterator<Item = Write>) -> Batch {
    Batch { resources: resources.into_iter().collect(), ..batch }
}

/// The batches, in order. One of them makes the file grow, and a later one shrinks what it holds.
pub(crate) fn batches() -> Vec<Batch> {
    let control_plane =
        ControlPlane { base: BasePath::platform_api(), dialect: Some(Dialect::Apim470) };
    let small = definition("paths: {}\n", 20);
    let mut many = Batch::default();
    for number in 0..20 {
        let one = put(&format!("many-{number}"), 5, definition("name: many\n", 50 + number));
        many.artifacts.extend(one.artifacts);
    }
    let of_orders = [
        key("orders", "mobile", 1),
        subscription("s1", 1),
        subscription("s2", 1),
        plan("gold", 20, 1),
        application("shop", 1),
    ];
    vec![
        Batch { control_plane: Some(control_plane), ..Batch::default() },
        with(put("orders", 1, small.clone()), of_orders),
        with(put("pets", 2, definition("info: pets\n", 300)), [key("pets", "m\"obile", 2)]),
        undeploy("orders", 3, &small),
        many,
        put("large", 6, definition("0123456789abcdef", 40_000)),
        with(bury("pets", 7), [gone(key_id("pets", "m\"obile"), 7)]),
        with(Batch::default(), [plan("gold", 5, 7), (ResourceId::Subscription("s2".into()), None)]),
        put("pets", 8, definition("info: pets again\n", 10)),
        bury("large", 9),
        bury("many-3", 10),
    ]
}

/// What a store holds after each number of batches, from none to all.
pub(crate) fn histories() -> Vec<Everything> {
    let mut store = driftless::world::store::ModelStore::new();
    let mut states = vec![everything(&mut store).unwrap()];
    for batch in batches() {
        store.commit(&batch).unwrap();
        states.push(everything(&mut store).unwrap());
    }
    states
}

pub(crate) fn everything(store: &mut dyn Store) -> Result<Everything, StoreError> {
    let recovered = store.recover()?;
    let mut contents = Vec::new();
    for (id, row) in &recovered.rows {
        let content = store.content(id)?;
        assert_eq!(row.held.map(|held| held.digest), content.as_ref().map(|held| held.digest));
        contents.extend(content);
    }
    assert_eq!(store.content(&ArtifactId::new("never heard of"))?, None);
    Ok((recovered, contents))
}

/// A disk on which the whole history was stored, and the process then ended or died.
pub(crate) fn disk_after_all(ended: bool) -> SimDisk {
    let disk = SimDisk::new();
    let mut store = DiskStore::new(disk.clone());
    for batch in batches() {
        store.commit(&batch).unwrap();
    }
    if !ended {
        disk.crash(driftless::story::step::CrashDisk::Lost, 0);
    }
    drop(store);
    disk
}
