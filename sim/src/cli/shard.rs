//! Which part of the seeds this process runs: disjoint and complete by construction.

use std::fmt;
use std::str::FromStr;

/// Part `index` of `of`, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shard {
    index: u64,
    of: u64,
}

/// A pair of variables that some scheduler sets.
struct Convention {
    index: &'static str,
    of: &'static str,
    /// The first index; a variable's name, or a number.
    first: First,
}

enum First {
    Is(u64),
    Variable(&'static str),
}

/// In the order they are looked for. `JOB_COMPLETION_INDEX` (Kubernetes) and
/// `AWS_BATCH_JOB_ARRAY_INDEX` come without a total, which `DRIFTLESS_SHARDS` then gives.
const CONVENTIONS: [Convention; 6] = [
    Convention { index: "DRIFTLESS_SHARD", of: "DRIFTLESS_SHARDS", first: First::Is(0) },
    Convention { index: "JOB_COMPLETION_INDEX", of: "DRIFTLESS_SHARDS", first: First::Is(0) },
    Convention {
        index: "SLURM_ARRAY_TASK_ID",
        of: "SLURM_ARRAY_TASK_COUNT",
        first: First::Variable("SLURM_ARRAY_TASK_MIN"),
    },
    Convention { index: "AWS_BATCH_JOB_ARRAY_INDEX", of: "DRIFTLESS_SHARDS", first: First::Is(0) },
    Convention { index: "CI_NODE_INDEX", of: "CI_NODE_TOTAL", first: First::Is(1) },
    Convention { index: "TEST_SHARD_INDEX", of: "TEST_TOTAL_SHARDS", first: First::Is(0) },
];

impl Shard {
    /// All of it.
    pub(super) const WHOLE: Self = Self { index: 0, of: 1 };

    fn new(index: u64, of: u64) -> Result<Self, String> {
        if index < of {
            return Ok(Self { index, of });
        }
        Err(format!("shard {index} of {of} does not exist: the first is 0/{}", of.max(1)))
    }

    /// The shard that the environment names, and by which variable.
    ///
    /// # Errors
    /// A message, when a variable is set and does not name a shard.
    pub(super) fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(Self, &'static str)>, String> {
        for convention in &CONVENTIONS {
            let Some(index) = variable(convention.index) else { continue };
            let index = number(convention.index, &index)?;
            let Some(of) = variable(convention.of) else {
                return Err(format!(
                    "{} is set and {} is not: set it, or give --shard",
                    convention.index, convention.of
                ));
            };
            let of = number(convention.of, &of)?;
            let first = match convention.first {
                First::Is(first) => first,
                First::Variable(name) => match variable(name) {
                    Some(first) => number(name, &first)?,
                    None => 0,
                },
            };
            let index = index
                .checked_sub(first)
                .ok_or_else(|| format!("{} begins at {first}", convention.index))?;
            let shard = Self::new(index, of)
                .map_err(|why| format!("{} and {}: {why}", convention.index, convention.of))?;
            return Ok(Some((shard, convention.index)));
        }
        Ok(None)
    }

    /// The first of `total` seeds that this shard runs, and how many: contiguous parts.
    pub(super) fn part(self, total: u64) -> (u64, u64) {
        let bound = |index: u64| {
            let bound = u128::from(total) * u128::from(index) / u128::from(self.of);
            u64::try_from(bound).unwrap_or(u64::MAX)
        };
        let (start, end) = (bound(self.index), bound(self.index + 1));
        (start, end - start)
    }

    /// The `k`-th seed of this shard where the total is not known: every `of`-th.
    pub(super) fn nth(self, k: u64) -> u64 {
        k.wrapping_mul(self.of).wrapping_add(self.index)
    }
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("{name} is {text:?}, not a number"))
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (index, of) =
            text.split_once('/').ok_or_else(|| "expected I/N, as in 0/4".to_owned())?;
        let parse = |text: &str| {
            text.parse::<u64>().map_err(|_| format!("{text:?} is not a number, as in 0/4"))
        };
        Self::new(parse(index)?, parse(of)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Option<(Shard, &'static str)>, String> {
        Shard::from_environment(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_of_each_scheduler_is_understood() {
        let shard = |index, of| Shard { index, of };
        for (pairs, expected) in [
            (vec![("JOB_COMPLETION_INDEX", "2"), ("DRIFTLESS_SHARDS", "8")], shard(2, 8)),
            (
                vec![
                    ("SLURM_ARRAY_TASK_ID", "12"),
                    ("SLURM_ARRAY_TASK_MIN", "10"),
                    ("SLURM_ARRAY_TASK_COUNT", "4"),
                ],
                shard(2, 4),
            ),
            (vec![("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "3")], shard(0, 3)),
            (vec![("TEST_SHARD_INDEX", "1"), ("TEST_TOTAL_SHARDS", "2")], shard(1, 2)),
        ] {
            let found = from(&pairs).unwrap().map(|(shard, _)| shard);
            assert_eq!(found, Some(expected), "{pairs:?}");
        }
        assert_eq!(from(&[]), Ok(None));
    }

    #[test]
    fn a_shard_that_cannot_be_is_refused() {
        assert!(from(&[("JOB_COMPLETION_INDEX", "2")]).unwrap_err().contains("DRIFTLESS_SHARDS"));
        assert!(from(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")]).is_err());
        assert!(from(&[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "3")]).is_err());
        assert!(from(&[("TEST_SHARD_INDEX", "x"), ("TEST_TOTAL_SHARDS", "3")]).is_err());
        for text in ["", "1", "3/3", "0/0", "a/2", "1/-2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parts_are_disjoint_and_complete(total in 0..100_000_u64, of in 1..64_u64) {
            let mut next = 0;
            for index in 0..of {
                let (start, count) = Shard { index, of }.part(total);
                prop_assert_eq!(start, next);
                next += count;
            }
            prop_assert_eq!(next, total);
        }
    }
}
