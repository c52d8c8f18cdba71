//! The network between one gateway and APIM: latency, order within a connection, and faults.
//!
//! It carries messages, not bytes: what TCP does to bytes is the wire world's business. A
//! partition does to a connection what TCP makes of one: either the bytes are sent again after it
//! heals, or the connection has died and nobody is told. Which of the two is drawn by connection.

mod fault;
mod frames;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driftless_gateway::time::Instant;

pub use fault::{Rule, Verdict};
pub use frames::{FrameFate, FrameFaults};

use crate::random::Key;
use crate::story::step::Bytes;

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Towards {
    /// From APIM to the gateway.
    Gateway,
    /// From the gateway to APIM.
    Manager,
}

/// A connection: the one of a session, or the one of a single request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Line {
    /// The WebSocket of the session with this connection number.
    Session(u64),
    /// The HTTP exchange with this number.
    Exchange(u64),
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// It arrives.
    At(Instant),
    /// It does not, and nobody is told.
    Lost,
}

const LATENCY_MIN: Duration = Duration::from_millis(1);
const LATENCY_MAX: Duration = Duration::from_millis(5);

/// The network.
#[derive(Clone, Debug)]
pub struct Network {
    key: Key,
    sent: u64,
    rules: Vec<Rule>,
    dead: BTreeSet<Line>,
    arrivals: BTreeMap<(Line, Towards), Instant>,
    /// Faults on event frames.
    pub frames: FrameFaults,
    /// Faults on bytes, for whoever carries bytes.
    pub bytes: Vec<Bytes>,
    delivered: BTreeMap<&'static str, u64>,
    total: u64,
}

impl Network {
    /// A healthy network whose latencies are drawn below `key`.
    pub fn new(key: Key) -> Self {
        Self {
            key,
            sent: 0,
            rules: Vec::new(),
            dead: BTreeSet::new(),
            arrivals: BTreeMap::new(),
            frames: FrameFaults::default(),
            bytes: Vec::new(),
            delivered: BTreeMap::new(),
            total: 0,
        }
    }

    /// Adds a fault.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Carries one message; a connection keeps its order.
    pub fn carry(&mut self, line: Line, towards: Towards, now: Instant) -> Carried {
        self.sent += 1;
        if self.dead.contains(&line) {
            self.count("half_open");
            return Carried::Lost;
        }
        self.rules.retain(|rule| rule.until() > now);
        let draw = self.key.nth(self.sent);
        let (mut low, mut high) = (LATENCY_MIN, LATENCY_MAX);
        let mut not_before = now;
        for rule in self.rules.clone() {
            match rule.judge(towards) {
                Verdict::Pass => {}
                Verdict::Slow(min, max) => {
                    (low, high) = (min, max);
                    self.count("latency");
                }
                Verdict::Wait(until) => {
                    not_before = not_before.max(until);
                    self.count("hold");
                }
                Verdict::Stall(until) => {
                    self.count("partition");
                    if self.dies(line, until) {
                        self.dead.insert(line);
                        return Carried::Lost;
                    }
                    let resend = draw.between("resend", 200, 1000);
                    not_before = not_before.max(until.after(Duration::from_millis(resend)));
                }
            }
        }
        let (low, high) = (millis(low), millis(high).max(millis(low)));
        let latency = Duration::from_millis(draw.between("latency", low, high));
        let arrival = not_before.after(latency);
        if let Line::Exchange(_) = line {
            // One message each way: there is no order to keep.
            return Carried::At(arrival);
        }
        let last = self.arrivals.entry((line, towards)).or_insert(arrival);
        *last = (*last).max(arrival);
        Carried::At(*last)
    }

    /// Whether a partition kills this connection instead of delaying it: always for one exchange
    /// in two, and for one session in two.
    fn dies(&self, line: Line, until: Instant) -> bool {
        let (name, number) = match line {
            Line::Session(number) => ("session", number),
            Line::Exchange(number) => ("exchange", number),
        };
        self.key.child(name).nth(number).nth(until.as_nanos()).chance("dies", 1, 2)
    }

