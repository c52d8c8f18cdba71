//! `store_recovers`: whatever the crash, the store holds what was committed, or that and the
//! whole batch that was being written; never less and never half.

use driftless_gateway::model::{Batch, Recovered};

use super::{Property, Verdicts};
use crate::observe::{Context, Observation};

/// The batches that were attempted since the last commit: a write that failed as it was synced
/// may be there all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreRecovers {
    attempts: Vec<Batch>,
}

impl Property for StoreRecovers {
    fn name(&self) -> &'static str {
        "store_recovers"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(
            observation,
            Observation::Committed(_)
                | Observation::CommitFailed(_)
                | Observation::Wiped
                | Observation::Crashed(_)
                | Observation::Recovered(_)
        )
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        match observation {
            Observation::Committed(batch) => self.settle(batch),
            Observation::Wiped => self.attempts.clear(),
            Observation::CommitFailed(batch) => self.attempts.push((*batch).clone()),
            Observation::Crashed(in_flight) => self.attempts.extend(in_flight.cloned()),
            Observation::Recovered(found) if !self.explains(context.committed, found) => {
                let expected = difference(context.committed, found);
                let found = "another state after the crash";
                verdicts.violated(self.name(), context.now, "store", expected, found);
            }
            _ => {}
        }
    }
}

impl StoreRecovers {
    /// A commit decides about what it writes. An attempt at something else may still be found: it is
    /// not repeated where a definition that came after it cannot be read.
    fn settle(&mut self, batch: &Batch) {
        for attempt in &mut self.attempts {
            attempt.artifacts.retain(|id, _| !batch.artifacts.contains_key(id));
            attempt.resources.retain(|id, _| !batch.resources.contains_key(id));
            attempt.control_plane = None;
        }
        self.attempts.retain(|attempt| !attempt.is_empty());
    }

    /// Whether `found` is what was committed, with some of the attempts since.
    fn explains(&mut self, committed: &Recovered, found: &Recovered) -> bool {
        let mut candidates = vec![committed.clone()];
        for batch in std::mem::take(&mut self.attempts) {
            for mut state in candidates.clone() {
                state.apply(&batch);
                if !candidates.contains(&state) {
                    candidates.push(state);
                }
            }
        }
        candidates.contains(found)
    }
}

fn difference(committed: &Recovered, found: &Recovered) -> String {
    let row = committed.rows.iter().find(|(id, row)| found.rows.get(*id) != Some(*row));
    let grave = committed
        .tombstones
        .iter()
        .find(|(id, tombstone)| found.tombstones.get(*id) != Some(*tombstone));
    let mut resources = committed.resources.iter();
    let resource = resources.find(|(id, row)| found.resources.get(*id) != Some(*row));
    match (row, grave, resource) {
        (Some((id, row)), ..) => {
            format!("the row of {id}: {row:?}, found {:?}", found.rows.get(id))
        }
        (None, Some((id, _)), _) => format!("the tombstone of {id}"),
        (None, None, Some((id, _))) => format!("the row of {id}"),
        (None, None, None) => format!(
            "{} rows, {} tombstones and {} resources, found {}, {} and {}",
            committed.rows.len(),
            committed.tombstones.len(),
            committed.resources.len(),
            found.rows.len(),
            found.tombstones.len(),
            found.resources.len()
        ),
    }
}
