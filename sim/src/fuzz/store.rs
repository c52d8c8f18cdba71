//! `store`: operations, failures and crashes against a store on the simulated disk, held against
//! maps.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, ArtifactWrite, Batch, Content, ContentDigest,
    ControlPlane, Credential, DeployState, DeploymentId, Generation, Held, KeyEnding, KeyName,
    KeySlot, KeyUuid, Kind, Plan, PlanId, Recovered, Resource, ResourceId, ResourceRow, Row,
    SecretHash, Subscription, SubscriptionId, SubscriptionStatus, Tombstone,
};
use driftless_gateway::store::{Store, StoreError};
use driftless_gateway::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::story::step::CrashDisk;
use crate::world::disk::{DiskFault, SimDisk, Space};

/// What opens a store on a disk.
pub type Open = fn(SimDisk) -> Box<dyn Store>;

/// The most operations of one input.
const OPERATIONS_MAX: usize = 24;

/// Artifacts that are written; few, so that one is written often.
const ARTIFACTS: u8 = 4;

/// Carries out the operations that the bytes are.
///
/// # Panics
/// When the store lost what it acknowledged, holds half a batch, took one that contradicts itself
/// or did not come back after a failure.
pub fn check_store(bytes: &[u8], open: Open) {
    let disk = SimDisk::new();
    let (store, maps) = (open(disk.clone()), Maps::default());
    let mut bench = StoreBench { store, disk, maps, unsure: Vec::new(), open };
    let mut choices = Unstructured::new(bytes);
    for _ in 0..OPERATIONS_MAX {
        if choices.is_empty() || bench.operate(&mut choices).is_err() {
            break;
        }
    }
    bench.calm();
    bench.reopen();
    assert_eq!(bench.held(), bench.maps, "at the end the store holds something else");
}

struct StoreBench {
    store: Box<dyn Store>,
    disk: SimDisk,
    maps: Maps,
    /// What a crash may bring instead: a batch that failed may be seen, and is lost or kept when
    /// the power goes, until a later one is durable.
    unsure: Vec<Maps>,
    open: Open,
}

impl StoreBench {
    fn operate(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        match choices.int_in_range(0..=11)? {
            0..=4 => self.commit(&batch(&self.maps, choices)?),
            5 => {
                self.calm();
                assert_eq!(self.held(), self.maps, "the store holds something else");
            }
            6 => {
                self.disk.arm(DiskFault::PowerLoss(u64::from(choices.arbitrary::<u8>()?)));
                let batch = batch(&self.maps, choices)?;
                self.crash_during(&batch, choices)?;
            }
            7 => {
                self.disk.arm(DiskFault::PowerLossAtSync);
                let batch = batch(&self.maps, choices)?;
                self.crash_during(&batch, choices)?;
            }
            8 => {
                self.calm();
                self.disk.crash(image(choices)?, choices.arbitrary()?);
                self.reopen();
                let held = self.held();
                if !self.unsure.contains(&held) {
                    assert_eq!(held, self.maps, "a crash at rest changed something");
                }
                self.came_back(held);
            }
            9 => self.disk.arm(DiskFault::Error(1 + u64::from(choices.arbitrary::<u8>()?))),
            10 => self.disk.arm(DiskFault::SyncError),
            _ => {
                self.disk.set_space(match choices.arbitrary::<u8>()? {
                    0 => Space::NoWrites,
                    _ => Space::Enough,
                });
            }
        }
        Ok(())
    }

    /// Everything that may fail does no longer.
    fn calm(&mut self) {
        self.disk.disarm();
        self.disk.set_space(Space::Enough);
    }

    fn reopen(&mut self) {
        self.store = (self.open)(self.disk.clone());
    }

    fn commit(&mut self, batch: &Batch) {
        let told = self.store.commit(batch);
        let after = self.maps.with(batch);
        match (told, after) {
            // An empty batch is not written, so it makes nothing durable.
            (Ok(()), _) if batch.is_empty() => {}
            (Ok(()), Some(after)) => self.came_back(after),
            (Ok(()), None) => panic!("a batch that contradicts itself was taken: {batch:?}"),
            (Err(StoreError::Corrupt(why)), Some(_)) => panic!("{why}: {batch:?} was refused"),
            (Err(_), None) => {}
            (Err(_), Some(after)) => {
                // All or nothing of it, and the store goes on.
                self.calm();
                let held = self.held();
                assert!(held == self.maps || held == after, "half a batch: {held:?}");
                self.unsure.extend([self.maps.clone(), after]);
                self.maps = held;
            }
        }
    }

