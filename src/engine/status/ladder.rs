//! From what is known of a kind to its state: one ladder for artifacts and for access. The first
//! rung that applies decides.

use super::counts::Counts;
use super::report::SyncState;
use crate::engine::lists::schedule::{Family, ListHealth};
use crate::model::ArtifactId;

/// How the control plane tells of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Source {
    /// By events, and by lists that can be read again.
    Lists(Family),
    /// By events alone.
    Events,
    /// Not at all.
    Nothing,
}

/// What a kind is judged by.
#[derive(Clone, Debug)]
pub(in crate::engine) struct KindFacts<'a> {
    /// How the control plane tells of it.
    pub(in crate::engine) source: Source,
    /// Whether there is a session.
    pub(in crate::engine) is_live: bool,
    /// Why writes fail.
    pub(in crate::engine) write_failure: Option<&'a str>,
    /// How its lists stand.
    pub(in crate::engine) health: ListHealth,
    /// The artifact whose definition cannot be read, however often it was asked for, and why.
    pub(in crate::engine) stuck: Option<(&'a ArtifactId, &'a str)>,
    /// How its items stand.
    pub(in crate::engine) counts: Counts,
    /// Events about unknown artifacts that were not kept.
    pub(in crate::engine) dropped: u64,
}

/// Why a kind is in its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Why {
    /// The control plane tells gateways nothing of it.
    NotTold,
    /// No list can confirm what events say.
    EventsAlone,
    /// There is no session.
    NoSession,
    /// Writes fail.
    WritesFail,
    /// A list cannot be read.
    ListFails,
    /// No complete list was read in this session.
    NeverRead,
    /// A definition cannot be read.
    Stuck,
    /// Something contradicts, cannot be used, or is on no list.
    Doubts,
    /// Work is under way.
    UnderWay,
    /// The last complete list agreed.
    Agreed,
}

/// The state of a kind, and why.
pub(in crate::engine) fn judge(facts: &KindFacts<'_>) -> (SyncState, Why) {
    let KindFacts { health, counts, .. } = facts;
    match facts.source {
        Source::Nothing => return (SyncState::Unsupported, Why::NotTold),
        Source::Events => return (SyncState::Unverified, Why::EventsAlone),
        Source::Lists(_) => {}
    }
    let is_doubted =
        health.absent > 0 || health.unusable > 0 || counts.doubtful > 0 || facts.dropped > 0;
    let is_under_way = health.unsettled > 0 || counts.pending > 0 || counts.missing > 0;
    if !facts.is_live {
        (SyncState::Stale, Why::NoSession)
    } else if facts.write_failure.is_some() {
        (SyncState::Stale, Why::WritesFail)
    } else if health.failing > 0 {
        (SyncState::Stale, Why::ListFails)
    } else if health.never_read > 0 && health.unusable == 0 {
        (SyncState::Syncing, Why::NeverRead)
    } else if facts.stuck.is_some() {
        (SyncState::Stale, Why::Stuck)
    } else if is_doubted {
        (SyncState::Unverified, Why::Doubts)
    } else if is_under_way {
        (SyncState::Syncing, Why::UnderWay)
    } else {
        (SyncState::Synced, Why::Agreed)
    }
}

