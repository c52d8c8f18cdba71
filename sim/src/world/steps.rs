//! Taking the steps of the story.

use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::net::Rule;
use super::{Happening, World};
use crate::apim::Applied;
use crate::observe::Observation;
use crate::story::aim::Aim;
use crate::story::step::{Actor, Verb};

impl World<'_> {
    /// One step of the story happens.
    pub(super) fn take_step(&mut self, index: usize) {
        let story = Rc::clone(&self.story);
        let Some(step) = story.steps.get(index) else { return };
        let verb = &step.verb;
        self.trace.record_of_all(self.now, "step", verb.name(), &index.to_le_bytes(), || {
            let verb = serde_json::to_string(verb).unwrap_or_default();
            match step.scope.gateways.as_slice() {
                [] => verb,
                gateways => format!("at={} {verb}", gateways.join(",")),
            }
        });
        let aim = story.aim(step);
        if matches!(verb.actor(), Actor::Network | Actor::Machine) {
            self.each_site(|world| {
                if aim.is_at(world.site.index) {
                    world.disturb(verb);
                }
            });
        } else {
            self.apply_to_manager(verb, &aim);
        }
    }

    /// The network or the machine of a gateway does something to it.
    fn disturb(&mut self, verb: &Verb) {
        let now = self.now;
        let until = |ms: u64| now.after(Duration::from_millis(ms));
        match verb {
            Verb::Partition(partition) => {
                let (until, direction) = (until(partition.for_ms), partition.direction);
                self.site.net.add(Rule::Partition { until, direction });
            }
            Verb::Hold(hold) => self.site.net.add(Rule::Hold { until: until(hold.for_ms) }),
            Verb::Latency(latency) => self.site.net.add(Rule::Latency {
                until: until(latency.for_ms),
                min: Duration::from_millis(latency.min_ms),
                max: Duration::from_millis(latency.max_ms),
            }),
            Verb::HalfOpen(_) => self.half_open(),
            Verb::Reset(_) => {
                self.count_reset();
                self.reset_connections();
            }
            Verb::Frames(frames) => self.site.net.frames.add(*frames),
            Verb::Bytes(bytes) => self.site.net.bytes.push(*bytes),
            Verb::Crash(crash) => {
                self.crash(crash.disk);
                self.schedule(until(crash.down_ms), Happening::Boot);
            }
            Verb::DiskFull(full) => {
                self.site.gateway.store().set_full(true);
                self.schedule(until(full.for_ms), Happening::SpaceAgain);
            }
            Verb::FailWrites(count) => self.site.gateway.store().fail_writes(count.count),
            Verb::FailReads(count) => self.site.gateway.store().fail_reads(count.count),
            Verb::WipeStore(_) => self.wipe(now),
            _ => {}
        }
    }

    fn apply_to_manager(&mut self, verb: &Verb, aim: &Aim) {
        let applied = self.manager.apply_at(verb, aim, self.now);
        if matches!(verb, Verb::RestoreBackup(_)) && applied == Applied::Done {
            self.mark("restored_backup");
        }
        if matches!(verb, Verb::RotateToken(_)) {
            // The operator gives each gateway its new token at once; what it held is refused.
            self.each_site(|world| {
                let holder = world.site.sabotage.token_of(world.site.index);
                world.site.token = world.manager.token(holder).to_owned();
            });
        }
        if matches!(verb, Verb::RestartManager(_)) && applied == Applied::Done {
            self.each_site(Self::reset_connections);
        }
    }

    fn half_open(&mut self) {
        let open: Vec<u64> = self.site.gateway.sessions.values().copied().collect();
        for connection in open {
            self.site.net.kill(Self::line(connection));
        }
    }

    fn wipe(&mut self, now: Instant) {
        self.crash(crate::story::step::CrashDisk::Kept);
        self.site.gateway.store().wipe();
        self.site.gateway.committed = driftless_gateway::model::Recovered::default();
        self.site.heard.wipe();
        self.show(&Observation::Wiped);
        let at = now.after(Duration::from_millis(10));
        self.schedule(at, Happening::Boot);
    }

    fn count_reset(&mut self) {
        let index = self.site.index;
        if self.connections.values().any(|connection| connection.gateway == index) {
            self.site.resets += 1;
        }
    }
}
