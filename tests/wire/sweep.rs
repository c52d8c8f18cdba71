//! Seeds of every profile hold every property over sockets.

use std::collections::BTreeMap;

use driftless::sockets::Place;
use driftless::story::profile::profiles;

use crate::{told, violations};

/// Seeds of each profile, after those that the determinism test tells.
const SEEDS: std::ops::Range<u64> = 100..106;

#[test]
fn seeds_of_every_profile_hold() {
    let (mut failed, mut delivered) = (Vec::new(), BTreeMap::<&str, u64>::new());
    for profile in profiles() {
        for seed in SEEDS {
            let outcome = told(&Place::Wire.story(profile, seed));
            for violation in violations(&outcome) {
                failed.push(format!(
                    "{violation}\ncargo sim replay {seed} --profile {} --world wire",
                    profile.name
                ));
            }
            for (fault, count) in outcome.delivered {
                *delivered.entry(fault).or_insert(0) += count;
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for fault in ["partition", "hold", "half_open", "crash", "bytes.cut", "bytes.flip"] {
        assert!(delivered.contains_key(fault), "{fault} never took effect: {delivered:?}");
    }
}
