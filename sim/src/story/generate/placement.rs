//! When faults are played, so that each meets something.

use std::collections::BTreeMap;

use driftless_gateway::model::Dialect;

use super::scene::Scene;
use crate::random::Key;
use crate::story::step::{Endpoint, Verb};

/// A fault that was drawn, and when it is to take effect.
pub(super) struct Drawn {
    /// The fault.
    pub(super) fault: Verb,
    /// When, in milliseconds.
    pub(super) ms: u64,
    /// What its scene draws from.
    pub(super) key: Key,
}

/// The scenes of faults, in the order of their times. While a gateway is cut off nothing else is
/// under way, and what waits for its return would meet all at once, so most scenes come after
/// that; one in eight does not. A wrong answer that would hide behind another one of the same
/// request is left out, and so is what finds no time before `end_ms`.
pub(super) fn scenes(mut drawn: Vec<Drawn>, end_ms: u64, dialect: Dialect) -> Vec<Scene> {
    drawn.sort_by_key(|drawn| drawn.ms);
    let (mut light_from, mut lost_at, mut backoff_ms) = (0, 0, BACKOFF_MS);
    let mut answered_until: BTreeMap<Endpoint, u64> = BTreeMap::new();
    let mut scenes = Vec::new();
    for Drawn { fault, ms, key } in drawn {
        let is_in_the_dark = ms < light_from && key.chance("in the dark", 1, 8);
        let ms = if is_in_the_dark { ms } else { ms.max(light_from) };
        if let Verb::Answer(answer) = &fault {
            let over = |to: &Endpoint| answered_until.get(to).is_none_or(|until| *until < ms);
            if !over(&answer.to) || !over(&Endpoint::Any) {
                continue;
            }
            let until = ms + answer.for_ms.unwrap_or(0) + ANSWERED_MS;
            answered_until.insert(answer.to, until);
        }
        let dark_ms = darkness_ms(&fault);
        if ms > end_ms && dark_ms.is_none() {
            continue;
        }
        // A gateway whose sessions die young waits longer each time.
        let is_young = lost_at > 0 && ms < lost_at + YOUNG_MS;
        backoff_ms = if is_young { (backoff_ms * 2).min(8000) } else { BACKOFF_MS };
        lost_at = ms + dark_ms.unwrap_or(0);
        light_from = light_from.max(lost_at + backoff_ms + READS_MS);
        scenes.push(Scene::of(fault, ms, dialect, key));
    }
    scenes
}

/// For how many milliseconds a fault keeps a gateway from a session; `None` where it does not.
fn darkness_ms(fault: &Verb) -> Option<u64> {
    match fault {
        Verb::Partition(partition) => Some(partition.for_ms),
        Verb::Crash(crash) => Some(crash.down_ms),
        Verb::RestartManager(restart) => Some(restart.down_ms + restart.starting_ms),
        Verb::RefuseTokens(span) => Some(span.for_ms),
        Verb::Reset(_) | Verb::CloseSession(_) | Verb::RotateToken(_) => Some(0),
        // It takes a lease to notice.
        Verb::HalfOpen(_) => Some(10_000),
        Verb::Answer(answer) if matches!(answer.to, Endpoint::Discover | Endpoint::Connect) => {
            Some(answer.for_ms.unwrap_or(2000))
        }
        _ => None,
    }
}

/// The first backoff of a gateway, in milliseconds; it doubles with each session that dies young.
const BACKOFF_MS: u64 = 500;

/// A session that lived shorter than this died young, in milliseconds.
const YOUNG_MS: u64 = 30_000;

/// How long a gateway takes to connect and to read everything, in milliseconds.
const READS_MS: u64 = 800;

/// How long it takes until a request is answered wrong for the last time, in milliseconds.
const ANSWERED_MS: u64 = 6000;
