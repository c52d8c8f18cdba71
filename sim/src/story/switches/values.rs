//! The values that switches take.

use std::num::NonZeroU8;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::story::step::TIME_MS_MAX;

/// A value of a switch.
pub(super) trait SwitchValue {
    /// What it can be, as `scenarios/README.md` says it.
    const VALUES: &'static str;
}

impl SwitchValue for bool {
    const VALUES: &'static str = "`true`, `false`";
}

impl SwitchValue for NonZeroU8 {
    const VALUES: &'static str = "from 1";
}

/// A time between two things, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Interval(u64);

impl Interval {
    /// That many seconds.
    pub(super) const fn from_secs(secs: u64) -> Self {
        Self(secs * 1000)
    }

    /// How long it is.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl TryFrom<u64> for Interval {
    type Error = String;

    fn try_from(ms: u64) -> Result<Self, String> {
        let is_one = (1..=TIME_MS_MAX).contains(&ms);
        is_one.then_some(Self(ms)).ok_or_else(|| format!("{ms} ms is not 1 to {TIME_MS_MAX}"))
    }
}

impl From<Interval> for u64 {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

impl SwitchValue for Interval {
    const VALUES: &'static str = "from 1, in milliseconds";
}

/// Minutes east of UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct UtcOffset(i32);

impl UtcOffset {
    /// UTC itself.
    pub(super) const UTC: Self = Self(0);

    /// The farthest that a zone is from it.
    const MINUTES_MAX: u32 = 14 * 60;

    /// The minutes; negative to the west.
    pub const fn minutes(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for UtcOffset {
    type Error = String;

    fn try_from(minutes: i32) -> Result<Self, String> {
        let is_one = minutes.unsigned_abs() <= Self::MINUTES_MAX;
        is_one.then_some(Self(minutes)).ok_or_else(|| format!("no zone is at {minutes} minutes"))
    }
}

impl From<UtcOffset> for i32 {
    fn from(offset: UtcOffset) -> Self {
        offset.0
    }
}

impl SwitchValue for UtcOffset {
    const VALUES: &'static str = "-840 to 840";
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

impl SwitchValue for BatchPath {
    const VALUES: &'static str = "`batch`, `fetch-batch`";
}

/// What an APIM answers on a path without a route; the contract tells only the status.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRoute {
    /// 404 without a body, the same as the zip of nothing.
    Empty,
    /// 404 with an error object.
    Json,
    /// 404 with the servlet container's page.
    Page,
}

impl SwitchValue for MissingRoute {
    const VALUES: &'static str = "`empty`, `json`, `page`";
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

impl SwitchValue for BatchEncoding {
    const VALUES: &'static str = "`tar`, `tar.gz`";
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

impl SwitchValue for KindSpelling {
    const VALUES: &'static str = "`RESTAPI`, `RestAPI`, `RestApi`";
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

impl SwitchValue for TimestampPrecision {
    const VALUES: &'static str = "`s`, `ms`, `us`";
}
