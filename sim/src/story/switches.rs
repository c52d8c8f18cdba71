//! What the contract leaves open about APIM: each is a switch, left out where it is as usual.

use std::num::NonZeroU8;

use driftless_gateway::model::Dialect;
use serde::{Deserialize, Serialize};

use super::positions::{BatchEncoding, BatchPath, KindSpelling, Positions, TimestampPrecision};

/// Where the control plane differs from what its dialect does by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// Which route answers a batch fetch (A-H12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_path: Option<BatchPath>,
    /// How the batch archive is packed (A-H12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_encoding: Option<BatchEncoding>,
    /// How a REST API's kind is spelt in lists (`docs/apim.md` §3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindSpelling>,
    /// How exact the database's timestamps are (A-H18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_precision: Option<TimestampPrecision>,
    /// Whether archives are compressed; they are, unless a sweep wants to save the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compress: Option<bool>,
    /// Whether who subscribes again gets the token that it had (C-H39).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_kept: Option<bool>,
    /// Whether events are sent directly as well as by the poll (A-H1, A-H36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_send: Option<bool>,
    /// Whether an APIM answers 401 for plans, rather than 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plans_refused: Option<bool>,
    /// Whether the key list has hashes behind `$sha256$` (A-H30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_hash_prefix: Option<bool>,
    /// Whether the key list has names in lower case, as events do (A-H29).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_names_folded: Option<bool>,
    /// Whether the key list has `null` for what has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_nulls: Option<bool>,
    /// Whether the Platform API lists the keys of WebSub and WebBroker APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websub_keys: Option<bool>,
    /// How many nodes an APIM has, each with the sessions of its own (A-H36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NonZeroU8>,
}

impl Switches {
    /// The positions of every switch of a simulated APIM that speaks `dialect`.
    pub fn positions(&self, dialect: Dialect) -> Positions {
        let mut positions = Positions::likely(dialect);
        positions.batch_path = self.batch_path.unwrap_or(positions.batch_path);
        positions.batch_encoding = self.batch_encoding.unwrap_or(positions.batch_encoding);
        positions.kind = self.kind.unwrap_or(positions.kind);
        positions.db_precision = self.timestamp_precision.unwrap_or(positions.db_precision);
        positions.nodes = self.nodes.map_or(positions.nodes, |nodes| u32::from(nodes.get()));
        positions.compress = self.compress.unwrap_or(true);
        for (place, chosen) in [
            (&mut positions.direct_send, self.direct_send),
            (&mut positions.plans_refused, self.plans_refused),
            (&mut positions.key_hash_prefix, self.key_hash_prefix),
            (&mut positions.key_names_folded, self.key_names_folded),
            (&mut positions.key_nulls, self.key_nulls),
            (&mut positions.websub_keys, self.websub_keys),
            (&mut positions.tokens_kept, self.tokens_kept),
        ] {
            *place = chosen.unwrap_or(*place);
        }
        positions
    }

    /// Whether every switch is as usual.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
