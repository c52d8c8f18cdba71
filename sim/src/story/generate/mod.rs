//! A seed to its story. Every draw is keyed by the name of the step it is for, so the story of a
//! seed is a list of independent steps.

mod access;
mod bytes;
mod fleet;
mod placement;
mod provocation;
mod scene;

use driftless_gateway::model::Dialect;

use super::profile::{Family, Profile};
pub use bytes::with_byte_faults;

use super::switches::Switches;
use crate::random::Key;
use placement::Drawn;
use scene::Scene;

use super::file::{Expect, Scenario, StoreChoice};
use super::step::{
    AgoMs, Answer, Api, ChangeLifecycle, CloseSession, Count, Crash, CrashDisk, DelayEffects,
    Deploy, Direction, Endpoint, ForMs, FrameFault, Frames, Latency, Lifecycle, Nothing,
    Observable, Partition, RedeployWindow, RestartManager, Scope, Step, StepClock, Trigger, Verb,
    When, Wrong,
};

/// How many APIs a story has.
const APIS: u64 = 20;

/// The length that counts of changes are meant for, in milliseconds.
const USUAL_MS: u64 = 58_000;

/// The story of a seed.
pub fn generate(profile: &Profile, seed: u64) -> Scenario {
    let key = Key::new(seed).child("story");
    let dialect = match key.below("dialect", 4) {
        0 | 1 => Dialect::Apim470,
        2 => Dialect::Apim470Fixed,
        _ => Dialect::PlatformApi11,
    };
    let mut steps = Vec::new();
    population(key, &mut steps);
    changes(profile, key, &mut steps);
    access::access(profile, dialect, key, &mut steps);
    let switches = Switches::drawn(dialect, key.child("switches"));
    let mut scenes = faults(profile, dialect, switches, key);
    if switches.nodes.get() > 1 && !profile.families.is_empty() {
        node_switches(profile, key, &mut scenes);
    }
    let gateways = if profile.fleet { fleet::gateways(key) } else { Vec::new() };
    fleet::spread(key, &gateways, &mut steps, &mut scenes);
    steps.extend(scenes.into_iter().flat_map(|scene| scene.steps));
    steps.sort_by_key(|step| match &step.when {
        When::AtMs(ms) => *ms,
        When::On(trigger) => trigger.from_ms,
    });
    Scenario {
        why: format!("Seed {seed:#x} of profile {} was worth keeping.", profile.name),
        covers: Vec::new(),
        source: None,
        dialect,
        seed,
        switches,
        store: if profile.disk { StoreChoice::Disk } else { StoreChoice::Model },
        only: None,
        gateways,
        faults_stay_ms: None,
        steps,
        expect: Expect::default(),
    }
}

fn api(number: u64) -> String {
    format!("api-{number:02}")
}

fn at(ms: u64, verb: Verb) -> Step {
    Step { when: When::AtMs(ms), scope: Scope::default(), verb }
}

/// When an API is first deployed: mostly before the gateway starts, otherwise soon after.
fn born(key: Key, number: u64) -> u64 {
    let key = key.child("population").nth(number);
    if key.chance("early", 3, 4) { 0 } else { key.between("at", 1, 8000) }
}

fn population(key: Key, steps: &mut Vec<Step>) {
    for number in 0..APIS {
        let ms = born(key, number);
        steps.push(at(ms, Verb::Deploy(Deploy { api: api(number), revision: None })));
    }
}

