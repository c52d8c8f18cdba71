//! Where the control plane serves and what it can do, as far as that is pinned or was found
//! (law 13).

use std::time::Duration;

use super::config::Config;
use crate::model::{BasePath, BatchRoute, ControlPlane, Dialect};

/// What is known about the control plane.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    /// The dialect that the configuration pins.
    pinned: Option<Dialect>,
    /// Where to go in this session.
    pub(super) base: Option<BasePath>,
    /// What was found, durable or about to be.
    found: Option<ControlPlane>,
    /// The route that answers batches of definitions; `None` when neither does.
    pub(super) batch_route: Option<BatchRoute>,
}

impl Discovery {
    /// What the configuration and the store say.
    pub(super) fn new(config: &Config, found: Option<ControlPlane>) -> Self {
        Self {
            pinned: config.dialect,
            base: config.base.clone(),
            found,
            batch_route: Some(BatchRoute::FetchBatch),
        }
    }

    /// The dialect, as far as it is pinned or was found.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.pinned.or(self.found.as_ref().and_then(|found| found.dialect))
    }

    /// What was found.
    pub(super) const fn found(&self) -> Option<&ControlPlane> {
        self.found.as_ref()
    }

    /// The base path for requests; before anything is known, that of the Platform API, which is
    /// asked for evidence of itself.
    pub(super) fn base_or_probe(&self) -> BasePath {
        self.base.clone().unwrap_or_else(BasePath::platform_api)
    }

    /// Discovery answered; returns what is to be remembered of it for when discovery fails.
    pub(super) fn discovered(&mut self, base: BasePath) -> Option<ControlPlane> {
        self.base = Some(base.clone());
        if self.found.as_ref().is_some_and(|found| found.base == base) {
            return None;
        }
        self.found = Some(ControlPlane { base, dialect: None });
        self.found.clone()
    }

    /// A failed discovery proves nothing (C-H13): what was found before goes on, and a pinned
    /// Platform API needs none. Returns whether there is somewhere to go.
    pub(super) fn go_on(&mut self) -> bool {
        let is_platform = self.pinned == Some(Dialect::PlatformApi11);
        let found = self.found.as_ref().map(|found| found.base.clone());
        match found.or_else(|| is_platform.then(BasePath::platform_api)) {
            Some(base) => {
                self.base = Some(base);
                true
            }
            None => false,
        }
    }

    /// Whether the Platform API may be asked for evidence of itself.
    pub(super) const fn may_probe(&self) -> bool {
        self.pinned.is_none()
    }

    /// Learns the dialect by behaviour: only the Platform API serves below its own base path, and
    /// only GA lists rows without `state`. Returns what is to be remembered.
    pub(super) fn learn(&mut self, has_state: Option<bool>) -> Option<ControlPlane> {
        let base = self.base.clone()?;
        let known = self.found.as_ref().and_then(|known| known.dialect);
        let is_platform = base == BasePath::platform_api();
        let dialect = self.pinned.or(match has_state {
            _ if is_platform => Some(Dialect::PlatformApi11),
            Some(true) => Some(Dialect::Apim470Fixed),
            Some(false) => Some(Dialect::Apim470),
            None => known,
        });
        let found = ControlPlane { base, dialect };
        if self.found.as_ref() == Some(&found) {
            return None;
        }
        self.found = Some(found);
        self.found.clone()
    }

    /// Whether the control plane is a Platform API: its dialect tells or, before anything is
    /// listed, its base path.
    pub(super) fn is_platform(&self) -> bool {
        match self.dialect() {
            Some(dialect) => dialect == Dialect::PlatformApi11,
            None => self.base.as_ref().is_some_and(|base| *base == BasePath::platform_api()),
        }
    }

    /// Whether the control plane answers `POST /artifacts/exists`. APIM does not, and its 404 is a
    /// missing route, not an answer (FB-09).
    pub(super) fn has_existence_check(&self) -> bool {
        self.is_platform()
    }

    /// Whether the control plane is known to list keys.
    pub(super) fn has_key_list(&self) -> bool {
        self.is_platform() || self.dialect() == Some(Dialect::Apim470Fixed)
    }

    /// A batch route is missing: the other one is tried, and then none. Of several batches in
    /// flight, only the first to say so is news about the route.
    pub(super) fn route_missing(&mut self, route: BatchRoute) {
        if self.batch_route == Some(route) {
            self.batch_route = match route {
                BatchRoute::FetchBatch => Some(BatchRoute::Batch),
                BatchRoute::Batch => None,
            };
        }
    }

    /// After how long a dead credential is refused at the latest while its list can be read:
    /// where its event is lost, a periodic list lacks it, a second one after a delay does so, too,
    /// and where keys of deployed APIs only are listed, a third one once the API was seen to be
    /// deployed (law 11). `None` where no list would tell.
    pub(super) fn revocation_bound(&self, config: &Config) -> Option<Duration> {
        let has_list =
            matches!(self.dialect(), Some(Dialect::Apim470Fixed | Dialect::PlatformApi11));
        has_list.then(|| {
            config.resync_interval
                + config.credential_orphan_delay
                + 4 * (config.read_lag_max + config.request_timeout)
                + 2 * config.list_spacing
        })
    }
}
