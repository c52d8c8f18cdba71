//! What a sweep tells of each seed: which profile, and in which world.

use super::BadArguments;
use super::arguments::RunCommand;
use super::seed::Seed;
use super::story::{Told, of_seed, profile};
use crate::sockets::Place;
use crate::story::profile::{Profile, profiles};

/// One seed in so many is told in the wire world, where neither a profile nor a world is named.
const WIRE_EVERY: u64 = 20;

/// What a sweep draws from.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    /// The profile; all of them in turn when none was named.
    profile: Option<&'static Profile>,
    /// The world; when none was named the fast one, and with all profiles now and then the wire
    /// world.
    place: Option<Place>,
}

impl Mix {
    /// What a command asks for.
    pub(super) fn of(command: &RunCommand) -> Result<Self, BadArguments> {
        let named = command.profile.as_deref();
        Ok(Self {
            profile: named.map(|name| profile(Some(name))).transpose()?,
            place: command.world.map(Place::from),
        })
    }

    /// The story of a seed, and where it is told.
    pub(super) fn story(self, seed: Seed) -> (Place, Told) {
        let (place, profile) = (self.place_of(seed), self.profile_of(seed));
        let mut told = of_seed(profile, seed, place).in_place(place);
        if self.profile.is_none() {
            told.name = format!("{} of {}", told.name, profile.name);
        }
        (place, told)
    }

    fn profile_of(self, seed: Seed) -> &'static Profile {
        let all = profiles();
        let turn = usize::try_from(seed.0 % all.len() as u64).unwrap_or(0);
        self.profile.unwrap_or(&all[turn])
    }

    fn place_of(self, seed: Seed) -> Place {
        let is_wire = self.profile.is_none() && seed.0.is_multiple_of(WIRE_EVERY);
        // Without sockets there is the fast world alone.
        let otherwise = if is_wire { Place::ALL.last() } else { None };
        self.place.or(otherwise.copied()).unwrap_or_default()
    }

    /// What is said of it at the head of a sweep.
    pub(super) fn words(self) -> String {
        match (self.profile, self.place) {
            (Some(profile), _) => format!("profile {}", profile.name),
            (None, Some(_)) => "all profiles in turn".to_owned(),
            (None, None) => {
                format!("all profiles in turn, one seed in {WIRE_EVERY} in the wire world")
            }
        }
    }

    /// The world in which the sweep checks itself.
    pub(super) fn own_place(self) -> Place {
        self.place.unwrap_or_default()
    }

    /// Whether a mark that only several gateways can reach, or the others, may be reached.
    pub(super) fn may_reach(self, of_fleet: bool) -> bool {
        self.profile.is_none_or(|profile| profile.fleet || !of_fleet)
    }

    /// Whether a mark has to be reached in that many seeds.
    pub(super) fn has_to_reach(self, of_fleet: bool, seeds: u64) -> bool {
        let (is_asked, seeds_min) = match self.profile {
            Some(profile) => {
                (profile.has_every_family() && (profile.full || of_fleet), MARKS_SEEDS_MIN)
            }
            None => (true, MARKS_SEEDS_MIN * profiles().len() as u64 / 2),
        };
        // What the fast world reaches in so many seeds the wire world may not: its time is coarser.
        is_asked && seeds >= seeds_min && self.own_place() == Place::Fast
    }
}

/// From this many seeds of a profile on, a required mark that was never reached fails the sweep.
const MARKS_SEEDS_MIN: u64 = 1000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALL: Mix = Mix { profile: None, place: None };

    #[test]
    fn a_sweep_without_a_profile_goes_round_all_of_them() {
        let names: BTreeSet<&str> = (0..9).map(|seed| ALL.profile_of(Seed(seed)).name).collect();
        assert_eq!(names.len(), profiles().len());
        let (_, told) = ALL.story(Seed(4));
        assert_eq!(told.name, format!("seed 0x4 of {}", profiles()[4].name));
        assert!(told.replay().ends_with(&format!("0x4 --profile {}", profiles()[4].name)));
    }

    #[test]
    fn one_seed_in_twenty_is_told_in_the_wire_world_unless_a_world_or_a_profile_is_named() {
        let wire =
            |mix: Mix| (0..400).filter(|seed| mix.place_of(Seed(*seed)) != Place::Fast).count();
        let has_sockets = usize::from(Place::ALL.len() > 1);
        assert_eq!(wire(ALL), 20 * has_sockets);
        assert_eq!(wire(Mix { place: Some(Place::Fast), ..ALL }), 0);
        assert_eq!(wire(Mix { profile: profiles().first(), ..ALL }), 0);
    }
}
