//! What is known of tasks: as the domain hands it over, and as columns of derived facts.

use std::sync::Arc;

use chrono::Datelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::calendar::{Due, TimeOfDay, local_date};
use crate::clock::Timestamp;
use crate::ids::TaskId;

use super::moment::Moment;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// Put off.
    Snoozed,
}

impl Status {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 4] = [Self::Pending, Self::InProgress, Self::Completed, Self::Snoozed];

    /// The name that clients, policies and the database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Snoozed => "snoozed",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A task that may be recommended, with all that a policy may look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which task.
    pub id: TaskId,
    /// 1 to 5; the store keeps it there.
    pub priority: u8,
    /// Where it stands.
    pub status: Status,
    /// When it is due.
    pub due: Option<Due>,
    /// The estimate, in minutes.
    pub effort_minutes: Option<u32>,
    /// The preferred part of the day.
    pub preferred_time: Option<TimeOfDay>,
    /// When it was made: the older of two equal scores comes first.
    pub created_at: Timestamp,
    /// How often it was put off.
    pub snooze_count: u32,
    /// Its labels.
    pub labels: Arc<[Arc<str>]>,
    /// The name of its project.
    pub project: Option<Arc<str>>,
    /// How many open tasks it waits for.
    pub blocked_by: u32,
    /// How many open tasks wait for it.
    pub blocks: u32,
    /// How often it was recommended and left.
    pub times_skipped: u32,
}

impl Candidate {
    /// A pending task of which nothing but id, priority and age is known.
    pub fn new(id: TaskId, priority: u8, created_at: Timestamp) -> Self {
        Self {
            id,
            priority,
            status: Status::Pending,
            due: None,
            effort_minutes: None,
            preferred_time: None,
            created_at,
            snooze_count: 0,
            labels: Arc::default(),
            project: None,
            blocked_by: 0,
            blocks: 0,
            times_skipped: 0,
        }
    }
}

/// Derived facts of `n` tasks at one moment, as columns of equal length `n`, in the order of the candidates.
///
/// Days are calendar days in the person's zone; a column of options holds `None` where the task has no such fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactTable {
    /// Which task.
    pub id: Vec<TaskId>,
    /// When it was made.
    pub created_at: Vec<Timestamp>,
    /// The first moment at which it is overdue.
    pub overdue_from: Vec<Option<Timestamp>>,
    /// 1 to 5.
    pub priority: Vec<u8>,
    /// Where it stands.
    pub status: Vec<Status>,
    /// Whether `now` is at or past the due instant, or past the end of the due day.
    pub is_overdue: Vec<bool>,
    /// Calendar days from today to the due day; negative when it lies before today.
    pub days_until_due: Vec<Option<i64>>,
    /// Whole minutes, rounded down, until it is overdue; negative afterwards.
    pub minutes_until_due: Vec<Option<i64>>,
    /// The estimate, in minutes.
    pub effort_minutes: Vec<Option<u32>>,
    /// The preferred part of the day.
    pub preferred_time: Vec<Option<TimeOfDay>>,
    /// Calendar days since it was made, at least 0.
    pub age_days: Vec<i64>,
    /// How often it was put off.
    pub snooze_count: Vec<u32>,
    /// Its labels.
    pub labels: Vec<Arc<[Arc<str>]>>,
    /// The name of its project.
    pub project: Vec<Option<Arc<str>>>,
    /// How many open tasks it waits for.
    pub blocked_by: Vec<u32>,
    /// How many open tasks wait for it.
    pub blocks: Vec<u32>,
    /// How often it was recommended and left.
    pub times_skipped: Vec<u32>,
}

/// What a zone makes of a task's dates. Looking that up is most of the work of deriving facts, and needs to be done only once:
/// it is the same at every moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The first moment at which it is overdue.
    pub overdue_from: Option<Timestamp>,
    /// The due day and the day on which it was made, counted from the first of the common era.
    due_day: Option<i32>,
    created_day: i32,
}

impl Dates {
    /// The dates of a task in a zone.
    pub fn of(candidate: &Candidate, zone: Tz) -> Self {
        Self {
            overdue_from: candidate.due.map(|due| due.overdue_from(zone)),
            due_day: candidate.due.map(|due| due.date(zone).num_days_from_ce()),
            created_day: local_date(candidate.created_at, zone).num_days_from_ce(),
        }
    }
}

