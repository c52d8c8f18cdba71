//! Artifacts: the things with content that the control plane deploys to a gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{ArtifactId, ControlPlane, Generation, ResourceId, ResourceRow};
use crate::time::Timestamp;

/// The kind of an artifact (`docs/controller.md` §2.2 and §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A REST API, the only kind that APIM 4.7.0 deploys.
    RestApi,
    /// A WebSub API.
    WebSubApi,
    /// A web broker API.
    WebBrokerApi,
    /// An LLM provider.
    LlmProvider,
    /// An LLM proxy; needs its provider.
    LlmProxy,
    /// An MCP proxy.
    Mcp,
}

/// A kind name that this gateway does not know; holds the name as it came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown artifact kind {:?}", self.0)
    }
}

impl std::error::Error for UnknownKind {}

impl Kind {
    /// Every kind, in dependency order: providers before the proxies that need them.
    pub const ALL: [Self; 6] = [
        Self::LlmProvider,
        Self::LlmProxy,
        Self::RestApi,
        Self::WebSubApi,
        Self::WebBrokerApi,
        Self::Mcp,
    ];

    /// The name the Platform API and the fixed APIM use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RestApi => "RestApi",
            Self::WebSubApi => "WebSubApi",
            Self::WebBrokerApi => "WebBrokerApi",
            Self::LlmProvider => "LlmProvider",
            Self::LlmProxy => "LlmProxy",
            Self::Mcp => "Mcp",
        }
    }

    /// Reads a kind whatever its case: GA says `RESTAPI`, its schema `RestAPI` and everyone else
    /// `RestApi` (`docs/apim.md` §3.2).
    ///
    /// # Errors
    /// [`UnknownKind`] with the name; the caller counts and surfaces it.
    pub fn parse(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// SHA-256 of an artifact's definition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl fmt::Display for ContentDigest {
    /// The first eight hexadecimal digits, enough to tell definitions apart in a trace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An artifact's definition (`api.yaml`) as it came, with its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes of the definition.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of `bytes`.
    pub digest: ContentDigest,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// Whether the control plane wants an artifact served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DeployState {
    /// It is to be served.
    Deployed,
    /// It is not to be served; its definition, keys and subscriptions stay
    /// (FB-10: undeployed, then deleted; law 4).
    Undeployed,
}

/// What a row says about the definition that is stored for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// The digest of the stored definition.
    pub digest: ContentDigest,
    /// Whether the definition is known to belong to the row's generation. APIM cannot be asked
    /// for the content of a generation, only for the current one (A-H16: label without content).
    /// That one may be too old (A-H15: redeploy window) or too new (R7: APIM moved on), so a
    /// definition read soon after a change is provisional and is read again.
    pub confirmed: bool,
}

/// What is durable about one artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its kind.
    pub kind: Kind,
    /// Whether it is served.
    pub state: DeployState,
    /// The generation acted on.
    pub generation: Generation,
    /// The stored definition; `None` only for an undeployed artifact that never had one.
    pub held: Option<Held>,
}

impl Row {
    /// Whether the two differ at most in the list time, which changes from read to read and
    /// means nothing by itself (FB-11: precisions differ).
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.state == other.state
            && self.held == other.held
            && self.generation.deployment == other.generation.deployment
            && self.generation.performed_at == other.generation.performed_at
    }

    /// Whether the gateway serves this artifact: deployed, and with a definition.
    pub const fn is_served(&self) -> bool {
        matches!(self.state, DeployState::Deployed) && self.held.is_some()
    }
}

/// A remembered deletion: nothing deleted comes back (law 5).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tombstone {
    /// The generation that was deleted.
    pub generation: Generation,
    /// When the control plane said it deleted the artifact (event clock), where it said so.
    pub deleted_at: Option<Timestamp>,
}

/// One artifact's part of a durable write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArtifactWrite {
    /// Replaces the row; `content` is the definition when it changed and `None` to keep the
    /// stored one.
    Put {
        /// The new row.
        row: Row,
        /// The new definition, whose digest is the row's.
        content: Option<Content>,
    },
    /// Removes row and definition and remembers the deletion.
    Bury(Tombstone),
    /// Forgets a deletion: what is remembered of the gone is bounded (law 15).
    Forget,
}

/// A durable write: all of it or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Artifacts to write, by id.
    pub artifacts: BTreeMap<ArtifactId, ArtifactWrite>,
    /// Other resources to write, by id; `None` forgets the row.
    pub resources: BTreeMap<ResourceId, Option<ResourceRow>>,
    /// What was found out about the control plane, when that changed.
    pub control_plane: Option<ControlPlane>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.resources.is_empty() && self.control_plane.is_none()
    }
}

/// What a store held when it was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Rows by artifact.
    pub rows: BTreeMap<ArtifactId, Row>,
    /// Remembered deletions by artifact; no id is in both maps.
    pub tombstones: BTreeMap<ArtifactId, Tombstone>,
    /// Keys, subscriptions, plans and applications, those that are gone among them.
    pub resources: BTreeMap<ResourceId, ResourceRow>,
    /// What was known about the control plane.
    pub control_plane: Option<ControlPlane>,
}

impl Recovered {
    /// What the store holds after `batch`.
    pub fn apply(&mut self, batch: &Batch) {
        for (id, write) in &batch.artifacts {
            match write {
                ArtifactWrite::Put { row, .. } => {
                    self.tombstones.remove(id);
                    self.rows.insert(id.clone(), row.clone());
                }
                ArtifactWrite::Bury(tombstone) => {
                    self.rows.remove(id);
                    self.tombstones.insert(id.clone(), tombstone.clone());
                }
                ArtifactWrite::Forget => {
                    self.rows.remove(id);
                    self.tombstones.remove(id);
                }
            }
        }
        for (id, row) in &batch.resources {
            match row {
                Some(row) => self.resources.insert(id.clone(), row.clone()),
                None => self.resources.remove(id),
            };
        }
        if let Some(control_plane) = &batch.control_plane {
            self.control_plane = Some(control_plane.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_in_every_spelling_of_the_contract() {
        for name in ["RESTAPI", "RestAPI", "RestApi"] {
            assert_eq!(Kind::parse(name), Ok(Kind::RestApi));
        }
        assert_eq!(Kind::parse("Soap"), Err(UnknownKind("Soap".to_owned())));
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Ok(kind));
        }
    }
}
