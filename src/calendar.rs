//! Days, due dates and times of day, always in somebody's time zone.
//!
//! A due date is a date alone or an instant, and stays what it was given as. Local times follow RFC 5545, section
//! 3.3.5: one that a daylight-saving change skips is moved forward by the gap, one that happens twice is the earlier.

use std::fmt;

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike,
};
use chrono_tz::Tz;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;

mod windows;

pub use windows::{TimeOfDay, Window, Windows, parse_minute};

/// When a task is due: all day long, or at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Due {
    /// A date alone: due at the end of that day in the user's zone.
    On(NaiveDate),
    /// An instant.
    At(Timestamp),
}

impl Due {
    /// The last moment at which the task is not late: the instant itself, or the last microsecond of the day.
    pub fn last_moment(self, zone: Tz) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => Timestamp::from_micros(end_of_day(date, zone).as_micros() - 1),
        }
    }

    /// The first moment at which the task is overdue: the instant itself, or the local midnight after the day.
    pub fn overdue_from(self, zone: Tz) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => end_of_day(date, zone),
        }
    }

    /// The calendar day in `zone` on which the task is due.
    pub fn date(self, zone: Tz) -> NaiveDate {
        match self {
            Self::On(date) => date,
            Self::At(moment) => local_date(moment, zone),
        }
    }
}

/// As it was given: `2026-12-24`, or RFC 3339 in UTC.
impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            Self::At(moment) => moment.fmt(f),
        }
    }
}

impl Serialize for Due {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads what [`Serialize`] wrote; a time without offset is in UTC.
impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_due(&text, Tz::UTC).map_err(D::Error::custom)
    }
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not of the form of a date or date-time.
    #[error("must be a date such as `2026-12-24` or a date-time such as `2026-12-24T09:00:00Z` (RFC 3339)")]
    Form,
    /// The form is right, the day does not exist.
    #[error("is not a day of the calendar")]
    NoSuchDay,
    /// The form is right, the time of day does not exist (second 60 included).
    #[error("has a time of day that does not exist: hours go to 23, minutes and seconds to 59")]
    NoSuchTime,
    /// The offset is out of range.
    #[error("has an offset that does not exist: offsets go from -23:59 to +23:59")]
    NoSuchOffset,
    /// Outside the years that are kept.
    #[error("must lie in the years 1970 to 9999")]
    OutOfRange,
}

/// Reads a due date: a date alone stays one; a time without offset is read in `zone`.
pub fn parse_due(text: &str, zone: Tz) -> Result<Due, DateError> {
    let (date, rest) = split_date(text)?;
    if rest.is_empty() {
        return Ok(Due::On(date));
    }
    parse_time_of(date, rest, zone).map(Due::At)
}

/// Reads a moment: a date alone is the start of that day in `zone`, a time without offset is read in `zone`.
pub fn parse_moment(text: &str, zone: Tz) -> Result<Timestamp, DateError> {
    match parse_due(text, zone)? {
        Due::At(moment) => Ok(moment),
        Due::On(date) => in_range(start_of_day(date, zone)),
    }
}

fn split_date(text: &str) -> Result<(NaiveDate, &str), DateError> {
    let (date, rest) = text.split_at_checked(10).ok_or(DateError::Form)?;
    let bytes = date.as_bytes();
    let shaped = bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return Err(DateError::Form);
    }
    let number = |range: std::ops::Range<usize>| date[range].parse::<u32>().map_err(|_| DateError::Form);
    let year = i32::try_from(number(0..4)?).map_err(|_| DateError::OutOfRange)?;
    let date = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?).ok_or(DateError::NoSuchDay)?;
    if year < 1970 {
        return Err(DateError::OutOfRange);
    }
    Ok((date, rest))
}

