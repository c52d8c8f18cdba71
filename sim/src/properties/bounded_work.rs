//! `bounded_work`: connects, requests and writes are bounded by time and by changes, and an idle
//! system does nothing (law 15).

use std::collections::BTreeMap;
use std::time::Duration;

use driftless_gateway::engine::SyncState;
use driftless_gateway::model::{ArtifactId, Dialect, Resource};
use driftless_gateway::time::Instant;

use super::{Property, Verdicts, access};
use crate::apim::{ArtifactRecord, Cause};
use crate::observe::{Context, Observation, Phase};

/// What was asked in the current window, and since it is quiet.
#[derive(Clone, Debug, Default)]
pub(super) struct BoundedWork {
    window: u64,
    asked: BTreeMap<&'static str, u64>,
    /// How much was found to be allowed in a window. The ledger only grows, so that still is.
    allowed: BTreeMap<&'static str, u64>,
    quiet: BTreeMap<&'static str, u64>,
}

/// So many of anything in a window need no closer look.
const ALWAYS_FINE: u64 = 8;

/// So many readings of a list follow one up that lacks something.
const FOLLOW_UPS: u64 = 6;

/// Work is counted in windows of this length.
const WINDOW: Duration = Duration::from_secs(10);

impl Property for BoundedWork {
    fn name(&self) -> &'static str {
        "bounded_work"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Asked(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let Observation::Asked(what) = observation else { return };
        let name = self.name();
        let window = window_of(context.now);
        if window != self.window {
            self.window = window;
            self.asked.clear();
        }
        let count = self.asked.entry(what).or_insert(0);
        *count += 1;
        let most = self.allowed.entry(what).or_insert(ALWAYS_FINE);
        if *count > *most {
            *most = most_in_window(what, context);
        }
        if *count > *most {
            let expected = format!("at most {most} in {} s", WINDOW.as_secs());
            verdicts.violated(name, context.now, *what, expected, format!("{count}"));
        }
        if context.phase == Phase::Quiet {
            let count = self.quiet.entry(what).or_insert(0);
            *count += 1;
            let most = most_while_quiet(what, context);
            if *count > most {
                let expected = format!("at most {most} while nothing happens");
                verdicts.violated(name, context.now, *what, expected, format!("{count}"));
            }
        }
    }
}

fn window_of(now: Instant) -> u64 {
    now.as_millis() / (WINDOW.as_millis() as u64)
}

/// Lists are spaced, connects back off; fetches, writes and acks follow changes and artifacts.
fn most_in_window(what: &str, context: &Context<'_>) -> u64 {
    let artifacts = context.ledger.records().count() as u64;
    let changes: u64 = context.ledger.records().map(|(_, record)| record.issues.len() as u64).sum();
    let spacing = context.config.list_spacing.as_millis().max(1) as u64;
    match what {
        "list" => WINDOW.as_millis() as u64 / spacing + 8,
        "open_session" | "discover" | "read_keys" => 24,
        "check_exists" => 12,
        "ack" => 8 + changes * 8,
        _ => 16 + artifacts * 12 + changes * 4,
    }
}

/// A quiet gateway lists once in a while, reads some definitions again when it does, and does
/// nothing else.
fn most_while_quiet(what: &str, context: &Context<'_>) -> u64 {
    match what {
        "list" | "read_keys" | "read_plans" if is_following_up(context) => FOLLOW_UPS,
        "list" | "read_keys" | "read_plans" => 1,
        "read_subscriptions" => context.ledger.records().count() as u64,
        "fetch_batch" => 2,
        // What cannot be read is asked for again, rarely.
        "fetch" => {
            let unreadable = context.ledger.unreadable().count();
            (context.served.len() + UNREADABLE_READS * unreadable) as u64
        }
        // Lists of single APIs each bring their own news.
        "check_exists" | "store" if is_behind(context) => context.ledger.records().count() as u64,
        _ => 0,
    }
}

/// How often a definition that cannot be read is asked for in the quiet phase.
const UNREADABLE_READS: usize = 2;

/// Whether a list brought news that the gateway says it is following up: what a list lacks counts
/// only in a second one, and for some keys in a third (law 4). A list that failed, as with a token
/// that was rotated since, is read again.
fn is_following_up(context: &Context<'_>) -> bool {
    let follows_up = |(_, state)| matches!(state, SyncState::Syncing | SyncState::Stale);
    context.engine.is_some_and(|engine| engine.states().any(follows_up))
}

/// Whether a list may still bring news that nobody waits for: of what is not deployed here, that it
/// is deleted or only looks so since a restore, or what became of its keys and subscriptions; and
/// what an event tells of a key in part: no UUID of a regenerated one (A-H31), the second only in
/// which one expires.
fn is_behind(context: &Context<'_>) -> bool {
    let lists_all = context.dialect == Dialect::PlatformApi11;
    let has_news = |(id, record): (&ArtifactId, &ArtifactRecord)| {
        let is_deleted = record.deleted_since().is_some();
        let is_restored = record.current().is_some_and(|issue| issue.cause == Cause::Restore);
        record.must_serve().is_none()
            && ((is_deleted || is_restored) && context.committed.rows.contains_key(id)
                || lists_all && !is_deleted && access::has_news(context, id))
    };
    let is_told_in_part = |held: &Resource| match held {
        Resource::ApiKey(slot) => {
            slot.credentials.iter().any(|key| key.uuid.is_none() || key.expires_at.is_some())
        }
        _ => false,
    };
    // Nobody can wait for a kind to be synced that is never called so.
    context.ledger.unreadable().next().is_some()
        || context.ledger.records().any(has_news)
        || context.dialect != Dialect::Apim470 && context.held.values().any(is_told_in_part)
}
