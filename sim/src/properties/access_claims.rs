//! What a scenario claims about keys: how many there are, and what they open.

use std::cmp::Reverse;

use driftless_gateway::model::{ArtifactId, Resource, ResourceId};
use driftless_gateway::runtime::{ApiRequest, Principal, Refusal};

use super::claims::NAME;
use super::{Claims, Verdicts};
use crate::apim::{Issued, KeyIndex, KeyRecord, Outline, Secret};
use crate::observe::Context;
use crate::story::file::AccessClaim;

impl Claims<'_> {
    /// Checks what is claimed about requests made at a time, or at the end.
    pub fn check_access(&self, context: &Context<'_>, at_ms: Option<u64>, verdicts: &mut Verdicts) {
        for (claims, opens) in [(&self.expect.opens, true), (&self.expect.refuses, false)] {
            for claim in claims.iter().filter(|claim| claim.at_ms == at_ms) {
                check_claim(context, claim, opens, verdicts);
            }
        }
    }

    /// Checks how many keys of an API are in force.
    pub(super) fn check_keys(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (name, expected) in &self.expect.keys {
            let id = context.ledger.artifact(name);
            let of_it = context.held.iter().filter_map(|held| match held {
                (ResourceId::ApiKey(of, _), Resource::ApiKey(slot)) if Some(of) == id => {
                    Some(slot.credentials.len() as u64)
                }
                _ => None,
            });
            let found: u64 = of_it.sum();
            if found != *expected {
                let subject = format!("keys of {name}");
                verdicts.violated(
                    NAME,
                    context.now,
                    subject,
                    expected.to_string(),
                    found.to_string(),
                );
            }
        }
    }
}

fn check_claim(context: &Context<'_>, claim: &AccessClaim, opens: bool, verdicts: &mut Verdicts) {
    let found = match attempt(context, claim) {
        Ok(()) if opens => return,
        Ok(()) => "let through".to_owned(),
        Err(Failed::Refused(_)) if !opens => return,
        Err(Failed::Refused(refusal)) => format!("refused: {}", refusal.reason()),
        Err(Failed::Unknown(why)) => why.to_owned(),
    };
    let expected = if opens { "let through" } else { "refused" };
    verdicts.violated(NAME, context.now, describe(claim), expected, found);
}

/// Why a request did not get through.
enum Failed {
    /// The gateway refused it.
    Refused(Refusal),
    /// It could not be made: APIM never issued what it names.
    Unknown(&'static str),
}

/// Tries every operation, old or new, that wants to know who calls: one that lets the request
/// through is enough.
fn attempt(context: &Context<'_>, claim: &AccessClaim) -> Result<(), Failed> {
    let unknown = Failed::Unknown;
    let artifact = context.ledger.artifact(&claim.api).ok_or(unknown("no such API was made"))?;
    let key = key(context, artifact, claim).ok_or(unknown("no such key was issued"))?;
    let token = match &claim.subscriber {
        Some(name) => {
            let token = token(context, artifact, name);
            Some(token.ok_or(unknown("no such subscription was made"))?.reveal())
        }
        None => None,
    };
    let record = context.ledger.record(artifact).ok_or(unknown("no such API was made"))?;
    let outlines = record.issues.iter().filter_map(|issue| match &issue.what {
        Issued::Deployed { outline, .. } => Some(outline),
        _ => None,
    });
    let mut refused = Refusal::ApiNotFound;
    for operation in outlines.flat_map(Outline::operations).filter(|it| it.auth != "None") {
        let path = operation.path.replace("{id}", "7");
        let path = format!("{}{path}", Outline::context(&record.name));
        let request = ApiRequest {
            api_key: Some(key.secret.reveal()),
            subscription_token: token,
            principal: match operation.auth {
                "Application User" => Principal::User,
                _ => Principal::Application,
            },
            scopes: operation.scopes,
            ..ApiRequest::new(operation.method, &path)
        };
        match context.judge(&request) {
            Ok(_) => return Ok(()),
            Err(refusal) => refused = refusal,
        }
    }
    Err(Failed::Refused(refused))
}

/// The key that a claim names.
fn key<'a>(
    context: &Context<'a>,
    artifact: &ArtifactId,
    claim: &AccessClaim,
) -> Option<&'a KeyRecord> {
    let is_it =
        |(_, key): &(KeyIndex, &KeyRecord)| *key.name == *claim.name && *key.user == *claim.user;
    let mut named: Vec<(KeyIndex, &KeyRecord)> = match &claim.application {
        Some(name) => {
            let applications = context.ledger.applications();
            let of_name = applications.filter(|(_, record)| *record.name == **name);
            let keys = of_name.flat_map(|(id, _)| context.ledger.keys_for(id));
            keys.filter(is_it).collect()
        }
        None => context.ledger.keys_of(artifact).filter(is_it).collect(),
    };
    named.sort_by_key(|(index, _)| Reverse(*index));
    let place = match claim.nth {
        Some(nth) => named.len().checked_sub(nth as usize)?,
        None => 0,
    };
    named.get(place).map(|(_, key)| *key)
}

/// The token of the newest subscription of an application.
fn token<'a>(context: &Context<'a>, artifact: &ArtifactId, name: &str) -> Option<&'a Secret> {
    let is_of = |id| context.ledger.application(id).is_some_and(|of| *of.name == *name);
    let of = context.ledger.subscriptions_of(artifact);
    let newest = of.filter(|(_, record)| is_of(&record.application)).last();
    newest.and_then(|(_, record)| record.token.as_ref())
}

/// A claim in words, without a secret.
fn describe(claim: &AccessClaim) -> String {
    let which = claim.nth.map(|nth| format!(" {nth}")).unwrap_or_default();
    let owner = claim.application.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let token = claim.subscriber.as_ref();
    let token = token.map(|name| format!(" with the token of {name}")).unwrap_or_default();
    let (api, name, user) = (&claim.api, &claim.name, &claim.user);
    let at = claim.at_ms.map(|at| format!(" at {at} ms")).unwrap_or_default();
    format!("key {name}{which} of {user}{owner} on {api}{token}{at}")
}
