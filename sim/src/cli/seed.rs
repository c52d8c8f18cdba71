//! Seeds as people write them.

use std::fmt;
use std::str::FromStr;

/// A seed: decimal, hex with `0x`, or a commit hash of 40 digits, whose first 16 count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Seed(pub(super) u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hash = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seed = if is_hash {
            text.get(..16).and_then(|head| u64::from_str_radix(head, 16).ok())
        } else if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            u64::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))
        } else {
            text.parse().ok().filter(|_| !text.starts_with('+'))
        };
        seed.map(Self).ok_or_else(|| "expected decimal, 0x… or a commit hash".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_are_read_and_one_is_printed() {
        assert_eq!("42".parse(), Ok(Seed(42)));
        assert_eq!("0x2a".parse(), Ok(Seed(42)));
        let hash = "9c1e5b7f00d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5";
        assert_eq!(hash.parse(), Ok(Seed(0x9c1e_5b7f_00d1_e2f3)));
        let seed = Seed(u64::MAX);
        assert_eq!(seed.to_string().parse(), Ok(seed));
        for text in ["", "x", "-1", "+1", "0x", "0x+1", "12ab", "18446744073709551616"] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }
}
