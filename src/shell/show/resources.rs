//! Prints keys, subscriptions, plans and applications. A hash is as good as a secret in a report
//! (law 16), so that there is one is all that is said of it.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use super::text::plain;
use crate::model::{
    Application, Credential, Plan, Recovered, Resource, ResourceId, ResourceRow, SecretHash,
    Subscription,
};
use crate::time::Timestamp;

/// Stands for every hash.
const REDACTED: &str = "redacted";

/// How many rows of each kind there are; those that are gone count only as that.
#[derive(Default, Serialize)]
pub(super) struct HeldCounts {
    keys: usize,
    subscriptions: usize,
    plans: usize,
    applications: usize,
    gone: usize,
}

impl HeldCounts {
    pub(super) fn of(held: &Recovered) -> Self {
        let mut counts = Self::default();
        for row in held.resources.values() {
            *match &row.resource {
                None => &mut counts.gone,
                Some(Resource::ApiKey(_)) => &mut counts.keys,
                Some(Resource::Subscription(_)) => &mut counts.subscriptions,
                Some(Resource::Plan(_)) => &mut counts.plans,
                Some(Resource::Application(_)) => &mut counts.applications,
            } += 1;
        }
        counts
    }
}

/// Prints the counts and then a line for each row, keys with a line for each of their hashes.
pub(super) fn print_text(held: &Recovered, out: &mut impl Write) -> io::Result<()> {
    let HeldCounts { keys, subscriptions, plans, applications, gone } = HeldCounts::of(held);
    writeln!(
        out,
        "resources      {} keys={keys} subscriptions={subscriptions} plans={plans} \
         applications={applications} gone={gone}",
        held.resources.len()
    )?;
    held.resources.iter().try_for_each(|(id, row)| print_row(id, row, out))
}

fn print_row(id: &ResourceId, row: &ResourceRow, out: &mut impl Write) -> io::Result<()> {
    match id {
        ResourceId::ApiKey(artifact, name) => {
            let artifact = plain(artifact.as_str());
            write!(out, "  key {:?} artifact={artifact}", name.as_str())?;
        }
        ResourceId::Subscription(id) => write!(out, "  subscription {}", plain(id.as_str()))?,
        ResourceId::Plan(id) => write!(out, "  plan {}", plain(id.as_str()))?,
        ResourceId::Application(id) => write!(out, "  application {}", plain(id.as_str()))?,
    }
    let credentials = match &row.resource {
        None => {
            write!(out, " gone")?;
            &[][..]
        }
        Some(Resource::ApiKey(slot)) => {
            write!(out, " hashes={}", slot.credentials.len())?;
            &*slot.credentials
        }
        Some(Resource::Subscription(subscription)) => {
            print_subscription(subscription, out)?;
            &[]
        }
        Some(Resource::Plan(plan)) => {
            print_plan(plan, out)?;
            &[]
        }
        Some(Resource::Application(application)) => {
            write!(out, " name={:?} keys={}", application.name, application.keys.len())?;
            application.keys.iter().try_for_each(|key| write!(out, " {}", plain(key.as_str())))?;
            &[]
        }
    };
    print_some("fence", row.fence.as_ref(), out)?;
    writeln!(out)?;
    credentials.iter().try_for_each(|credential| print_credential(credential, out))
}

fn print_credential(credential: &Credential, out: &mut impl Write) -> io::Result<()> {
    write!(out, "    hash={REDACTED}")?;
    print_some("uuid", credential.uuid.as_ref().map(|id| plain(id.as_str())), out)?;
    print_some("expires_at", credential.expires_at, out)?;
    print_some("created_at", credential.created_at, out)?;
    writeln!(out, " listable={}", credential.is_listable)
}

fn print_subscription(subscription: &Subscription, out: &mut impl Write) -> io::Result<()> {
    let Subscription { artifact, application, token, plan, status } = subscription;
    write!(out, " artifact={}", plain(artifact.as_str()))?;
    print_some("application", application.as_ref().map(|id| plain(id.as_str())), out)?;
    print_some("token", token.map(redact), out)?;
    print_some("plan", plan.as_ref().map(|id| plain(id.as_str())), out)?;
    write!(out, " status={}", plain(status.name()))
}

