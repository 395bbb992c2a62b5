//! Days and moments as people say them: "friday", "tomorrow at noon", "dec 24", "in 2 hours".
//!
//! A text is taken apart into pieces (`said`): a day, a weekday, a time, a span, and words that say nothing. The order
//! is free ("5pm friday", "friday at 5pm"), each piece comes once, and one word that is not understood makes the whole
//! text not understood: what somebody meant is never guessed. Two readings of the same vocabulary:
//!
//! | said | as a due date ([`due_of`]) | as the end of a snooze ([`moment_of`]) |
//! | --- | --- | --- |
//! | a day | the date alone | when its morning window begins |
//! | a day and a time | that moment | that moment |
//! | a part of the day | when its window begins; when it has begun, its end | when it begins next |
//! | "in 3 days" | the date alone | the same time of day, then |
//! | "end of week" | Friday (at the weekend Sunday) | when the evening of that day begins |

pub use past::{PAST_PHRASES, date_of_past, since_of};

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::calendar::{Due, TimeOfDay, Window, Windows, in_range, local_date, local_time, parse_due, resolve_local};
use crate::clock::Timestamp;

mod dates;
mod past;
mod said;
mod spans;
#[cfg(test)]
mod tests;
mod times;

use said::{Said, Span, Time};

/// What can be said as the end of a snooze, for the message to who said something else.
pub const PHRASES: &str = "`tomorrow`, `tonight`, `this evening`, `tomorrow morning`, `monday`, `friday 17:00`, \
                           `next week`, `dec 24`, `later today`, `in 30 minutes`, `in 2 hours`, `in 3 days` or \
                           `in 1 week`";

/// What can be said as a due date, for the message to who said something else.
pub const DUE_PHRASES: &str = "`2026-12-24`, `2026-12-24T09:00:00Z`, `today`, `tomorrow`, `friday`, `friday 5pm`, \
                               `tomorrow at noon`, `next week`, `end of month`, `24 dec`, `the 15th`, `in 3 days` or \
                               `in 2 hours`";

/// The longest text that is looked at, in bytes.
const PHRASE_MAX: usize = 100;
/// How long "later" is, in hours.
const LATER_HOURS: i64 = 3;

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

/// What a text is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Due,
    Wake,
}

/// Finds the due date that a text means; `None` when it is not understood.
///
/// - A day alone is a date alone; with a time it is an instant. A time alone is today if it is still ahead, else
///   tomorrow.
/// - A weekday is the next such day, never today; "next week" is Monday. A day without a year is the next such day, today
///   included.
/// - Where the order of day and month cannot be told (`12/10`), or morning and afternoon (`at 5`), nothing is understood.
/// - Only what is written as ISO 8601 can lie in the past.
pub fn due_of(text: &str, day: Day) -> Option<Due> {
    let text = text.trim();
    // Many programs put a blank where ISO 8601 has a `T`.
    if let Ok(due) = parse_due(text, day.zone).or_else(|_| parse_due(&text.replacen(' ', "T", 1), day.zone)) {
        return Some(due);
    }
    let said = Said::read(text, day, Purpose::Due)?;
    let today = day.today();
    if let Some(moment) = said.moment {
        return said.is_moment_alone().then_some(Due::At(moment));
    }
    if let Some(span) = said.span.filter(|span| span.minutes > 0) {
        let moment = said.is_span_alone().then(|| day.after(span))??;
        return Some(Due::At(whole_minute(moment)));
    }
    let date = match said.date(today).ok()? {
        None if said.end || said.later => Some(today),
        date => date,
    };
    let allowed = |moment: &Timestamp| *moment > day.now || said.explicit;
    match (date, said.time().ok()?) {
        (Some(date), None) => (said.explicit || date >= today).then_some(Due::On(date)).filter(|_| in_years(date)),
        (Some(date), Some(Time::Part(part))) => {
            let window = day.windows.of(part);
            let moments =
                [day.starts(window, date)?, day.ends(window, date)?, day.at(date.succ_opt()?, NaiveTime::MIN)?];
            // The last one only for somebody who says "tonight" at night.
            let last = if part == TimeOfDay::Evening && date == today { 3 } else { 2 };
            moments[..last].iter().copied().find(allowed).map(Due::At)
        }
        (Some(date), Some(time)) => day.time_on(date, time).filter(allowed).map(Due::At),
        (None, Some(time)) => day.next_time(time).map(Due::At),
        (None, None) => None,
    }
}

