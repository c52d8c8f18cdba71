//! Profiles: which families of faults a sweep draws from.

/// A mix of faults to generate stories by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The families it draws from.
    pub families: &'static [Family],
    /// How much of a story is about keys and subscriptions.
    pub access: Share,
    /// Whether each story leaves out some of the families, so that the others are seen alone.
    pub swarm: bool,
    /// Whether the gateway runs the production store on a simulated disk.
    pub disk: bool,
    /// Whether every story has a partition, a crash and a wrong answer: the full workload of the
    /// benchmark.
    pub full: bool,
    /// Whether stories have several gateways, some of them in two organizations.
    pub fleet: bool,
}

/// A family of faults.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// Partitions, holds, latency, half-open connections, resets.
    Network,
    /// Lost, repeated, delayed and reordered events.
    Events,
    /// Effects that run behind their events, lost rows, zombies, clocks, backups.
    Truth,
    /// Wrong answers.
    Answers,
    /// Restarts, closed sessions, refused tokens.
    Manager,
    /// Crashes, full disks, failing writes.
    Machine,
    /// Keys written half way, late events about keys and subscriptions, wrong lists of them.
    Access,
}

/// A part of a story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Share {
    /// Some of it.
    Some,
    /// Most of it.
    Most,
}

use Family::{Access, Answers, Events, Machine, Manager, Network, Truth};

/// Every profile; the first is the default.
pub const fn profiles() -> &'static [Profile] {
    ALL
}

const ALL: &[Profile] = &[
    Profile {
        name: "everything",
        about: "every family of faults, some of them left out of each story",
        families: &[Network, Events, Truth, Answers, Manager, Machine, Access],
        access: Share::Some,
        swarm: true,
        disk: false,
        full: true,
        fleet: false,
    },
    Profile {
        name: "calm",
        about: "no faults at all: changes only",
        families: &[],
        access: Share::Some,
        swarm: false,
        disk: false,
        full: false,
        fleet: false,
    },
    Profile {
        name: "reconnects",
        about: "network and session faults",
        families: &[Network, Manager],
        access: Share::Some,
        swarm: true,
        disk: false,
        full: false,
        fleet: false,
    },
    Profile {
        name: "events",
        about: "lost, repeated, delayed and reordered events, and effects behind them",
        families: &[Events, Truth],
        access: Share::Some,
        swarm: true,
        disk: false,
        full: false,
        fleet: false,
    },
    Profile {
        name: "answers",
        about: "wrong answers and stale views",
        families: &[Answers, Truth, Access],
        access: Share::Some,
        swarm: true,
        disk: false,
        full: false,
        fleet: false,
    },
    Profile {
        name: "credentials",
        about: "keys, applications, subscriptions and plans, and what goes wrong about them",
        families: &[Network, Events, Truth, Machine, Access],
        access: Share::Most,
        swarm: true,
        disk: false,
        full: false,
        fleet: false,
    },
    Profile {
        name: "disk",
        about: "everything, with the production store on a simulated disk",
        families: &[Network, Events, Truth, Answers, Manager, Machine, Access],
        access: Share::Some,
        swarm: true,
        disk: true,
        full: true,
        fleet: false,
    },
    Profile {
        name: "fleet",
        about: "two or three gateways in one organization or two, with faults of their own",
        families: &[Network, Events, Truth, Answers, Manager, Machine, Access],
        access: Share::Some,
        swarm: true,
        disk: false,
        full: false,
        fleet: true,
    },
];
