//! Undeploys and deletes: an event says so, and the artifact itself is asked before it goes.
//!
//! A redeploy is sent as an undeploy and a deploy, and the second may be late or lost (A-H20). A
//! delete or undeploy may be a late copy that overtakes newer truth (A-H2, C-H19). So an ending
//! waits for a short grace and then asks for the artifact: "not deployed" makes it true if the
//! event is provably newer than what is served; a definition that is still handed out once reads
//! have settled voids it; and where no answer comes at all, a provably newer event is believed.

use crate::engine::Engine;
use crate::engine::artifacts::belief::{Desired, Doubt, Intent, PendingEnding};
use crate::model::{ArtifactId, Generation, Kind};
use crate::time::{Instant, Timestamp};

impl Engine {
    /// An event says that an artifact is undeployed or deleted. `provable` tells whether it is
    /// newer than what is known for certain.
    pub(in crate::engine) fn end(
        &mut self,
        id: &ArtifactId,
        kind: Kind,
        intent: Intent,
        stamp: Option<Timestamp>,
        provable: bool,
        now: Instant,
    ) {
        match self.desired.get(id).map(|known| known.intent) {
            Some(Intent::Deployed) => {
                let due = now.after(self.config.undeploy_grace);
                let (asked, contradicted, known_at) = (false, false, now);
                let ending =
                    PendingEnding { intent, due, asked, contradicted, provable, known_at, stamp };
                self.desired.update(id, |desired| desired.pend(ending));
            }
            Some(_) if !provable => {}
            known => {
                if known.is_none() {
                    let desired = Desired::new(kind, intent, Generation::default(), now);
                    self.desired.insert(id.clone(), desired);
                }
                self.desired.update(id, |desired| {
                    // What is deleted stays so: an undeploy says less.
                    let intent =
                        if desired.intent == Intent::Deleted { Intent::Deleted } else { intent };
                    desired.intend(intent, now);
                    desired.generation.performed_at = stamp;
                });
            }
        }
    }

    /// Endings whose grace is over: the artifact is asked for, and where no answer comes in time
    /// the event is believed if it is provably newer than what is served.
    pub(in crate::engine) fn end_graces(&mut self, now: Instant) {
        while let Some(id) = self.desired.grace_over(now) {
            let lag = self.config.read_lag_max;
            let mut gave_up = false;
            self.desired.update(&id, |desired| match &mut desired.ending {
                Some(ending) if !ending.asked => {
                    ending.asked = true;
                    ending.due = ending.known_at.after(lag * 2);
                    desired.want_check();
                }
                Some(ending) if ending.provable && !ending.contradicted => gave_up = true,
                Some(_) => {
                    // The list that is wanted anyway decides; until then it is in doubt.
                    desired.ending = None;
                    desired.check_wanted = false;
                    desired.doubt = Some(Doubt::Contradicted);
                }
                None => {}
            });
            if gave_up {
                self.believe_ending(&id);
            }
            self.touched.insert(id);
        }
    }

    /// The artifact is still handed out, asked for at `asked_at`; that may be the state before the
    /// ending.
    pub(in crate::engine) fn still_handed_out(&mut self, id: &ArtifactId, asked_at: Instant) {
        self.desired.update(id, |desired| {
            if let Some(ending) = &mut desired.ending {
                ending.contradicted |= asked_at >= ending.known_at;
            }
        });
    }

    /// An ending whose order cannot be told was answered with "not deployed". Either alone may be
    /// wrong, and a missing route looks the same; the lists that are wanted anyway decide (FB-62).
    /// A row may be a zombie (A-H14), so the artifact is asked on until it is handed out again.
    pub(in crate::engine) fn suspect(&mut self, id: &ArtifactId) {
        self.desired.update(id, |desired| {
            desired.ending = None;
            desired.check_wanted = false;
            desired.scrub_wanted = true;
            desired.doubt = Some(Doubt::Contradicted);
        });
    }

    /// The pending ending is true.
    pub(in crate::engine) fn believe_ending(&mut self, id: &ArtifactId) {
        self.desired.update(id, |desired| {
            let Some(ending) = desired.ending.take() else { return };
            desired.intend(ending.intent, ending.known_at);
            let known = desired.generation.performed_at;
            desired.generation.performed_at = ending.stamp.or(known);
            desired.doubt = None;
        });
    }
}
