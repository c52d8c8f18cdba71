//! What ships, under the names by which the targets know it.

use driftless::plant::Plant;
use driftless::story::file::{Refusal, Scenario};
use driftless::world::disk::SimDisk;
use driftless_gateway::driver::{Driver, Inbound};
use driftless_gateway::engine::StoreFailure;
use driftless_gateway::model::WriteId;
pub use driftless_gateway::runtime::admit;
use driftless_gateway::store::{RedbStore, Store};
use driftless_gateway::time::Instant;
pub use driftless_gateway::wire::{
    decode_api, decode_base_path, decode_batch, decode_definition, decode_event, decode_keys,
    decode_listing, decode_plans, decode_subscriptions,
};

/// Reads a story.
///
/// # Errors
/// What is wrong in it, and where.
pub fn parse_scenario(text: &str) -> Result<Scenario, Refusal> {
    Scenario::parse(text)
}

/// What is planted in stories: nothing.
pub const PLANT: Option<Plant> = None;

/// Tells a driver that a write failed.
pub fn store_failed(driver: &mut Driver, write: WriteId, why: StoreFailure, now: Instant) {
    driver.handle(Inbound::StoreFailed(write, why), now);
}

/// Opens a store on a disk.
pub fn open_store(disk: SimDisk) -> Box<dyn Store> {
    Box::new(RedbStore::new(disk))
}
