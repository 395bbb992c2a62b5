//! Times of day: "5pm", "17:30", "half past 9", "noon", "this evening".

use chrono::{Month, NaiveTime, Timelike};

use super::said::{Clock, Piece};
use super::spans::{digits, is_unit};
use crate::calendar::TimeOfDay;

/// Reads a time at the beginning of the words, and says how many they are.
pub(super) fn read(words: &[&str]) -> Option<(Piece, usize)> {
    let named = match words {
        ["noon" | "midday" | "lunch" | "lunchtime", ..] => (Piece::Clock(known(12, 0)?), 1),
        ["midnight", ..] => (Piece::Clock(Clock::Midnight), 1),
        ["tonight" | "tonite", ..] => (Piece::This(TimeOfDay::Evening), 1),
        ["first", "thing", ..] => (Piece::Part(TimeOfDay::Morning), 2),
        ["this", word, ..] if part(word).is_some() => (Piece::This(part(word)?), 2),
        [word, ..] if part(word).is_some() => (Piece::Part(part(word)?), 1),
        _ => {
            let (clock, count) = past(words).or_else(|| on_the_clock(words)).or_else(|| bare_hour(words))?;
            (Piece::Clock(clock), count)
        }
    };
    Some(named)
}

fn part(word: &str) -> Option<TimeOfDay> {
    if word == "night" { Some(TimeOfDay::Evening) } else { TimeOfDay::parse(word) }
}

/// "half past 9", "quarter to 10 pm", "10 past 9".
fn past(words: &[&str]) -> Option<(Clock, usize)> {
    let [many, way @ ("past" | "to"), rest @ ..] = words else { return None };
    let minutes = match *many {
        "half" => 30,
        "quarter" => 15,
        many => digits(many).filter(|many| (1..60).contains(many))?,
    };
    let (clock, count) = on_the_clock(rest).or_else(|| Some((bare(rest.first()?)?, 1)))?;
    let (hour, known_half) = match clock {
        Clock::Bare(hour, 0) => (hour, false),
        Clock::Known(time) => (time.hour(), true),
        Clock::Bare(..) | Clock::Midnight => return None,
    };
    let (hour, minute) = match *way {
        "past" => (hour, minutes),
        _ if *many == "half" => return None,
        // A quarter to one is at twelve, whichever half of the day is meant.
        _ if hour == 1 && !known_half => (12, 60 - minutes),
        _ => ((hour + 23) % 24, 60 - minutes),
    };
    let clock = if known_half { known(hour, minute)? } else { Clock::Bare(hour, minute) };
    Some((clock, 2 + count))
}

/// "5pm", "5:30 pm", "17:30".
fn on_the_clock(words: &[&str]) -> Option<(Clock, usize)> {
    let (number, half, count) = match words {
        [number, half @ ("am" | "pm"), ..] => (*number, Some(*half), 2),
        [number, "o'clock", half @ ("am" | "pm"), ..] => (*number, Some(*half), 3),
        [number, "o'clock", ..] => return Some((bare(number)?, 2)),
        [word, ..] => match (word.strip_suffix("am"), word.strip_suffix("pm")) {
            (Some(number), _) => (number, Some("am"), 1),
            (_, Some(number)) => (number, Some("pm"), 1),
            _ => (*word, None, 1),
        },
        [] => return None,
    };
    // Seconds that say nothing are left out.
    let number = number.strip_suffix(":00").filter(|number| number.contains(':')).unwrap_or(number);
    let (hour, minute) = match number.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 && hour.len() <= 2 => (digits(hour)?, digits(minute)?),
        None if half.is_some() => (digits(number)?, 0),
        _ => return None,
    };
    let hour = match half {
        None if (hour, minute) == (24, 0) => return Some((Clock::Midnight, count)),
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + if half == "pm" { 12 } else { 0 },
    };
    Some((known(hour, minute)?, count))
}

/// "at 9", "9 in the morning", "9 tonight".
fn bare_hour(words: &[&str]) -> Option<(Clock, usize)> {
    match words {
        ["at" | "by" | "before" | "until" | "till" | "around" | "about", number, rest @ ..] if !counts(rest) => {
            Some((bare(number)?, 2))
        }
        [number, "in", "the", word, ..] if part(word).is_some() => Some((bare(number)?, 1)),
        [number, "tonight" | "tonite", ..] => Some((bare(number)?, 1)),
        [number, "this", word, ..] if part(word).is_some() => Some((bare(number)?, 1)),
        _ => None,
    }
}

/// Whether a number before these words is no hour.
fn counts(after: &[&str]) -> bool {
    match after {
        ["am" | "pm" | "o'clock" | "of" | "past" | "to", ..] => true,
        [word, ..] => is_unit(word) || word.parse::<Month>().is_ok() || *word == "sept",
        [] => false,
    }
}

fn bare(word: &str) -> Option<Clock> {
    digits(word).filter(|hour| *hour < 24 && word.len() <= 2).map(|hour| Clock::Bare(hour, 0))
}

fn known(hour: u32, minute: u32) -> Option<Clock> {
    NaiveTime::from_hms_opt(hour, minute, 0).map(Clock::Known)
}
