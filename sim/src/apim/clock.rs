//! The API Manager's wall clock: its offset, its steps, its frozen moments, and what a database
//! makes of its stamps.

use std::time::Duration;

use driftless_gateway::time::{Instant, Timestamp};

use crate::story::switches::TimestampPrecision;

/// 2026-06-17T09:15:00Z in microseconds: the wall-clock time at which every run begins.
const EPOCH_MICROS: i64 = 1_781_687_700_000_000;

/// What a clock shows that is right.
pub fn wall_clock(now: Instant) -> Timestamp {
    let nanos = i128::from(EPOCH_MICROS) * 1000 + i128::from(now.as_nanos());
    Timestamp::from_unix_nanos(nanos, 9)
}

/// A moment on the wall clock: microseconds since the Unix epoch.
pub(super) type Micros = i64;

/// The wall clock of all nodes.
#[derive(Clone, Debug)]
pub(super) struct WallClock {
    offset: Micros,
    frozen: Option<Frozen>,
    last_event: Micros,
    precision: TimestampPrecision,
}

#[derive(Clone, Copy, Debug)]
struct Frozen {
    until: Instant,
    at: Micros,
}

impl WallClock {
    /// A clock that is right, before a database of that precision.
    pub(super) const fn new(precision: TimestampPrecision) -> Self {
        Self { offset: 0, frozen: None, last_event: Micros::MIN, precision }
    }

    /// Microseconds since the Unix epoch.
    pub(super) fn now(&self, now: Instant) -> Micros {
        match self.frozen {
            Some(frozen) if now < frozen.until => frozen.at,
            _ => self.running(now),
        }
    }

    fn running(&self, now: Instant) -> Micros {
        let elapsed = Micros::try_from(now.as_nanos() / 1000).unwrap_or(Micros::MAX);
        EPOCH_MICROS.saturating_add(elapsed).saturating_add(self.offset)
    }

    /// The stamp of an event: later than the one before it by some microseconds, unless the
    /// clock was set back or stands still.
    pub(super) fn event(&mut self, now: Instant, jitter: u64) -> Micros {
        if self.is_frozen(now) {
            return self.now(now);
        }
        let jitter = Micros::try_from(jitter % 997).unwrap_or(0);
        let stamp =
            (self.running(now) + jitter).max(self.last_event.saturating_add(1 + jitter / 20));
        self.last_event = stamp;
        stamp
    }

    /// The stamp of a database row: milliseconds, as far as the database keeps them. MySQL
    /// rounds, so a row may lie up to half a second in the future (A-H18).
    pub(super) fn row(&self, now: Instant) -> Micros {
        let millis = self.now(now).div_euclid(1000);
        match self.precision {
            TimestampPrecision::Seconds => (millis + 500).div_euclid(1000) * 1_000_000,
            TimestampPrecision::Millis | TimestampPrecision::Micros => millis * 1000,
        }
    }

    /// Moves the clock.
    pub(super) fn step(&mut self, by_ms: i64) {
        self.offset = self.offset.saturating_add(by_ms.saturating_mul(1000));
        self.last_event = Micros::MIN;
    }

    /// Whether the clock was ever set wrong.
    pub(super) const fn is_off(&self) -> bool {
        self.offset != 0
    }

    /// Stops the clock for a while (A-H3).
    pub(super) fn freeze(&mut self, now: Instant, length: Duration) {
        self.frozen = Some(Frozen { until: now.after(length), at: self.now(now) });
    }

    /// Whether the clock stands still.
    pub(super) fn is_frozen(&self, now: Instant) -> bool {
        self.frozen.is_some_and(|frozen| now < frozen.until)
    }

    /// Lets the clock run again.
    pub(super) fn thaw(&mut self) {
        self.frozen = None;
    }
}

/// Appends a moment as Java's `Instant.toString()` writes it: UTC, with 0, 3 or 6 fraction
/// digits, whichever suffices.
pub(super) fn push_java(out: &mut String, at: Micros) {
    let digits = digits_of(at);
    let length = match at.rem_euclid(1_000_000) {
        0 => SECONDS,
        micros if micros % 1000 == 0 => SECONDS + 4,
        _ => SECONDS + 7,
    };
    push_ascii(out, &digits[..length]);
    out.push('Z');
}

