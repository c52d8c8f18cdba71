//! What is written for one artifact and for the control plane, in every schema that can be read.
//!
//! The names here are a format: a field that is renamed is another schema. [`super::schema`] says
//! where each record is kept; those of keys and the like are in [`super::resource_record`].

use serde::{Deserialize, Serialize};

use crate::model::{
    BasePath, ContentDigest, ControlPlane, DeployState, DeploymentId, Dialect, Generation, Held,
    Kind, Row, Tombstone, from_hex, to_hex,
};
use crate::time::Timestamp;

/// What is stored under an artifact's id. There is one record for an id, so nothing can be both
/// there and buried.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ArtifactRecord {
    /// It is there.
    Row(RowRecord),
    /// It was deleted.
    Tombstone(TombstoneRecord),
}

/// A [`Row`] as it is stored.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowRecord {
    kind: String,
    state: StateRecord,
    generation: GenerationRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<HeldRecord>,
}

/// A [`Tombstone`] as it is stored.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TombstoneRecord {
    generation: GenerationRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// A [`ControlPlane`] as it is stored.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlPlaneRecord {
    base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateRecord {
    Deployed,
    Undeployed,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerationRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deployment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    performed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed_at: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldRecord {
    digest: String,
    confirmed: bool,
}

/// [`ArtifactRecord`] in schema 1, which did not know provisional definitions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ArtifactRecord1 {
    /// It is there.
    Row(RowRecord1),
    /// It was deleted.
    Tombstone(TombstoneRecord),
}

/// [`RowRecord`] in schema 1: the digest alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowRecord1 {
    kind: String,
    state: StateRecord,
    generation: GenerationRecord,
    #[serde(default)]
    digest: Option<String>,
}

impl From<ArtifactRecord1> for ArtifactRecord {
    /// What schema 1 holds was never confirmed, so it is read again once.
    fn from(record: ArtifactRecord1) -> Self {
        match record {
            ArtifactRecord1::Tombstone(tombstone) => Self::Tombstone(tombstone),
            ArtifactRecord1::Row(RowRecord1 { kind, state, generation, digest }) => {
                let held = digest.map(|digest| HeldRecord { digest, confirmed: false });
                Self::Row(RowRecord { kind, state, generation, held })
            }
        }
    }
}

impl From<&Row> for RowRecord {
    fn from(row: &Row) -> Self {
        Self {
            kind: row.kind.name().to_owned(),
            state: match row.state {
                DeployState::Deployed => StateRecord::Deployed,
                DeployState::Undeployed => StateRecord::Undeployed,
            },
            generation: GenerationRecord::from(&row.generation),
            held: row.held.map(|held| HeldRecord {
                digest: to_hex(&held.digest.0),
                confirmed: held.confirmed,
            }),
        }
    }
}

impl RowRecord {
    /// The row, or what is wrong with the record.
    pub(super) fn read(&self) -> Result<Row, String> {
        let kind = Kind::parse(&self.kind).map_err(|error| error.to_string())?;
        let state = match self.state {
            StateRecord::Deployed => DeployState::Deployed,
            StateRecord::Undeployed => DeployState::Undeployed,
        };
        let held = match &self.held {
            None => None,
            Some(held) => {
                let digest = from_hex(&held.digest)
                    .ok_or_else(|| format!("{:?} is not a SHA-256", held.digest))?;
                Some(Held { digest: ContentDigest(digest), confirmed: held.confirmed })
            }
        };
        Ok(Row { kind, state, generation: self.generation.read()?, held })
    }
}

impl From<&Tombstone> for TombstoneRecord {
    fn from(tombstone: &Tombstone) -> Self {
        Self {
            generation: GenerationRecord::from(&tombstone.generation),
            deleted_at: tombstone.deleted_at.as_ref().map(write_timestamp),
        }
    }
}

impl TombstoneRecord {
    /// The tombstone, or what is wrong with the record.
    pub(super) fn read(&self) -> Result<Tombstone, String> {
        let deleted_at = self.deleted_at.as_deref().map(read_timestamp).transpose()?;
        Ok(Tombstone { generation: self.generation.read()?, deleted_at })
    }
}

impl From<&Generation> for GenerationRecord {
    fn from(generation: &Generation) -> Self {
        Self {
            deployment: generation.deployment.as_ref().map(|id| id.as_str().to_owned()),
            performed_at: generation.performed_at.as_ref().map(write_timestamp),
            listed_at: generation.listed_at.as_ref().map(write_timestamp),
        }
    }
}

