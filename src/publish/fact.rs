//! Something in force, as it is from here on.

use crate::engine::{Change, Engine};
use crate::model::{ArtifactId, ContentDigest, Resource, ResourceId};

/// What a [`Change`] comes to: plain data, so that it can be taken in without the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// An artifact is to be served with the definition of that digest; `None` when it is not to
    /// be served.
    Artifact(ArtifactId, Option<ContentDigest>),
    /// A key, a subscription, a plan or an application is this; `None` when it is gone.
    Resource(ResourceId, Option<Resource>),
}

impl Fact {
    /// What the engine has in force of what changed.
    pub fn of(change: Change, engine: &Engine) -> Self {
        let observed = engine.observed();
        match change {
            Change::Artifact(id) => {
                let held = observed.served_row(&id).and_then(|row| row.held);
                let digest = held.map(|held| held.digest);
                Self::Artifact(id, digest)
            }
            Change::Resource(id) => {
                let resource = observed.resource_in_force(&id);
                Self::Resource(id, resource)
            }
        }
    }
}
