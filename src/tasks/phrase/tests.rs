//! What is understood, and as what.

use super::*;
use crate::calendar::{end_of_day, parse_moment};
use crate::tasks::wording::{say_due, say_moment};

mod due_dates;
mod snoozes;

const VIENNA: Tz = chrono_tz::Europe::Vienna;

/// Somebody's day at a local time.
fn day(now: &str, zone: Tz) -> Day {
    let window = |start, end| Window::parse(start, end).unwrap();
    let windows = Windows {
        morning: window("06:00", "12:00"),
        afternoon: window("12:00", "18:00"),
        evening: window("18:00", "22:00"),
    };
    Day { now: parse_moment(now, zone).unwrap(), zone, windows }
}

/// What is understood, as it is said to people; `-` when nothing is.
fn due(text: &str, day: Day) -> String {
    due_of(text, day).map_or_else(|| "-".to_owned(), |due| say_due(due, day.zone))
}

fn wake(text: &str, day: Day) -> String {
    moment_of(text, day).map_or_else(|| "-".to_owned(), |moment| say_moment(moment, day.zone))
}

#[track_caller]
fn check(say: fn(&str, Day) -> String, day: Day, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, meant)| say(text, day) != *meant)
        .map(|(text, meant)| format!("`{text}` is {}, not {meant}", say(text, day)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn any_words_in_any_order_are_read_without_harm() {
    let words = "in at by the next this end of a half an hour and 2 24 31 12 0 999999999 4294967296 days weeks months \
                 years minutes friday sun feb december 29th 2027 9999 1970 24.12. 9999-12-31 12/24 5pm 17:30 24:00 \
                 midnight noon tonight morning night tomorrow today week weekend month year eod later past to from \
                 quarter é 日 ſat 🙂 2h : 1.5 - . fri\u{301}day Ⅻ İ 9999-12-31T23:59Z";
    let words: Vec<&str> = words.split(' ').collect();
    let zones = [VIENNA, chrono_tz::Pacific::Kiritimati, chrono_tz::America::St_Johns, chrono_tz::Pacific::Apia];
    let moments = ["1970-01-01T00:00:00Z", "2011-12-29T23:30:00Z", "2028-02-29T12:00:00Z", "9999-12-31T23:59:59Z"];
    let mut seed: usize = 20_261_121;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };

    let mut understood = 0;
    for _ in 0..60_000 {
        let text = (0..=random(5)).map(|_| words[random(words.len())]).collect::<Vec<_>>().join(" ");
        let day = day(moments[random(moments.len())], zones[random(zones.len())]);
        let due = due_of(&text, day);
        understood += usize::from(due.is_some());
        if let Some(due @ Due::On(date)) = due {
            assert!((1970..=9999).contains(&date.year()), "{text}: {due}");
            assert!(text.contains("9999-12-31") || end_of_day(date, day.zone) > day.now, "{text}: {due}");
        }
        if let Some(moment) = moment_of(&text, day) {
            assert!(moment > day.now && moment <= Timestamp::MAX, "{text}: {moment}");
        }
    }

    assert!(understood > 1_000, "{understood}");
}