    /// The power goes somewhere in the batch, or after it.
    fn crash_during(&mut self, batch: &Batch, choices: &mut Unstructured<'_>) -> Result<()> {
        let told = self.store.commit(batch);
        let after = self.maps.with(batch);
        self.disk.crash(image(choices)?, choices.arbitrary()?);
        self.calm();
        self.reopen();
        let held = self.held();
        match (told, after) {
            (Ok(()), _) if batch.is_empty() => {
                let is_known = held == self.maps || self.unsure.contains(&held);
                assert!(is_known, "a crash at rest changed something: {held:?}");
            }
            (Ok(()), Some(after)) => assert_eq!(held, after, "an acknowledged batch was lost"),
            (Ok(()), None) => panic!("a batch that contradicts itself was taken: {batch:?}"),
            (Err(_), after) => {
                let is_all = after.is_some_and(|after| held == after);
                let is_known = held == self.maps || self.unsure.contains(&held);
                assert!(is_all || is_known, "half a batch: {held:?}");
            }
        }
        self.came_back(held);
        Ok(())
    }

    /// This is durable: a batch was acknowledged, or the power is back.
    fn came_back(&mut self, held: Maps) {
        self.maps = held;
        self.unsure.clear();
    }

    fn held(&mut self) -> Maps {
        let recovered = self.store.recover();
        let Ok(Recovered { rows, tombstones, resources, control_plane }) = recovered else {
            panic!("a whole disk cannot be read: {recovered:?}");
        };
        let mut artifacts: BTreeMap<ArtifactId, Known> = BTreeMap::new();
        for (id, row) in rows {
            let content = self.store.content(&id);
            let Ok(content) = content else { panic!("a definition cannot be read: {content:?}") };
            artifacts.insert(id, Known::Held(row, content));
        }
        for (id, tombstone) in tombstones {
            let twice = artifacts.insert(id, Known::Gone(tombstone));
            assert_eq!(twice, None, "held and gone at once");
        }
        Maps { artifacts, resources, control_plane }
    }
}

fn image(choices: &mut Unstructured<'_>) -> Result<CrashDisk> {
    choices.choose(&[CrashDisk::Lost, CrashDisk::Kept, CrashDisk::Torn]).copied()
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Known {
    Held(Row, Option<Content>),
    Gone(Tombstone),
}

/// What a store holds, as maps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Maps {
    artifacts: BTreeMap<ArtifactId, Known>,
    resources: BTreeMap<ResourceId, ResourceRow>,
    control_plane: Option<ControlPlane>,
}

impl Maps {
    /// The maps after a batch; `None` when it contradicts itself or what is there.
    fn with(&self, batch: &Batch) -> Option<Self> {
        let mut after = self.clone();
        for (id, write) in &batch.artifacts {
            match write {
                ArtifactWrite::Put { row, content } => {
                    let kept = match (content, row.held, self.artifacts.get(id)) {
                        (Some(new), ..) => Some(new.clone()),
                        (None, Some(_), Some(Known::Held(_, old))) => old.clone(),
                        (None, ..) => None,
                    };
                    let said = row.held.map(|held| held.digest);
                    if kept.as_ref().map(|content| content.digest) != said {
                        return None;
                    }
                    after.artifacts.insert(id.clone(), Known::Held(row.clone(), kept));
                }
                ArtifactWrite::Bury(tombstone) => {
                    after.artifacts.insert(id.clone(), Known::Gone(tombstone.clone()));
                }
                ArtifactWrite::Forget => drop(after.artifacts.remove(id)),
            }
        }
        for (id, row) in &batch.resources {
            match row {
                Some(row) if row.resource.as_ref().is_some_and(|held| !id.is_of(held)) => {
                    return None;
                }
                Some(row) => drop(after.resources.insert(id.clone(), row.clone())),
                None => drop(after.resources.remove(id)),
            }
        }
        after.control_plane = batch.control_plane.clone().or(after.control_plane);
        Some(after)
    }
}

fn batch(maps: &Maps, choices: &mut Unstructured<'_>) -> Result<Batch> {
    let mut batch = Batch::default();
    for _ in 0..choices.int_in_range(0..=3)? {
        let number = choices.int_in_range(0..=ARTIFACTS - 1)?;
        let id = ArtifactId::new(&format!("artifact-{number}"));
        let write = write(maps.artifacts.get(&id), choices)?;
        batch.artifacts.insert(id, write);
    }
    for _ in 0..choices.int_in_range(0..=3)? {
        let (id, row) = resource(choices)?;
        batch.resources.insert(id, row);
    }
    Ok(batch)
}

