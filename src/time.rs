//! Instants and timestamps: the two clocks of the project.
//!
//! [`Instant`] is monotonic and local; every decision of the engine is made with it.
//! [`Timestamp`] is wall-clock time as another machine wrote it, kept with the precision it came
//! with, because APIM's clocks differ in precision from table to table (`docs/apim.md` §3.11).

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

/// A monotonic instant: nanoseconds since the run or the process began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant(u64);

impl Instant {
    /// The instant at which the run begins.
    pub const START: Self = Self(0);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The instant `duration` later; the far future when it does not fit.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        if nanos > u64::MAX as u128 {
            return Self(u64::MAX);
        }
        Self(self.0.saturating_add(nanos as u64))
    }
}

impl fmt::Display for Instant {
    /// `hh:mm:ss.mmm`, the form of every trace line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.as_millis();
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Wall-clock time as another machine wrote it, with the number of fraction digits it carried.
///
/// Two timestamps are ordered only where their precision allows it: [`Timestamp::order`] answers
/// `None` when the intervals they stand for overlap. A database may truncate or round, so a
/// timestamp of `n` digits stands for one unit of the last digit on either side
/// (A-H18: times never equal).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp {
    unix_seconds: i64,
    /// Within the second, below 10^9.
    nanos: u32,
    digits: Digits,
}

/// A number of fraction digits. Named values leave a gap, so that an optional timestamp is no
/// larger than one: a gateway keeps hundreds of thousands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
enum Digits {
    D0,
    D1,
    D2,
    D3,
    D4,
    D5,
    D6,
    D7,
    D8,
    D9,
}

impl Digits {
    /// So many, at most 9.
    const fn new(digits: u8) -> Self {
        match digits {
            0 => Self::D0,
            1 => Self::D1,
            2 => Self::D2,
            3 => Self::D3,
            4 => Self::D4,
            5 => Self::D5,
            6 => Self::D6,
            7 => Self::D7,
            8 => Self::D8,
            _ => Self::D9,
        }
    }
}

/// Why a text is not a timestamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotATimestamp;

impl fmt::Display for NotATimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an ISO 8601 timestamp with a time zone")
    }
}

impl std::error::Error for NotATimestamp {}

impl Timestamp {
    /// A timestamp from nanoseconds since the Unix epoch; `digits` fraction digits (at most 9)
    /// are significant and the rest is cut off. Seconds end where `i64` does.
    pub fn from_unix_nanos(unix_nanos: i128, digits: u8) -> Self {
        let digits = digits.min(9);
        let unit = unit_nanos(digits);
        let cut = unix_nanos.div_euclid(unit) * unit;
        let seconds = cut.div_euclid(NANOS_PER_SECOND);
        let end = if seconds < 0 { i64::MIN } else { i64::MAX };
        Self {
            unix_seconds: i64::try_from(seconds).unwrap_or(end),
            nanos: u32::try_from(cut.rem_euclid(NANOS_PER_SECOND)).unwrap_or_default(),
            digits: Digits::new(digits),
        }
    }

    /// A timestamp from whole milliseconds since the Unix epoch, as acks carry it
    /// (`docs/apim.md` §3.4).
    pub fn from_unix_millis(millis: i64) -> Self {
        Self::from_unix_nanos(i128::from(millis) * 1_000_000, 3)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(&self) -> i128 {
        self.unix_seconds as i128 * NANOS_PER_SECOND + self.nanos as i128
    }

    /// How many fraction digits the timestamp came with, 0 to 9.
    pub const fn digits(&self) -> u8 {
        self.digits as u8
    }

    /// The order of the two moments by one clock, or `None` where precision does not tell.
    ///
    /// The same text twice is `Equal`: that is the same stamp, not two moments. Two stamps of one
    /// precision were cut alike, so where they differ they are in order, however near.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if self.digits == other.digits {
            return Some(self.unix_nanos().cmp(&other.unix_nanos()));
        }
        self.order_within(other, Duration::ZERO)
    }

    /// Like [`Timestamp::order`], for stamps of different clocks that may disagree by `margin`.
    pub fn order_within(&self, other: &Self, margin: Duration) -> Option<Ordering> {
        let slack = unit_nanos(self.digits()) + unit_nanos(other.digits()) + nanos_of(margin) - 1;
        let difference = self.unix_nanos() - other.unix_nanos();
        if difference > slack {
            Some(Ordering::Greater)
        } else if difference < -slack {
            Some(Ordering::Less)
        } else {
            None
        }
    }

    /// Parses ISO 8601 with `T` (or a space), 0 to 9 fraction digits, and `Z` or a numeric
    /// offset, the forms of `docs/apim.md` §3.11 and `docs/controller.md` §4.
    ///
    /// # Errors
    /// [`NotATimestamp`] for anything else, a date that does not exist among them.
    pub fn parse(text: &str) -> Result<Self, NotATimestamp> {
        parse_iso(text.as_bytes()).ok_or(NotATimestamp)
    }
}

fn nanos_of(duration: Duration) -> i128 {
    i128::from(duration.as_secs()) * NANOS_PER_SECOND + i128::from(duration.subsec_nanos())
}

