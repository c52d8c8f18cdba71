//! Durations as texts with their unit.

use std::time::Duration;

const UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The longest duration that can be set: a day of 24 hours, thirty times.
const MILLIS_MAX: u64 = 30 * 86_400_000;

/// Reads a duration such as `250ms`, `30s`, `2m`, `1h` or `1d`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let example =
        || "a duration such as \"250ms\", \"30s\", \"2m\" or \"1h\" is expected".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| example())?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(example)?;
    let millis = number.checked_mul(*millis).filter(|millis| *millis <= MILLIS_MAX);
    match millis {
        None => Err("the duration is over 30 days".to_owned()),
        Some(0) => Err("the duration is zero".to_owned()),
        Some(millis) => Ok(Duration::from_millis(millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "30", "s", "-1s", "1.5s", "1 s", "1w", "0s", "31d", "99999999999999999999s"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