fn changes(profile: &Profile, key: Key, steps: &mut Vec<Step>) {
    let key = key.child("changes");
    for number in 0..key.between("count", 10, 30) * profile.story_ms / USUAL_MS {
        let key = key.nth(number);
        let ms = key.between("at", 500, profile.story_ms);
        let name = api(key.below("api", APIS));
        let verb = match key.below("what", 10) {
            3 if key.chance("unreadable", 1, 3) => {
                // Mended later, so that what is right in the end is known.
                steps.push(at(ms, Verb::ReviseUnreadable(Api { api: name.clone() })));
                let mended = ms + key.between("mended", 500, 20_000);
                steps.push(at(mended, Verb::Revise(Api { api: name.clone() })));
                let deploy = Deploy { api: name.clone(), revision: None };
                steps.push(at(mended, Verb::Deploy(deploy)));
                Verb::Deploy(Deploy { api: name, revision: None })
            }
            0..=3 => {
                steps.push(at(ms, Verb::Revise(Api { api: name.clone() })));
                Verb::Deploy(Deploy { api: name, revision: None })
            }
            4 => Verb::Deploy(Deploy { api: name, revision: Some(1) }),
            5 | 6 => Verb::Undeploy(Api { api: name }),
            7 => {
                let again = ms + key.between("gap", 1, 6000);
                let deploy = Verb::Deploy(Deploy { api: name.clone(), revision: None });
                steps.push(at(again, deploy));
                Verb::Undeploy(Api { api: name })
            }
            8 => Verb::Delete(Api { api: name }),
            _ => Verb::Lifecycle(ChangeLifecycle { api: name, state: Lifecycle::Retired }),
        };
        steps.push(at(ms, verb));
    }
}

fn faults(profile: &Profile, dialect: Dialect, switches: Switches, key: Key) -> Vec<Scene> {
    let key = key.child("faults");
    let (mut drawn, mut scenes) = (Vec::new(), Vec::new());
    for family in profile.families {
        let key = key.nth(*family as u64);
        if key.chance("left out", 1, 3) {
            continue;
        }
        for number in 0..key.between("count", 1, 3) {
            let key = key.nth(number);
            let ms = key.between("at", 200, profile.story_ms - 8000);
            drawn.push(Drawn { fault: fault(*family, dialect, switches, key), ms, key });
        }
    }
    if profile.full {
        let key = key.child("always");
        let ms = |name: &str| key.between(name, 2000, profile.story_ms - 12_000);
        drawn.push(Drawn { fault: partition(key), ms: ms("partition"), key });
        let crash = Verb::Crash(Crash { down_ms: key.between("down", 50, 3000), disk: disk(key) });
        // Some of them in the middle of a write, which no time of day would hit often.
        if key.chance("mid write", 1, 8) {
            let seen = Observable::Action("store".to_owned());
            let nth = u32::try_from(key.between("nth", 2, 12)).unwrap_or(2);
            let when = When::On(Trigger { seen, gateway: None, nth, from_ms: 0, after_ms: 0 });
            let step = Step { when, scope: Scope::default(), verb: crash };
            scenes.push(Scene { steps: vec![step] });
        } else {
            drawn.push(Drawn { fault: crash, ms: ms("crash"), key: key.child("crash") });
        }
        let (ms, key) = (ms("answer"), key.child("list"));
        drawn.push(Drawn { fault: answer(Endpoint::List, dialect, key), ms, key });
    }
    scenes.extend(placement::scenes(drawn, profile.story_ms, dialect));
    scenes
}

/// Connections move to another node of the cluster, some because they break.
fn node_switches(profile: &Profile, key: Key, scenes: &mut Vec<Scene>) {
    let key = key.child("nodes");
    for number in 0..key.between("count", 1, 3) {
        let key = key.nth(number);
        let ms = key.between("at", 200, profile.story_ms - 8000);
        let mut steps = vec![at(ms, Verb::SwitchNode(Nothing {}))];
        if key.chance("reset", 1, 2) {
            steps.push(at(ms, Verb::Reset(Nothing {})));
        }
        scenes.push(Scene { steps });
    }
}

