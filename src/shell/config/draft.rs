//! Settings while they are gathered, and what must hold between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::mistake::{Mistake, Origin};
use super::{Endpoint, Limits, Log, LogFormat, Management, Settings, Timeouts, Trust};
use crate::driver::FRAME_BYTES_MAX;
use crate::engine;
use crate::shell::token::TokenSource;
use crate::wire::DefinitionLimits;

/// Settings while they are gathered.
pub(super) struct Draft {
    pub(super) endpoint: Option<Endpoint>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) skips_verification: bool,
    pub(super) allows_plain_http: bool,
    pub(super) store: Option<PathBuf>,
    pub(super) management: Management,
    pub(super) log: Log,
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
    pub(super) engine: engine::Config,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            endpoint: None,
            token_file: None,
            ca_file: None,
            skips_verification: false,
            allows_plain_http: false,
            store: None,
            management: Management {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9095)),
                connections_max: 32,
                timeout: Duration::from_secs(10),
            },
            log: Log { level: tracing::Level::INFO, format: LogFormat::Text },
            timeouts: Timeouts::recommended(),
            limits: Limits::recommended(),
            engine: engine::Config::recommended(),
        }
    }

    /// The settings; `None` when something is missing. What does not fit together is among
    /// `mistakes`.
    pub(super) fn finish(
        self,
        secret: Option<String>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Settings> {
        let mut mistake = |key: &str, problem: &str| {
            mistakes.push(Mistake::of(Origin::Missing, key, problem));
        };
        if self.engine.backoff_min > self.engine.backoff_max {
            mistake("engine.backoff_min", "is longer than engine.backoff_max");
        }
        if self.limits.frame_bytes_max > FRAME_BYTES_MAX {
            mistake("limits.frame_bytes_max", "is over 1048576, the longest frame of the contract");
        }
        let token = match (secret, &self.token_file) {
            (Some(_), Some(_)) => {
                mistake("control_plane.token_file", "DRIFTLESS_TOKEN is set too; keep one of them");
                None
            }
            (None, None) => {
                mistake("control_plane.token_file", "is missing, and so is DRIFTLESS_TOKEN");
                None
            }
            (Some(secret), None) => TokenSource::fixed(&secret)
                .map_err(|problem| {
                    mistake("control_plane.token", &format!("DRIFTLESS_TOKEN {problem}"))
                })
                .ok(),
            (None, Some(path)) => TokenSource::file(path.clone())
                .map_err(|problem| mistake("control_plane.token_file", &problem))
                .ok(),
        };
        if self.store.is_none() {
            mistake("store.path", "is missing");
        }
        let Some(endpoint) = self.endpoint.clone() else {
            mistake("control_plane.url", "is missing");
            return None;
        };
        if !endpoint.is_encrypted && !self.allows_plain_http {
            mistake(
                "control_plane.url",
                "is not https; set insecure_plain_http where nobody can listen",
            );
        }
        let trust = match (self.skips_verification, &self.ca_file) {
            (false, None) => Trust::System,
            (false, Some(path)) => Trust::Authorities(path.clone()),
            (true, None) => Trust::Anything,
            (true, Some(_)) => {
                mistake("control_plane.ca_file", "means nothing beside insecure_skip_verify");
                Trust::System
            }
        };
        let warnings = warnings(&endpoint, &trust, &self.management);
        Some(Settings {
            endpoint,
            token: token?,
            trust,
            timeouts: self.timeouts,
            limits: self.limits,
            store: self.store?,
            management: self.management,
            log: self.log,
            engine: self.engine,
            warnings,
        })
    }
}

fn warnings(endpoint: &Endpoint, trust: &Trust, management: &Management) -> Vec<String> {
    let mut warnings = Vec::new();
    if !endpoint.is_encrypted {
        let warning = "insecure_plain_http: anybody between this gateway and APIM reads the token";
        warnings.push(warning.to_owned());
    } else if *trust == Trust::Anything {
        let warning = "insecure_skip_verify: the control plane's certificate is not verified; \
                       anybody in between reads the token";
        warnings.push(warning.to_owned());
    }
    if !management.listen.ip().is_loopback() {
        warnings.push(format!(
            "the management endpoint on {} can be reached from other machines and has no \
             authentication",
            management.listen
        ));
    }
    warnings
}

impl Timeouts {
    /// Timeouts for production; the simulation runs the same.
    pub const fn recommended() -> Self {
        Self {
            connect: Duration::from_secs(5),
            tls_handshake: Duration::from_secs(5),
            response_head: Duration::from_secs(15),
            body_idle: Duration::from_secs(10),
            body_total: Duration::from_secs(25),
            write: Duration::from_secs(10),
            pool_idle: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Limits for production; the simulation runs the same.
    pub const fn recommended() -> Self {
        Self {
            body_bytes_max: 256 << 20,
            frame_bytes_max: FRAME_BYTES_MAX,
            pings_per_second_max: 100,
            pool_connections_max: 8,
            definition: DefinitionLimits::recommended(),
        }
    }
}