fn parse_time_of(date: NaiveDate, rest: &str, zone: Tz) -> Result<Timestamp, DateError> {
    let time = rest.strip_prefix(['T', 't']).ok_or(DateError::Form)?;
    let split = time.find(['Z', 'z', '+', '-', ' ']).unwrap_or(time.len());
    let (clock, offset) = time.split_at(split);
    let local = date.and_time(parse_clock(clock)?);
    let moment = match parse_offset(offset)? {
        None => resolve_local(local, zone),
        Some(offset) => Timestamp::from((local - offset).and_utc()),
    };
    in_range(moment)
}

/// `09:00`, `09:00:30` or `09:00:30.25`; digits past the microsecond are dropped.
fn parse_clock(text: &str) -> Result<NaiveTime, DateError> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut parts = whole.split(':');
    let mut next = || two_digits(parts.next().unwrap_or("00"));
    let (hour, minute, second) = (next()?, next()?, next()?);
    if parts.next().is_some() || whole.len() < 5 || (fraction.is_some() && whole.len() < 8) {
        return Err(DateError::Form);
    }
    let micros = fraction.map_or(Ok(0), parse_fraction)?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros).ok_or(DateError::NoSuchTime)
}

fn parse_fraction(text: &str) -> Result<u32, DateError> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DateError::Form);
    }
    let digits: String = text.chars().chain("000000".chars()).take(6).collect();
    digits.parse().map_err(|_| DateError::Form)
}

fn parse_offset(text: &str) -> Result<Option<FixedOffset>, DateError> {
    let sign = match text.as_bytes() {
        [] => return Ok(None),
        [b'Z' | b'z'] => 0,
        // A `+` that nobody encoded arrives in a query as a blank.
        [b'+' | b' ', ..] => 1,
        [b'-', ..] => -1,
        _ => return Err(DateError::Form),
    };
    if sign == 0 {
        return Ok(FixedOffset::east_opt(0));
    }
    let (hours, minutes) = text[1..].split_once(':').ok_or(DateError::Form)?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return Err(DateError::NoSuchOffset);
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).map_err(|_| DateError::NoSuchOffset)?;
    FixedOffset::east_opt(sign * seconds).map(Some).ok_or(DateError::NoSuchOffset)
}

fn two_digits(text: &str) -> Result<u32, DateError> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| DateError::Form)
    } else {
        Err(DateError::Form)
    }
}

/// Refuses moments outside the years 1970 to 9999.
pub fn in_range(moment: Timestamp) -> Result<Timestamp, DateError> {
    if (Timestamp::MIN..=Timestamp::MAX).contains(&moment) { Ok(moment) } else { Err(DateError::OutOfRange) }
}

/// The moment of a local time in `zone`.
///
/// # Source
///
/// RFC 5545, section 3.3.5: a skipped time is read with the offset from before the gap; of two, the first.
pub fn resolve_local(local: NaiveDateTime, zone: Tz) -> Timestamp {
    if let Some(moment) = zone.from_local_datetime(&local).earliest() {
        return Timestamp::from(moment.to_utc());
    }
    let before = (1..=25)
        .filter_map(|hours| local.checked_sub_signed(TimeDelta::hours(hours)))
        .find_map(|earlier| zone.from_local_datetime(&earlier).latest())
        .map_or(0, |moment| moment.offset().fix().local_minus_utc());
    Timestamp::from((local - TimeDelta::seconds(i64::from(before))).and_utc())
}

/// The first moment of `date` in `zone`; not always midnight, since some clocks are changed at midnight.
pub fn start_of_day(date: NaiveDate, zone: Tz) -> Timestamp {
    resolve_local(date.and_time(NaiveTime::MIN), zone)
}

/// The first moment after `date` in `zone`.
pub fn end_of_day(date: NaiveDate, zone: Tz) -> Timestamp {
    date.succ_opt().map_or(Timestamp::MAX, |next| start_of_day(next, zone))
}

/// The wall clock in `zone`.
pub fn local_time(moment: Timestamp, zone: Tz) -> DateTime<Tz> {
    moment.to_utc().with_timezone(&zone)
}

