//! What the contract leaves open, as switches: the engine must be right whichever way they stand.

use std::time::Duration;

use driftless_gateway::model::Dialect;

use crate::random::Key;

/// How the simulated API Manager stands on what is unverified or a matter of deployment
/// (`docs/apim.md` §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switches {
    /// The routes that answer a batch fetch.
    pub batch_path: BatchPath,
    /// The bytes that a batch fetch gives.
    pub batch_encoding: BatchEncoding,
    /// How GA's list spells the kind; the later dialects say `RestApi`.
    pub kind: KindSpelling,
    /// The fractions of a second that the database keeps.
    pub db_precision: DbPrecision,
    /// Whether an event is sent directly besides being stored (A-H1).
    pub direct_send: bool,
    /// Time between two polls of the event store for a session.
    pub poll_interval: Duration,
    /// How long a claimed event stays claimed.
    pub lease: Duration,
    /// Time between two pings.
    pub ping: Duration,
    /// Nodes of the cluster, each with a session registry of its own (A-H36).
    pub nodes: u32,
    /// Whether a direct send at the very moment of a poll ends the poll (A-H8).
    pub poll_dies_on_write_race: bool,
    /// Whether storing an event always fails; the direct send still happens (A-H10).
    pub persist_fails: bool,
    /// Whether verifying a token always fails with an exception (A-H22).
    pub verify_throws: bool,
    /// Whether the pusher of the earlier builds runs every two minutes (A-H40).
    pub two_minute_pusher: bool,
    /// Whether archives are really compressed; stored blocks otherwise, which are far cheaper to
    /// write and as valid to a reader.
    pub compress: bool,
    /// What a path without a route answers.
    pub missing_route: MissingRoute,
    /// Minutes east of UTC in what the Platform API 1.1 writes.
    pub offset_minutes: i32,
    /// Whether the fixed APIM lists a key's hash as its table has it, behind `$sha256$` (A-H30).
    pub key_hash_prefix: bool,
    /// Whether the fixed APIM lists a key's name in lower case, as events have it (A-H29).
    pub key_names_folded: bool,
    /// Whether the fixed APIM writes the fields of a key that have no value as `null`.
    pub key_nulls: bool,
    /// Whether an application that subscribes to an API again gets the token that it had (C-H39).
    pub tokens_kept: bool,
    /// Whether the Platform API lists the keys of WebSub and WebBroker APIs; where it does not,
    /// the path leads to the zip of an API with the id "api-keys".
    pub websub_keys: bool,
    /// Whether an APIM answers 401 rather than 404 for plans: the route is there, its path is off
    /// the list of those that take a token (§3.8).
    pub plans_refused: bool,
    /// Whether an operator repairs lost and leftover artifact rows when the faults are lifted.
    pub repair_rows: bool,
}

/// The routes that answer a batch fetch (A-H12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchPath {
    /// `POST /deployments/batch` only.
    Batch,
    /// `POST /deployments/fetch-batch` only.
    FetchBatch,
}

/// What an APIM answers on a path without a route; the contract tells only the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MissingRoute {
    /// 404 without a body, the same as the zip of nothing.
    Empty,
    /// 404 with an error object.
    Json,
    /// 404 with the servlet container's page.
    Page,
}

/// The bytes that a batch fetch gives. HTTP content encoding belongs to the adaptor and is
/// undone by every client before the body is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchEncoding {
    /// A plain TAR, whatever the file name says.
    Tar,
    /// A TAR in gzip.
    TarGz,
}

/// How a list spells the kind of a REST API (§3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KindSpelling {
    /// The name of the Java constant.
    Constant,
    /// The declared text of the Java constant.
    Declared,
    /// What every gateway expects.
    RestApi,
}

impl KindSpelling {
    /// The text in the list.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Constant => "RESTAPI",
            Self::Declared => "RestAPI",
            Self::RestApi => "RestApi",
        }
    }
}

