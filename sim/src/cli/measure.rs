//! Durations, counts and rates, for people; integers only.

use std::time::Duration;

/// Reads `500ms`, `90s`, `30m` or `8h`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("expected a number with ms, s, m or h, as in 90s".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a number before the unit".to_owned())?;
    match number.checked_mul(unit_ms) {
        Some(0) => Err("no time at all".to_owned()),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Err("too long".to_owned()),
    }
}

/// Virtual time: `00:03:05`, or hours with a tenth from ten hours on.
pub(super) fn simulated(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds >= 36_000 {
        let tenths = seconds / 360;
        return format!("{}.{} h simulated", tenths / 10, tenths % 10);
    }
    format!("{:02}:{:02}:{:02} simulated", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Wall time in brackets, as wide as it ever gets: `[  1.80s]`.
pub(super) fn took(duration: Duration) -> String {
    format!("[{:>4}.{:02}s]", duration.as_secs(), duration.subsec_millis() / 10)
}

/// A count with its noun: `1 seed`, `212 k events`, `3.1 M events`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match count {
        0..10_000 => format!("{count} {noun}{plural}"),
        10_000..1_000_000 => format!("{} k {noun}{plural}", count / 1000),
        _ => format!("{}.{} M {noun}{plural}", count / 1_000_000, count / 100_000 % 10),
    }
}

/// How many a second.
pub(super) fn per_second(count: u64, duration: Duration) -> u64 {
    let millis = duration.as_millis().max(1);
    u64::try_from(u128::from(count) * 1000 / millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("8h"), Ok(Duration::from_secs(28_800)));
        for text in ["", "90", "s", "1.5h", "0s", "-1s", "99999999999999999999h", "9 s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(simulated(Duration::from_secs(185)), "00:03:05 simulated");
        assert_eq!(simulated(Duration::from_secs(148_320)), "41.2 h simulated");
        assert_eq!(took(Duration::from_millis(1809)), "[   1.80s]");
        assert_eq!(counted(1, "seed"), "1 seed");
        assert_eq!(counted(212_900, "event"), "212 k events");
        assert_eq!(counted(3_149_999, "event"), "3.1 M events");
        assert_eq!(per_second(2000, Duration::from_millis(1800)), 1111);
    }
}