/// The calendar day in `zone`.
pub fn local_date(moment: Timestamp, zone: Tz) -> NaiveDate {
    local_time(moment, zone).date_naive()
}

/// Whole calendar days from the day of `from` to `to`, both in `zone`; negative when `to` lies before.
pub fn days_until(to: NaiveDate, from: Timestamp, zone: Tz) -> i64 {
    i64::from(to.num_days_from_ce() - local_date(from, zone).num_days_from_ce())
}

/// Reads an IANA time-zone name, such as `Europe/Vienna`.
pub fn parse_zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// Minutes since local midnight as the wall clock shows them, 0 to 1439.
pub fn minute_of_day(moment: Timestamp, zone: Tz) -> u16 {
    let local = local_time(moment, zone);
    u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIENNA: Tz = chrono_tz::Europe::Vienna;

    fn due(text: &str) -> String {
        parse_due(text, VIENNA).map_or_else(|error| format!("{error:?}"), |due| due.to_string())
    }

    #[test]
    fn a_due_date_comes_back_as_it_was_given() {
        let cases = [
            ("2026-12-24", "2026-12-24"),
            ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"),
            ("2026-12-24T09:00:00+02:00", "2026-12-24T07:00:00Z"),
            ("2026-12-24t09:00:00.25z", "2026-12-24T09:00:00.250Z"),
            ("2026-12-24T09:00", "2026-12-24T08:00:00Z"),
            ("2028-02-29", "2028-02-29"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ];

        for (given, kept) in cases {
            assert_eq!(due(given), kept, "{given}");
        }
    }

    #[test]
    fn what_is_no_date_says_why() {
        let cases = [
            ("2026-02-30", "NoSuchDay"),
            ("2027-02-29", "NoSuchDay"),
            ("0000-00-00", "NoSuchDay"),
            ("0001-01-01", "OutOfRange"),
            ("1969-12-31", "OutOfRange"),
            ("9999-12-31T23:59:59-01:00", "OutOfRange"),
            ("2026-12-24T23:59:60Z", "NoSuchTime"),
            ("2026-12-24T24:00:00Z", "NoSuchTime"),
            ("2026-12-24T09:00:00+24:00", "NoSuchOffset"),
            ("2026-12-24T", "Form"),
            ("2026-12-24T9:00", "Form"),
            ("tomorrow", "Form"),
            ("２０２６-12-24", "Form"),
            ("", "Form"),
        ];

        for (given, fault) in cases {
            assert_eq!(due(given), fault, "{given}");
        }
    }

    #[test]
    fn a_local_time_that_the_clock_skips_moves_forward_by_the_gap() {
        assert_eq!(due("2026-03-29T02:30:00"), "2026-03-29T01:30:00Z"); // 03:30 in summer time
        let samoa = parse_due("2011-12-30T12:00", chrono_tz::Pacific::Apia).map(|due| due.to_string());
        assert_eq!(samoa.as_deref(), Ok("2011-12-30T22:00:00Z"));
    }

    #[test]
    fn a_local_time_that_happens_twice_is_the_earlier() {
        assert_eq!(due("2026-10-25T02:30:00"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_day_may_start_after_midnight_and_lasts_until_the_next_starts() {
        let date = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap(); // clocks jump from 00:00 to 01:00
        let zone = chrono_tz::America::Sao_Paulo;

        assert_eq!(start_of_day(date, zone).to_string(), "2018-11-04T03:00:00Z");
        assert_eq!(end_of_day(date, zone).to_string(), "2018-11-05T02:00:00Z");
        assert_eq!(Due::On(date).last_moment(zone).to_string(), "2018-11-05T01:59:59.999999Z");
    }

    #[test]
    fn days_are_counted_in_the_zone_not_in_hours() {
        let now = parse_moment("2026-03-28T23:30:00", VIENNA).unwrap();
        let next = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();

        assert_eq!(days_until(next, now, VIENNA), 1);
        assert_eq!(days_until(next, now, chrono_tz::Pacific::Kiritimati), 0);
    }
}
