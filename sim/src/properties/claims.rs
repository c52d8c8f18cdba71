//! `expect`: what a scenario claims about its own run.

use std::collections::BTreeMap;

use driftless_gateway::model::AckStatus;

use super::Verdicts;
use crate::apim::Issued;
use crate::observe::{Context, History};
use crate::story::file::Expect;

/// The claims of a scenario, and what was noted to check them against.
pub struct Claims<'a> {
    /// The claims.
    pub expect: &'a Expect,
    /// The notes.
    pub history: &'a History,
}

pub(super) const NAME: &str = "expect";

impl Claims<'_> {
    /// Checks every claim about a gateway at the end of a run.
    pub fn check(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        self.check_serving(context, verdicts);
        self.check_service(context, verdicts);
        self.check_status(context, verdicts);
        self.check_acks(context, verdicts);
        self.check_counts(context, verdicts);
        self.check_keys(context, verdicts);
        self.check_access(context, None, verdicts);
    }

    fn check_serving(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (name, revision) in &self.expect.serving {
            let id = context.ledger.artifact(name);
            let served = id.and_then(|id| context.served.get(id));
            let record = id.and_then(|id| context.ledger.record(id));
            let found = served.zip(record).and_then(|(served, record)| {
                record.issues_of(served.digest).find_map(|issue| match issue.what {
                    Issued::Deployed { revision, .. } => Some(revision),
                    _ => None,
                })
            });
            let found = found.unwrap_or(0);
            if found != *revision {
                let (expected, found) = (revision_text(*revision), revision_text(found));
                verdicts.violated(NAME, context.now, name, expected, found);
            }
        }
    }

    fn check_service(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for name in &self.expect.always_served {
            let Some(id) = context.ledger.artifact(name) else { continue };
            if !self.history.ever_served.contains(id) {
                verdicts.violated(NAME, context.now, name, "served all the time", "never served");
            } else if let Some(at) = self.history.interrupted.get(id) {
                let found = format!("withdrawn at {at}");
                verdicts.violated(NAME, *at, name, "served all the time", found);
            }
        }
        for name in &self.expect.never_served {
            let was = context
                .ledger
                .artifact(name)
                .is_some_and(|id| self.history.ever_served.contains(id));
            if was {
                verdicts.violated(NAME, context.now, name, "never served", "served for a while");
            }
        }
    }

    fn check_status(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        let status = context.engine.map(|engine| engine.status());
        for (kind, expected) in &self.expect.status {
            let found = status.as_ref().and_then(|status| status.kinds.get(kind));
            if found.is_none_or(|found| found.state != *expected) {
                let found = found.map_or("no gateway".to_owned(), |found| {
                    format!("{}: {}", found.state, found.reason)
                });
                verdicts.violated(
                    NAME,
                    context.now,
                    format!("status of {kind}"),
                    expected.name(),
                    found,
                );
            }
        }
        for claim in &self.expect.was_status {
            if !self.history.states.contains(&(claim.kind, claim.state)) {
                let subject = format!("status of {}", claim.kind);
                let expected = format!("{} at some time", claim.state);
                verdicts.violated(NAME, context.now, subject, expected, "never");
            }
        }
    }

    fn check_acks(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (name, claim) in &self.expect.acked {
            let count = |status: AckStatus| {
                let of_name = context.ledger.acks().iter().filter(|ack| {
                    let record = context.ledger.record(&ack.artifact);
                    ack.status == status && record.is_some_and(|record| &*record.name == name)
                });
                of_name.count() as u64
            };
            let success = (count(AckStatus::Success), "success", claim.success, claim.success_max);
            let failed = (count(AckStatus::Failed), "failure", claim.failed_min, claim.failed);
            for (found, what, least, most) in [success, failed] {
                if let Some(least) = least.filter(|least| found < *least) {
                    let expected = format!("at least {least} acks of {what}");
                    verdicts.violated(NAME, context.now, name, expected, found.to_string());
                }
                if let Some(most) = most.filter(|most| found > *most) {
                    let expected = format!("at most {most} acks of {what}");
                    verdicts.violated(NAME, context.now, name, expected, found.to_string());
                }
            }
        }
    }

    fn check_counts(&self, context: &Context<'_>, verdicts: &mut Verdicts) {
        let asked = |name: &str| self.history.asked.get(name).copied().unwrap_or(0);
        let writes = self.expect.writes_max.map(|most| ("store".to_owned(), most));
        for (name, most) in self.expect.requests_max.clone().into_iter().chain(writes) {
            let found = asked(&name);
            if found > most {
                let expected = format!("at most {most}");
                verdicts.violated(NAME, context.now, name, expected, found.to_string());
            }
        }
    }

    /// Checks how often faults took effect in the whole run.
    pub fn check_delivered(
        &self,
        context: &Context<'_>,
        delivered: &BTreeMap<&'static str, u64>,
        verdicts: &mut Verdicts,
    ) {
        for (name, least) in &self.expect.delivered {
            let found = delivered.get(name.as_str()).copied().unwrap_or(0);
            if found < *least {
                let subject = format!("fault {name}");
                let expected = format!("delivered at least {least} times");
                verdicts.violated(NAME, context.now, subject, expected, found.to_string());
            }
        }
    }
}

fn revision_text(revision: u32) -> String {
    match revision {
        0 => "not served".to_owned(),
        number => format!("revision {number} served"),
    }
}
