//! What was said, piece by piece.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Timelike, Weekday};

use super::{Day, PHRASE_MAX, Purpose, dates, next, spans, times};
use crate::calendar::TimeOfDay;
use crate::clock::Timestamp;

/// What one or several words mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words that say nothing.
    Filler,
    /// A moment, written out.
    Moment(Timestamp),
    /// A day.
    Day(NaiveDate),
    /// A day, written out as ISO 8601.
    Explicit(NaiveDate),
    /// "friday".
    Weekday(Weekday),
    /// A week, by its Monday.
    Week(NaiveDate),
    /// A month, by its first.
    Month(NaiveDate),
    /// "the 15th".
    MonthDay(u32),
    /// "end of day".
    End,
    /// "end of week": the last day of something.
    EndOn(NaiveDate),
    /// "later".
    Later,
    /// "this evening".
    This(TimeOfDay),
    /// "evening".
    Part(TimeOfDay),
    /// A time on the clock.
    Clock(Clock),
    /// "in 3 days".
    Span(Span),
}

/// A time on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// No doubt which half of the day is meant.
    Known(NaiveTime),
    /// Hour and minute, without saying which half of the day.
    Bare(u32, u32),
    /// The end of the day.
    Midnight,
}

/// When on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    At(NaiveTime),
    Midnight,
    Part(TimeOfDay),
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) minutes: i64,
    pub(super) days: u64,
    pub(super) months: u32,
    /// Counted from a day that is named beside it ("a week from friday").
    pub(super) from: bool,
}

/// What was said contradicts itself, or can mean two things.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unclear;

/// All that was said.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that was said or was not")]
pub(super) struct Said {
    pub(super) moment: Option<Timestamp>,
    pub(super) span: Option<Span>,
    /// Whether the day is written out as ISO 8601.
    pub(super) explicit: bool,
    /// Whether the end of the day, week or month is meant.
    pub(super) end: bool,
    pub(super) later: bool,
    /// Whether the part of the day is today's.
    pub(super) this: bool,
    day: Option<NaiveDate>,
    weekday: Option<Weekday>,
    week: Option<NaiveDate>,
    month: Option<NaiveDate>,
    month_day: Option<u32>,
    clock: Option<Clock>,
    part: Option<TimeOfDay>,
}

impl Said {
    /// Takes a text apart; `None` when a word is not understood.
    pub(super) fn read(text: &str, day: Day, purpose: Purpose) -> Option<Self> {
        let text = text.trim();
        if text.len() > PHRASE_MAX {
            return None;
        }
        let text = text.to_lowercase().replace('’', "'").replace("a.m", "am").replace("p.m", "pm");
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
            .map(|word| word.trim_matches(['.', '!', '?', '"', '`', '(', ')']))
            .filter(|word| !word.is_empty())
            .collect();
        let (mut said, mut rest, today) = (Self::default(), &words[..], day.today());
        while !rest.is_empty() {
            let (piece, count) = spans::read(rest, purpose)
                .or_else(|| times::read(rest))
                .or_else(|| dates::read(rest, today, day.zone, purpose))
                .or_else(|| filler(rest, purpose))?;
            said.add(piece, today)?;
            rest = rest.get(count..)?;
        }
        Some(said)
    }

    fn add(&mut self, piece: Piece, today: NaiveDate) -> Option<()> {
        match piece {
            Piece::Filler => Some(()),
            Piece::Moment(moment) => put(&mut self.moment, moment),
            Piece::Day(date) => put(&mut self.day, date),
            Piece::Explicit(date) => {
                self.explicit = true;
                put(&mut self.day, date)
            }
            Piece::Weekday(weekday) => put(&mut self.weekday, weekday),
            Piece::Week(monday) => put(&mut self.week, monday),
            Piece::Month(first) => put(&mut self.month, first),
            Piece::MonthDay(number) => put(&mut self.month_day, number),
            Piece::End => {
                self.end = true;
                Some(())
            }
            Piece::EndOn(date) => {
                self.end = true;
                put(&mut self.day, date)
            }
            Piece::Later => {
                self.later = true;
                Some(())
            }
            Piece::This(part) => {
                self.this = true;
                put(&mut self.day, today)?;
                put(&mut self.part, part)
            }
            Piece::Part(part) => put(&mut self.part, part),
            Piece::Clock(clock) => put(&mut self.clock, clock),
            Piece::Span(span) => put(&mut self.span, span),
        }
    }

    /// Whether nothing was said about a day or a time.
    const fn is_bare(&self) -> bool {
        self.day.is_none()
            && self.weekday.is_none()
            && self.week.is_none()
            && self.month.is_none()
            && self.month_day.is_none()
            && self.clock.is_none()
            && self.part.is_none()
            && !self.end
            && !self.later
    }

    /// Whether a moment is all that was said.
    pub(super) const fn is_moment_alone(&self) -> bool {
        self.is_bare() && self.span.is_none()
    }

