//! `store_recovers`: whatever the crash, the store holds what was committed, or that and the
//! whole batch that was being written; never less and never half.

use driftless_gateway::model::{Batch, Recovered};

use super::{Moment, Property, Scene, Verdicts};

/// The batch that was being written when the process died.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreRecovers {
    in_flight: Option<Batch>,
}

impl Property for StoreRecovers {
    fn name(&self) -> &'static str {
        "store_recovers"
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        match moment {
            Moment::Crashed(in_flight) => self.in_flight = in_flight.cloned(),
            Moment::Recovered(found) => {
                let mut with = scene.committed.clone();
                if let Some(batch) = self.in_flight.take() {
                    with.apply(&batch);
                }
                if *found != scene.committed && **found != with {
                    let expected = difference(scene.committed, found);
                    let found = "another state after the crash";
                    verdicts.violated(self.name(), scene.now, "store", expected, found);
                }
            }
            _ => {}
        }
    }
}

fn difference(committed: &Recovered, found: &Recovered) -> String {
    let row = committed.rows.iter().find(|(id, row)| found.rows.get(*id) != Some(*row));
    let grave = committed
        .tombstones
        .iter()
        .find(|(id, tombstone)| found.tombstones.get(*id) != Some(*tombstone));
    match (row, grave) {
        (Some((id, row)), _) => format!("the row of {id}: {row:?}, found {:?}", found.rows.get(id)),
        (None, Some((id, _))) => format!("the tombstone of {id}"),
        (None, None) => format!(
            "{} rows and {} tombstones, found {} and {}",
            committed.rows.len(),
            committed.tombstones.len(),
            found.rows.len(),
            found.tombstones.len()
        ),
    }
}