    /// The connection dies silently.
    pub fn kill(&mut self, line: Line) {
        self.dead.insert(line);
    }

    /// Whether the connection died silently.
    pub fn is_dead(&self, line: Line) -> bool {
        self.dead.contains(&line)
    }

    /// The connection is over for both sides; nothing about it is kept.
    pub fn forget(&mut self, line: Line) {
        self.dead.remove(&line);
        if let Line::Session(_) = line {
            self.arrivals.remove(&(line, Towards::Gateway));
            self.arrivals.remove(&(line, Towards::Manager));
        }
    }

    /// Ends every fault; connections that died stay dead.
    pub fn lift(&mut self) {
        self.rules.clear();
        self.frames.lift();
        self.bytes.clear();
    }

    /// The faults in force.
    pub fn rules(&mut self, now: Instant) -> &[Rule] {
        self.rules.retain(|rule| rule.until() > now);
        &self.rules
    }

    fn count(&mut self, fault: &'static str) {
        self.took_effect(fault, 1);
    }

    /// A fault took effect so many times.
    pub fn took_effect(&mut self, fault: &'static str, times: u64) {
        *self.delivered.entry(fault).or_insert(0) += times;
        self.total += times;
    }

    /// How often any fault took effect.
    pub const fn delivered_total(&self) -> u64 {
        self.total + self.frames.delivered()
    }

    /// How often each fault took effect on a message.
    pub fn delivered(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let frames = Some(("frames", self.frames.delivered())).filter(|(_, count)| *count > 0);
        self.delivered.iter().map(|(name, count)| (*name, *count)).chain(frames)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::step::Direction;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_connection_keeps_its_order_whatever_the_latencies() {
        let mut net = Network::new(Key::new(7));
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(900));
        net.add(Rule::Latency { until: at(10_000), min, max });
        let mut last = Instant::START;
        for sent in 0..200 {
            let Carried::At(arrival) = net.carry(Line::Session(1), Towards::Gateway, at(sent))
            else {
                panic!("nothing is lost on a slow link");
            };
            assert!(arrival >= last);
            last = arrival;
        }
        assert!(net.delivered().any(|(name, count)| name == "latency" && count == 200));
    }

    #[test]
    fn a_partition_delays_or_kills_and_only_in_its_direction() {
        let (mut lost, mut late) = (0, 0);
        for number in 0..100 {
            let mut net = Network::new(Key::new(number));
            net.add(Rule::Partition { until: at(5000), direction: Direction::ToGateway });
            match net.carry(Line::Session(number), Towards::Gateway, at(0)) {
                Carried::Lost => {
                    lost += 1;
                    let later = net.carry(Line::Session(number), Towards::Gateway, at(9000));
                    assert_eq!(later, Carried::Lost, "a dead connection stays dead");
                }
                Carried::At(arrival) => {
                    late += 1;
                    assert!(arrival > at(5000), "nothing passes before the partition heals");
                }
            }
            let other = net.carry(Line::Exchange(number), Towards::Manager, at(0));
            assert!(matches!(other, Carried::At(arrival) if arrival < at(10)));
        }
        assert!(lost > 20 && late > 20, "both outcomes happen: {lost} lost, {late} late");
    }

    #[test]
    fn a_hold_releases_everything_at_its_end() {
        let mut net = Network::new(Key::new(1));
        net.add(Rule::Hold { until: at(3000) });
        let carried = net.carry(Line::Session(1), Towards::Manager, at(10));
        assert!(matches!(carried, Carried::At(arrival) if arrival >= at(3000)));
        let carried = net.carry(Line::Session(1), Towards::Manager, at(4000));
        assert!(matches!(carried, Carried::At(arrival) if arrival < at(4010)));
    }

    #[test]
    fn a_fault_free_network_delays_and_loses_nothing() {
        let mut net = Network::new(Key::new(3));
        for sent in 0..1000 {
            let carried = net.carry(Line::Exchange(sent), Towards::Manager, at(sent));
            assert!(matches!(carried, Carried::At(arrival) if arrival <= at(sent + 5)));
        }
        assert_eq!(net.delivered().count(), 0);
    }
}