fn print_plan(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    write!(out, " name={:?}", plan.name)?;
    let quota = plan.quota.map(|quota| format!("{}/{}", quota.count, quota.unit.name()));
    print_some("quota", quota, out)?;
    write!(out, " stops_on_quota={}", plan.stops_on_quota)?;
    print_some("expires_at", plan.expires_at, out)?;
    write!(out, " active={}", plan.is_active)
}

fn print_some(name: &str, value: Option<impl Display>, out: &mut impl Write) -> io::Result<()> {
    value.map_or(Ok(()), |value| write!(out, " {name}={value}"))
}

fn redact(_hash: SecretHash) -> &'static str {
    REDACTED
}

/// A resource as JSON.
#[derive(Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(in crate::shell) enum ResourceLine<'a> {
    Key {
        artifact: &'a str,
        name: &'a str,
        hashes: Vec<CredentialFields<'a>>,
        fence: Option<String>,
    },
    Subscription {
        subscription: &'a str,
        artifact: &'a str,
        application: Option<&'a str>,
        token: Option<&'static str>,
        plan: Option<&'a str>,
        status: &'a str,
        fence: Option<String>,
    },
    Plan {
        plan: &'a str,
        name: &'a str,
        quota: Option<QuotaFields>,
        stops_on_quota: bool,
        expires_at: Option<String>,
        active: bool,
        fence: Option<String>,
    },
    Application {
        application: &'a str,
        name: &'a str,
        keys: Vec<&'a str>,
        fence: Option<String>,
    },
    Gone {
        resource: String,
        fence: Option<String>,
    },
}

#[derive(Serialize)]
pub(in crate::shell) struct CredentialFields<'a> {
    hash: &'static str,
    uuid: Option<&'a str>,
    expires_at: Option<String>,
    created_at: Option<String>,
    listable: bool,
}

#[derive(Serialize)]
pub(in crate::shell) struct QuotaFields {
    count: u64,
    unit: &'static str,
}

impl<'a> ResourceLine<'a> {
    pub(in crate::shell) fn of(id: &'a ResourceId, row: &'a ResourceRow) -> Self {
        let fence = row.fence.as_ref().map(Timestamp::to_string);
        match (id, &row.resource) {
            (ResourceId::ApiKey(artifact, name), Some(Resource::ApiKey(slot))) => Self::Key {
                artifact: artifact.as_str(),
                name: name.as_str(),
                hashes: slot.credentials.iter().map(CredentialFields::from).collect(),
                fence,
            },
            (ResourceId::Subscription(id), Some(Resource::Subscription(subscription))) => {
                Self::Subscription {
                    subscription: id.as_str(),
                    artifact: subscription.artifact.as_str(),
                    application: subscription.application.as_ref().map(|id| id.as_str()),
                    token: subscription.token.map(redact),
                    plan: subscription.plan.as_ref().map(|id| id.as_str()),
                    status: subscription.status.name(),
                    fence,
                }
            }
            (ResourceId::Plan(id), Some(Resource::Plan(plan))) => Self::Plan {
                plan: id.as_str(),
                name: &plan.name,
                quota: plan
                    .quota
                    .map(|quota| QuotaFields { count: quota.count, unit: quota.unit.name() }),
                stops_on_quota: plan.stops_on_quota,
                expires_at: plan.expires_at.as_ref().map(Timestamp::to_string),
                active: plan.is_active,
                fence,
            },
            (ResourceId::Application(id), Some(Resource::Application(application))) => {
                let Application { name, keys } = application;
                let keys = keys.iter().map(|uuid| uuid.as_str()).collect();
                Self::Application { application: id.as_str(), name, keys, fence }
            }
            // A store holds no row of another kind than its id's.
            (id, _) => Self::Gone { resource: id.to_string(), fence },
        }
    }
}

impl<'a> From<&'a Credential> for CredentialFields<'a> {
    fn from(credential: &'a Credential) -> Self {
        Self {
            hash: redact(credential.hash),
            uuid: credential.uuid.as_ref().map(|id| id.as_str()),
            expires_at: credential.expires_at.as_ref().map(Timestamp::to_string),
            created_at: credential.created_at.as_ref().map(Timestamp::to_string),
            listable: credential.is_listable,
        }
    }
}

/// Prints a JSON line for each row.
pub(super) fn print_json(held: &Recovered, out: &mut impl Write) -> io::Result<()> {
    for (id, row) in &held.resources {
        serde_json::to_writer(&mut *out, &ResourceLine::of(id, row))?;
        writeln!(out)?;
    }
    Ok(())
}
