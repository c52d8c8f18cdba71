//! Every field of the settings: its name, what it says, and how it is set.

use std::path::PathBuf;

use super::draft::Draft;
use super::mistake::nearest;
use super::{Endpoint, LogFormat, PREFIX, duration};
use crate::model::{BasePath, Dialect};

/// A field of the settings.
pub struct Field {
    /// The section of the file that it is in.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    set: fn(&mut Draft, &Given<'_>) -> Result<(), String>,
}

impl Field {
    /// `section.name`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}_{}", self.section, self.name).to_ascii_uppercase()
    }
}

/// A value as it was given.
pub(super) enum Given<'v> {
    Text(&'v str),
    Flag(bool),
    Number(i64),
}

impl Given<'_> {
    fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text("") => Err("the text is empty".to_owned()),
            Self::Text(text) => Ok(text),
            Self::Flag(_) | Self::Number(_) => Err("a text in quotes is expected".to_owned()),
        }
    }

    fn flag(&self) -> Result<bool, String> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Text("true") => Ok(true),
            Self::Text("false") => Ok(false),
            Self::Text(_) | Self::Number(_) => Err("true or false is expected".to_owned()),
        }
    }

    /// A whole number between two bounds.
    fn number(&self, least: u32, most: u32) -> Result<u32, String> {
        let number = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Flag(_) => None,
        };
        number
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("a whole number from {least} to {most} is expected"))
    }

    fn count(&self, least: u32, most: u32) -> Result<usize, String> {
        usize::try_from(self.number(least, most)?).map_err(|error| error.to_string())
    }

    fn path(&self) -> Result<PathBuf, String> {
        self.text().map(PathBuf::from)
    }

    fn word<T>(&self, words: &[(&str, T)]) -> Result<T, String>
    where
        T: Copy,
    {
        let text = self.text()?;
        let known = words.iter().find(|(name, _)| *name == text);
        known.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            let near = nearest(text, names.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("one of {} is expected{hint}", names.join(", "))
        })
    }
}

/// Sets a field.
pub(super) fn set(draft: &mut Draft, key: &str, given: &Given<'_>) -> Result<(), String> {
    let field = FIELDS.iter().find(|field| field.key() == key);
    let field = field.ok_or_else(|| "unknown key".to_owned())?;
    (field.set)(draft, given)
}

const LEVELS: &[(&str, tracing::Level)] = &[
    ("error", tracing::Level::ERROR),
    ("warn", tracing::Level::WARN),
    ("info", tracing::Level::INFO),
    ("debug", tracing::Level::DEBUG),
    ("trace", tracing::Level::TRACE),
];

const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

const DIALECTS: &[(&str, Option<Dialect>)] = &[
    ("auto", None),
    (Dialect::Apim470.name(), Some(Dialect::Apim470)),
    (Dialect::Apim470Fixed.name(), Some(Dialect::Apim470Fixed)),
    (Dialect::PlatformApi11.name(), Some(Dialect::PlatformApi11)),
];