impl FactTable {
    /// Derives the facts of `candidates` at `moment`.
    pub fn new(candidates: &[Candidate], moment: &Moment) -> Self {
        Self::dated(candidates.iter().map(|candidate| (candidate, Dates::of(candidate, moment.zone))), moment)
    }

    /// The same of tasks whose dates in the moment's zone are known.
    pub fn dated<'a>(candidates: impl Iterator<Item = (&'a Candidate, Dates)>, moment: &Moment) -> Self {
        let mut table = Self::default();
        table.reserve(candidates.size_hint().0);
        let today = local_date(moment.now, moment.zone).num_days_from_ce();
        for (candidate, dates) in candidates {
            table.push(candidate, dates, moment.now, today);
        }
        table
    }

    /// How many tasks.
    pub fn len(&self) -> usize {
        self.id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// One task's facts; `None` past the end.
    pub fn row(&self, row: usize) -> Option<Facts<'_>> {
        Some(Facts {
            priority: *self.priority.get(row)?,
            status: *self.status.get(row)?,
            is_overdue: *self.is_overdue.get(row)?,
            days_until_due: *self.days_until_due.get(row)?,
            minutes_until_due: *self.minutes_until_due.get(row)?,
            effort_minutes: *self.effort_minutes.get(row)?,
            preferred_time: *self.preferred_time.get(row)?,
            age_days: *self.age_days.get(row)?,
            snooze_count: *self.snooze_count.get(row)?,
            labels: self.labels.get(row)?,
            project: self.project.get(row)?.as_deref(),
            blocked_by: *self.blocked_by.get(row)?,
            blocks: *self.blocks.get(row)?,
            times_skipped: *self.times_skipped.get(row)?,
        })
    }

    fn reserve(&mut self, count: usize) {
        self.id.reserve(count);
        self.created_at.reserve(count);
        self.overdue_from.reserve(count);
        self.priority.reserve(count);
        self.status.reserve(count);
        self.is_overdue.reserve(count);
        self.days_until_due.reserve(count);
        self.minutes_until_due.reserve(count);
        self.effort_minutes.reserve(count);
        self.preferred_time.reserve(count);
        self.age_days.reserve(count);
        self.snooze_count.reserve(count);
        self.labels.reserve(count);
        self.project.reserve(count);
        self.blocked_by.reserve(count);
        self.blocks.reserve(count);
        self.times_skipped.reserve(count);
    }

    fn push(&mut self, candidate: &Candidate, dates: Dates, now: Timestamp, today: i32) {
        let Dates { overdue_from, due_day, created_day } = dates;
        let days = |day: i32| i64::from(day) - i64::from(today);
        self.id.push(candidate.id);
        self.created_at.push(candidate.created_at);
        self.overdue_from.push(overdue_from);
        self.priority.push(candidate.priority);
        self.status.push(candidate.status);
        self.is_overdue.push(overdue_from.is_some_and(|from| now >= from));
        self.days_until_due.push(due_day.map(days));
        self.minutes_until_due
            .push(overdue_from.map(|from| (from.as_micros().saturating_sub(now.as_micros())).div_euclid(60_000_000)));
        self.effort_minutes.push(candidate.effort_minutes);
        self.preferred_time.push(candidate.preferred_time);
        self.age_days.push((-days(created_day)).max(0));
        self.snooze_count.push(candidate.snooze_count);
        self.labels.push(Arc::clone(&candidate.labels));
        self.project.push(candidate.project.clone());
        self.blocked_by.push(candidate.blocked_by);
        self.blocks.push(candidate.blocks);
        self.times_skipped.push(candidate.times_skipped);
    }
}

/// One row of a [`FactTable`]: what a policy sees of one task.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each field is described at the column of the same name in FactTable")]
pub struct Facts<'a> {
    pub priority: u8,
    pub status: Status,
    pub is_overdue: bool,
    pub days_until_due: Option<i64>,
    pub minutes_until_due: Option<i64>,
    pub effort_minutes: Option<u32>,
    pub preferred_time: Option<TimeOfDay>,
    pub age_days: i64,
    pub snooze_count: u32,
    pub labels: &'a [Arc<str>],
    pub project: Option<&'a str>,
    pub blocked_by: u32,
    pub blocks: u32,
    pub times_skipped: u32,
}
