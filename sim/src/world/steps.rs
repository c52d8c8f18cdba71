//! Taking the steps of the story.
//!
//! A step may be aimed at APIM or at any of the gateways, so this is about the world as a whole.

use std::rc::Rc;
use std::time::Duration;

use super::World;
use super::deliver::Delivery;
use super::gateway::host::Host;
use super::net::{Line, Rule};
use super::schedule::Happening;
use crate::apim::Applied;
use crate::story::aim::Aim;
use crate::story::step::{Actor, Verb};

impl World<'_> {
    /// One step of the story happens.
    pub(super) fn take_step(&mut self, index: usize) {
        let story = Rc::clone(&self.story);
        let Some(step) = story.steps.get(index) else { return };
        let verb = &step.verb;
        let now = self.schedule.now();
        self.watchers.trace.record_of_all(now, "step", verb.name(), &index.to_le_bytes(), || {
            let verb = serde_json::to_string(verb).unwrap_or_default();
            match step.scope.gateways.as_slice() {
                [] => verb,
                gateways => format!("at={} {verb}", gateways.join(",")),
            }
        });
        let aim = story.aim(step);
        if matches!(verb.actor(), Actor::Network | Actor::Machine) {
            for gateway in self.hosts.gateways().filter(|gateway| aim.is_at(*gateway)) {
                disturb(&mut self.delivery(gateway), verb);
            }
        } else {
            let applied = self.apply_to_manager(verb, &aim);
            if applied == Applied::Nothing && verb.actor() == Actor::People {
                self.schedule.note_idle(index);
            }
        }
    }

    fn apply_to_manager(&mut self, verb: &Verb, aim: &Aim) -> Applied {
        let applied = self.manager.apply_at(verb, aim, self.schedule.now());
        if matches!(verb, Verb::RestoreBackup(_)) && applied == Applied::Done {
            self.watchers.marks.mark("restored_backup");
        }
        if matches!(verb, Verb::RotateToken(_)) {
            // The operator gives each gateway its new token at once; what it held is refused.
            for host in self.hosts.iter_mut() {
                let holder = host.sabotage.token_of(host.index);
                host.token = self.manager.token(holder).to_owned();
            }
        }
        if matches!(verb, Verb::RestartManager(_)) && applied == Applied::Done {
            for gateway in self.hosts.gateways() {
                self.delivery(gateway).reset_connections();
            }
        }
        applied
    }
}

/// The network or the machine of a gateway does something to it.
fn disturb(at: &mut Delivery<'_, '_>, verb: &Verb) {
    let now = at.schedule.now();
    let until = |ms: u64| now.after(Duration::from_millis(ms));
    match verb {
        Verb::Partition(partition) => {
            let (until, direction) = (until(partition.for_ms), partition.direction);
            at.host.net.add(Rule::Partition { until, direction });
        }
        Verb::Hold(hold) => at.host.net.add(Rule::Hold { until: until(hold.for_ms) }),
        Verb::Latency(latency) => at.host.net.add(Rule::Latency {
            until: until(latency.for_ms),
            min: Duration::from_millis(latency.min_ms),
            max: Duration::from_millis(latency.max_ms),
        }),
        Verb::HalfOpen(_) => half_open(at.host),
        Verb::Reset(_) => {
            if at.links.of(at.host.index).next().is_some() {
                at.host.resets += 1;
            }
            at.reset_connections();
        }
        Verb::Frames(frames) => at.host.net.frames.add(*frames),
        Verb::Bytes(bytes) => at.host.net.bytes.push(*bytes),
        Verb::Crash(crash) => {
            let mut side = at.side();
            side.crash(crash.disk);
            side.boot_after(Duration::from_millis(crash.down_ms));
        }
        Verb::DiskFull(full) => {
            at.host.gateway.store().set_full(true);
            at.plan(until(full.for_ms), Happening::SpaceAgain);
        }
        Verb::FailWrites(count) => at.host.gateway.store().fail_writes(count.count),
        Verb::FailReads(count) => at.host.gateway.store().fail_reads(count.count),
        Verb::WipeStore(_) => at.side().wipe(),
        _ => {}
    }
}

fn half_open(host: &mut Host) {
    let open: Vec<u64> = host.gateway.sessions.values().copied().collect();
    for connection in open {
        host.net.kill(Line::Session(connection));
    }
}
