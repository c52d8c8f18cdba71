//! The settings: a TOML file, the environment and flags, in rising order of precedence.
//!
//! Every mistake is named at once, with its line and column where it came from a file; a key that
//! nobody knows is refused with the nearest one that is. Durations are texts with their unit, as
//! in `"30s"`. A field of the file is a variable of the environment too:
//! `[control_plane] url` is `DRIFTLESS_CONTROL_PLANE_URL`. The token itself is in no file of
//! settings: it is read from a file of its own, or from `DRIFTLESS_TOKEN` (law 16).

mod document;
mod draft;
mod duration;
mod endpoint;
mod fields;
mod mistake;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use endpoint::Endpoint;
pub use fields::{FIELDS, Field};
pub use mistake::{Mistake, Origin};

use super::token::TokenSource;
use crate::engine;
use crate::wire::DefinitionLimits;

/// Everything that a gateway process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the control plane is.
    pub endpoint: Endpoint,
    /// Where the registration token comes from.
    pub token: TokenSource,
    /// Certificates to trust besides or instead of the system's.
    pub trust: Trust,
    /// How long the steps of an exchange may take.
    pub timeouts: Timeouts,
    /// How much may come in.
    pub limits: Limits,
    /// The store's file.
    pub store: PathBuf,
    /// The management endpoint.
    pub management: Management,
    /// What is logged, and how.
    pub log: Log,
    /// The engine's limits and intervals.
    pub engine: engine::Config,
    /// What an operator should know and need not change.
    pub warnings: Vec<String>,
}

/// Which certificates of a control plane are believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Those that the system's store vouches for.
    System,
    /// Those that the authorities in this PEM file vouch for, and no others.
    Authorities(PathBuf),
    /// Any. Said at every start and in every status.
    Anything,
}

/// How long the steps of an exchange may take. The whole of a request is bounded by the engine's
/// `request_timeout`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Name resolution and TCP connect.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls_handshake: Duration,
    /// From the request to the head of its answer.
    pub response_head: Duration,
    /// Between two parts of a body.
    pub body_idle: Duration,
    /// From the head of an answer to the end of its body.
    pub body_total: Duration,
    /// Writing to the WebSocket.
    pub write: Duration,
    /// How long an unused connection is kept.
    pub pool_idle: Duration,
    /// Everything between the first signal and the end of the process.
    pub shutdown: Duration,
}

/// How much may come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest body of an answer, in bytes.
    pub body_bytes_max: u64,
    /// The longest WebSocket message, in bytes.
    pub frame_bytes_max: usize,
    /// Most pings in a second before the session is given up.
    pub pings_per_second_max: u32,
    /// Most connections kept for requests to come.
    pub pool_connections_max: usize,
    /// How large a definition may be. One that is larger is refused: the one before stays in service.
    pub definition: DefinitionLimits,
}

/// The management endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Management {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Most connections at once; a further one waits.
    pub connections_max: usize,
    /// How long a client may take for its request, and for reading the answer.
    pub timeout: Duration,
}

/// What is logged, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    /// The least level.
    pub level: tracing::Level,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Something that was set outside of the file: an environment variable or a flag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// Where it comes from.
    pub origin: Origin,
    /// The field, as `section.name`.
    pub key: String,
    /// The value.
    pub text: String,
}

impl Settings {
    /// Reads settings.
    ///
    /// `file` is the path and the text of the file, where there is one. Of several overrides of a
    /// field the last counts. `secret` is the token, where the environment holds it.
    ///
    /// # Errors
    /// Every mistake that was found, in the order of the file.
    pub fn read(
        file: Option<(&str, &str)>,
        overrides: &[Override],
        secret: Option<String>,
    ) -> Result<Self, Vec<Mistake>> {
        let mut draft = draft::Draft::new();
        let mut mistakes = Vec::new();
        if let Some((path, text)) = file {
            mistakes.extend(document::read(path, text, &mut draft)?);
        }
        for given in overrides {
            let set = fields::set(&mut draft, &given.key, &fields::Given::Text(&given.text));
            if let Err(problem) = set {
                mistakes.push(Mistake::of(given.origin.clone(), &given.key, problem));
            }
        }
        let settings = draft.finish(secret, &mut mistakes);
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(settings),
            _ => Err(mistakes),
        }
    }
}

/// The overrides in an environment, and what looks like one and is none.
pub fn from_environment(
    variables: impl Iterator<Item = (String, String)>,
) -> (Vec<Override>, Vec<String>) {
    let (mut overrides, mut unknown) = (Vec::new(), Vec::new());
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if matches!(rest, "TOKEN" | "CONFIG") {
            continue;
        }
        match FIELDS.iter().find(|field| field.variable() == name) {
            Some(field) => {
                overrides.push(Override { origin: Origin::Variable(name), key: field.key(), text });
            }
            None => unknown.push(name),
        }
    }
    overrides.sort_by(|a, b| a.key.cmp(&b.key));
    (overrides, unknown)
}

/// What every environment variable begins with.
pub const PREFIX: &str = "DRIFTLESS_";

#[cfg(test)]
mod tests;
