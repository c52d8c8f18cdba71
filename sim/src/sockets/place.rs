//! In which of the two worlds a story is told.

use crate::plant::Plant;
use crate::run::{Outcome, RunOptions, run_story};
use crate::story::file::{Scenario, WorldName};
use crate::story::generate::generate;
use crate::story::profile::{Profile, profiles};

/// Which world a story is told in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Place {
    /// One heap of time that carries messages.
    #[default]
    Fast,
    /// The production shell and the served APIM, over simulated sockets.
    #[cfg(feature = "wire")]
    Wire,
}

impl Place {
    /// Every world, the fast one first.
    pub const ALL: &[Self] = &[
        Self::Fast,
        #[cfg(feature = "wire")]
        Self::Wire,
    ];

    /// The world's name.
    pub const fn name(self) -> WorldName {
        match self {
            Self::Fast => WorldName::Fast,
            #[cfg(feature = "wire")]
            Self::Wire => WorldName::Wire,
        }
    }

    /// The story of a seed as it is told in this world: the wire world has faults of its own.
    pub fn story(self, profile: &Profile, seed: u64) -> Scenario {
        match self {
            Self::Fast => generate(profile, seed),
            #[cfg(feature = "wire")]
            Self::Wire => crate::story::generate::with_byte_faults(generate(profile, seed)),
        }
    }

    /// Runs a story in this world.
    pub fn run(self, story: &Scenario, options: RunOptions<'_>) -> Outcome {
        match self {
            Self::Fast => run_story(story, options),
            #[cfg(feature = "wire")]
            Self::Wire => super::world::run_story(story, options),
        }
    }

    /// Runs a story with a planted defect that must be found.
    ///
    /// # Errors
    /// What was not found.
    pub fn canary(self) -> Result<(), String> {
        let profile = profiles().first().copied().ok_or("there is no profile")?;
        let story = generate(&profile, 0xca9a);
        let options = RunOptions { plant: Some(Plant::LoseSyncs), ..RunOptions::default() };
        let mut violations = self.run(&story, options).violations.into_iter();
        let is_found = violations.any(|violation| violation.property == "store_recovers");
        if is_found {
            Ok(())
        } else {
            Err("the planted defect lose_syncs was not found".to_owned())
        }
    }
}
