//! Desired against observed: a pure and total comparison.

use std::time::Duration;

use super::belief::{ArtifactBelief, ArtifactBeliefs, Certainty, Intent};
use crate::engine::durable::ObservedSet;
use crate::model::{ArtifactId, DeployState, Generation, Held, Row, Tombstone};
use crate::time::Instant;

/// What one artifact needs next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Its definition, asked for at `due` or later.
    Fetch {
        /// Not before this; in the past means at once.
        due: Instant,
    },
    /// This row; the stored definition stays.
    Write(Row),
    /// To be removed and remembered as deleted.
    Bury(Tombstone),
}

/// What every artifact needs next; nothing is in it that needs nothing.
pub fn plan(
    desired: &ArtifactBeliefs,
    observed: &ObservedSet,
    lag: Duration,
) -> Vec<(ArtifactId, Task)> {
    desired
        .iter()
        .filter_map(|(id, wanted)| {
            let task =
                plan_one(wanted, observed.latest_row(id), observed.latest_tombstone(id), lag);
            task.map(|task| (id.clone(), task))
        })
        .collect()
}

/// What one artifact needs next, given the row or tombstone that will be durable.
pub fn plan_one(
    desired: &ArtifactBelief,
    row: Option<&Row>,
    tombstone: Option<&Tombstone>,
    lag: Duration,
) -> Option<Task> {
    match desired.intent {
        Intent::Deployed => plan_deployed(desired, row, lag),
        Intent::Undeployed => row.and_then(|row| plan_undeployed(desired, row)),
        Intent::Deleted => plan_deleted(desired, tombstone),
    }
}

/// A definition is identified by its deployment id: APIM derives the id from the revision, and a
/// revision does not change. List times differ from read to read and mean nothing here (FB-11).
fn plan_deployed(desired: &ArtifactBelief, row: Option<&Row>, lag: Duration) -> Option<Task> {
    let Some(row) = row else { return Some(Task::Fetch { due: desired.known_at }) };
    let Some(held) = row.held else { return Some(Task::Fetch { due: desired.known_at }) };
    if !is_labelled(desired, row) {
        return Some(Task::Fetch { due: desired.replaceable_at(lag) });
    }
    // What was withdrawn is served again only after a read of the artifact itself: a list alone
    // may still show a row that was meant to go (A-H14).
    if row.state == DeployState::Undeployed || desired.is_asked_for() {
        return Some(Task::Fetch { due: desired.known_at });
    }
    let confirmed = held.confirmed || matches!(desired.certainty, Certainty::Confirmed { .. });
    let is_performed_since = performed_since(desired, row);
    if is_performed_since || confirmed != held.confirmed {
        let known = if is_performed_since { &desired.generation } else { &row.generation };
        let (generation, held) = (known.clone(), Some(Held { confirmed, ..held }));
        return Some(Task::Write(Row { generation, held, ..row.clone() }));
    }
    if confirmed {
        let due = desired.replaceable_at(lag);
        return desired.scrub_wanted.then_some(Task::Fetch { due });
    }
    // Read late enough already: the list that confirms it is on its way.
    let is_read = matches!(desired.certainty, Certainty::Settled { .. });
    (!is_read).then(|| Task::Fetch { due: desired.confirmable_at(lag) })
}

/// Whether the held definition carries the name of what is wanted: its deployment id or, where the
/// event named none, the event itself.
fn is_labelled(desired: &ArtifactBelief, row: &Row) -> bool {
    row.generation.deployment == desired.generation.deployment
        && (row.generation.deployment.is_some() || !performed_since(desired, row))
}

/// The definition keeps its label, so that it is known again when it is deployed again.
fn plan_undeployed(desired: &ArtifactBelief, row: &Row) -> Option<Task> {
    if row.state == DeployState::Undeployed && !performed_since(desired, row) {
        return None;
    }
    let generation = Generation {
        deployment: row.generation.deployment.clone(),
        performed_at: desired.generation.performed_at.or(row.generation.performed_at),
        listed_at: desired.generation.listed_at,
    };
    Some(Task::Write(Row { state: DeployState::Undeployed, generation, ..row.clone() }))
}

fn plan_deleted(desired: &ArtifactBelief, tombstone: Option<&Tombstone>) -> Option<Task> {
    let wanted = desired.generation.performed_at;
    if tombstone.is_some_and(|tombstone| tombstone.deleted_at == wanted) {
        return None;
    }
    Some(Task::Bury(Tombstone { generation: desired.generation.clone(), deleted_at: wanted }))
}

