//! The plan is total, asks nothing where the sets agree, removes only what is meant to go, and
//! has nothing left to write once what it wrote is durable.

use std::collections::BTreeMap;
use std::time::Duration;

use driftless_gateway::engine::reconcile::{Task, plan};
use driftless_gateway::engine::{
    ArtifactBelief, ArtifactBeliefs, Certainty, Intent, ObservedSet, Presence, Withdrawal,
};
use driftless_gateway::model::{
    ArtifactId, ArtifactWrite, ContentDigest, DeployState, DeploymentId, Generation, Held, Kind,
    Recovered, Row, Tombstone, WriteId,
};
use driftless_gateway::time::{Instant, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::holding::hold;

/// Where what broke these properties is kept.
const KEPT: &str = "tests/properties/regressions/plan.txt";

const LAG: Duration = Duration::from_secs(5);
const INTENTS: [Intent; 3] = [Intent::Deployed, Intent::Undeployed, Intent::Deleted];

/// What is believed and what is stored about one artifact.
type Case = (Option<ArtifactBelief>, Option<Stored>);

#[derive(Clone, Debug)]
enum Stored {
    Row(Row),
    Tombstone(Tombstone),
}

fn instants() -> impl Strategy<Value = Instant> {
    (0..40_u64).prop_map(|seconds| Instant::from_millis(seconds * 1000))
}

fn stamps() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0..3_i64).prop_map(Timestamp::from_unix_millis))
}

fn generations() -> impl Strategy<Value = Generation> {
    (proptest::option::weighted(0.8, 0..2_u8), stamps(), stamps()).prop_map(
        |(deployment, performed_at, listed_at)| Generation {
            deployment: deployment.map(|number| DeploymentId::new(&format!("d{number}"))),
            performed_at,
            listed_at,
        },
    )
}

fn withdrawals() -> impl Strategy<Value = Option<Withdrawal>> {
    let intent = prop_oneof![Just(Intent::Undeployed), Just(Intent::Deleted)];
    let withdrawal = (intent, instants(), any::<bool>(), any::<bool>(), stamps()).prop_map(
        |(intent, known_at, asked, provable, stamp)| Withdrawal {
            intent,
            due: known_at.after(LAG),
            asked,
            contradicted: false,
            provable,
            known_at,
            stamp,
            deployment: None,
        },
    );
    proptest::option::of(withdrawal)
}

fn certainties() -> impl Strategy<Value = Certainty> {
    (0..4_u8, instants()).prop_map(|(which, read_at)| match which {
        0 => Certainty::Unread,
        1 => Certainty::Provisional { read_at },
        2 => Certainty::Settled { read_at, settled_at: read_at },
        _ => Certainty::Confirmed { read_at },
    })
}

fn presences() -> impl Strategy<Value = Presence> {
    prop_oneof![
        Just(Presence::Listed),
        instants().prop_map(Presence::AbsentSince),
        Just(Presence::CheckWanted),
    ]
}

fn beliefs() -> impl Strategy<Value = ArtifactBelief> {
    let intent = prop::sample::select(INTENTS.to_vec());
    let looks = (certainties(), presences(), any::<bool>(), withdrawals());
    (intent, generations(), instants(), looks).prop_map(|(intent, generation, known_at, looks)| {
        let mut belief = ArtifactBelief::new(Kind::RestApi, intent, generation, known_at);
        let (certainty, presence, scrub_wanted, withdrawal) = looks;
        (belief.certainty, belief.scrub_wanted) = (certainty, scrub_wanted);
        if intent == Intent::Deployed {
            (belief.presence, belief.withdrawal) = (presence, withdrawal);
        }
        belief.check();
        belief
    })
}

fn rows() -> impl Strategy<Value = Row> {
    let state = prop_oneof![3 => Just(DeployState::Deployed), 1 => Just(DeployState::Undeployed)];
    let held = (0..2_u8, any::<bool>())
        .prop_map(|(digest, confirmed)| Held { digest: ContentDigest([digest; 32]), confirmed });
    (state, generations(), proptest::option::weighted(0.8, held))
        .prop_map(|(state, generation, held)| Row { kind: Kind::RestApi, state, generation, held })
}

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        4 => rows().prop_map(Stored::Row),
        1 => (generations(), stamps()).prop_map(|(generation, deleted_at)| {
            Stored::Tombstone(Tombstone { generation, deleted_at })
        }),
    ]
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let case =
        (proptest::option::weighted(0.9, beliefs()), proptest::option::weighted(0.8, stored()));
    prop::collection::vec(case, 0..6)
}

fn id(number: usize) -> ArtifactId {
    ArtifactId::new(&format!("artifact-{number}"))
}

fn sets(cases: &[Case]) -> (ArtifactBeliefs, ObservedSet) {
    let (mut desired, mut recovered) = (ArtifactBeliefs::default(), Recovered::default());
    for (number, (belief, stored)) in cases.iter().enumerate() {
        if let Some(belief) = belief {
            desired.insert(id(number), belief.clone());
        }
        match stored {
            Some(Stored::Row(row)) => {
                recovered.rows.insert(id(number), row.clone());
            }
            Some(Stored::Tombstone(tombstone)) => {
                recovered.tombstones.insert(id(number), tombstone.clone());
            }
            None => {}
        }
    }
    (desired, ObservedSet::new(recovered))
}

