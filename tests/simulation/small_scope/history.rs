//! What people do to one API and its key, what is true after it, and in which orders it is told.

use driftless_gateway::model::{
    ArtifactId, Content, ContentDigest, Credential, DeploymentId, Event, EventHead, KeyName,
    KeyUuid, Kind, ResourceChange, ResourceEvent, ResourceId, SecretHash,
};
use driftless_gateway::time::Timestamp;

/// What people do to the API or its key; each raises one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Deploy,
    Undeploy,
    Delete,
    CreateKey,
    RevokeKey,
    RegenerateKey,
}

pub(super) const CHANGES: [Change; 6] = [
    Change::Deploy,
    Change::Undeploy,
    Change::Delete,
    Change::CreateKey,
    Change::RevokeKey,
    Change::RegenerateKey,
];

/// What reaches the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// The event of a change, by its place in the history.
    Event(usize),
    /// A list answer, the first or the second.
    List(usize),
    Crash,
}

/// The truth after some changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Truth {
    /// The revision that is deployed.
    pub(super) deployed: Option<u8>,
    pub(super) revision: u8,
    pub(super) deployed_at: u8,
    pub(super) is_deleted: bool,
    pub(super) key: Option<u8>,
    pub(super) keys: u8,
}

impl Truth {
    pub(super) const BEGINNING: Self = Self {
        deployed: Some(1),
        revision: 1,
        deployed_at: 0,
        is_deleted: false,
        key: Some(1),
        keys: 1,
    };

    /// The truth after one more change, the `nth`; `None` when there is nothing to change.
    fn after(mut self, change: Change, nth: u8) -> Option<Self> {
        if self.is_deleted {
            return None;
        }
        match change {
            Change::Deploy => {
                self.revision += 1;
                self.deployed = Some(self.revision);
                self.deployed_at = nth;
            }
            Change::Undeploy => drop(self.deployed.take()?),
            Change::Delete => {
                self = Self { deployed: None, is_deleted: true, key: None, ..self };
            }
            Change::CreateKey if self.key.is_none() => {
                self.keys += 1;
                self.key = Some(self.keys);
            }
            Change::CreateKey => return None,
            Change::RevokeKey => drop(self.key.take()?),
            Change::RegenerateKey => {
                self.key?;
                self.keys += 1;
                self.key = Some(self.keys);
            }
        }
        Some(self)
    }
}

/// Every history of so many changes in which each changes something, as the truths between them.
pub(super) fn histories(length: usize) -> Vec<Vec<(Change, Truth)>> {
    let mut all: Vec<Vec<(Change, Truth)>> = vec![Vec::new()];
    for nth in 1..=length {
        all = all
            .into_iter()
            .flat_map(|history| {
                let truth = history.last().map_or(Truth::BEGINNING, |(_, truth)| *truth);
                CHANGES.into_iter().filter_map(move |change| {
                    let after = truth.after(change, u8::try_from(nth).ok()?)?;
                    let mut longer = history.clone();
                    longer.push((change, after));
                    Some(longer)
                })
            })
            .collect();
    }
    all
}

/// Every order of the events of a history, two lists in their order, and one crash.
pub(super) fn orders(events: usize) -> Vec<Vec<Item>> {
    fn extend(taken: &mut Vec<Item>, left: &mut Vec<Item>, all: &mut Vec<Vec<Item>>) {
        if left.is_empty() {
            all.push(taken.clone());
        }
        for place in 0..left.len() {
            let item = left[place];
            if item == Item::List(1) && left.contains(&Item::List(0)) {
                continue;
            }
            left.remove(place);
            taken.push(item);
            extend(taken, left, all);
            taken.pop();
            left.insert(place, item);
        }
    }
    let mut items: Vec<Item> = (0..events).map(Item::Event).collect();
    items.extend([Item::List(0), Item::List(1), Item::Crash]);
    let mut all = Vec::new();
    extend(&mut Vec::new(), &mut items, &mut all);
    all
}

pub(super) fn artifact() -> ArtifactId {
    ArtifactId::new("a")
}

pub(super) fn key_id() -> ResourceId {
    ResourceId::ApiKey(artifact(), KeyName::new("k"))
}

pub(super) fn stamp(nth: u8) -> Timestamp {
    Timestamp::from_unix_nanos(1_785_542_400_000_000_000 + i128::from(nth) * 10_000_000, 6)
}

pub(super) fn deployment(revision: u8) -> DeploymentId {
    DeploymentId::new(&format!("d{revision}"))
}

pub(super) fn content(revision: u8) -> Content {
    Content { bytes: vec![revision].into(), digest: ContentDigest([revision; 32]) }
}

pub(super) fn credential(number: u8, at: Option<u8>) -> Credential {
    Credential {
        hash: SecretHash([number; 32]),
        uuid: Some(KeyUuid::new(&format!("u{number}"))),
        expires_at: None,
        created_at: at.map(stamp),
        is_listable: true,
    }
}

/// The event of a change.
pub(super) fn event(change: Change, before: Truth, after: Truth, nth: u8) -> Event {
    let head = |revision: u8| EventHead {
        artifact: artifact(),
        kind: Kind::RestApi,
        deployment: Some(deployment(revision)),
        performed_at: Some(stamp(nth)),
        performed_text: Some(stamp(nth).to_string()),
        correlation: None,
    };
    let of_key = |change| {
        let sent_at = Some(stamp(nth));
        Event::Changed(Box::new(ResourceEvent { id: key_id(), change, sent_at }))
    };
    match change {
        Change::Deploy => Event::Deployed(head(after.revision)),
        Change::Undeploy => Event::Undeployed(head(before.deployed.unwrap_or(0))),
        Change::Delete => {
            let sent_at = Some(stamp(nth));
            Event::Deleted { artifact: artifact(), kind: Kind::RestApi, sent_at }
        }
        Change::CreateKey => of_key(ResourceChange::KeyCreated(credential(after.keys, Some(nth)))),
        Change::RegenerateKey => {
            of_key(ResourceChange::KeyRegenerated(credential(after.keys, Some(nth))))
        }
        Change::RevokeKey => of_key(ResourceChange::KeyRevoked),
    }
}
