//! Days: "tomorrow", "friday", "next week", "24 dec", "24.12.2026", "the 15th", "end of month".

use chrono::{Datelike, Days, Month, Months, NaiveDate, Weekday};
use chrono_tz::Tz;

use super::said::{Piece, of_week};
use super::spans::digits;
use super::{Purpose, next};
use crate::calendar::{Due, parse_due};

/// Reads a day at the beginning of the words, and says how many they are.
pub(super) fn read(words: &[&str], today: NaiveDate, zone: Tz, purpose: Purpose) -> Option<(Piece, usize)> {
    named(words, today, purpose)
        .or_else(|| end(words, today))
        .or_else(|| in_words(words, today))
        .or_else(|| in_digits(words.first()?, today, zone).map(|piece| (piece, 1)))
}

fn named(words: &[&str], today: NaiveDate, purpose: Purpose) -> Option<(Piece, usize)> {
    let after = |days| today.checked_add_days(Days::new(days));
    let found = match words {
        ["today", ..] => (Piece::Day(today), 1),
        ["tomorrow" | "tmrw" | "tmr", ..] => (Piece::Day(after(1)?), 1),
        ["day", "after", "tomorrow", ..] => (Piece::Day(after(2)?), 3),
        ["later", ..] => (Piece::Later, 1),
        ["next", "week", ..] => (Piece::Week(next(Weekday::Mon, today)?), 2),
        ["next", "month", ..] => (Piece::Month(next_month(today)?), 2),
        ["next", "year", ..] => (Piece::Day(NaiveDate::from_ymd_opt(today.year() + 1, 1, 1)?), 2),
        ["next", "weekend", ..] => (Piece::Day(of_week(after(7)?, Weekday::Sat)?), 2),
        ["weekend", ..] => (Piece::Day(weekend(today, purpose)?), 1),
        ["this", "week" | "month" | "year", ..] if purpose == Purpose::Due => {
            (Piece::EndOn(last_day_of(words[1], today)?), 2)
        }
        ["next", word, ..] => (Piece::Weekday(weekday(word)?), 2),
        [word, ..] => (Piece::Weekday(weekday(word)?), 1),
        [] => return None,
    };
    Some(found)
}

/// The Saturday to come. As a due date, on a weekend: its Sunday.
fn weekend(today: NaiveDate, purpose: Purpose) -> Option<NaiveDate> {
    match (purpose, today.weekday()) {
        (Purpose::Due, Weekday::Sat | Weekday::Sun) => of_week(today, Weekday::Sun),
        _ => next(Weekday::Sat, today),
    }
}

/// "end of day", "eow", "end of next month", "end of december".
fn end(words: &[&str], today: NaiveDate) -> Option<(Piece, usize)> {
    let (rest, used) = match words {
        ["eod" | "cob", ..] => return Some((Piece::End, 1)),
        ["close", "of", "business", ..] => return Some((Piece::End, 3)),
        ["eow", ..] => return Some((Piece::EndOn(last_day_of("week", today)?), 1)),
        ["eom", ..] => return Some((Piece::EndOn(last_day_of("month", today)?), 1)),
        ["eoy", ..] => return Some((Piece::EndOn(last_day_of("year", today)?), 1)),
        ["end", "of", "the" | "this", rest @ ..] => (rest, 3),
        ["end", "of", rest @ ..] => (rest, 2),
        _ => return None,
    };
    let found = match rest {
        ["day" | "business", ..] => (Piece::End, used + 1),
        [word @ ("week" | "month" | "year"), ..] => (Piece::EndOn(last_day_of(word, today)?), used + 1),
        ["next", "week", ..] => (Piece::EndOn(of_week(next(Weekday::Mon, today)?, Weekday::Fri)?), used + 2),
        ["next", "month", ..] => (Piece::EndOn(last_day_of("month", next_month(today)?)?), used + 2),
        ["next", "year", ..] => (Piece::EndOn(NaiveDate::from_ymd_opt(today.year() + 1, 12, 31)?), used + 2),
        [word, ..] if month(word).is_some() => {
            let this = NaiveDate::from_ymd_opt(today.year(), month(word)?, 1)?;
            let first = if this.month() < today.month() { this.checked_add_months(Months::new(12))? } else { this };
            (Piece::EndOn(last_day_of("month", first)?), used + 1)
        }
        // Of a day that is named next.
        _ => (Piece::End, used),
    };
    Some(found)
}

