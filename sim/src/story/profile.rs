//! Profiles: which families of faults a sweep draws from.

/// A mix of faults to generate stories by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The families it draws from. Each story leaves out some, so that the others are seen alone.
    pub families: &'static [Family],
    /// How much of a story is about keys and subscriptions.
    pub access: Share,
    /// Whether the gateway runs the production store on a simulated disk.
    pub disk: bool,
    /// Whether every story has a partition, a crash and a wrong answer.
    pub full: bool,
    /// Whether stories have several gateways, some of them in two organizations.
    pub fleet: bool,
    /// How long the steps of a story go on, in milliseconds. There are as many changes as fit.
    pub story_ms: u64,
}

impl Profile {
    /// Whether every family of faults is in the mix, so that every situation can come about.
    pub fn has_every_family(&self) -> bool {
        Family::ALL.iter().all(|family| self.families.contains(family))
    }
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

impl Family {
    /// Every family.
    pub const ALL: &[Self] = &[Network, Events, Truth, Answers, Manager, Machine, Access];
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

/// What most profiles are.
const USUAL: Profile = Profile {
    name: "",
    about: "",
    families: &[],
    access: Share::Some,
    disk: false,
    full: false,
    fleet: false,
    story_ms: 58_000,
};

/// Every profile; the first is the default.
pub const fn profiles() -> &'static [Profile] {
    &[
        Profile {
            name: "everything",
            about: "every family of faults, some of them left out of each story",
            families: Family::ALL,
            full: true,
            ..USUAL
        },
        Profile { name: "calm", about: "no faults at all: changes only", families: &[], ..USUAL },
        Profile {
            name: "reconnects",
            about: "network and session faults",
            families: &[Network, Manager],
            ..USUAL
        },
        Profile {
            name: "events",
            about: "lost, repeated, delayed and reordered events, and effects behind them",
            families: &[Events, Truth],
            ..USUAL
        },
        Profile {
            name: "answers",
            about: "wrong answers and stale views",
            families: &[Answers, Truth, Access],
            ..USUAL
        },
        Profile {
            name: "credentials",
            about: "keys, applications, subscriptions and plans, and what goes wrong about them",
            families: &[Network, Events, Truth, Machine, Access],
            access: Share::Most,
            ..USUAL
        },
        Profile {
            name: "disk",
            about: "everything, with the production store on a simulated disk",
            families: Family::ALL,
            disk: true,
            full: true,
            ..USUAL
        },
        Profile {
            name: "fleet",
            about: "two or three gateways in one organization or two, with faults of their own",
            families: Family::ALL,
            fleet: true,
            ..USUAL
        },
        Profile {
            name: "minute",
            about: "the least that the benchmark asks for: a partition, a crash and a wrong list in a minute",
            families: &[],
            full: true,
            story_ms: 30_000,
            ..USUAL
        },
    ]
}
