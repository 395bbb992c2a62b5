//! The present, as a person lives it: their clock, their windows, the time they have.

use chrono::{Datelike, Timelike, Weekday};
use chrono_tz::Tz;

use crate::calendar::{TimeOfDay, Windows, local_time};
use crate::clock::Timestamp;

/// How much energy somebody has right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Energy {
    /// Little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
}

impl Energy {
    /// The name that policies use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// For whom and when tasks are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The present moment.
    pub now: Timestamp,
    /// The person's time zone.
    pub zone: Tz,
    /// The person's own windows; without them the policy's apply.
    pub windows: Option<Windows>,
    /// How long the person has, in minutes.
    pub minutes_available: Option<u32>,
    /// How much energy the person has.
    pub energy: Option<Energy>,
    /// How many tasks are open.
    pub open_tasks: u32,
    /// How many of them are overdue.
    pub overdue_tasks: u32,
}

impl Moment {
    /// A moment of which nothing but the time and the zone is known.
    pub const fn new(now: Timestamp, zone: Tz) -> Self {
        Self { now, zone, windows: None, minutes_available: None, energy: None, open_tasks: 0, overdue_tasks: 0 }
    }

    /// The same, at another time.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }
}

/// A [`Moment`] as a policy sees it: what the wall clock in the person's zone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The present moment.
    pub now: Timestamp,
    /// The person's time zone.
    pub zone: Tz,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 1 (Monday) to 7 (Sunday), as ISO 8601 counts.
    pub weekday: u8,
    /// 1 to 31.
    pub day_of_month: u8,
    /// Whether it is Saturday or Sunday.
    pub is_weekend: bool,
    /// The person's windows, or the policy's.
    pub windows: Windows,
    /// How long the person has, in minutes.
    pub minutes_available: Option<u32>,
    /// How much energy the person has.
    pub energy: Option<Energy>,
    /// How many tasks are open.
    pub open_tasks: u32,
    /// How many of them are overdue.
    pub overdue_tasks: u32,
}

impl Context {
    /// Reads the wall clock of `moment`; `windows` are used when the person has none of their own.
    pub fn new(moment: &Moment, windows: Windows) -> Self {
        let local = local_time(moment.now, moment.zone);
        let small = |number: u32| u8::try_from(number).unwrap_or(0);
        Self {
            now: moment.now,
            zone: moment.zone,
            hour: small(local.hour()),
            minute: small(local.minute()),
            weekday: small(local.weekday().number_from_monday()),
            day_of_month: small(local.day()),
            is_weekend: matches!(local.weekday(), Weekday::Sat | Weekday::Sun),
            windows: moment.windows.unwrap_or(windows),
            minutes_available: moment.minutes_available,
            energy: moment.energy,
            open_tasks: moment.open_tasks,
            overdue_tasks: moment.overdue_tasks,
        }
    }

    /// Minutes since local midnight as the wall clock shows them, 0 to 1439.
    pub fn minute_of_day(&self) -> u16 {
        u16::from(self.hour) * 60 + u16::from(self.minute)
    }

    /// Whether it is this part of the day.
    pub fn is_now(&self, time: TimeOfDay) -> bool {
        self.windows.of(time).contains(self.minute_of_day())
    }
}
