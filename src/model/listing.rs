//! What bulk reads answer.

use super::{ArtifactId, Content, Credential, DeploymentId, KeyName, Kind, UnknownKind};
use crate::time::Timestamp;

/// The state of a list row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ListedState {
    /// Deployed. A row without a `state` field says so by being there (`docs/apim.md` §3.2).
    Deployed,
    /// Undeployed: known to the control plane, not to be served (FB-13: undeployed and listed).
    Undeployed,
    /// A state with no settled meaning. Nothing is done on it, and it is surfaced (C-H10: unknown
    /// state).
    Unclear(String),
}

/// One row of the deployments list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedArtifact {
    /// The artifact.
    pub artifact: ArtifactId,
    /// The deployment.
    pub deployment: DeploymentId,
    /// The kind, or the name of a kind this gateway does not hold.
    pub kind: Result<Kind, UnknownKind>,
    /// Deployed or not.
    pub state: ListedState,
    /// `deployedAt`, or GA's `updatedAt` (list clock).
    pub listed_at: Option<Timestamp>,
}

/// A well-formed answer to the deployments list. Another shape is an error, never this with
/// nothing in it (law 3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// The rows, at most one for an artifact: the newest where the answer had several.
    pub rows: Vec<ListedArtifact>,
    /// Rows that could not be read, each with its reason. With any, the list is not complete and
    /// proves no absence; the good rows still count.
    pub unreadable: Vec<String>,
    /// How many further rows named an artifact already listed.
    pub repeated: u64,
    /// Whether rows carry `state`; `None` when there was no row to tell by.
    pub has_state: Option<bool>,
}

impl Listing {
    /// Whether an artifact that is not among the rows may be taken for absent.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// One definition out of a batch archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packed {
    /// The deployment id that was asked for; the content is the artifact's current one, which
    /// can be another generation (A-H16: label without content).
    pub deployment: DeploymentId,
    /// The definition.
    pub content: Content,
}

/// One item of a key list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedKey {
    /// The API that it opens.
    pub artifact: ArtifactId,
    /// Its name.
    pub name: KeyName,
    /// The key.
    pub credential: Credential,
    /// Whether its status is the active one; any other is positive evidence that it is dead.
    pub is_active: bool,
}

/// A well-formed bulk answer about one family of resources.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed<T> {
    /// The items, as they came.
    pub items: Vec<T>,
    /// Items that could not be read, each with its reason and nothing secret. With any, the
    /// answer is not complete and proves no absence; the good items still count.
    pub unreadable: Vec<String>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T> Listed<T> {
    /// Whether what is not among the items may be taken for absent.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// What the API key list turned out to be; dialects are found by behaviour (law 13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyReading {
    /// An array of keys.
    Keys(Listed<ListedKey>),
    /// The list of all APIs. GA has no such route and answers by `/apis/{id}` (A-H25: wrong
    /// 200).
    ApiList,
}