    /// Whether a span is all that was said.
    pub(super) fn is_span_alone(&self) -> bool {
        self.is_bare() && self.moment.is_none() && self.span.is_some_and(|span| !span.from)
    }

    /// The day; `None` when none was said.
    pub(super) fn date(&self, today: NaiveDate) -> Result<Option<NaiveDate>, Unclear> {
        let named = self.named_day(today)?;
        let Some(span) = self.span else { return Ok(named) };
        let counted = match named {
            _ if span.minutes > 0 => None,
            Some(date) if span.from => span.days_after(date),
            None if !span.from => span.days_after(today),
            // "friday in 2 weeks"
            Some(date) if self.is_weekday_alone() && span.months == 0 && span.days.is_multiple_of(7) => {
                span.days_after(today).and_then(|week| of_week(week, date.weekday()))
            }
            _ => None,
        };
        counted.map(Some).ok_or(Unclear)
    }

    const fn is_weekday_alone(&self) -> bool {
        self.weekday.is_some()
            && self.day.is_none()
            && self.week.is_none()
            && self.month.is_none()
            && self.month_day.is_none()
    }

    fn named_day(&self, today: NaiveDate) -> Result<Option<NaiveDate>, Unclear> {
        let date = match (self.day, self.week, self.month, self.month_day) {
            (None, None, None, None) => match self.weekday {
                Some(weekday) => next(weekday, today),
                None => return Ok(None),
            },
            (Some(day), None, None, None) => Some(day),
            (None, Some(monday), None, None) => of_week(monday, self.weekday.unwrap_or(Weekday::Mon)),
            (None, None, Some(first), number) => first.with_day(number.unwrap_or(1)),
            (None, None, None, Some(number)) => next_month_day(number, today),
            _ => None,
        };
        let agreed = date.filter(|date| self.weekday.is_none_or(|weekday| weekday == date.weekday()));
        agreed.map(Some).ok_or(Unclear)
    }

    /// The time; `None` when none was said.
    pub(super) fn time(&self) -> Result<Option<Time>, Unclear> {
        let Some(clock) = self.clock else { return Ok(self.part.map(Time::Part)) };
        let time = match (clock, self.part) {
            (Clock::Midnight, None | Some(TimeOfDay::Evening)) => return Ok(Some(Time::Midnight)),
            (Clock::Known(time), None) => Some(time),
            (Clock::Known(time), Some(part)) => Some(time).filter(|time| fits(part, *time)),
            (Clock::Bare(hour @ (0 | 7..), minute), None) => NaiveTime::from_hms_opt(hour, minute, 0),
            // From one to six, either half of the day can be meant; and midnight is in no other part than the evening.
            (Clock::Bare(..), None) | (Clock::Midnight, Some(_)) => None,
            (Clock::Bare(hour @ 1..12, minute), Some(TimeOfDay::Afternoon | TimeOfDay::Evening)) => {
                NaiveTime::from_hms_opt(hour + 12, minute, 0)
            }
            (Clock::Bare(hour, minute), Some(part)) => {
                NaiveTime::from_hms_opt(hour, minute, 0).filter(|time| fits(part, *time))
            }
        };
        time.map(|time| Some(Time::At(time))).ok_or(Unclear)
    }
}

fn put<T: PartialEq>(slot: &mut Option<T>, value: T) -> Option<()> {
    if let Some(said) = slot {
        return (*said == value).then_some(());
    }
    *slot = Some(value);
    Some(())
}

/// Whether a time of the clock lies in a part of the day, as people roughly say it.
fn fits(part: TimeOfDay, time: NaiveTime) -> bool {
    match part {
        TimeOfDay::Morning => time.hour() < 12,
        TimeOfDay::Afternoon => time.hour() >= 12,
        TimeOfDay::Evening => time.hour() >= 15,
    }
}

/// The weekday of the week in which `date` lies; weeks begin on Monday.
pub(super) fn of_week(date: NaiveDate, weekday: Weekday) -> Option<NaiveDate> {
    let monday = date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))?;
    monday.checked_add_days(Days::new(u64::from(weekday.num_days_from_monday())))
}

/// The next day of a month with this number, today included; months that are too short are passed over.
fn next_month_day(number: u32, today: NaiveDate) -> Option<NaiveDate> {
    let first = today.with_day(1)?;
    let months = (0..3).filter_map(|month| first.checked_add_months(Months::new(month)));
    months.filter_map(|month| month.with_day(number)).find(|date| *date >= today)
}

fn filler(words: &[&str], purpose: Purpose) -> Option<(Piece, usize)> {
    let count = match words {
        ["in", "the", ..] => 2,
        ["for", ..] if purpose == Purpose::Due => 1,
        [
            "by" | "on" | "at" | "due" | "until" | "till" | "til" | "'til" | "before" | "to" | "the" | "of" | "this"
            | "coming" | "upcoming" | "around" | "about",
            ..,
        ] => 1,
        _ => return None,
    };
    Some((Piece::Filler, count))
}
