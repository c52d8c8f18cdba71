//! `same_decision`: at rest, what the gateway decides about a request is what the ledger's own
//! judgement says; and at no time does it let through what no configuration would (FAIL-CLOSED).
//! Many bugs of gateways are in no database and show only here.

use std::collections::BTreeSet;

use driftless_gateway::model::ArtifactId;
use driftless_gateway::runtime::{self, ApiRequest, Throttle, ThrottleConfig};

use super::probe::{self, Probe, Probed};
use super::{Property, Verdicts};
use crate::apim::{Issued, Outline};
use crate::observe::{Context, Observation, Phase};

/// Where the next rest begins to probe: so many APIs are probed at one, in turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SameDecision {
    first: usize,
    /// The version of the snapshot that was looked at last.
    version: Option<u64>,
}

/// How many APIs are probed at a rest.
const APIS: usize = 4;

impl Property for SameDecision {
    fn name(&self) -> &'static str {
        "same_decision"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Rest(_))
    }

    fn look(&mut self, context: &Context<'_>, moment: &Observation<'_>, verdicts: &mut Verdicts) {
        let Observation::Rest(differences) = moment else { return };
        // A gateway that has not converged is for `converges` and `converged_or_loud` to judge.
        if context.phase == Phase::Story || differences.first().is_some() {
            return;
        }
        let targets = targets(context);
        let count = targets.len();
        let turn = targets.iter().cycle().skip(self.first).take(APIS.min(count));
        for (place, target) in turn.enumerate() {
            let probes = probe::probes(context, target);
            for probe in &probes {
                self.try_out(context, target, probe, verdicts);
            }
            if place == 0 {
                self.exhaust(context, target, &probes, verdicts);
            }
        }
        self.first += APIS;
    }

    /// Nothing opens by a key that was never issued, in no configuration; looked at once for
    /// each snapshot.
    fn tick(&mut self, context: &Context<'_>, verdicts: &mut Verdicts) {
        if self.version.replace(context.snapshot.version()) == Some(context.snapshot.version()) {
            return;
        }
        let Some((id, _)) = context.served.iter().next() else { return };
        let Some(record) = context.ledger.record(id) else { return };
        let mut outlines = record.issues.iter().filter_map(|issue| match &issue.what {
            Issued::Deployed { outline, .. } => Some(outline),
            _ => None,
        });
        let Some(outline) = outlines.next_back() else { return };
        for operation in outline.operations().filter(|operation| operation.auth != "None") {
            let path = format!("{}{}", Outline::context(&record.name), operation.path);
            let request = ApiRequest::new(operation.method, &path).with_key("never-issued");
            if context.judge(&request).is_ok() {
                let (expected, found) = ("refused: the key was never issued", "let through");
                verdicts.violated(self.name(), context.now, context.name(id), expected, found);
            }
        }
    }
}

impl SameDecision {
    fn try_out(
        self,
        context: &Context<'_>,
        target: &Probed<'_>,
        probe: &Probe<'_>,
        verdicts: &mut Verdicts,
    ) {
        let decided = context.judge(&probe.request());
        if matches!(decided, Err(runtime::Refusal::KeyExpired)) {
            verdicts.reached.insert("expired_key_refused");
        }
        if decided.is_ok() == probe.admitted {
            return;
        }
        let say = |admitted: bool| if admitted { "let through" } else { "refused" };
        let expected = format!(
            "{} {} with {}: {}",
            probe.method,
            probe.path,
            probe.tries,
            say(probe.admitted)
        );
        let found = match decided {
            Ok(_) => say(true).to_owned(),
            Err(refusal) => format!("{}: {}", say(false), refusal.reason()),
        };
        verdicts.violated(self.name(), context.now, context.name(target.artifact), expected, found);
    }

    /// Uses up the limits of one operation: the strictest of its tiers counts.
    fn exhaust(
        self,
        context: &Context<'_>,
        target: &Probed<'_>,
        probes: &[Probe<'_>],
        verdicts: &mut Verdicts,
    ) {
        let Some(probe) = probes.iter().find(|probe| probe.admitted) else { return };
        let operation = target.outline.operations().find(|operation| {
            probe.method == operation.method
                && probe.path.ends_with(&operation.path.replace("{id}", "7"))
        });
        let tier = operation.and_then(|operation| operation.tier);
        let tiers = [Some(target.outline.tier()), tier];
        let Some(limit) = tiers.into_iter().flatten().filter_map(per_minute).min() else { return };
        let mut throttle = Throttle::new(ThrottleConfig::recommended());
        let now = probe::gateway_clock(context.now);
        let admit = |throttle: &mut Throttle| {
            runtime::admit(context.snapshot, &probe.request(), now, throttle)
        };
        let admitted = (0..=limit).take_while(|_| admit(&mut throttle).is_ok()).count() as u64;
        // A plan may be stricter still.
        if admitted > limit || admitted == 0 {
            let expected = format!("1 to {limit} requests in a minute");
            let found = format!("{admitted} or more");
            verdicts.violated(
                self.name(),
                context.now,
                context.name(target.artifact),
                expected,
                found,
            );
        }
    }
}

/// The limit of a tier, as APIM's documentation has it.
fn per_minute(tier: &str) -> Option<u64> {
    match tier {
        "Bronze" => Some(1),
        "Silver" => Some(5),
        "Gold" => Some(20),
        _ => None,
    }
}

/// The APIs to be served that no other shares its path with.
fn targets<'a>(context: &Context<'a>) -> Vec<Probed<'a>> {
    let mut contexts: BTreeSet<String> = BTreeSet::new();
    let mut targets = Vec::new();
    let wanted: Vec<&ArtifactId> = context.ledger.must_serve().map(|(id, _)| id).collect();
    for artifact in wanted {
        let Some(record) = context.ledger.record(artifact) else { continue };
        let Some(issue) = record.current() else { continue };
        let Issued::Deployed { outline, .. } = &issue.what else { continue };
        if !outline.is_readable {
            continue;
        }
        if record.kind == driftless_gateway::model::Kind::RestApi
            && contexts.insert(Outline::context(&record.name))
        {
            targets.push(Probed { artifact, name: &record.name, outline });
        }
    }
    targets
}

impl Context<'_> {
    /// What the gateway decides about a request; what limits it uses is not looked at.
    pub(super) fn judge(
        &self,
        request: &ApiRequest<'_>,
    ) -> Result<runtime::Grant, runtime::Refusal> {
        self.snapshot.judge(request, probe::gateway_clock(self.now))
    }
}