impl GenerationRecord {
    fn read(&self) -> Result<Generation, String> {
        Ok(Generation {
            deployment: self.deployment.as_deref().map(DeploymentId::new),
            performed_at: self.performed_at.as_deref().map(read_timestamp).transpose()?,
            listed_at: self.listed_at.as_deref().map(read_timestamp).transpose()?,
        })
    }
}

impl From<&ControlPlane> for ControlPlaneRecord {
    fn from(control_plane: &ControlPlane) -> Self {
        Self {
            base: control_plane.base.as_str().to_owned(),
            dialect: control_plane.dialect.map(|dialect| dialect.name().to_owned()),
        }
    }
}

impl ControlPlaneRecord {
    /// The control plane, or what is wrong with the record.
    pub(super) fn read(&self) -> Result<ControlPlane, String> {
        let base = BasePath::parse(&self.base)
            .ok_or_else(|| format!("{:?} is not a base path", self.base))?;
        let dialect = self.dialect.as_deref().map(Dialect::parse).transpose();
        Ok(ControlPlane { base, dialect: dialect.map_err(|error| error.to_string())? })
    }
}

/// Reads a record of any kind, or says what is wrong with it.
pub(super) fn decode<'a, R: Deserialize<'a>>(bytes: &'a [u8]) -> Result<R, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// The bytes of a record.
pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(record).map_err(|error| error.to_string())
}

/// Seconds since 1970, rounded down, and as many fraction digits as the stamp came with. Unlike
/// ISO 8601 this has a form for every timestamp, those of a control plane with a broken clock
/// among them.
pub(super) fn write_timestamp(timestamp: &Timestamp) -> String {
    let nanos = timestamp.unix_nanos();
    let seconds = nanos.div_euclid(NANOS);
    let fraction = format!("{:09}", nanos.rem_euclid(NANOS));
    match fraction.get(..usize::from(timestamp.digits())) {
        None | Some("") => seconds.to_string(),
        Some(digits) => format!("{seconds}.{digits}"),
    }
}

/// The timestamp, or what is wrong with it.
pub(super) fn read_timestamp(text: &str) -> Result<Timestamp, String> {
    parse_timestamp(text).ok_or_else(|| format!("{text:?} is not a stored timestamp"))
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = u8::try_from(fraction.len()).ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    Some(Timestamp::from_unix_nanos(i128::from(seconds) * NANOS + fraction, digits))
}

const NANOS: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_the_schema_says() {
        let row = Row {
            kind: Kind::RestApi,
            state: DeployState::Undeployed,
            generation: Generation {
                deployment: Some("d-1".into()),
                performed_at: Some(Timestamp::parse("2026-06-17T09:15:00.20Z").unwrap()),
                listed_at: None,
            },
            held: Some(Held { digest: ContentDigest([0xab; 32]), confirmed: true }),
        };
        let bytes = encode(&ArtifactRecord::Row(RowRecord::from(&row))).unwrap();
        let expected = format!(
            r#"{{"row":{{"kind":"RestApi","state":"undeployed","generation":{{"deployment":"d-1","performed_at":"1781687700.20"}},"held":{{"digest":"{}","confirmed":true}}}}}}"#,
            "ab".repeat(32)
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        let ArtifactRecord::Row(record) = decode(&bytes).unwrap() else { panic!("a row") };
        assert_eq!(record.read(), Ok(row));
    }

    #[test]
    fn every_timestamp_comes_back_with_its_digits() {
        for nanos in [0, 1, -1, -1_500_000_000, 1_781_687_700_200_000_000, 10_i128.pow(30)] {
            for digits in 0..=9 {
                let stamp = Timestamp::from_unix_nanos(nanos, digits);
                assert_eq!(read_timestamp(&write_timestamp(&stamp)), Ok(stamp), "{stamp:?}");
            }
        }
        for text in ["", ".", "1.", "x", "1.x", "1.1234567890", "1.-1"] {
            let read = parse_timestamp(text);
            assert!(read.is_none() || text == "1.", "{text:?} was read as {read:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(decode::<ArtifactRecord>(b"{\"row\":{}}").unwrap_err().contains("kind"));
        let control_plane = ControlPlaneRecord { base: "/".to_owned(), dialect: None };
        assert!(control_plane.read().unwrap_err().contains("not a base path"));
    }
}
