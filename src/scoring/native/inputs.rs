//! What a graph starts from: facts of each task, and of the moment.

use crate::calendar::TimeOfDay;
use crate::scoring::facts::FactTable;
use crate::scoring::moment::Context;

use super::graph::{Lane, Node, Symbol};
use super::symbols::{self, Symbols};

/// A fact of a task as a column; where a task has none, a column of whole numbers holds [`ABSENT`], and one of texts
/// [`Symbols::ABSENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described at the field of the same name in FactTable")]
pub enum Column {
    Priority,
    Status,
    IsOverdue,
    DaysUntilDue,
    MinutesUntilDue,
    EffortMinutes,
    PreferredTime,
    AgeDays,
    SnoozeCount,
    /// Whether this is one of the labels.
    HasLabel(Symbol),
    LabelCount,
    Project,
    BlockedBy,
    Blocks,
    TimesSkipped,
}

/// What a column of whole numbers holds where there is none: no fact comes near it.
pub const ABSENT: i64 = i64::MIN;

/// A fact of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described at the field of the same name in Context")]
pub enum Present {
    Hour,
    Minute,
    Weekday,
    DayOfMonth,
    IsWeekend,
    WindowStart(TimeOfDay),
    WindowEnd(TimeOfDay),
    WindowActive(TimeOfDay),
    MinutesAvailable,
    Energy,
    OpenTasks,
    OverdueTasks,
}

/// The whole numbers from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
}

impl Range {
    /// All numbers.
    pub const ALL: Self = Self { min: i64::MIN, max: i64::MAX };

    /// From `min` to `max`.
    pub const fn new(min: i64, max: i64) -> Self {
        Self { min, max }
    }

    /// One number.
    pub const fn one(value: i64) -> Self {
        Self::new(value, value)
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(self.min.min(other.min), self.max.max(other.max))
    }
}

/// The most minutes between two moments.
const FAR: i64 = i64::MAX / 60_000_000 + 1;
/// More days than any calendar of ours has.
const DAYS: i64 = 200_000_000;

impl Column {
    /// What the column holds.
    pub const fn lane(self) -> Lane {
        match self {
            Self::IsOverdue | Self::HasLabel(_) => Lane::Bool,
            Self::Status | Self::PreferredTime | Self::Project => Lane::Text,
            Self::Priority
            | Self::DaysUntilDue
            | Self::MinutesUntilDue
            | Self::EffortMinutes
            | Self::AgeDays
            | Self::SnoozeCount
            | Self::LabelCount
            | Self::BlockedBy
            | Self::Blocks
            | Self::TimesSkipped => Lane::Whole,
        }
    }

    /// Whether some tasks have no such fact.
    pub const fn is_nullable(self) -> bool {
        matches!(
            self,
            Self::DaysUntilDue | Self::MinutesUntilDue | Self::EffortMinutes | Self::PreferredTime | Self::Project
        )
    }

    /// What its whole numbers can be where they are there: the store and the calendar see to it.
    pub const fn range(self) -> Range {
        match self {
            Self::Priority => Range::new(1, 5),
            Self::DaysUntilDue => Range::new(-DAYS, DAYS),
            Self::AgeDays => Range::new(0, DAYS),
            Self::MinutesUntilDue => Range::new(-FAR, FAR),
            Self::EffortMinutes | Self::SnoozeCount | Self::BlockedBy | Self::Blocks | Self::TimesSkipped => {
                Range::new(0, u32::MAX as i64)
            }
            _ => Range::ALL,
        }
    }

    /// Its whole numbers from `facts`, from row `start` on.
    pub(super) fn wholes(self, facts: &FactTable, start: usize, out: &mut [i64]) {
        fn fill<T: Copy>(out: &mut [i64], column: &[T], read: impl Fn(T) -> i64) {
            for (out, value) in out.iter_mut().zip(column) {
                *out = read(*value);
            }
        }
        match self {
            Self::Priority => fill(out, &facts.priority[start..], i64::from),
            Self::DaysUntilDue => fill(out, &facts.days_until_due[start..], |days| days.unwrap_or(ABSENT)),
            Self::MinutesUntilDue => fill(out, &facts.minutes_until_due[start..], |minutes| minutes.unwrap_or(ABSENT)),
            Self::EffortMinutes => {
                fill(out, &facts.effort_minutes[start..], |minutes| minutes.map_or(ABSENT, i64::from));
            }
            Self::AgeDays => fill(out, &facts.age_days[start..], |days| days),
            Self::SnoozeCount => fill(out, &facts.snooze_count[start..], i64::from),
            Self::BlockedBy => fill(out, &facts.blocked_by[start..], i64::from),
            Self::Blocks => fill(out, &facts.blocks[start..], i64::from),
            Self::TimesSkipped => fill(out, &facts.times_skipped[start..], i64::from),
            Self::LabelCount => {
                for (out, labels) in out.iter_mut().zip(&facts.labels[start..]) {
                    *out = i64::try_from(labels.len()).unwrap_or(i64::MAX);
                }
            }
            _ => out.fill(0),
        }
    }

