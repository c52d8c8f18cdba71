//! What runs over sockets, real and simulated ones, and the choice between the two worlds.

mod place;
#[cfg(feature = "wire")]
pub mod serve;
#[cfg(feature = "wire")]
pub mod world;

pub use place::Place;
