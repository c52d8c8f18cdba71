//! What must hold, one property a file.
//!
//! | property | when | says |
//! |---|---|---|
//! | `converges` | at rest | what is served equals what the ledger says |
//! | `converged_or_loud` | at rest | every difference is covered by a status |
//! | `safe_read` | always | a failed, partial or malformed read removes and replaces nothing |
//! | `no_resurrection` | always | what was withdrawn or ended stays gone until it is issued again |
//! | `generation_never_regresses` | always | no artifact goes back to an older generation |
//! | `never_serves_undeployed` | always | an undeployed item stops within the bound |
//! | `ack_truth` | always | acks match what was done and are durable |
//! | `store_recovers` | at restart | a crash keeps a prefix that covers every commit |
//! | `bounded_work` | always | connects, requests and writes are bounded; idle does nothing |
//! | `serves_last_good` | always | what was served and held is so after a restart without APIM |
//! | `revocation_bound` | always | a dead credential is refused within the printed bound |
//! | `closure` | always | keys and subscriptions follow their API, and go for no other reason |
//! | `update_count` | at rest | changes of what is served and held, against what was issued |
//! | `same_decision` | at rest | requests are judged as the ledger judges them |
//! | `no_error_log` | always | nothing logs an error |
//! | `replicas_agree` | at the end | gateways of one organization hold the same, whatever faults each one saw |
//! | `same_trace` | run | two runs of one story have one hash |
//!
//! A property sees [`Observation`]s of the run and asks the ledger, never the wire. Each is shown to
//! fail by a planted defect in `tests/simulation/planted.rs`.

mod access;
mod access_claims;
mod ack_truth;
mod bounded_work;
mod claims;
mod closure;
mod converged_or_loud;
mod converges;
mod generation_never_regresses;
mod never_serves_undeployed;
mod no_error_log;
mod no_resurrection;
mod probe;
pub mod replicas_agree;
mod revocation_bound;
mod safe_read;
mod same_decision;
mod serves_last_good;
mod store_recovers;
mod update_count;

use std::collections::BTreeSet;
use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::time::Instant;

use crate::observe::{Context, Observation};

pub use claims::Claims;
pub use converges::{differences, is_met};

/// A property that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The property's name.
    pub property: &'static str,
    /// The gateway, where there are several.
    pub gateway: Option<String>,
    /// When, in virtual time.
    pub at: Instant,
    /// What it is about.
    pub subject: String,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub found: String,
    /// What led to it: what the gateway did last to the subject, and after what.
    pub cause: Option<String>,
    /// The last things that mattered to the subject.
    pub last_events: Vec<String>,
}

impl Violation {
    /// What is wrong, as a sentence.
    pub fn sentence(&self) -> String {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (subject, expected, found) =
            (one_line(&self.subject), one_line(&self.expected), one_line(&self.found));
        let cause = self.cause.as_ref().map_or_else(String::new, |cause| format!("; {cause}"));
        let text =
            format!("{subject}: expected {expected}, found {found} ({}){cause}.", self.property);
        let mut letters = text.chars();
        match letters.next() {
            Some(first) => first.to_uppercase().chain(letters).collect(),
            None => text,
        }
    }
}

/// Collects what did not hold, and what was reached.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// The gateway that is judged, where there are several.
    pub gateway: Option<String>,
    /// What did not hold, in the order found.
    pub violations: Vec<Violation>,
    /// Marks that a property reached.
    pub reached: BTreeSet<&'static str>,
}

impl Verdicts {
    /// A property does not hold.
    pub fn violated(
        &mut self,
        property: &'static str,
        at: Instant,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        let (subject, expected, found) = (subject.into(), expected.into(), found.into());
        let is_known = self
            .violations
            .iter()
            .any(|known| known.property == property && known.subject == subject);
        if !is_known {
            self.violations.push(Violation {
                property,
                gateway: self.gateway.clone(),
                at,
                subject,
                expected,
                found,
                cause: None,
                last_events: Vec::new(),
            });
        }
    }
}

/// A property: sees everything that happens, and keeps what it needs of it.
pub trait Property {
    /// The name it is violated by.
    fn name(&self) -> &'static str;