    /// The same as narrower numbers, which processors compare faster: what lies beyond them becomes the last of them, and
    /// what is absent the first.
    pub(super) fn narrow(self, facts: &FactTable, start: usize, out: &mut [i32]) {
        fn fill<T: Copy>(out: &mut [i32], column: &[T], read: impl Fn(T) -> i32) {
            for (out, value) in out.iter_mut().zip(column) {
                *out = read(*value);
            }
        }
        fn signed(value: i64) -> i32 {
            i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
        }
        fn count(value: u32) -> i32 {
            i32::try_from(value).unwrap_or(i32::MAX)
        }
        match self {
            Self::Priority => fill(out, &facts.priority[start..], i32::from),
            Self::DaysUntilDue => fill(out, &facts.days_until_due[start..], |days| days.map_or(i32::MIN, signed)),
            Self::MinutesUntilDue => {
                fill(out, &facts.minutes_until_due[start..], |minutes| minutes.map_or(i32::MIN, signed));
            }
            Self::EffortMinutes => {
                fill(out, &facts.effort_minutes[start..], |minutes| minutes.map_or(i32::MIN, count));
            }
            Self::AgeDays => fill(out, &facts.age_days[start..], signed),
            Self::SnoozeCount => fill(out, &facts.snooze_count[start..], count),
            Self::BlockedBy => fill(out, &facts.blocked_by[start..], count),
            Self::Blocks => fill(out, &facts.blocks[start..], count),
            Self::TimesSkipped => fill(out, &facts.times_skipped[start..], count),
            Self::LabelCount => {
                for (out, labels) in out.iter_mut().zip(&facts.labels[start..]) {
                    *out = i32::try_from(labels.len()).unwrap_or(i32::MAX);
                }
            }
            _ => out.fill(0),
        }
    }

    /// Its truth values.
    pub(super) fn bools(self, facts: &FactTable, symbols: &Symbols, start: usize, out: &mut [bool]) {
        fn fill<T>(out: &mut [bool], column: &[T], read: impl Fn(&T) -> bool) {
            for (out, value) in out.iter_mut().zip(column) {
                *out = read(value);
            }
        }
        match self {
            Self::IsOverdue => fill(out, &facts.is_overdue[start..], |is| *is),
            Self::HasLabel(label) => {
                let label = symbols.text(label);
                fill(out, &facts.labels[start..], |labels| labels.iter().any(|one| **one == *label));
            }
            _ => out.fill(false),
        }
    }

    /// Its texts.
    pub(super) fn texts(self, facts: &FactTable, symbols: &Symbols, start: usize, out: &mut [Symbol]) {
        match self {
            Self::Status => {
                for (out, status) in out.iter_mut().zip(&facts.status[start..]) {
                    *out = symbols::status(*status);
                }
            }
            Self::PreferredTime => {
                for (out, time) in out.iter_mut().zip(&facts.preferred_time[start..]) {
                    *out = time.map_or(Symbols::ABSENT, symbols::time_of_day);
                }
            }
            Self::Project => {
                for (out, project) in out.iter_mut().zip(&facts.project[start..]) {
                    *out = project.as_deref().map_or(Symbols::ABSENT, |project| symbols.find(project));
                }
            }
            _ => out.fill(Symbols::OTHER),
        }
    }
}

impl Present {
    /// What it is.
    pub const fn lane(self) -> Lane {
        match self {
            Self::IsWeekend | Self::WindowActive(_) => Lane::Bool,
            Self::Energy => Lane::Text,
            _ => Lane::Whole,
        }
    }

    /// Whether it may be unknown.
    pub const fn is_nullable(self) -> bool {
        matches!(self, Self::MinutesAvailable | Self::Energy)
    }

    /// What a whole number can be.
    pub const fn range(self) -> Range {
        match self {
            Self::Hour => Range::new(0, 23),
            Self::Minute => Range::new(0, 59),
            Self::Weekday => Range::new(0, 7),
            Self::DayOfMonth => Range::new(0, 31),
            _ => Range::new(0, u32::MAX as i64),
        }
    }

    /// Its value in a context.
    pub(super) fn value(self, ctx: &Context) -> Node {
        match self {
            Self::Hour => Node::Whole(ctx.hour.into()),
            Self::Minute => Node::Whole(ctx.minute.into()),
            Self::Weekday => Node::Whole(ctx.weekday.into()),
            Self::DayOfMonth => Node::Whole(ctx.day_of_month.into()),
            Self::IsWeekend => Node::Bool(ctx.is_weekend),
            Self::WindowStart(time) => Node::Whole(ctx.windows.of(time).start_minute().into()),
            Self::WindowEnd(time) => Node::Whole(ctx.windows.of(time).end_minute().into()),
            Self::WindowActive(time) => Node::Bool(ctx.is_now(time)),
            Self::MinutesAvailable => Node::Whole(ctx.minutes_available.map_or(ABSENT, i64::from)),
            Self::Energy => Node::Text(ctx.energy.map_or(Symbols::ABSENT, symbols::energy)),
            Self::OpenTasks => Node::Whole(ctx.open_tasks.into()),
            Self::OverdueTasks => Node::Whole(ctx.overdue_tasks.into()),
        }
    }
}
