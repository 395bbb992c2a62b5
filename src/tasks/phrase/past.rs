//! Moments that have passed, as people say from when on: "yesterday", "3 days ago", "last week", "monday".

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use crate::calendar::{in_range, local_date, parse_moment, start_of_day};
use crate::clock::Timestamp;

use super::{Day, in_years};

/// What can be said, for the message to who said something else.
pub const PAST_PHRASES: &str = "`today`, `yesterday`, `monday`, `this week`, `last week`, `this month`, `3 days ago`, `2 hours ago` or `2026-12-24`";

/// The longest count of something that was long ago.
const LONGEST: i64 = 100_000;

/// Finds the moment from which on somebody wants to know; `None` when the phrase is not understood.
///
/// A day begins at its midnight, a weekday is the last such day before today, a week begins on Monday.
pub fn since_of(text: &str, day: Day) -> Option<Timestamp> {
    if let Ok(moment) = parse_moment(text.trim(), day.zone) {
        return Some(moment);
    }
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "since" | "the" | "on")).collect();
    let today = local_date(day.now, day.zone);
    let monday = || today.checked_sub_signed(TimeDelta::days(today.weekday().num_days_from_monday().into()));
    let date = match words[..] {
        ["now"] => return Some(day.now),
        [count, unit, "ago"] => return ago(count, unit, day),
        ["today" | "midnight"] => Some(today),
        ["yesterday"] => today.pred_opt(),
        ["this", "week"] => monday(),
        ["last", "week"] => monday()?.checked_sub_signed(TimeDelta::days(7)),
        ["this", "month"] => today.with_day(1),
        ["last", "month"] => today.with_day(1)?.pred_opt()?.with_day(1),
        [word] | ["last", word] => last(word.parse().ok()?, today),
        _ => None,
    };
    in_range(start_of_day(date?, day.zone)).ok()
}

/// Finds the one day that has passed and is meant; `None` when the phrase is not understood, or says no single day.
pub fn date_of_past(text: &str, day: Day) -> Option<NaiveDate> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "the" | "on")).collect();
    let today = local_date(day.now, day.zone);
    match words[..] {
        ["yesterday"] => today.pred_opt(),
        ["last", word] => last(word.parse().ok()?, today),
        [count, unit, "ago"] => days_ago(counted(count)?, unit, today),
        _ => None,
    }
}

/// The last such day before today.
fn last(weekday: Weekday, today: NaiveDate) -> Option<NaiveDate> {
    (1..=7).filter_map(|back| today.checked_sub_signed(TimeDelta::days(back))).find(|date| date.weekday() == weekday)
}

/// Minutes and hours pass on every clock alike; days and weeks begin at their midnight.
fn ago(count: &str, unit: &str, day: Day) -> Option<Timestamp> {
    let count = counted(count)?;
    let minutes = match unit.trim_end_matches('s') {
        "minute" | "min" => count,
        "hour" => count * 60,
        _ => {
            let date = days_ago(count, unit, local_date(day.now, day.zone))?;
            return in_range(start_of_day(date, day.zone)).ok();
        }
    };
    in_range(Timestamp::from_micros(day.now.as_micros().checked_sub(minutes * 60_000_000)?)).ok()
}

fn counted(count: &str) -> Option<i64> {
    match count {
        "a" | "an" | "one" => Some(1),
        count => count.parse().ok().filter(|count| (0..=LONGEST).contains(count)),
    }
}

fn days_ago(count: i64, unit: &str, today: NaiveDate) -> Option<NaiveDate> {
    let days = match unit.trim_end_matches('s') {
        "day" => count,
        "week" => count * 7,
        _ => return None,
    };
    today.checked_sub_signed(TimeDelta::days(days)).filter(|date| in_years(*date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Window, Windows, local_time};

    #[test]
    fn people_say_from_when_on() {
        let zone = chrono_tz::Europe::Vienna;
        let window = |start, end| Window::parse(start, end).unwrap();
        let windows = Windows {
            morning: window("06:00", "12:00"),
            afternoon: window("12:00", "18:00"),
            evening: window("18:00", "22:00"),
        };
        let now = parse_moment("2026-10-27T14:00:00", zone).unwrap(); // a Tuesday; clocks changed on Sunday
        let say = |text: &str| {
            let moment = since_of(text, Day { now, zone, windows })?;
            Some(local_time(moment, zone).format("%a %d %b %H:%M").to_string())
        };

        for (text, meant) in [
            ("today", "Tue 27 Oct 00:00"),
            ("yesterday", "Mon 26 Oct 00:00"),
            ("Monday", "Mon 26 Oct 00:00"),
            ("last tuesday", "Tue 20 Oct 00:00"),
            ("this week", "Mon 26 Oct 00:00"),
            ("last week", "Mon 19 Oct 00:00"),
            ("this month", "Thu 01 Oct 00:00"),
            ("last month", "Tue 01 Sep 00:00"),
            ("7 days ago", "Tue 20 Oct 00:00"),
            ("an hour ago", "Tue 27 Oct 13:00"),
            ("2026-10-01", "Thu 01 Oct 00:00"),
            ("now", "Tue 27 Oct 14:00"),
        ] {
            assert_eq!(say(text).as_deref(), Some(meant), "{text}");
        }
        let date = |text: &str| date_of_past(text, Day { now, zone, windows }).map(|date| date.to_string());
        for (text, meant) in [
            ("yesterday", "2026-10-26"),
            ("last tuesday", "2026-10-20"),
            ("3 days ago", "2026-10-24"),
            ("a week ago", "2026-10-20"),
        ] {
            assert_eq!(date(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["last week", "an hour ago", "tuesday", "this month", "99999 weeks ago"] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in ["", "soon", "-1 days ago", "99999999999999999999 days ago", "100000 weeks ago", "é ago"] {
            assert_eq!(say(text), None, "{text}");
        }
    }
}
