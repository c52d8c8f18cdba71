//! Taking the steps of the story.

use std::time::Duration;

use driftless_gateway::time::Instant;

use super::{Happening, World};
use crate::manager::Applied;
use crate::net::Rule;
use crate::properties::Moment;
use crate::step::Verb;

impl World<'_, '_> {
    /// One step of the story happens.
    pub(super) fn take_step(&mut self, index: usize) {
        let Some(step) = self.story.steps.get(index) else { return };
        let verb = &step.verb;
        self.trace.record(self.now, "step", verb.name(), &index.to_le_bytes(), || {
            serde_json::to_string(verb).unwrap_or_default()
        });
        let now = self.now;
        let until = |ms: u64| now.after(Duration::from_millis(ms));
        match verb {
            Verb::Partition(partition) => {
                let (until, direction) = (until(partition.for_ms), partition.direction);
                self.net.add(Rule::Partition { until, direction });
            }
            Verb::Hold(hold) => self.net.add(Rule::Hold { until: until(hold.for_ms) }),
            Verb::Latency(latency) => self.net.add(Rule::Latency {
                until: until(latency.for_ms),
                min: Duration::from_millis(latency.min_ms),
                max: Duration::from_millis(latency.max_ms),
            }),
            Verb::HalfOpen(_) => self.half_open(),
            Verb::Reset(_) => {
                self.count_reset();
                self.reset_connections();
            }
            Verb::Frames(frames) => self.net.frames.add(*frames),
            Verb::Crash(crash) => {
                self.crash(crash.disk);
                self.schedule(until(crash.down_ms), Happening::Boot);
            }
            Verb::DiskFull(full) => {
                self.gateway.store().set_full(true);
                self.schedule(until(full.for_ms), Happening::SpaceAgain);
            }
            Verb::FailWrites(count) => self.gateway.store().fail_writes(count.count),
            Verb::WipeStore(_) => self.wipe(now),
            verb => self.apply_to_manager(verb),
        }
    }

    fn apply_to_manager(&mut self, verb: &Verb) {
        let applied = self.manager.apply(verb, self.now);
        if matches!(verb, Verb::RestoreBackup(_)) && applied == Applied::Done {
            self.mark("restored_backup");
        }
        if matches!(verb, Verb::RotateToken(_)) {
            // The operator gives the gateway its new token at once; what it held is refused.
            self.token = self.manager.token().to_owned();
        }
        if matches!(verb, Verb::RestartManager(_)) && applied == Applied::Done {
            self.reset_connections();
        }
    }

    fn half_open(&mut self) {
        let open: Vec<u64> = self.gateway.sessions.values().copied().collect();
        for connection in open {
            self.net.kill(Self::line(connection));
        }
    }

    fn wipe(&mut self, now: Instant) {
        self.crash(crate::step::CrashDisk::Kept);
        self.gateway.store().wipe();
        self.gateway.committed = driftless_gateway::model::Recovered::default();
        self.told.wipe();
        self.show(&Moment::Wiped);
        let at = now.after(Duration::from_millis(10));
        self.schedule(at, Happening::Boot);
    }

    fn count_reset(&mut self) {
        if !self.connections.is_empty() {
            self.resets += 1;
        }
    }
}
