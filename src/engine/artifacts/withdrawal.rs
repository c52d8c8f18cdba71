//! Undeploys and deletes: an event says so, and the artifact itself is asked before it goes.
//!
//! A redeploy is sent as an undeploy and a deploy, and the second may be late or lost (A-H20). A
//! delete or undeploy may be a late copy that overtakes newer truth (A-H2, C-H19). So it waits for
//! a short grace and then asks for the artifact: "not deployed" makes it true if the event is
//! provably newer than what is served; a definition that is still handed out once reads have
//! settled voids it; and where no answer comes at all, a provably newer event is believed. Where
//! neither can be told, it is asked on, in doubt, through outages and whatever rows say.

use super::Artifacts;
use super::belief::{ArtifactBelief, Doubt, Intent, Withdrawal};
use crate::engine::config::Config;
use crate::model::{ArtifactId, Generation, Kind};
use crate::time::Instant;

impl Artifacts {
    /// An event says that an artifact is undeployed or deleted. `provable` tells whether it is
    /// newer than what is known for certain.
    pub(super) fn withdraw(
        &mut self,
        id: &ArtifactId,
        kind: Kind,
        mut withdrawal: Withdrawal,
        now: Instant,
    ) {
        let known = self.beliefs.get(id);
        // A copy of what the artifact itself made void proves nothing.
        withdrawal.provable &=
            !known.is_some_and(|known| known.was_voided(withdrawal.stamp.as_ref()));
        let Withdrawal { intent, stamp, provable, .. } = withdrawal;
        match self.beliefs.get(id).map(|known| known.intent) {
            Some(Intent::Deployed) => {
                self.beliefs.update(id, |belief| belief.hold_back(withdrawal));
            }
            Some(_) if !provable => {}
            known => {
                if known.is_none() {
                    let belief = ArtifactBelief::new(kind, intent, Generation::default(), now);
                    self.beliefs.insert(id.clone(), belief);
                }
                self.beliefs.update(id, |belief| {
                    // What is deleted stays so: an undeploy says less.
                    belief.intend(belief.intent.max(intent), now);
                    belief.generation.performed_at = stamp;
                });
            }
        }
    }

    /// Goes on with withdrawals that wait no longer: the artifact is asked for, and where no
    /// answer comes in time the event is believed if it is provably newer than what is served.
    pub(in crate::engine) fn end_withdrawals(&mut self, config: &Config, now: Instant) {
        while let Some(id) = self.beliefs.withdrawal_due(now) {
            let mut is_believed = false;
            self.beliefs.update(&id, |belief| match &mut belief.withdrawal {
                Some(withdrawal) if !withdrawal.asked => {
                    withdrawal.due = withdrawal.known_at.after(config.read_lag_max * 2);
                    belief.ask_for(|belief| {
                        if let Some(withdrawal) = &mut belief.withdrawal {
                            withdrawal.asked = true;
                        }
                    });
                }
                Some(withdrawal) if withdrawal.provable && !withdrawal.contradicted => {
                    is_believed = true;
                }
                Some(withdrawal) => {
                    // Only the artifact's own answer settles it; until then it is in doubt.
                    withdrawal.due = now.after(config.resync_interval);
                    belief.doubt = Some(Doubt::Contradicted);
                }
                None => {}
            });
            if is_believed {
                self.beliefs.update(&id, ArtifactBelief::believe_withdrawal);
            }
            self.touched.insert(id);
        }
    }
}

impl ArtifactBelief {
    /// The artifact is still handed out, asked for at `asked_at`; that may be the state before the
    /// withdrawal.
    pub(super) fn still_handed_out(&mut self, asked_at: Instant) {
        if let Some(withdrawal) = &mut self.withdrawal {
            withdrawal.contradicted |= asked_at >= withdrawal.known_at;
        }
    }

    /// A withdrawal whose order cannot be told was answered with "not deployed". Either alone may
    /// be wrong, and a missing route looks the same; the lists that are wanted anyway decide
    /// (FB-62). A row may be a zombie (A-H14), so the artifact is asked for on until it is handed
    /// out again.
    pub(super) fn suspect_withdrawal(&mut self) {
        self.withdrawal = None;
        self.scrub_wanted = true;
        self.doubt = Some(Doubt::Contradicted);
    }

    /// The withdrawal is true.
    pub(super) fn believe_withdrawal(&mut self) {
        let Some(withdrawal) = self.withdrawal.take() else { return };
        self.intend(withdrawal.intent, withdrawal.known_at);
        let known = self.generation.performed_at;
        self.generation.performed_at = withdrawal.stamp.or(known);
        self.doubt = None;
    }

    /// A list asked for late enough has the artifact deployed. A withdrawal that the artifact
    /// itself has not answered yet is still asked about until `until`, for the row may be a
    /// zombie (A-H14).
    pub(super) fn contradict_withdrawal(&mut self, withdrawal: Option<Withdrawal>, until: Instant) {
        self.withdrawal = withdrawal.map(|withdrawal| {
            let due = if withdrawal.asked { until } else { withdrawal.due };
            Withdrawal { contradicted: true, due, ..withdrawal }
        });
    }
}
