//! The canonical digest: two gateways that serve the same to the same people have the same one.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::engine::durable::ObservedSet;
use crate::model::{
    Application, ArtifactId, Credential, Plan, Resource, ResourceId, Row, Subscription,
};

/// SHA-256 over everything in force, in one order and one form: what is served with its
/// deployment and definition, and every key, subscription, plan and application. How and when it
/// was learnt is no part of it, and neither is what is only remembered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateDigest(pub [u8; 32]);

impl fmt::Display for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateDigest({self})")
    }
}

/// Hashes fields with their lengths, so that no two lists of fields feed the same bytes.
struct HashedFields(Sha256);

impl HashedFields {
    fn digest(self) -> StateDigest {
        StateDigest(self.0.finalize().into())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn printed(&mut self, value: Option<impl fmt::Display>) {
        match value {
            None => self.number(0),
            Some(value) => {
                self.number(1);
                self.text(&value.to_string());
            }
        }
    }
}

impl ObservedSet {
    /// The digest of everything in force.
    pub fn digest(&self) -> StateDigest {
        let mut fields = HashedFields(Sha256::new());
        self.served().for_each(|(id, row)| artifact_fields(id, row, &mut fields));
        for (id, resource) in self.resources_in_force() {
            resource_fields(id, &resource, &mut fields);
        }
        fields.digest()
    }

    /// Everything in force by its name, each with a digest of its own: what two gateways with
    /// different digests differ in.
    pub fn item_digests(&self) -> Vec<(String, StateDigest)> {
        let artifacts = self.served().map(|(id, row)| {
            let mut fields = HashedFields(Sha256::new());
            artifact_fields(id, row, &mut fields);
            (format!("artifact {id}"), fields.digest())
        });
        let resources = self.resources_in_force().map(|(id, resource)| {
            let mut fields = HashedFields(Sha256::new());
            resource_fields(id, &resource, &mut fields);
            (id.to_string(), fields.digest())
        });
        artifacts.chain(resources).collect()
    }

    fn resources_in_force(&self) -> impl Iterator<Item = (&ResourceId, Resource)> {
        let ids = self.durable().resources.keys();
        ids.filter_map(|id| Some((id, self.resource_in_force(id)?)))
    }
}

fn artifact_fields(id: &ArtifactId, row: &Row, fields: &mut HashedFields) {
    fields.text("artifact");
    fields.text(id.as_str());
    fields.text(row.kind.name());
    fields.printed(row.generation.deployment.as_ref());
    fields.bytes(row.held.map(|held| held.digest.0).unwrap_or_default().as_slice());
}

fn resource_fields(id: &ResourceId, resource: &Resource, fields: &mut HashedFields) {
    match id {
        ResourceId::ApiKey(artifact, name) => {
            fields.text("key");
            fields.text(artifact.as_str());
            fields.text(name.as_str());
        }
        ResourceId::Subscription(id) => {
            fields.text("subscription");
            fields.text(id.as_str());
        }
        ResourceId::Plan(id) => {
            fields.text("plan");
            fields.text(id.as_str());
        }
        ResourceId::Application(id) => {
            fields.text("application");
            fields.text(id.as_str());
        }
    }
    match resource {
        Resource::ApiKey(slot) => credentials(&slot.credentials, fields),
        Resource::Subscription(subscription) => subscription_fields(subscription, fields),
        Resource::Plan(plan) => plan_fields(plan, fields),
        Resource::Application(application) => application_fields(application, fields),
    }
}

/// The hashes and when they expire; a list and an event of one key differ in the rest.
fn credentials(held: &[Credential], fields: &mut HashedFields) {
    let mut held: Vec<&Credential> = held.iter().collect();
    held.sort_by_key(|credential| credential.hash);
    fields.number(held.len() as u64);
    for credential in held {
        fields.bytes(&credential.hash.0);
        fields.printed(credential.expires_at);
    }
}

fn subscription_fields(subscription: &Subscription, fields: &mut HashedFields) {
    fields.text(subscription.artifact.as_str());
    fields.printed(subscription.application.as_ref());
    fields.number(u64::from(subscription.token.is_some()));
    fields.bytes(subscription.token.map(|token| token.0).unwrap_or_default().as_slice());
    fields.printed(subscription.plan.as_ref());
    fields.text(subscription.status.name());
}

fn plan_fields(plan: &Plan, fields: &mut HashedFields) {
    fields.text(&plan.name);
    fields.printed(plan.quota.map(|quota| format!("{}/{}", quota.count, quota.unit.name())));
    fields.number(u64::from(plan.stops_on_quota));
    fields.printed(plan.expires_at);
    fields.number(u64::from(plan.is_active));
}

fn application_fields(application: &Application, fields: &mut HashedFields) {
    fields.text(&application.name);
    fields.number(application.keys.len() as u64);
    application.keys.iter().for_each(|key| fields.text(key.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeyName, KeySlot, Recovered, ResourceRow, SecretHash};
    use crate::time::Timestamp;

    fn observed(resources: &[(ResourceId, Resource)]) -> ObservedSet {
        let row = |resource: &Resource| ResourceRow::new(Some(resource.clone()), None);
        let resources = resources.iter().map(|(id, held)| (id.clone(), row(held))).collect();
        ObservedSet::new(Recovered { resources, ..Recovered::default() })
    }

    fn digest_of(resources: &[(ResourceId, Resource)]) -> StateDigest {
        observed(resources).digest()
    }

    fn key(hashes: &[u8], created_at: Option<Timestamp>) -> (ResourceId, Resource) {
        let credentials = hashes.iter().map(|byte| Credential {
            hash: SecretHash([*byte; 32]),
            uuid: None,
            expires_at: None,
            created_at,
            is_listable: true,
        });
        let id = ResourceId::ApiKey(ArtifactId::new("a"), KeyName::new("k"));
        (id, Resource::ApiKey(KeySlot { credentials: credentials.collect() }))
    }

    #[test]
    fn what_is_in_force_makes_the_digest_and_how_it_was_learnt_does_not() {
        let empty = digest_of(&[]);
        let one = digest_of(&[key(&[1], None)]);
        assert_ne!(empty, one);
        assert_eq!(one, digest_of(&[key(&[1], Some(Timestamp::from_unix_millis(7)))]));
        assert_ne!(one, digest_of(&[key(&[2], None)]));
        assert_ne!(one, digest_of(&[key(&[1, 2], None)]));
        let differing = |resources: &[(ResourceId, Resource)]| {
            observed(resources).item_digests().into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(differing(&[key(&[1], None)]), ["key k of a"]);
        assert_ne!(
            observed(&[key(&[1], None)]).item_digests(),
            observed(&[key(&[2], None)]).item_digests()
        );
        assert_eq!(digest_of(&[key(&[2, 1], None)]), digest_of(&[key(&[1, 2], None)]));
        let plan = |name: &str, is_active| {
            let id = ResourceId::Plan(crate::model::PlanId::new("p"));
            let plan = Plan {
                name: name.to_owned(),
                quota: None,
                stops_on_quota: true,
                expires_at: None,
                is_active,
            };
            (id, Resource::Plan(plan))
        };
        let gold = digest_of(&[plan("Gold", true)]);
        assert_ne!(gold, digest_of(&[plan("Gold", false)]));
        assert_ne!(gold, digest_of(&[plan("Silver", true)]));
    }
}
