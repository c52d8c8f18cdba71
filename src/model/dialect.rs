//! Which contract the control plane speaks, and where.

use std::fmt;
use std::sync::Arc;

/// The contract that a control plane was found to speak (law 13).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dialect {
    /// API Manager 4.7.0 GA: list without `state`, kind `RESTAPI`, batch at `/deployments/batch`.
    Apim470,
    /// API Manager 4.7.0 after carbon-apimgt PR #13881.
    Apim470Fixed,
    /// The Platform API that controller 1.1 was written for.
    PlatformApi11,
}

/// A dialect name that is not one of ours; holds the name as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownDialect(pub String);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown dialect {:?}", self.0)
    }
}

impl std::error::Error for UnknownDialect {}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Apim470, Self::Apim470Fixed, Self::PlatformApi11];

    /// The name used in configuration, scenarios and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apim470 => "apim-4.7.0",
            Self::Apim470Fixed => "apim-4.7.0-fixed",
            Self::PlatformApi11 => "platform-api-1.1",
        }
    }

    /// The dialect of that name.
    ///
    /// # Errors
    /// [`UnknownDialect`] for any other name.
    pub fn parse(name: &str) -> Result<Self, UnknownDialect> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name() == name)
            .ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The path under which a control plane serves REST and WebSocket: one leading slash, no
/// trailing one (`/internal/data/v1`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BasePath(Arc<str>);

impl BasePath {
    /// Normalises a path as discovery gives it: spaces and slashes trimmed, one leading slash.
    /// `None` when nothing is left. What was normalised once is read back as it is.
    pub fn parse(path: &str) -> Option<Self> {
        let trimmed = path.trim_matches(|letter: char| letter == '/' || letter.is_whitespace());
        (!trimmed.is_empty()).then(|| Self(Arc::from(format!("/{trimmed}"))))
    }

    /// Where the Platform API serves; it has no well-known (`docs/controller.md` §1.2).
    pub fn platform_api() -> Self {
        Self(Arc::from("/api/internal/v1"))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which route answers a batch fetch. Releases name it differently (A-H12: batch differs), so both
/// are tried and the one that answered is kept for the session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BatchRoute {
    /// `POST /deployments/fetch-batch`.
    FetchBatch,
    /// `POST /deployments/batch`.
    Batch,
}

impl BatchRoute {
    /// The path below the base path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::FetchBatch => "/deployments/fetch-batch",
            Self::Batch => "/deployments/batch",
        }
    }
}

/// What is durable about the control plane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlPlane {
    /// Where it serves.
    pub base: BasePath,
    /// The dialect found by behaviour, once something told it.
    pub dialect: Option<Dialect>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_normalised_and_never_empty() {
        assert_eq!(BasePath::parse("internal/data/v1").unwrap().as_str(), "/internal/data/v1");
        assert_eq!(BasePath::parse(" /a/b/ ").unwrap().as_str(), "/a/b");
        assert_eq!(BasePath::parse(" // "), None);
        assert_eq!(BasePath::parse("/ / "), None);
        assert_eq!(BasePath::parse("/ a/b /").unwrap().as_str(), "/a/b");
    }

    #[test]
    fn dialect_names_round_trip() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.name()), Ok(dialect));
        }
        assert_eq!(Dialect::parse("apim"), Err(UnknownDialect("apim".to_owned())));
    }
}
