//! How every switch of a simulated APIM stands: the engine must be right whichever way they do.

use std::time::Duration;

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

/// How the simulated API Manager stands on what is unverified or a matter of deployment
/// (`docs/apim.md` §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Positions {
    /// The routes that answer a batch fetch.
    pub batch_path: BatchPath,
    /// The bytes that a batch fetch gives.
    pub batch_encoding: BatchEncoding,
    /// How GA's list spells the kind; the later dialects say `RestApi`.
    pub kind: KindSpelling,
    /// The fractions of a second that the database keeps.
    pub db_precision: TimestampPrecision,
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum BatchEncoding {
    /// A plain TAR, whatever the file name says.
    #[serde(rename = "tar")]
    Tar,
    /// A TAR in gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
}

/// How a list spells the kind of a REST API (§3.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum KindSpelling {
    /// The name of the Java constant.
    #[serde(rename = "RESTAPI")]
    Constant,
    /// The declared text of the Java constant.
    #[serde(rename = "RestAPI")]
    Declared,
    /// What every gateway expects.
    #[serde(rename = "RestApi")]
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum TimestampPrecision {
    /// Whole seconds, rounded: MySQL.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
}

impl TimestampPrecision {
    /// How many fraction digits a timestamp has.
    pub const fn digits(self) -> u8 {
        match self {
            Self::Seconds => 0,
            Self::Millis => 3,
            Self::Micros => 6,
        }
    }
}

impl Positions {
    /// The most likely position of every switch in that dialect.
    pub const fn likely(dialect: Dialect) -> Self {
        let platform = matches!(dialect, Dialect::PlatformApi11);
        Self {
            batch_path: if platform { BatchPath::FetchBatch } else { BatchPath::Batch },
            batch_encoding: if platform { BatchEncoding::TarGz } else { BatchEncoding::Tar },
            kind: KindSpelling::Constant,
            db_precision: if platform {
                TimestampPrecision::Millis
            } else {
                TimestampPrecision::Seconds
            },
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
}