/// Appends a moment as Go's `time.RFC3339Nano` writes it: with the zone's offset and without
/// trailing zeros.
pub(super) fn push_go(out: &mut String, at: Micros, offset_minutes: i32) {
    let digits = digits_of(at.saturating_add(i64::from(offset_minutes) * 60_000_000));
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count().min(7);
    let length = if zeros >= 6 { SECONDS } else { digits.len() - zeros };
    push_ascii(out, &digits[..length]);
    if offset_minutes == 0 {
        out.push('Z');
        return;
    }
    let mut zone = *b"+00:00";
    zone[0] = if offset_minutes < 0 { b'-' } else { b'+' };
    let minutes = i64::from(offset_minutes.unsigned_abs());
    put_digits(&mut zone[1..3], minutes / 60);
    put_digits(&mut zone[4..6], minutes % 60);
    push_ascii(out, &zone);
}

/// How long a moment is without its fraction.
const SECONDS: usize = 19;

/// A moment in UTC with six fraction digits and without a zone.
fn digits_of(at: Micros) -> [u8; 26] {
    let mut text = *b"0000-00-00T00:00:00.000000";
    let (seconds, micros) = (at.div_euclid(1_000_000), at.rem_euclid(1_000_000));
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    put_digits(&mut text[0..4], year);
    put_digits(&mut text[5..7], month);
    put_digits(&mut text[8..10], day);
    put_digits(&mut text[11..13], of_day / 3600);
    put_digits(&mut text[14..16], of_day / 60 % 60);
    put_digits(&mut text[17..19], of_day % 60);
    put_digits(&mut text[20..26], micros);
    text
}

/// Writes the decimal digits of a value that is not negative, with leading zeros.
fn put_digits(place: &mut [u8], value: i64) {
    let mut rest = value;
    for digit in place.iter_mut().rev() {
        // A remainder by ten fits a byte.
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn push_ascii(out: &mut String, digits: &[u8]) {
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// The proleptic Gregorian date of a day number, after Howard Hinnant's `civil_from_days`.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use driftless_gateway::time::Timestamp;

    fn java(at: Micros) -> String {
        let mut out = String::new();
        push_java(&mut out, at);
        out
    }

    fn go(at: Micros, offset: i32) -> String {
        let mut out = String::new();
        push_go(&mut out, at, offset);
        out
    }

    #[test]
    fn moments_are_written_as_java_and_go_write_them() {
        assert_eq!(java(EPOCH_MICROS), "2026-06-17T09:15:00Z");
        assert_eq!(java(EPOCH_MICROS + 120_000), "2026-06-17T09:15:00.120Z");
        assert_eq!(java(EPOCH_MICROS + 120_001), "2026-06-17T09:15:00.120001Z");
        assert_eq!(go(EPOCH_MICROS + 120_000, 0), "2026-06-17T09:15:00.12Z");
        assert_eq!(go(EPOCH_MICROS, 330), "2026-06-17T14:45:00+05:30");
        assert_eq!(go(EPOCH_MICROS + 1, -300), "2026-06-17T04:15:00.000001-05:00");
        for at in [0, -1, EPOCH_MICROS + 999_999, 951_782_400_000_000] {
            let parsed = Timestamp::parse(&java(at)).unwrap();
            assert_eq!(parsed.unix_nanos(), i128::from(at) * 1000, "{}", java(at));
        }
    }

    #[test]
    fn rows_are_rounded_by_mysql_and_cut_to_milliseconds_elsewhere() {
        let at = Instant::from_nanos(1_600_123_456);
        assert_eq!(
            java(WallClock::new(TimestampPrecision::Seconds).row(at)),
            "2026-06-17T09:15:02Z"
        );
        assert_eq!(
            java(WallClock::new(TimestampPrecision::Millis).row(at)),
            "2026-06-17T09:15:01.600Z"
        );
        assert_eq!(
            java(WallClock::new(TimestampPrecision::Micros).row(at)),
            "2026-06-17T09:15:01.600Z"
        );
    }

    #[test]
    fn event_stamps_rise_unless_the_clock_is_set_back_or_frozen() {
        let mut clock = WallClock::new(TimestampPrecision::Seconds);
        let at = Instant::from_millis(5);
        let first = clock.event(at, 900);
        assert!(clock.event(at, 3) > first);
        clock.step(-10_000);
        assert!(clock.event(at, 3) < first && clock.is_off());
        clock.freeze(at, Duration::from_secs(1));
        let later = Instant::from_millis(900);
        assert_eq!(clock.event(at, 5), clock.event(later, 77));
        assert!(clock.event(Instant::from_millis(1005), 0) > clock.event(later, 0));
        clock.freeze(later, Duration::from_secs(9));
        clock.thaw();
        assert!(!clock.is_frozen(later));
    }
}
