//! `expect`: what a scenario claims about its own run.

use std::collections::BTreeMap;

use driftless_gateway::model::AckStatus;

use super::{Scene, Verdicts};
use crate::apim::Issued;
use crate::story::file::Expect;
use crate::world::Books;

/// The claims of a scenario, and what was noted to check them against.
pub struct Claims<'a> {
    /// The claims.
    pub expect: &'a Expect,
    /// The notes.
    pub books: &'a Books,
}

pub(super) const NAME: &str = "expect";

impl Claims<'_> {
    /// Checks every claim about a gateway at the end of a run.
    pub fn check(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        self.check_serving(scene, verdicts);
        self.check_service(scene, verdicts);
        self.check_status(scene, verdicts);
        self.check_acks(scene, verdicts);
        self.check_counts(scene, verdicts);
        self.check_keys(scene, verdicts);
        self.check_access(scene, None, verdicts);
    }

    fn check_serving(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for (name, revision) in &self.expect.serving {
            let id = scene.ledger.artifact(name);
            let served = id.and_then(|id| scene.served.get(id));
            let record = id.and_then(|id| scene.ledger.record(id));
            let found = served.zip(record).and_then(|(served, record)| {
                record.issues_of(served.digest).find_map(|issue| match issue.what {
                    Issued::Deployed { revision, .. } => Some(revision),
                    _ => None,
                })
            });
            let found = found.unwrap_or(0);
            if found != *revision {
                let (expected, found) = (revision_text(*revision), revision_text(found));
                verdicts.violated(NAME, scene.now, name, expected, found);
            }
        }
    }

    fn check_service(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for name in &self.expect.always_served {
            let Some(id) = scene.ledger.artifact(name) else { continue };
            if !self.books.ever_served.contains(id) {
                verdicts.violated(NAME, scene.now, name, "served all the time", "never served");
            } else if let Some(at) = self.books.interrupted.get(id) {
                let found = format!("withdrawn at {at}");
                verdicts.violated(NAME, *at, name, "served all the time", found);
            }
        }
        for name in &self.expect.never_served {
            let was =
                scene.ledger.artifact(name).is_some_and(|id| self.books.ever_served.contains(id));
            if was {
                verdicts.violated(NAME, scene.now, name, "never served", "served for a while");
            }
        }
    }

    fn check_status(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        let status = scene.engine.map(|engine| engine.status());
        for (kind, expected) in &self.expect.status {
            let found = status.as_ref().and_then(|status| status.kinds.get(kind));
            if found.is_none_or(|found| found.state != *expected) {
                let found = found.map_or("no gateway".to_owned(), |found| {
                    format!("{}: {}", found.state, found.reason)
                });
                verdicts.violated(
                    NAME,
                    scene.now,
                    format!("status of {kind}"),
                    expected.name(),
                    found,
                );
            }
        }
        for claim in &self.expect.was_status {
            if !self.books.states.contains(&(claim.kind, claim.state)) {
                let subject = format!("status of {}", claim.kind);
                let expected = format!("{} at some time", claim.state);
                verdicts.violated(NAME, scene.now, subject, expected, "never");
            }
        }
    }

    fn check_acks(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for (name, claim) in &self.expect.acked {
            let count = |status: AckStatus| {
                let of_name = scene.ledger.acks().iter().filter(|ack| {
                    let record = scene.ledger.record(&ack.artifact);
                    ack.status == status && record.is_some_and(|record| &*record.name == name)
                });
                of_name.count() as u64
            };
            let (success, failed) = (count(AckStatus::Success), count(AckStatus::Failed));
            if claim.success.is_some_and(|least| success < least) {
                let expected = format!("at least {} acks of success", claim.success.unwrap_or(0));
                verdicts.violated(NAME, scene.now, name, expected, success.to_string());
            }
            if claim.failed.is_some_and(|most| failed > most) {
                let expected = format!("at most {} acks of failure", claim.failed.unwrap_or(0));
                verdicts.violated(NAME, scene.now, name, expected, failed.to_string());
            }
        }
    }

    fn check_counts(&self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        let asked = |name: &str| self.books.asked.get(name).copied().unwrap_or(0);
        let writes = self.expect.writes_max.map(|most| ("store".to_owned(), most));
        for (name, most) in self.expect.requests_max.clone().into_iter().chain(writes) {
            let found = asked(&name);
            if found > most {
                let expected = format!("at most {most}");
                verdicts.violated(NAME, scene.now, name, expected, found.to_string());
            }
        }
    }

    /// Checks how often faults took effect in the whole run.
    pub fn check_delivered(
        &self,
        scene: &Scene<'_>,
        delivered: &BTreeMap<&'static str, u64>,
        verdicts: &mut Verdicts,
    ) {
        for (name, least) in &self.expect.delivered {
            let found = delivered.get(name.as_str()).copied().unwrap_or(0);
            if found < *least {
                let subject = format!("fault {name}");
                let expected = format!("delivered at least {least} times");
                verdicts.violated(NAME, scene.now, subject, expected, found.to_string());
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