fn unit_nanos(digits: u8) -> i128 {
    10_i128.pow(9 - u32::from(digits.min(9)))
}

impl fmt::Display for Timestamp {
    /// ISO 8601 UTC with as many fraction digits as the timestamp came with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_nanos().div_euclid(NANOS_PER_SECOND);
        let nanos = self.unix_nanos().rem_euclid(NANOS_PER_SECOND);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.digits() > 0 {
            let fraction = nanos / unit_nanos(self.digits());
            write!(f, ".{fraction:0width$}", width = usize::from(self.digits()))?;
        }
        f.write_str("Z")
    }
}

/// The proleptic Gregorian date of a day number, after Howard Hinnant's `civil_from_days`.
fn civil_from_days(days: i128) -> (i128, i128, i128) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    (year, month, day)
}

/// The day number of a date, the inverse of [`civil_from_days`]. Four digits of a year fit.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn parse_iso(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let (time, rest) = rest.split_at_checked(9)?;
    let [b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] = *time else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, digits, rest) = parse_fraction(rest)?;
    let offset = parse_offset(rest)?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    let nanos = u32::try_from(fraction).ok()?;
    Some(Timestamp { unix_seconds: seconds, nanos, digits: Digits::new(digits) })
}

/// Nanoseconds, significant digits and what follows the fraction.
fn parse_fraction(text: &[u8]) -> Option<(i64, u8, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, 0, text)) };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let (fraction, rest) = text.split_at(digits);
    let digits = u8::try_from(digits).ok()?;
    Some((number(fraction)? * 10_i64.pow(9 - u32::from(digits)), digits, rest))
}

/// Seconds east of UTC.
fn parse_offset(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// At most nine digits as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn stamp(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn every_contract_format_parses_and_prints_in_utc_with_its_digits() {
        for (text, printed) in [
            ("2026-05-20T10:11:12Z", "2026-05-20T10:11:12Z"),
            ("2026-06-17T09:15:00.2Z", "2026-06-17T09:15:00.2Z"),
            ("2026-07-17T09:15:00.123Z", "2026-07-17T09:15:00.123Z"),
            ("2026-04-09T15:40:37.586789Z", "2026-04-09T15:40:37.586789Z"),
            ("2026-04-09T15:40:37.586789123Z", "2026-04-09T15:40:37.586789123Z"),
            ("2026-04-09T21:10:37.586+05:30", "2026-04-09T15:40:37.586Z"),
            ("2026-04-09T10:40:37-0500", "2026-04-09T15:40:37Z"),
            ("2026-04-09 15:40:37.5+00:00", "2026-04-09T15:40:37.5Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(stamp(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2026-05-20",
            "2026-05-20T10:11:12",
            "2026-02-30T10:11:12Z",
            "2026-13-01T10:11:12Z",
            "2026-05-20T24:11:12Z",
            "2026-05-20T10:11:12.Z",
            "2026-05-20T10:11:12.1234567890Z",
            "2026-05-20T10:11:12+25:00",
            "1779271872000",
            "2026-05-20T10:11:12Zjunk",
        ] {
            assert_eq!(Timestamp::parse(text), Err(NotATimestamp), "{text}");
        }
    }

    #[test]
    fn order_is_told_only_where_precision_allows_it() {
        let second = stamp("2026-05-20T10:11:12Z");
        assert_eq!(second.order(&second), Some(Ordering::Equal));
        assert_eq!(second.order(&stamp("2026-05-20T10:11:12.900Z")), None);
        assert_eq!(second.order(&stamp("2026-05-20T10:11:13.900Z")), Some(Ordering::Less));
        assert_eq!(second.order(&stamp("2026-05-20T10:11:13Z")), Some(Ordering::Less));
        let micro = stamp("2026-05-20T10:11:12.000001Z");
        assert_eq!(micro.order(&stamp("2026-05-20T10:11:12.000002Z")), Some(Ordering::Less));
        let margin = Duration::from_secs(2);
        assert_eq!(micro.order_within(&stamp("2026-05-20T10:11:13.5Z"), margin), None);
        assert_eq!(
            micro.order_within(&stamp("2026-05-20T10:11:15.5Z"), margin),
            Some(Ordering::Less)
        );
    }

    #[test]
    fn a_timestamp_is_small_and_ends_where_its_seconds_do() {
        assert_eq!(size_of::<Option<Timestamp>>(), 16);
        let end = Timestamp::from_unix_nanos(i128::MAX, 0);
        assert_eq!(end.unix_nanos(), i128::from(i64::MAX) * NANOS_PER_SECOND);
        let before = Timestamp::from_unix_nanos(-1, 9);
        assert_eq!((before.unix_nanos(), before.digits()), (-1, 9));
    }

    #[test]
    fn instants_print_as_trace_lines_do_and_saturate() {
        assert_eq!(Instant::from_millis(3_723_004).to_string(), "01:02:03.004");
        let end = Instant::from_nanos(u64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(Instant::START.since(end), Duration::ZERO);
    }
}