    /// Whether it has anything to do with such a moment; the others are not shown to it.
    fn looks_at(&self, _moment: &Observation<'_>) -> bool {
        true
    }

    /// Looks at a moment.
    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    );

    /// Looks at the passing of time; called often, so it must be cheap.
    fn tick(&mut self, _scene: &Context<'_>, _verdicts: &mut Verdicts) {}
}

/// What a property says, for lists and help texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// When it is looked at.
    pub when: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// Every property.
pub const ALL: &[About] = &[
    About {
        name: "converges",
        when: "at rest",
        says: "observed state equals what the ledger says this gateway must hold",
    },
    About {
        name: "converged_or_loud",
        when: "at rest",
        says: "every difference from the ledger is covered by a status that says so",
    },
    About {
        name: "safe_read",
        when: "always",
        says: "a failed, partial or malformed read removes and replaces nothing",
    },
    About {
        name: "no_resurrection",
        when: "always",
        says: "deleted, undeployed or revoked: gone, and stays gone until issued again",
    },
    About {
        name: "generation_never_regresses",
        when: "always",
        says: "no artifact goes back to an older generation",
    },
    About {
        name: "never_serves_undeployed",
        when: "always",
        says: "an undeployed item stops being served within the bound",
    },
    About { name: "ack_truth", when: "always", says: "acks match what was done and are durable" },
    About {
        name: "store_recovers",
        when: "at restart",
        says: "after a crash the store holds a prefix that covers every commit",
    },
    About {
        name: "bounded_work",
        when: "always",
        says: "connects, requests and writes are bounded; an idle system does nothing",
    },
    About {
        name: "serves_last_good",
        when: "always",
        says: "what was served and held when the process died is so once it is back, APIM or not",
    },
    About {
        name: "revocation_bound",
        when: "always",
        says: "a dead credential is refused within the bound that the status prints",
    },
    About {
        name: "closure",
        when: "always",
        says: "keys and subscriptions follow their API, and go for no other reason than their own",
    },
    About {
        name: "update_count",
        when: "at rest",
        says: "what is served and held changes no more often than APIM gives reason to",
    },
    About {
        name: "same_decision",
        when: "at rest",
        says: "a request is let through exactly when the ledger's own judgement says so",
    },
    About { name: "no_error_log", when: "always", says: "no line at level ERROR is logged" },
    About {
        name: "replicas_agree",
        when: "at the end",
        says: "gateways of one organization hold the same, whatever faults each one saw",
    },
    About { name: "same_trace", when: "run", says: "two runs of one story have the same hash" },
    About { name: "expect", when: "at the end", says: "the scenario's own claims hold" },
];

/// One of each property, which has seen nothing yet.
pub fn all() -> Vec<Box<dyn Property>> {
    vec![
        Box::new(converges::Converges),
        Box::new(converged_or_loud::ConvergedOrLoud),
        Box::new(safe_read::SafeRead::default()),
        Box::new(no_resurrection::NoResurrection::default()),
        Box::new(generation_never_regresses::GenerationNeverRegresses::default()),
        Box::new(never_serves_undeployed::NeverServesUndeployed::default()),
        Box::new(ack_truth::AckTruth),
        Box::new(store_recovers::StoreRecovers::default()),
        Box::new(bounded_work::BoundedWork::default()),
        Box::new(serves_last_good::ServesLastGood::default()),
        Box::new(revocation_bound::RevocationBound),
        Box::new(closure::Closure),
        Box::new(update_count::UpdateCount::default()),
        Box::new(same_decision::SameDecision::default()),
        Box::new(no_error_log::NoErrorLog),
    ]
}

/// How long after the last disturbance a gateway may still serve what it was never told to stop
/// serving: one resync, and the reads that law 4 asks for.
pub fn unheard_bound(config: &Config) -> Duration {
    config.resync_interval + heard_bound(config)
}

/// How long after hearing of it a gateway may still serve what is undeployed: an undeploy whose
/// order cannot be told waits for reads to settle, two lists and a question, one of which may get
/// no answer.
pub fn heard_bound(config: &Config) -> Duration {
    config.request_timeout
        + config.read_lag_max * 2
        + config.orphan_delay
        + config.list_spacing * 3
        + config.undeploy_grace
        + Duration::from_secs(2)
}