/// A reason in words, as far as the facts give it.
pub(in crate::engine) fn explain(facts: &KindFacts<'_>, why: Why) -> String {
    let KindFacts { health, counts, .. } = facts;
    match why {
        Why::NotTold => "the control plane tells gateways nothing of them".to_owned(),
        Why::EventsAlone => format!("no list; {} known from events alone", counts.held),
        Why::NoSession => "no session".to_owned(),
        Why::WritesFail => format!("writes fail: {}", facts.write_failure.unwrap_or_default()),
        Why::ListFails => "the list cannot be read".to_owned(),
        Why::NeverRead if health.never_read == 1 => {
            "waiting for the first list of this session".to_owned()
        }
        Why::NeverRead => format!("waiting for {} lists of this session", health.never_read),
        Why::Stuck => match facts.stuck {
            Some((id, why)) => format!("the definition of {id} cannot be read: {why}"),
            None => "a definition cannot be read".to_owned(),
        },
        Why::Doubts => doubts(facts, None),
        Why::UnderWay => [
            counted(counts.pending, "under way"),
            counted(counts.missing, "missing from the last list, a second is awaited"),
            counted(health.unsettled, "lists to be read once more"),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; "),
        Why::Agreed => "the last complete list agreed".to_owned(),
    }
}

/// What keeps a kind from being verified, with counts; `unusable` says what of a list cannot be
/// used.
pub(in crate::engine) fn doubts(facts: &KindFacts<'_>, unusable: Option<&str>) -> String {
    let KindFacts { health, counts, .. } = facts;
    let absent = (health.absent > 0)
        .then(|| format!("no key list; {} keys known from events alone", counts.held));
    let dropped = (facts.dropped > 0)
        .then(|| format!("{} events about unknown artifacts were not kept", facts.dropped));
    [
        absent,
        unusable.map(str::to_owned),
        counted(counts.doubtful, "told in contradicting or unreadable ways"),
        dropped,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("; ")
}

fn counted(count: usize, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind whose lists agree.
    fn agreed() -> KindFacts<'static> {
        KindFacts {
            source: Source::Lists(Family::Keys),
            is_live: true,
            write_failure: None,
            health: ListHealth::default(),
            stuck: None,
            counts: Counts { held: 3, ..Counts::default() },
            dropped: 0,
        }
    }

    #[track_caller]
    fn check(facts: &KindFacts<'_>, state: SyncState, words: &str) {
        let (judged, why) = judge(facts);
        assert_eq!((judged, explain(facts, why).as_str()), (state, words));
    }

    #[test]
    fn a_kind_is_synced_only_where_nothing_is_left_to_say() {
        check(&agreed(), SyncState::Synced, "the last complete list agreed");
        let dropped = KindFacts { dropped: 2, ..agreed() };
        let words = "2 events about unknown artifacts were not kept";
        check(&dropped, SyncState::Unverified, words);
        for (counts, state) in [
            (Counts { pending: 1, ..Counts::default() }, SyncState::Syncing),
            (Counts { missing: 1, ..Counts::default() }, SyncState::Syncing),
            (Counts { doubtful: 1, ..Counts::default() }, SyncState::Unverified),
        ] {
            assert_eq!(judge(&KindFacts { counts, ..agreed() }).0, state, "{counts:?}");
        }
        for (health, state) in [
            (ListHealth { unsettled: 1, ..ListHealth::default() }, SyncState::Syncing),
            (ListHealth { never_read: 1, ..ListHealth::default() }, SyncState::Syncing),
            (ListHealth { absent: 1, ..ListHealth::default() }, SyncState::Unverified),
            (ListHealth { unusable: 1, ..ListHealth::default() }, SyncState::Unverified),
            (ListHealth { failing: 1, ..ListHealth::default() }, SyncState::Stale),
        ] {
            assert_eq!(judge(&KindFacts { health, ..agreed() }).0, state, "{health:?}");
        }
    }

    #[test]
    fn the_first_rung_that_applies_decides() {
        let doubtful = Counts { doubtful: 1, pending: 1, ..Counts::default() };
        let failing = ListHealth { failing: 1, never_read: 1, ..ListHealth::default() };
        let id = ArtifactId::new("orders-id");
        let mut facts = KindFacts { counts: doubtful, stuck: Some((&id, "why")), ..agreed() };
        check(&facts, SyncState::Stale, "the definition of orders-id cannot be read: why");
        facts.health = ListHealth { never_read: 2, ..ListHealth::default() };
        check(&facts, SyncState::Syncing, "waiting for 2 lists of this session");
        facts.health = failing;
        assert_eq!(judge(&facts).1, Why::ListFails);
        facts.write_failure = Some("disk full");
        check(&facts, SyncState::Stale, "writes fail: disk full");
        facts.is_live = false;
        assert_eq!(judge(&facts).1, Why::NoSession);
        facts.source = Source::Events;
        check(&facts, SyncState::Unverified, "no list; 0 known from events alone");
    }

    #[test]
    fn every_doubt_is_said_with_its_count() {
        let counts = Counts { held: 3, doubtful: 2, ..Counts::default() };
        let health = ListHealth { absent: 1, unusable: 1, ..ListHealth::default() };
        let facts = KindFacts { counts, health, dropped: 4, ..agreed() };
        assert_eq!(
            doubts(&facts, Some("1 list items could not be read: why")),
            "no key list; 3 keys known from events alone; 1 list items could not be read: why; \
             2 told in contradicting or unreadable ways; \
             4 events about unknown artifacts were not kept"
        );
    }
}
