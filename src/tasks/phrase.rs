//! Moments as people say them: "tomorrow morning", "monday 9am", "in 2 hours".

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};
use chrono_tz::Tz;

use crate::calendar::{TimeOfDay, Windows, local_date, resolve_local};
use crate::clock::Timestamp;

/// What can be said, for the message to who said something else.
pub const PHRASES: &str = "`tomorrow`, `tonight`, `this evening`, `tomorrow morning`, `monday`, `friday 17:00`, \
                           `next week`, `in 30 minutes`, `in 2 hours`, `in 3 days` or `in 1 week`";

/// The longest phrase that is looked at, in bytes.
const PHRASE_MAX: usize = 100;

/// When, where and in what rhythm somebody lives.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// The present moment.
    pub now: Timestamp,
    /// Their zone.
    pub zone: Tz,
    /// Where their morning, afternoon and evening lie.
    pub windows: Windows,
}

/// Finds the moment that a phrase means; always after the present one. `None` when the phrase is not understood.
///
/// - A day alone begins with the morning window; a part of the day begins with its window.
/// - A part of the day or a time alone is today if it is still ahead, else tomorrow.
/// - A weekday is the next such day, never today; "next week" is Monday.
pub fn moment_of(phrase: &str, day: Day) -> Option<Timestamp> {
    let phrase = phrase.get(..PHRASE_MAX.min(phrase.len()))?.to_lowercase();
    let mut words: Vec<&str> = phrase.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    words.retain(|word| !matches!(*word, "until" | "on" | "at" | "the" | "this" | "o'clock"));
    if let ["in", count, unit] = words[..] {
        return after(count.parse().ok()?, unit, day);
    }
    let today = local_date(day.now, day.zone);
    let (date, rest) = match words[..] {
        ["next", "week", ref rest @ ..] => (Some(next(Weekday::Mon, today)?), rest.to_vec()),
        ["next", word, ref rest @ ..] => (Some(next(word.parse().ok()?, today)?), rest.to_vec()),
        ["tomorrow", ref rest @ ..] => (today.succ_opt(), rest.to_vec()),
        ["today", ref rest @ ..] if !rest.is_empty() => (Some(today), rest.to_vec()),
        ["tonight"] => (None, vec!["evening"]),
        [word, ref rest @ ..] => match word.parse() {
            Ok(weekday) => (Some(next(weekday, today)?), rest.to_vec()),
            Err(_) => (None, words.clone()),
        },
        [] => return None,
    };
    let time = match rest[..] {
        [] => day.windows.of(TimeOfDay::Morning).start_time(),
        ["noon"] => NaiveTime::from_hms_opt(12, 0, 0)?,
        [word] => TimeOfDay::parse(word).map(|part| day.windows.of(part).start_time()).or_else(|| clock(word))?,
        [number, half @ ("am" | "pm")] => clock(&format!("{number}{half}"))?,
        _ => return None,
    };
    let at = |date: NaiveDate| resolve_local(date.and_time(time), day.zone);
    match date {
        Some(date) => Some(at(date)).filter(|moment| *moment > day.now),
        None => [Some(today), today.succ_opt()].into_iter().flatten().map(at).find(|moment| *moment > day.now),
    }
}

/// Minutes and hours pass on every clock alike; days and weeks keep the local time.
fn after(count: u32, unit: &str, day: Day) -> Option<Timestamp> {
    let count = i64::from(count).clamp(0, 10_000_000);
    let local = crate::calendar::local_time(day.now, day.zone).naive_local();
    let moment = match unit.trim_end_matches('s') {
        "minute" | "min" => Timestamp::from_micros(day.now.as_micros().checked_add(count * 60_000_000)?),
        "hour" | "h" => Timestamp::from_micros(day.now.as_micros().checked_add(count * 3_600_000_000)?),
        "day" => resolve_local(local.checked_add_signed(TimeDelta::days(count))?, day.zone),
        "week" => resolve_local(local.checked_add_signed(TimeDelta::weeks(count))?, day.zone),
        _ => return None,
    };
    crate::calendar::in_range(moment).ok().filter(|moment| *moment > day.now)
}

fn next(weekday: Weekday, today: NaiveDate) -> Option<NaiveDate> {
    today.iter_days().skip(1).take(7).find(|date| date.weekday() == weekday)
}

/// `9am`, `5:30pm`, `17:30`.
fn clock(word: &str) -> Option<NaiveTime> {
    let (digits, afternoon) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(false)),
        (_, Some(digits)) => (digits, Some(true)),
        _ => (word, None),
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour.parse::<u32>().ok()?, minute.parse().ok()?),
        None if afternoon.is_some() => (digits.parse().ok()?, 0),
        _ => return None,
    };
    let hour = match afternoon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Window, parse_moment};

    fn say(phrase: &str) -> Option<String> {
        let zone = chrono_tz::Europe::Vienna;
        let window = |start, end| Window::parse(start, end).unwrap();
        let windows = Windows {
            morning: window("06:00", "12:00"),
            afternoon: window("12:00", "18:00"),
            evening: window("18:00", "22:00"),
        };
        let now = parse_moment("2026-10-24T14:00:00", zone).unwrap(); // a Saturday; clocks change that night
        let moment = moment_of(phrase, Day { now, zone, windows })?;
        Some(crate::calendar::local_time(moment, zone).format("%a %d %H:%M").to_string())
    }

    #[test]
    fn phrases_mean_what_people_mean() {
        let cases = [
            ("tomorrow", "Sun 25 06:00"),
            ("Tomorrow Morning", "Sun 25 06:00"),
            ("tomorrow 9am", "Sun 25 09:00"),
            ("morning", "Sun 25 06:00"),
            ("afternoon", "Sun 25 12:00"),
            ("this evening", "Sat 24 18:00"),
            ("tonight", "Sat 24 18:00"),
            ("today 16:30", "Sat 24 16:30"),
            ("13:00", "Sun 25 13:00"),
            ("noon", "Sun 25 12:00"),
            ("saturday", "Sat 31 06:00"),
            ("until monday morning", "Mon 26 06:00"),
            ("friday 5:30 pm", "Fri 30 17:30"),
            ("next week", "Mon 26 06:00"),
            ("next tuesday evening", "Tue 27 18:00"),
            ("in 30 minutes", "Sat 24 14:30"),
            ("in 1 day", "Sun 25 14:00"),
            ("in 24 hours", "Sun 25 13:00"),
            ("in 2 weeks", "Sat 07 14:00"),
        ];

        for (phrase, meant) in cases {
            assert_eq!(say(phrase).as_deref(), Some(meant), "{phrase}");
        }
    }

    #[test]
    fn what_is_not_understood_or_past_is_refused() {
        for phrase in
            ["", "soon", "today", "today 9am", "yesterday", "in -1 days", "in 0 hours", "25:00", "13pm", "monday x y"]
        {
            assert_eq!(say(phrase), None, "{phrase}");
        }
        assert_eq!(say(&"é".repeat(500)), None);
        assert_eq!(say("in 4294967295 weeks"), None);
    }
}