fn fault(family: Family, dialect: Dialect, switches: Switches, key: Key) -> Verb {
    let is_platform = dialect == Dialect::PlatformApi11;
    match family {
        Family::Network => network_fault(key),
        Family::Events => event_fault(dialect, switches, key),
        Family::Truth => truth_fault(dialect, key),
        Family::Answers => {
            let endpoints = [
                if is_platform { Endpoint::List } else { Endpoint::Discover },
                Endpoint::List,
                Endpoint::List,
                Endpoint::Fetch,
                Endpoint::Fetch,
                Endpoint::FetchBatch,
                Endpoint::FetchBatch,
                Endpoint::ReadKeys,
                Endpoint::Connect,
                Endpoint::Any,
                Endpoint::CheckExists,
            ];
            let count = endpoints.len() - usize::from(!is_platform);
            let to = key.pick("endpoint", &endpoints[..count]).unwrap_or(&Endpoint::List);
            answer(*to, dialect, key)
        }
        Family::Manager => manager_fault(key),
        Family::Machine => machine_fault(key),
        Family::Access if key.chance("answer", 1, 2) => {
            let endpoints = [
                Endpoint::ReadKeys,
                Endpoint::ReadKeys,
                Endpoint::ReadSubscriptions,
                Endpoint::ReadPlans,
            ];
            let count = if is_platform { endpoints.len() } else { 2 };
            let to = key.pick("endpoint", &endpoints[..count]).unwrap_or(&Endpoint::ReadKeys);
            answer(*to, dialect, key)
        }
        Family::Access => access::access_fault(dialect, key),
    }
}

fn partition(key: Key) -> Verb {
    let longest = if key.chance("long", 1, 6) { 45_000 } else { 8000 };
    let directions = [Direction::Both, Direction::Both, Direction::ToGateway, Direction::ToManager];
    let direction = key.pick("direction", &directions).copied().unwrap_or_default();
    Verb::Partition(Partition { for_ms: key.between("for", 2300, longest), direction })
}

fn network_fault(key: Key) -> Verb {
    match key.below("what", 5) {
        0 => partition(key),
        1 => Verb::Hold(ForMs { for_ms: key.between("for", 300, 4000) }),
        2 => Verb::Latency(Latency {
            for_ms: key.between("for", 1000, 10_000),
            min_ms: key.between("min", 1, 50),
            max_ms: key.between("max", 60, 900),
        }),
        3 => Verb::HalfOpen(Nothing {}),
        _ => Verb::Reset(Nothing {}),
    }
}

/// The Platform API keeps no events, so nothing can be wrong with how they are kept.
fn event_fault(dialect: Dialect, switches: Switches, key: Key) -> Verb {
    let count = Count { count: key.count(3) };
    let keeps_events = dialect != Dialect::PlatformApi11;
    match key.below("what", 9) {
        0 => Verb::LoseEvents(count),
        1 => Verb::FreezeStamps(ForMs { for_ms: key.between("for", 100, 8000) }),
        2 if keeps_events => Verb::StrandPoll(Nothing {}),
        3 if keeps_events => Verb::KillPoll(Nothing {}),
        4 if keeps_events => Verb::EventBeforeAck(Nothing {}),
        5 if keeps_events && switches.direct_send => {
            Verb::NoDirectSend(ForMs { for_ms: key.between("for", 1000, 20_000) })
        }
        _ => {
            let faults = [
                FrameFault::Drop,
                FrameFault::Duplicate,
                FrameFault::DelayMs(key.between("delay", 20, 30_000)),
                FrameFault::Swap,
                FrameFault::Cut,
                FrameFault::UnknownType,
            ];
            let fault = key.pick("fault", &faults).copied().unwrap_or(FrameFault::Drop);
            Verb::Frames(Frames { fault, count: key.count(5) })
        }
    }
}

