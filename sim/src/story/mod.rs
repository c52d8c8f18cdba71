//! What a run is told: steps, the file they are kept in, and the stories of seeds.

pub mod aim;
pub mod file;
pub mod generate;
pub mod profile;
pub mod step;
pub mod switches;