const fn field(
    section: &'static str,
    name: &'static str,
    says: &'static str,
    set: fn(&mut Draft, &Given<'_>) -> Result<(), String>,
) -> Field {
    Field { section, name, says, set }
}

/// Sets a field of the draft to what a value says.
macro_rules! to {
    ($($place:ident).+ = duration) => {
        |draft, given| {
            draft.$($place).+ = duration::parse(given.text()?)?;
            Ok(())
        }
    };
    ($($place:ident).+ = count $least:literal .. $most:literal) => {
        |draft, given| {
            draft.$($place).+ = given.count($least, $most)?;
            Ok(())
        }
    };
    ($($place:ident).+ = word $words:ident) => {
        |draft, given| {
            draft.$($place).+ = given.word($words)?;
            Ok(())
        }
    };
    ($($place:ident).+ = flag) => {
        |draft, given| {
            draft.$($place).+ = given.flag()?;
            Ok(())
        }
    };
    ($($place:ident).+ = some path) => {
        |draft, given| {
            draft.$($place).+ = Some(given.path()?);
            Ok(())
        }
    };
}

/// Every field, in the order of the example.
pub const FIELDS: &[Field] = &[
    field("control_plane", "url", "scheme, host and port of APIM", |draft, given| {
        draft.endpoint = Some(Endpoint::parse(given.text()?)?);
        Ok(())
    }),
    field(
        "control_plane",
        "token_file",
        "file that holds the registration token; read again when the token is refused",
        to!(token_file = some path),
    ),
    field(
        "control_plane",
        "ca_file",
        "PEM file of the authorities to trust, instead of the system's",
        to!(ca_file = some path),
    ),
    field(
        "control_plane",
        "insecure_skip_verify",
        "believe any certificate; anybody in between reads the token",
        to!(skips_verification = flag),
    ),
    field(
        "control_plane",
        "insecure_plain_http",
        "allow an http:// url; anybody in between reads the token",
        to!(allows_plain_http = flag),
    ),
    field(
        "control_plane",
        "dialect",
        "the contract that APIM speaks; `auto` finds out",
        to!(engine.dialect = word DIALECTS),
    ),
    field("control_plane", "base_path", "skips discovery", |draft, given| {
        let base = BasePath::parse(given.text()?).ok_or("a path is expected")?;
        draft.engine.base = Some(base);
        Ok(())
    }),
    field("store", "path", "the store's file; one process at a time", to!(store = some path)),
    field("management", "listen", "address of the management endpoint", |draft, given| {
        let address = given.text()?.parse();
        draft.management.listen =
            address.map_err(|_| "an address and a port such as \"127.0.0.1:9095\" is expected")?;
        Ok(())
    }),
    field(
        "management",
        "connections_max",
        "most connections at once",
        to!(management.connections_max = count 1 .. 4096),
    ),
    field(
        "management",
        "timeout",
        "how long a client may take",
        to!(management.timeout = duration),
    ),
    field("log", "level", "error, warn, info, debug or trace", to!(log.level = word LEVELS)),
    field("log", "format", "text or json", to!(log.format = word FORMATS)),
    field("timeouts", "connect", "name resolution and TCP", to!(timeouts.connect = duration)),
    field("timeouts", "tls_handshake", "the TLS handshake", to!(timeouts.tls_handshake = duration)),
    field(
        "timeouts",
        "response_head",
        "from a request to the head of its answer",
        to!(timeouts.response_head = duration),
    ),
    field(
        "timeouts",
        "body_idle",
        "between two parts of a body",
        to!(timeouts.body_idle = duration),
    ),
    field(
        "timeouts",
        "body_total",
        "from the head of an answer to its end",
        to!(timeouts.body_total = duration),
    ),
    field("timeouts", "write", "writing to the WebSocket", to!(timeouts.write = duration)),
    field(
        "timeouts",
        "pool_idle",
        "how long an unused connection is kept",
        to!(timeouts.pool_idle = duration),
    ),
    field(
        "timeouts",
        "shutdown",
        "from the first signal to the end",
        to!(timeouts.shutdown = duration),
    ),
    field("limits", "body_bytes_max", "the longest body of an answer", |draft, given| {
        draft.limits.body_bytes_max = u64::from(given.number(1024, u32::MAX)?);
        Ok(())
    }),
    field(
        "limits",
        "frame_bytes_max",
        "the longest WebSocket message",
        to!(limits.frame_bytes_max = count 1024 .. 16_777_216),
    ),
    field(
        "limits",
        "pings_per_second_max",
        "pings in a second before the session is given up",
        |draft, given| {
            draft.limits.pings_per_second_max = given.number(1, 1_000_000)?;
            Ok(())
        },
    ),
    field(
        "limits",
        "pool_connections_max",
        "most connections kept for requests to come",
        to!(limits.pool_connections_max = count 1 .. 1024),
    ),
    field(
        "limits",
        "definition_bytes_max",
        "the longest definition that is served",
        to!(limits.definition.bytes_max = count 1024 .. 8_388_608),
    ),
    field(
        "limits",
        "definition_text_bytes_max",
        "the longest name, path or other text in one",
        to!(limits.definition.text_bytes_max = count 64 .. 65_536),
    ),
    field(
        "engine",
        "resync_interval",
        "time between two lists while nothing happens",
        to!(engine.resync_interval = duration),
    ),
    field(
        "engine",
        "read_lag_max",
        "how old an answer of APIM may be",
        to!(engine.read_lag_max = duration),
    ),
    field(
        "engine",
        "orphan_delay",
        "least time between two lists that lack an artifact before it is asked for",
        to!(engine.orphan_delay = duration),
    ),
    field(
        "engine",
        "credential_orphan_delay",
        "the same for keys, subscriptions and plans, before they are gone",
        to!(engine.credential_orphan_delay = duration),
    ),
    field("engine", "lease", "how long a session may stay silent", to!(engine.lease = duration)),
    field(
        "engine",
        "request_timeout",
        "the whole of a request",
        to!(engine.request_timeout = duration),
    ),
    field("engine", "backoff_min", "the first retry delay", to!(engine.backoff_min = duration)),
    field("engine", "backoff_max", "the longest retry delay", to!(engine.backoff_max = duration)),
    field(
        "engine",
        "fetches_in_flight_max",
        "most fetches at once",
        to!(engine.fetches_in_flight_max = count 1 .. 64),
    ),
    field(
        "engine",
        "batch_size_max",
        "most definitions in one batch",
        to!(engine.batch_size_max = count 1 .. 1000),
    ),
];