/// The last day of the week, month or year of a day. A week ends on Friday; on its weekend, on Sunday.
fn last_day_of(what: &str, date: NaiveDate) -> Option<NaiveDate> {
    match (what, date.weekday()) {
        ("week", Weekday::Sat | Weekday::Sun) => of_week(date, Weekday::Sun),
        ("week", _) => of_week(date, Weekday::Fri),
        ("month", _) => next_month(date)?.pred_opt(),
        _ => NaiveDate::from_ymd_opt(date.year(), 12, 31),
    }
}

fn next_month(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(Months::new(1))
}

/// "24 dec", "december 24th 2026", "the 15th".
fn in_words(words: &[&str], today: NaiveDate) -> Option<(Piece, usize)> {
    let (number, name, used) = match words {
        [number, "of", name, ..] if month(name).is_some() => (number, name, 3),
        [number, name, ..] if month(name).is_some() => (number, name, 2),
        [name, "the", number, ..] if month(name).is_some() => (number, name, 3),
        [name, number, ..] if month(name).is_some() => (number, name, 2),
        [word, ..] => return ordinal(word).map(|number| (Piece::MonthDay(number), 1)),
        [] => return None,
    };
    let (number, month) = (ordinal(number).or_else(|| day_number(number))?, month(name)?);
    match words.get(used).and_then(|word| year(word)) {
        Some(year) => Some((Piece::Day(NaiveDate::from_ymd_opt(year, month, number)?), used + 1)),
        None => Some((Piece::Day(next_such(month, number, today)?), used)),
    }
}

/// `24.12.`, `24.12.2026`, `24/12`, `12/24/2026`, `2026-12-24`, `2026-12-24T09:00`.
fn in_digits(word: &str, today: NaiveDate, zone: Tz) -> Option<Piece> {
    if let Ok(due) = parse_due(word, zone) {
        return Some(match due {
            Due::On(date) => Piece::Explicit(date),
            Due::At(moment) => Piece::Moment(moment),
        });
    }
    let dotted: Vec<&str> = word.split('.').collect();
    let slashed: Vec<&str> = word.split('/').collect();
    let (day, month, year_said) = match (&dotted[..], &slashed[..]) {
        ([day, month], _) => (day_number(day)?, day_number(month)?, None),
        ([day, month, last], _) => (day_number(day)?, day_number(month)?, Some(year(last)?)),
        (_, [first, month, day]) if year(first).is_some() => (day_number(day)?, day_number(month)?, year(first)),
        (_, [one, two]) => day_and_month(one, two, None)?,
        (_, [one, two, last]) => day_and_month(one, two, Some(year(last)?))?,
        _ => return None,
    };
    match year_said {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day).map(Piece::Day),
        None => next_such(month, day, today).map(Piece::Day),
    }
}

/// Which of two numbers is the day: half of the world writes it first. It can be told when one is no month.
fn day_and_month(one: &str, two: &str, year: Option<i32>) -> Option<(u32, u32, Option<i32>)> {
    let (one, two) = (day_number(one)?, day_number(two)?);
    match (one > 12, two > 12) {
        (true, false) => Some((one, two, year)),
        (false, true) => Some((two, one, year)),
        (false, false) if one == two => Some((one, two, year)),
        _ => None,
    }
}

/// This day of the year, today or later; `None` when the next such month does not have it (29 February).
fn next_such(month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let passed = (month, day) < (today.month(), today.day());
    NaiveDate::from_ymd_opt(today.year() + i32::from(passed), month, day)
}

fn weekday(word: &str) -> Option<Weekday> {
    match word {
        "tues" => Some(Weekday::Tue),
        "weds" => Some(Weekday::Wed),
        "thur" | "thurs" => Some(Weekday::Thu),
        word => word.parse().ok(),
    }
}

fn month(word: &str) -> Option<u32> {
    if word == "sept" { Some(9) } else { word.parse::<Month>().ok().map(|month| month.number_from_month()) }
}

fn day_number(word: &str) -> Option<u32> {
    digits(word).filter(|number| (1..=31).contains(number) && word.len() <= 2)
}

fn year(word: &str) -> Option<i32> {
    let year = digits(word).filter(|year| word.len() == 4 && *year >= 1970)?;
    i32::try_from(year).ok()
}

/// "15th".
fn ordinal(word: &str) -> Option<u32> {
    let number = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| word.strip_suffix(suffix))?;
    day_number(number)
}
