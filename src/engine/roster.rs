//! Keys, subscriptions, plans and applications: what is believed of them.

use super::Engine;
use crate::model::ResourceEvent;
use crate::time::Instant;

impl Engine {
    pub(super) fn changed(&mut self, _event: &ResourceEvent, _now: Instant) {}
}
