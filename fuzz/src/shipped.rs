//! What ships, under the names by which the targets know it.

use driftless::plant::Plant;
use driftless::scenario::{Refusal, Scenario};
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
