//! Scores that are known already: a policy is pure, so the facts that it reads decide its score.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::calendar::TimeOfDay;
use crate::scoring::{Context, ContextField, Facts, TaskField, Uses, Verdict};

/// How many scores are kept; when there are more, all are forgotten.
const MAX_ENTRIES: usize = 16_384;

/// The values of the fields that a policy reads. Equal keys have equal scores.
pub(super) type Key = Box<[i64]>;

/// Scores by the values they follow from.
#[derive(Debug, Default)]
pub(super) struct Memo(Mutex<HashMap<Key, Verdict>>);

impl Memo {
    /// Looks keys up, all under one lock.
    pub(super) fn read(&self) -> MutexGuard<'_, HashMap<Key, Verdict>> {
        // A panic elsewhere leaves whole entries behind: they are inserted one by one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps new scores. Faults are not kept: one that ran out of time may do better next time.
    pub(super) fn add(&self, found: impl Iterator<Item = (Key, Verdict)>) {
        let mut entries = self.read();
        entries.extend(found.filter(|(_, verdict)| !matches!(verdict, Verdict::Fault(_))));
        if entries.len() > MAX_ENTRIES {
            entries.clear();
        }
    }
}

/// Whether all that a policy reads can be put into a key.
pub(super) fn has_keys(uses: Uses) -> bool {
    !uses.task(TaskField::Labels) && !uses.task(TaskField::Project)
}

/// The part of the key that all tasks of a batch share.
pub(super) fn context_key(ctx: &Context, uses: Uses) -> Vec<i64> {
    let mut key = Vec::new();
    for field in uses.context_fields() {
        match field {
            ContextField::Hour => key.push(ctx.hour.into()),
            ContextField::Minute => key.push(ctx.minute.into()),
            ContextField::Weekday => key.push(ctx.weekday.into()),
            ContextField::DayOfMonth => key.push(ctx.day_of_month.into()),
            ContextField::IsWeekend => key.push(ctx.is_weekend.into()),
            ContextField::Windows => key.extend(TimeOfDay::ALL.iter().flat_map(|time| {
                let window = ctx.windows.of(*time);
                [i64::from(window.start_minute()), i64::from(window.end_minute()), i64::from(ctx.is_now(*time))]
            })),
            ContextField::MinutesAvailable => key.push(optional(ctx.minutes_available.map(i64::from))),
            ContextField::Energy => key.push(optional(ctx.energy.map(|energy| energy as i64))),
            ContextField::OpenTasks => key.push(ctx.open_tasks.into()),
            ContextField::OverdueTasks => key.push(ctx.overdue_tasks.into()),
        }
    }
    key
}

/// Adds the values of one task.
pub(super) fn add_task_key(key: &mut Vec<i64>, facts: &Facts<'_>, uses: Uses) {
    for field in uses.task_fields() {
        key.push(match field {
            TaskField::Priority => facts.priority.into(),
            TaskField::Status => facts.status as i64,
            TaskField::HasDue => facts.days_until_due.is_some().into(),
            TaskField::IsOverdue => facts.is_overdue.into(),
            TaskField::DaysUntilDue => optional(facts.days_until_due),
            TaskField::MinutesUntilDue => optional(facts.minutes_until_due),
            TaskField::EffortMinutes => optional(facts.effort_minutes.map(i64::from)),
            TaskField::PreferredTime => optional(facts.preferred_time.map(|time| time as i64)),
            TaskField::AgeDays => facts.age_days,
            TaskField::SnoozeCount => facts.snooze_count.into(),
            TaskField::BlockedBy => facts.blocked_by.into(),
            TaskField::Blocks => facts.blocks.into(),
            TaskField::TimesSkipped => facts.times_skipped.into(),
            // Excluded by `has_keys`.
            TaskField::Labels | TaskField::Project => 0,
        });
    }
}

/// No fact comes near the lowest number.
fn optional(value: Option<i64>) -> i64 {
    value.unwrap_or(i64::MIN)
}