/// Delays stay well below `read_lag_max`, and so does the sum of any two of them.
/// The Platform API has one table, so no row of it can be left behind.
fn truth_fault(dialect: Dialect, key: Key) -> Verb {
    let for_ms = key.between("for", 1000, 20_000);
    let has_rows = dialect != Dialect::PlatformApi11;
    match key.below("what", 7) {
        1 if has_rows => {
            let window_ms = key.between("window", 300, 1500);
            Verb::RedeployWindow(RedeployWindow { for_ms, window_ms })
        }
        2 if has_rows => Verb::LoseRow(Api { api: scene::changed(key.child("scene")) }),
        3 if has_rows => Verb::KeepRows(Count { count: key.count(2) }),
        0..=3 => {
            Verb::DelayEffects(DelayEffects { for_ms, delay_ms: key.between("delay", 10, 2000) })
        }
        4 => {
            let by_ms = i64::try_from(key.below("by", 20_000)).unwrap_or(0) - 10_000;
            Verb::StepClock(StepClock { by_ms })
        }
        5 => Verb::RestoreBackup(AgoMs { ago_ms: key.between("ago", 1000, 30_000) }),
        _ => Verb::WrongUndeployIds(Count { count: key.count(3) }),
    }
}

fn answer(to: Endpoint, dialect: Dialect, key: Key) -> Verb {
    let stale = key.between("stale", 10, 2000);
    let mut wrongs = vec![
        Wrong::Status(500),
        Wrong::Status(*key.pick("status", &[401, 403, 404, 429, 502, 503]).unwrap_or(&500)),
        Wrong::RouteMissing,
        Wrong::EmptyObject,
        Wrong::Empty,
        Wrong::Empty,
        Wrong::WithoutTail,
        Wrong::WithoutMiddle,
        Wrong::FirstOnly,
        Wrong::StaleMs(stale),
        Wrong::MixedMs(stale),
        Wrong::OtherShape,
        Wrong::OtherTypes,
        Wrong::Html,
        Wrong::Truncated,
        Wrong::SlowMs(key.between("slow", 50, 40_000)),
        Wrong::NoAnswer,
        Wrong::DotDotEntry,
        Wrong::RepeatedEntry,
        Wrong::Bomb,
    ];
    wrongs.retain(|with| provocation::can_meet(to, *with, dialect));
    let with = key.pick("wrong", &wrongs).copied().unwrap_or(Wrong::Status(500));
    let counted = key.chance("counted", 1, 2);
    // No single key can be asked for, so lists that agree for long enough are believed (law 4):
    // three in a row, half a minute apart, would rightly take good keys away.
    let most = match to {
        Endpoint::ReadKeys | Endpoint::ReadSubscriptions | Endpoint::ReadPlans => 2,
        _ => 3,
    };
    Verb::Answer(Answer {
        to,
        with,
        count: counted.then(|| key.count(most)),
        for_ms: (!counted).then(|| key.between("for", 500, 9000)),
    })
}

fn manager_fault(key: Key) -> Verb {
    match key.below("what", 4) {
        0 => Verb::RestartManager(RestartManager {
            down_ms: key.between("down", 50, 4000),
            starting_ms: key.between("starting", 0, 6000),
        }),
        1 => Verb::CloseSession(CloseSession {
            code: *key.pick("code", &[1000, 1001, 1011, 4401]).unwrap_or(&1000),
        }),
        2 => Verb::RefuseTokens(ForMs { for_ms: key.between("for", 500, 8000) }),
        _ => Verb::RotateToken(Nothing {}),
    }
}

fn disk(key: Key) -> CrashDisk {
    let disks = [CrashDisk::Lost, CrashDisk::Kept, CrashDisk::Torn];
    key.pick("disk", &disks).copied().unwrap_or_default()
}

fn machine_fault(key: Key) -> Verb {
    match key.below("what", 5) {
        0 | 1 => Verb::Crash(Crash { down_ms: key.between("down", 10, 9000), disk: disk(key) }),
        2 => Verb::DiskFull(ForMs { for_ms: key.between("for", 1500, 8000) }),
        // Definitions are read after a start only, and most stories have a crash.
        3 if key.below("reads", 3) == 0 => Verb::FailReads(Count { count: key.count(4) }),
        3 => Verb::FailWrites(Count { count: key.count(4) }),
        _ => Verb::WipeStore(Nothing {}),
    }
}

impl Key {
    /// A count from 1 to `most`.
    fn count(self, most: u64) -> u32 {
        u32::try_from(self.between("count", 1, most)).unwrap_or(1)
    }
}