/// Whether an event was applied that the row does not remember.
fn performed_since(desired: &ArtifactBelief, row: &Row) -> bool {
    desired.generation.performed_at.is_some()
        && desired.generation.performed_at != row.generation.performed_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentDigest, DeploymentId, Kind};
    use crate::time::Timestamp;

    const LAG: Duration = Duration::from_secs(5);

    fn generation(deployment: &str) -> Generation {
        Generation { deployment: Some(DeploymentId::new(deployment)), ..Generation::default() }
    }

    fn desired(intent: Intent, deployment: &str) -> ArtifactBelief {
        ArtifactBelief::new(
            Kind::RestApi,
            intent,
            generation(deployment),
            Instant::from_millis(1000),
        )
    }

    fn row(state: DeployState, deployment: &str, confirmed: bool) -> Row {
        Row {
            kind: Kind::RestApi,
            state,
            generation: generation(deployment),
            held: Some(Held { digest: ContentDigest([7; 32]), confirmed }),
        }
    }

    #[track_caller]
    fn check(desired: &ArtifactBelief, row: Option<&Row>, expect: Option<Task>) {
        assert_eq!(plan_one(desired, row, None, LAG), expect);
    }

    fn fetch(millis: u64) -> Option<Task> {
        Some(Task::Fetch { due: Instant::from_millis(millis) })
    }

    #[test]
    fn what_is_wanted_and_not_held_is_fetched() {
        check(&desired(Intent::Deployed, "d1"), None, fetch(1000));
    }

    #[test]
    fn another_deployment_is_fetched_once_the_held_one_may_be_replaced() {
        let mut wanted = desired(Intent::Deployed, "d2");
        check(&wanted, Some(&row(DeployState::Deployed, "d1", true)), fetch(0));
        wanted.certainty = Certainty::Provisional { read_at: Instant::from_millis(3000) };
        check(&wanted, Some(&row(DeployState::Deployed, "d1", true)), fetch(8000));
    }

    #[test]
    fn a_provisional_definition_is_read_again_when_reads_have_settled() {
        let held = row(DeployState::Deployed, "d1", false);
        check(&desired(Intent::Deployed, "d1"), Some(&held), fetch(6000));
        check(
            &desired(Intent::Deployed, "d1"),
            Some(&row(DeployState::Deployed, "d1", true)),
            None,
        );
    }

    #[test]
    fn a_list_after_the_settled_read_confirms_it() {
        let held = row(DeployState::Deployed, "d1", false);
        let mut wanted = desired(Intent::Deployed, "d1");
        let read_at = Instant::from_millis(6000);
        wanted.certainty = Certainty::Settled { read_at, settled_at: read_at };
        check(&wanted, Some(&held), None);
        wanted.certainty = Certainty::Confirmed { read_at };
        let confirmed = row(DeployState::Deployed, "d1", true);
        check(&wanted, Some(&held), Some(Task::Write(confirmed)));
    }

    #[test]
    fn what_is_held_and_confirmed_is_read_again_when_it_is_its_turn() {
        let held = row(DeployState::Deployed, "d1", true);
        let mut wanted = desired(Intent::Deployed, "d1");
        wanted.scrub_wanted = true;
        check(&wanted, Some(&held), fetch(0));
    }

    #[test]
    fn what_was_withdrawn_is_read_before_it_is_served_again() {
        let held = row(DeployState::Undeployed, "d1", true);
        check(&desired(Intent::Deployed, "d1"), Some(&held), fetch(1000));
    }

    #[test]
    fn an_undeploy_keeps_the_definition_and_its_label() {
        let wanted = desired(Intent::Undeployed, "d9");
        let held = row(DeployState::Deployed, "d1", true);
        let expect = Row { state: DeployState::Undeployed, ..held.clone() };
        check(&wanted, Some(&held), Some(Task::Write(expect.clone())));
        check(&wanted, Some(&expect), None);
        check(&wanted, None, None);
    }

    #[test]
    fn a_redeploy_of_the_held_revision_only_remembers_the_event() {
        let mut wanted = desired(Intent::Deployed, "d1");
        wanted.generation.performed_at = Timestamp::parse("2026-06-17T09:15:00.000001Z").ok();
        let held = row(DeployState::Deployed, "d1", true);
        let expect = Row { generation: wanted.generation.clone(), ..held.clone() };
        check(&wanted, Some(&held), Some(Task::Write(expect)));
    }

    #[test]
    fn a_deletion_is_remembered_even_of_what_was_never_held() {
        let wanted = desired(Intent::Deleted, "d1");
        let tombstone = Tombstone { generation: generation("d1"), deleted_at: None };
        check(&wanted, None, Some(Task::Bury(tombstone.clone())));
        assert_eq!(plan_one(&wanted, None, Some(&tombstone), LAG), None);
    }
}