/// The fractions of a second that the database keeps (§3.11, A-H18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DbPrecision {
    /// Whole seconds, rounded: MySQL.
    Second,
    /// Milliseconds.
    Milli,
    /// Microseconds.
    Micro,
}

impl Switches {
    /// The most likely position of every switch in that dialect.
    pub const fn likely(dialect: Dialect) -> Self {
        let platform = matches!(dialect, Dialect::PlatformApi11);
        Self {
            batch_path: if platform { BatchPath::FetchBatch } else { BatchPath::Batch },
            batch_encoding: if platform { BatchEncoding::TarGz } else { BatchEncoding::Tar },
            kind: KindSpelling::Constant,
            db_precision: if platform { DbPrecision::Milli } else { DbPrecision::Second },
            direct_send: true,
            poll_interval: Duration::from_secs(2),
            lease: Duration::from_secs(60),
            ping: Duration::from_secs(if platform { 20 } else { 15 }),
            nodes: 1,
            poll_dies_on_write_race: false,
            persist_fails: false,
            verify_throws: false,
            two_minute_pusher: false,
            compress: false,
            missing_route: MissingRoute::Empty,
            offset_minutes: 0,
            key_hash_prefix: false,
            key_names_folded: true,
            key_nulls: false,
            tokens_kept: false,
            websub_keys: true,
            plans_refused: false,
            repair_rows: true,
        }
    }

    /// Positions drawn from a key, among those under which a gateway can converge.
    pub fn drawn(dialect: Dialect, key: Key) -> Self {
        use {
            BatchEncoding as Encoding, BatchPath as Path, DbPrecision as Db, KindSpelling as Kind,
        };
        let key = key.child("switches");
        let mut switches = Self::likely(dialect);
        if dialect == Dialect::Apim470Fixed {
            choose(key, "batch_path", &mut switches.batch_path, &[Path::Batch, Path::FetchBatch]);
            choose(
                key,
                "encoding",
                &mut switches.batch_encoding,
                &[Encoding::Tar, Encoding::TarGz],
            );
        }
        if dialect == Dialect::PlatformApi11 {
            choose(key, "offset", &mut switches.offset_minutes, &[0, 0, 120, 330, -300]);
            return switches;
        }
        let kinds = [Kind::Constant, Kind::Constant, Kind::Declared, Kind::RestApi];
        choose(key, "kind", &mut switches.kind, &kinds);
        choose(key, "db", &mut switches.db_precision, &[Db::Second, Db::Milli, Db::Micro]);
        choose(key, "direct_send", &mut switches.direct_send, &[true, true, true, false]);
        let missing = [MissingRoute::Empty, MissingRoute::Json, MissingRoute::Page];
        choose(key, "missing_route", &mut switches.missing_route, &missing);
        choose(key, "nodes", &mut switches.nodes, &[1, 1, 1, 2]);
        switches.key_hash_prefix = key.chance("key hash", 1, 2);
        switches.key_names_folded = key.chance("key names", 1, 2);
        switches.key_nulls = key.chance("key nulls", 1, 2);
        switches.plans_refused = key.chance("plans", 1, 2);
        switches.poll_dies_on_write_race = key.chance("poll_dies", 1, 8);
        switches.two_minute_pusher = key.chance("pusher", 1, 8);
        switches.persist_fails = switches.direct_send && key.chance("persist", 1, 16);
        switches.compress = key.chance("compress", 1, 32);
        switches
    }
}

fn choose<T: Copy>(key: Key, name: &str, place: &mut T, choices: &[T]) {
    if let Some(choice) = key.pick(name, choices) {
        *place = *choice;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_switches_depend_on_the_key_only_and_vary() {
        let at = |seed| Switches::drawn(Dialect::Apim470Fixed, Key::new(seed));
        assert_eq!(at(3), at(3));
        assert!((0..64).any(|seed| at(seed).batch_path == BatchPath::FetchBatch));
        assert!((0..64).any(|seed| at(seed).nodes == 2));
        assert!((0..64).all(|seed| !at(seed).verify_throws));
    }
}