fn write(known: Option<&Known>, choices: &mut Unstructured<'_>) -> Result<ArtifactWrite> {
    let generation = Generation {
        deployment: Some(DeploymentId::new(&format!("d{}", choices.arbitrary::<u8>()? % 4))),
        performed_at: stamp(choices)?,
        listed_at: stamp(choices)?,
    };
    let row =
        |state, held| Row { kind: Kind::RestApi, state, generation: generation.clone(), held };
    Ok(match choices.int_in_range(0..=6)? {
        0 | 1 => {
            let content = content(choices)?;
            let held = Some(Held { digest: content.digest, confirmed: choices.arbitrary()? });
            ArtifactWrite::Put { row: row(DeployState::Deployed, held), content: Some(content) }
        }
        2 => {
            let held = match known {
                Some(Known::Held(row, _)) => row.held,
                _ => None,
            };
            ArtifactWrite::Put { row: row(DeployState::Undeployed, held), content: None }
        }
        3 => ArtifactWrite::Put { row: row(DeployState::Undeployed, None), content: None },
        4 => {
            let held = Some(Held { digest: ContentDigest([7; 32]), confirmed: true });
            ArtifactWrite::Put { row: row(DeployState::Deployed, held), content: None }
        }
        5 => ArtifactWrite::Bury(Tombstone { generation, deleted_at: stamp(choices)? }),
        _ => ArtifactWrite::Forget,
    })
}

fn content(choices: &mut Unstructured<'_>) -> Result<Content> {
    let length = usize::from(choices.arbitrary::<u16>()? % 6000);
    let bytes = vec![choices.arbitrary::<u8>()?; length];
    let digest = ContentDigest(Sha256::digest(&bytes).into());
    Ok(Content { bytes: bytes.into(), digest })
}

fn stamp(choices: &mut Unstructured<'_>) -> Result<Option<Timestamp>> {
    let millis = i64::from(choices.arbitrary::<i8>()?);
    Ok((millis != 0).then(|| Timestamp::from_unix_millis(millis * 1_000_003)))
}

fn resource(choices: &mut Unstructured<'_>) -> Result<(ResourceId, Option<ResourceRow>)> {
    let number = choices.arbitrary::<u8>()?;
    let name = ["a", "b", "a\",\"b", "é\n"][usize::from(number % 4)];
    let (id, resource) = match choices.int_in_range(0..=4)? {
        0 => {
            let key = Credential {
                hash: SecretHash([number; 32]),
                uuid: Some(KeyUuid::new(name)),
                expires_at: stamp(choices)?,
                created_at: None,
                is_listable: number > 99,
            };
            let id = ResourceId::ApiKey(ArtifactId::new(name), KeyName::new(name));
            (id, Resource::ApiKey(KeySlot { credentials: [key].into() }))
        }
        1 => {
            let subscription = Subscription {
                artifact: ArtifactId::new(name),
                application: None,
                token: Some(SecretHash([number; 32])),
                plan: None,
                status: SubscriptionStatus::parse(name),
            };
            let id = ResourceId::Subscription(SubscriptionId::new(name));
            (id, Resource::Subscription(subscription.into()))
        }
        kind => {
            let plan = Resource::Plan(Plan {
                name: name.to_owned(),
                quota: None,
                stops_on_quota: number > 99,
                expires_at: stamp(choices)?,
                is_active: number % 2 == 0,
            });
            let keys = [KeyUuid::new(name)].into();
            let application = Resource::Application(Application { name: name.to_owned(), keys });
            match kind {
                2 => (ResourceId::Plan(PlanId::new(name)), plan),
                3 => (ResourceId::Application(ApplicationId::new(name)), application),
                // What a store refuses: a plan under the id of an application.
                _ => (ResourceId::Application(ApplicationId::new(name)), plan),
            }
        }
    };
    let fence = stamp(choices)?;
    let ending = |at| KeyEnding { at, successor: None, found: true };
    let endings = fence.map(ending).into_iter().collect();
    let row = match choices.int_in_range(0..=5)? {
        0 => None,
        1 => Some(ResourceRow { endings, ..ResourceRow::new(None, fence) }),
        _ => Some(ResourceRow { endings, ..ResourceRow::new(Some(resource), fence) }),
    };
    Ok((id, row))
}
