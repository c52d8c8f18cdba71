//! Prints what a store holds, without changing a byte of its file.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::resources::{self, HeldCounts};
use super::text::plain;
use crate::model::{
    ArtifactId, ContentDigest, ControlPlane, DeployState, Generation, Recovered, Row, Tombstone,
};
use crate::shell::StoreFile;
use crate::store::{RedbStore, SCHEMA, Store, StoreError};
use crate::time::Timestamp;

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// JSON lines: the store, then its artifacts, its tombstones and its resources.
    Json,
}

/// Why a store could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read cannot be printed.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Prints what the store in `file` holds.
///
/// # Errors
/// [`ShowError`]; a reader that went away (a closed pipe) is none.
pub fn show_store(file: PathBuf, format: Format, out: &mut impl Write) -> Result<(), ShowError> {
    let mut store = RedbStore::new(StoreFile::read_only(file));
    let schema = store.schema()?;
    let held = store.recover()?;
    let printed = match format {
        Format::Text => print_text(schema, &held, out),
        Format::Json => print_json(schema, &held, out),
    };
    match printed.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn print_text(schema: Option<u32>, held: &Recovered, out: &mut impl Write) -> io::Result<()> {
    match schema {
        None => writeln!(out, "schema         none: nothing was stored yet")?,
        Some(SCHEMA) => writeln!(out, "schema         {SCHEMA}")?,
        Some(older) => writeln!(out, "schema         {older}, becomes {SCHEMA} at the next write")?,
    }
    match &held.control_plane {
        None => writeln!(out, "control plane  unknown")?,
        Some(ControlPlane { base, dialect }) => {
            let (base, dialect) = (plain(base.as_str()), dialect.map(|dialect| dialect.name()));
            writeln!(out, "control plane  {base} dialect={}", dialect.unwrap_or("unknown"))?;
        }
    }
    let served = held.rows.values().filter(|row| row.is_served()).count();
    writeln!(out, "artifacts      {} served={served}", held.rows.len())?;
    for (id, row) in &held.rows {
        let (kind, state) = (row.kind, state_name(row.state));
        write!(out, "  {} kind={kind} state={state}", plain(id.as_str()))?;
        print_generation(&row.generation, out)?;
        match row.held {
            None => writeln!(out, " digest=none")?,
            Some(held) => writeln!(out, " digest={} confirmed={}", held.digest, held.confirmed)?,
        }
    }
    writeln!(out, "tombstones     {}", held.tombstones.len())?;
    for (id, tombstone) in &held.tombstones {
        write!(out, "  {}", plain(id.as_str()))?;
        print_generation(&tombstone.generation, out)?;
        match &tombstone.deleted_at {
            None => writeln!(out)?,
            Some(at) => writeln!(out, " deleted_at={at}")?,
        }
    }
    resources::print_text(held, out)
}

fn print_generation(generation: &Generation, out: &mut impl Write) -> io::Result<()> {
    if let Some(deployment) = &generation.deployment {
        write!(out, " deployment={}", plain(deployment.as_str()))?;
    }
    if let Some(at) = &generation.performed_at {
        write!(out, " performed_at={at}")?;
    }
    if let Some(at) = &generation.listed_at {
        write!(out, " listed_at={at}")?;
    }
    Ok(())
}

const fn state_name(state: DeployState) -> &'static str {
    match state {
        DeployState::Deployed => "deployed",
        DeployState::Undeployed => "undeployed",
    }
}

/// A line of [`Format::Json`].
#[derive(Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Line<'a> {
    Store {
        schema: Option<u32>,
        base: Option<&'a str>,
        dialect: Option<&'static str>,
        artifacts: usize,
        tombstones: usize,
        resources: HeldCounts,
    },
    Artifact {
        artifact: &'a str,
        kind: &'static str,
        state: &'static str,
        generation: GenerationFields<'a>,
        digest: Option<String>,
        confirmed: Option<bool>,
    },
    Tombstone {
        artifact: &'a str,
        generation: GenerationFields<'a>,
        deleted_at: Option<String>,
    },
}

#[derive(Serialize)]
struct GenerationFields<'a> {
    deployment: Option<&'a str>,
    performed_at: Option<String>,
    listed_at: Option<String>,
}

impl<'a> Line<'a> {
    fn of_store(schema: Option<u32>, held: &'a Recovered) -> Self {
        let control_plane = held.control_plane.as_ref();
        Self::Store {
            schema,
            base: control_plane.map(|found| found.base.as_str()),
            dialect: control_plane.and_then(|found| found.dialect).map(|dialect| dialect.name()),
            artifacts: held.rows.len(),
            tombstones: held.tombstones.len(),
            resources: HeldCounts::of(held),
        }
    }

    fn of_row((id, row): (&'a ArtifactId, &'a Row)) -> Self {
        Self::Artifact {
            artifact: id.as_str(),
            kind: row.kind.name(),
            state: state_name(row.state),
            generation: GenerationFields::from(&row.generation),
            digest: row.held.map(|held| full_digest(&held.digest)),
            confirmed: row.held.map(|held| held.confirmed),
        }
    }

    fn of_tombstone((id, tombstone): (&'a ArtifactId, &'a Tombstone)) -> Self {
        Self::Tombstone {
            artifact: id.as_str(),
            generation: GenerationFields::from(&tombstone.generation),
            deleted_at: tombstone.deleted_at.as_ref().map(Timestamp::to_string),
        }
    }
}

impl<'a> From<&'a Generation> for GenerationFields<'a> {
    fn from(generation: &'a Generation) -> Self {
        Self {
            deployment: generation.deployment.as_ref().map(|id| id.as_str()),
            performed_at: generation.performed_at.as_ref().map(Timestamp::to_string),
            listed_at: generation.listed_at.as_ref().map(Timestamp::to_string),
        }
    }
}

/// All of a digest, in hexadecimal.
pub(in crate::shell) fn full_digest(digest: &ContentDigest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print_json(schema: Option<u32>, held: &Recovered, out: &mut impl Write) -> io::Result<()> {
    let lines = std::iter::once(Line::of_store(schema, held))
        .chain(held.rows.iter().map(Line::of_row))
        .chain(held.tombstones.iter().map(Line::of_tombstone));
    for line in lines {
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    resources::print_json(held, out)
}