fn tasks(desired: &ArtifactBeliefs, observed: &ObservedSet) -> BTreeMap<ArtifactId, Task> {
    plan(desired, observed, LAG).into_iter().collect()
}

fn hold_for_cases(property: impl Fn(Vec<Case>) -> Result<(), TestCaseError>) {
    hold(4_000, KEPT, &cases(), property);
}

#[test]
fn at_most_one_task_for_what_is_believed_and_none_for_anything_else() {
    hold_for_cases(|cases| {
        let (desired, observed) = sets(&cases);
        let planned = plan(&desired, &observed, LAG);
        prop_assert_eq!(planned.len(), tasks(&desired, &observed).len());
        for (artifact, _) in planned {
            prop_assert!(desired.get(&artifact).is_some(), "{artifact} is not believed in");
        }
        Ok(())
    });
}

#[test]
fn what_an_artifact_needs_depends_on_nothing_but_itself() {
    hold_for_cases(|cases| {
        let (desired, observed) = sets(&cases);
        let together = tasks(&desired, &observed);
        let alone: BTreeMap<ArtifactId, Task> = (0..cases.len())
            .flat_map(|number| {
                let only = |at: usize, case: &Case| {
                    if at == number { case.clone() } else { (None, None) }
                };
                let cases: Vec<Case> =
                    cases.iter().enumerate().map(|(at, case)| only(at, case)).collect();
                let (desired, observed) = sets(&cases);
                tasks(&desired, &observed)
            })
            .collect();
        prop_assert_eq!(together, alone);
        Ok(())
    });
}

#[test]
fn sets_that_agree_need_nothing() {
    hold_for_cases(|cases| {
        let agreeing: Vec<Case> = cases
            .into_iter()
            .filter_map(|(belief, stored)| Some((belief?, stored?)))
            .map(|(belief, stored)| {
                let (intent, generation) = match &stored {
                    Stored::Tombstone(tombstone) => {
                        let performed_at = tombstone.deleted_at;
                        (Intent::Deleted, Generation { performed_at, ..Generation::default() })
                    }
                    Stored::Row(row) if row.is_served() => {
                        (Intent::Deployed, row.generation.clone())
                    }
                    Stored::Row(row) => (Intent::Undeployed, row.generation.clone()),
                };
                let stored = match stored {
                    Stored::Row(Row { state, held, .. }) if intent == Intent::Deployed => {
                        let held = held.map(|held| Held { confirmed: true, ..held });
                        Stored::Row(Row {
                            kind: Kind::RestApi,
                            state,
                            generation: generation.clone(),
                            held,
                        })
                    }
                    Stored::Row(row) => Stored::Row(Row { state: DeployState::Undeployed, ..row }),
                    tombstone @ Stored::Tombstone(_) => tombstone,
                };
                let quiet = ArtifactBelief::new(Kind::RestApi, intent, generation, belief.known_at);
                (Some(quiet), Some(stored))
            })
            .collect();
        let (desired, observed) = sets(&agreeing);
        prop_assert_eq!(plan(&desired, &observed, LAG), Vec::new());
        Ok(())
    });
}

#[test]
fn nothing_is_withdrawn_or_buried_unless_that_is_the_intent() {
    hold_for_cases(|cases| {
        let (desired, observed) = sets(&cases);
        for (artifact, task) in tasks(&desired, &observed) {
            let intent = desired.get(&artifact).map(|belief| belief.intent);
            let held = observed.latest_row(&artifact);
            match task {
                Task::Fetch { .. } => prop_assert_eq!(intent, Some(Intent::Deployed)),
                Task::Bury(_) => prop_assert_eq!(intent, Some(Intent::Deleted)),
                Task::Write(row) => {
                    let is_withdrawal = row.state == DeployState::Undeployed;
                    prop_assert_eq!(is_withdrawal, intent == Some(Intent::Undeployed));
                    let digest = |row: &Row| row.held.map(|held| held.digest);
                    prop_assert_eq!(digest(&row), held.and_then(digest), "a plan reads nothing");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn once_its_writes_are_durable_a_plan_has_only_fetches_left() {
    hold_for_cases(|cases| {
        let (desired, mut observed) = sets(&cases);
        for (artifact, task) in tasks(&desired, &observed) {
            match task {
                Task::Fetch { .. } => {}
                Task::Write(row) => {
                    observed.write(artifact, ArtifactWrite::Put { row, content: None });
                }
                Task::Bury(tombstone) => observed.write(artifact, ArtifactWrite::Bury(tombstone)),
            }
        }
        let queued = tasks(&desired, &observed);
        observed.begin(WriteId(1), usize::MAX);
        observed.stored(WriteId(1));
        prop_assert_eq!(&tasks(&desired, &observed), &queued, "on its way counts as done");
        for (artifact, task) in queued {
            prop_assert!(matches!(task, Task::Fetch { .. }), "{artifact}: {task:?} again");
        }
        Ok(())
    });
}