/// Finds the moment that a text means as the end of a snooze; always after the present one. `None` when it is not
/// understood.
///
/// - A day alone begins with the morning window; a part of the day begins with its window.
/// - A part of the day or a time alone is today if it is still ahead, else tomorrow.
/// - A weekday is the next such day, never today; "next week" is Monday.
pub fn moment_of(phrase: &str, day: Day) -> Option<Timestamp> {
    let said = Said::read(phrase, day, Purpose::Wake)?;
    let moment = match said.moment {
        Some(moment) => said.is_moment_alone().then_some(moment),
        None => wake_at(&said, day),
    };
    moment.filter(|moment| *moment > day.now).and_then(|moment| in_range(moment).ok())
}

fn wake_at(said: &Said, day: Day) -> Option<Timestamp> {
    let today = day.today();
    let time = said.time().ok()?;
    if said.later && time.is_none() {
        let later = Span { minutes: LATER_HOURS * 60, ..Span::default() };
        return said.date(today).ok()?.is_none_or(|date| date == today).then(|| day.after(later))?;
    }
    if let Some(span) = said.span.filter(|_| said.is_span_alone()) {
        return day.after(span);
    }
    if said.span.is_some_and(|span| span.minutes > 0) {
        return None;
    }
    let evening = day.windows.of(TimeOfDay::Evening);
    match (said.date(today).ok()?, time) {
        (date, None) if said.end => {
            let date = date.unwrap_or(today);
            [day.starts(evening, date)?, day.ends(evening, date)?].into_iter().find(|moment| *moment > day.now)
        }
        (Some(date), None) => day.starts(day.windows.of(TimeOfDay::Morning), date).filter(|_| date != today),
        (Some(_), Some(time)) if said.this => day.next_time(time),
        (Some(date), Some(time)) => day.time_on(date, time),
        (None, Some(time)) => day.next_time(time),
        (None, None) => None,
    }
}

impl Day {
    fn today(self) -> NaiveDate {
        local_date(self.now, self.zone)
    }

    fn at(self, date: NaiveDate, time: NaiveTime) -> Option<Timestamp> {
        in_range(resolve_local(date.and_time(time), self.zone)).ok()
    }

    fn starts(self, window: Window, date: NaiveDate) -> Option<Timestamp> {
        self.at(date, window.start_time())
    }

    /// A window that runs over midnight ends on the next day.
    fn ends(self, window: Window, date: NaiveDate) -> Option<Timestamp> {
        let minutes = u32::from(window.end_minute() % 1440);
        let over = window.end_minute() <= window.start_minute() || window.end_minute() == 1440;
        let date = if over { date.succ_opt()? } else { date };
        self.at(date, NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0)?)
    }

    fn time_on(self, date: NaiveDate, time: Time) -> Option<Timestamp> {
        match time {
            Time::At(time) => self.at(date, time),
            Time::Midnight => self.at(date.succ_opt()?, NaiveTime::MIN),
            Time::Part(part) => self.starts(self.windows.of(part), date),
        }
    }

    /// Today if it is still ahead, else tomorrow.
    fn next_time(self, time: Time) -> Option<Timestamp> {
        let today = self.today();
        let days = [Some(today), today.succ_opt()].into_iter().flatten();
        days.filter_map(|date| self.time_on(date, time)).find(|moment| *moment > self.now)
    }

    /// Minutes and hours pass on every clock alike; days, weeks and months keep the local time.
    fn after(self, span: Span) -> Option<Timestamp> {
        let local = local_time(self.now, self.zone).naive_local();
        let moment = if span.days == 0 && span.months == 0 {
            self.now
        } else {
            resolve_local(span.days_after(local.date())?.and_time(local.time()), self.zone)
        };
        let micros = span.minutes.checked_mul(60_000_000)?;
        in_range(Timestamp::from_micros(moment.as_micros().checked_add(micros)?)).ok()
    }
}

impl Span {
    fn days_after(self, date: NaiveDate) -> Option<NaiveDate> {
        date.checked_add_months(Months::new(self.months))?.checked_add_days(Days::new(self.days))
    }
}

/// The next full minute: who says "in 2 hours" means no seconds.
fn whole_minute(moment: Timestamp) -> Timestamp {
    let micros = moment.as_micros();
    Timestamp::from_micros(micros + (-micros).rem_euclid(60_000_000))
}

fn in_years(date: NaiveDate) -> bool {
    (1970..=9999).contains(&date.year())
}

fn next(weekday: Weekday, today: NaiveDate) -> Option<NaiveDate> {
    today.iter_days().skip(1).take(7).find(|date| date.weekday() == weekday)
}
