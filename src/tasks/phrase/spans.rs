//! Stretches of time: "in 3 days", "an hour and a half", "2h", "a week from friday".

use super::Purpose;
use super::said::{Piece, Span};

/// Reads a span at the beginning of the words, and says how many they are.
pub(super) fn read(words: &[&str], purpose: Purpose) -> Option<(Piece, usize)> {
    let mut used = match words {
        ["in" | "within", ..] => 1,
        ["for", ..] if purpose == Purpose::Wake => 1,
        _ => 0,
    };
    let (mut span, count) = quantity(words.get(used..)?)?;
    used += count;
    loop {
        let joined = usize::from(matches!(words.get(used..), Some(["and", ..])));
        let Some((more, count)) = quantity(words.get(used + joined..)?) else { break };
        span = span.plus(more)?;
        used += joined + count;
    }
    used += match words.get(used..)? {
        ["from", "now" | "today", ..] => 2,
        ["later", ..] => 1,
        ["from", ..] => {
            span.from = true;
            1
        }
        _ => 0,
    };
    (span != Span { from: span.from, ..Span::default() }).then_some((Piece::Span(span), used))
}

impl Span {
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            minutes: self.minutes.checked_add(other.minutes)?,
            days: self.days.checked_add(other.days)?,
            months: self.months.checked_add(other.months)?,
            from: self.from,
        })
    }
}

fn quantity(words: &[&str]) -> Option<(Span, usize)> {
    let minutes = |minutes| Span { minutes, ..Span::default() };
    match words {
        ["a", "half" | "quarter", "hour", ..] => Some((minutes(part_of_hour(words[1])?), 3)),
        ["half" | "quarter", "hour", ..] => Some((minutes(part_of_hour(words[0])?), 2)),
        ["half" | "quarter", "an", "hour", ..] => Some((minutes(part_of_hour(words[0])?), 3)),
        ["quarter", "of", "an", "hour", ..] => Some((minutes(15), 4)),
        ["a", "quarter", "of", "an", "hour", ..] => Some((minutes(15), 5)),
        ["a", "couple", "of", name, ..] => Some((unit(name, 2)?, 4)),
        ["a", "couple", name, ..] => Some((unit(name, 2)?, 3)),
        [number, name, rest @ ..] if count(number).is_some() => {
            let span = unit(name, count(number)?)?;
            match rest {
                ["and", "a", "half", ..] if span.minutes >= 60 => Some((span.plus(minutes(30))?, 5)),
                _ => Some((span, 2)),
            }
        }
        [number, "hours" | "hour" | "hrs" | "h", ..] => Some((minutes(tenths(number)? * 6), 2)),
        [word, ..] => {
            let split = word.find(|c: char| !c.is_ascii_digit())?;
            let (number, name) = word.split_at(split);
            Some((unit(name, digits(number)?)?, 1))
        }
        [] => None,
    }
}

fn part_of_hour(word: &str) -> Option<i64> {
    match word {
        "half" => Some(30),
        "quarter" => Some(15),
        _ => None,
    }
}

fn unit(name: &str, count: u32) -> Option<Span> {
    let (minutes, days, months) = match name {
        "minute" | "minutes" | "min" | "mins" | "m" => (1, 0, 0),
        "hour" | "hours" | "hr" | "hrs" | "h" => (60, 0, 0),
        "day" | "days" | "d" => (0, 1, 0),
        "week" | "weeks" | "wk" | "wks" | "w" => (0, 7, 0),
        "fortnight" | "fortnights" => (0, 14, 0),
        "month" | "months" => (0, 0, 1),
        "year" | "years" | "yr" | "yrs" | "y" => (0, 0, 12),
        _ => return None,
    };
    Some(Span {
        minutes: i64::from(count) * minutes,
        days: u64::from(count) * days,
        months: count.checked_mul(months)?,
        from: false,
    })
}

/// Whether a number before this word counts something.
pub(super) fn is_unit(word: &str) -> bool {
    unit(word, 1).is_some()
}

fn count(word: &str) -> Option<u32> {
    const NUMBERS: [&str; 13] =
        ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    digits(word).or_else(|| NUMBERS.iter().position(|name| *name == word).and_then(|at| u32::try_from(at).ok()))
}

/// A number of up to nine digits.
pub(super) fn digits(word: &str) -> Option<u32> {
    let plain = (1..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| word.parse().ok())?
}

/// `1.5` as 15.
fn tenths(word: &str) -> Option<i64> {
    let (whole, tenth) = word.split_once('.')?;
    let tenth = digits(tenth).filter(|tenth| *tenth < 10)?;
    Some(i64::from(digits(whole)?) * 10 + i64::from(tenth))
}
