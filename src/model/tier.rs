//! Tiers: limits by name, as APIM's business plans name them.

use std::fmt;

use super::{Quota, QuotaUnit};

/// The limit that a definition names for an API or for one of its operations.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Tier {
    /// No limit; also what a definition says that names no tier.
    #[default]
    Unlimited,
    /// Twenty requests a minute.
    Gold,
    /// Five requests a minute.
    Silver,
    /// One request a minute.
    Bronze,
    /// A name without a known limit. No limit can be kept that is not known, so what it limits is
    /// refused. Holds the name, cut to 32 characters.
    Unknown(String),
}

impl Tier {
    /// Reads a tier whatever its case.
    pub fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "unlimited" => Self::Unlimited,
            "gold" => Self::Gold,
            "silver" => Self::Silver,
            "bronze" => Self::Bronze,
            _ => Self::Unknown(name.chars().take(32).collect()),
        }
    }

    /// The limit: `None` for one whose name is not known, `Some(None)` for no limit.
    pub const fn quota(&self) -> Option<Option<Quota>> {
        match self {
            Self::Unlimited => Some(None),
            Self::Gold => Some(Some(per_minute(20))),
            Self::Silver => Some(Some(per_minute(5))),
            Self::Bronze => Some(Some(per_minute(1))),
            Self::Unknown(_) => None,
        }
    }
}

const fn per_minute(count: u64) -> Quota {
    Quota { count, unit: QuotaUnit::Minute }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unlimited => "Unlimited",
            Self::Gold => "Gold",
            Self::Silver => "Silver",
            Self::Bronze => "Bronze",
            Self::Unknown(name) => name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_read_whatever_its_case() {
        for (name, tier, quota) in [
            ("unlimited", Tier::Unlimited, Some(None)),
            ("GOLD", Tier::Gold, Some(Some(per_minute(20)))),
            ("Silver", Tier::Silver, Some(Some(per_minute(5)))),
            ("bronze", Tier::Bronze, Some(Some(per_minute(1)))),
            ("Platinum", Tier::Unknown("Platinum".to_owned()), None),
        ] {
            assert_eq!(Tier::parse(name), tier, "{name}");
            assert_eq!(tier.quota(), quota, "{name}");
        }
    }
}
