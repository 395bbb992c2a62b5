//! When a score changes next.
//!
//! Facts change at known moments: a local midnight, a due instant, a window's edge, the next hour or minute on the
//! wall clock, a change of the clock itself. Which of them matter follows from the fields that a policy reads.

use std::time::Duration;

use chrono::{Offset, Timelike};
use chrono_tz::Tz;
use serde::Serialize;

use crate::calendar::{TimeOfDay, local_time};
use crate::clock::Timestamp;

use super::crowd::Crowd;
use super::facts::{Candidate, FactTable};
use super::fields::{ContextField, TaskField, Uses};
use super::moment::{Context, Moment};
use super::policy::{Policy, Verdict};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long before a due date a policy may begin to care for it; further ahead is not looked at day by day.
const NEAR_DUE: Duration = Duration::from_hours(370 * 24);

/// How many boundaries [`next_change`] looks past; with the default policy's some seven a day, over a year.
const MAX_STEPS: usize = 3_000;

/// The next different score of a task that nobody touches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NextChange {
    /// The first moment of the new score.
    pub at: Timestamp,
    /// The new score; absent when the policy then fails or leaves the task out.
    pub score: Option<f64>,
}

/// Finds the first moment after `moment` at which the candidate's score is another one.
///
/// - `crowd`: the person's open tasks; without them the numbers of open and of overdue tasks stay as they are.
///
/// `None` when it stays as it is: over the next few thousand moments at which a fact changes, and over the last year
/// before a due date that lies further ahead.
pub fn next_change(
    policy: &dyn Policy,
    candidate: &Candidate,
    moment: &Moment,
    crowd: Option<&Crowd>,
) -> Option<NextChange> {
    let candidates = std::slice::from_ref(candidate);
    let judge = |moment: &Moment| {
        let (facts, ctx) = (FactTable::new(candidates, moment), policy.context(moment));
        let of_others = crowd.and_then(|crowd| crowd.next_change(policy.uses(), moment.now));
        let next = [valid_until(policy.uses(), &facts, &ctx), of_others].into_iter().flatten().min();
        (policy.score(&facts, &ctx).pop().unwrap_or(Verdict::Ineligible), next)
    };
    let later = |now: Timestamp| crowd.map_or_else(|| moment.at(now), |crowd| crowd.at(moment, now));
    let (present, first) = judge(moment);
    let walk = |mut next: Option<Timestamp>| {
        let mut last = moment.now;
        for _ in 0..MAX_STEPS {
            let Some(at) = next.filter(|at| *at < Timestamp::MAX) else { return Err(None) };
            let (verdict, after) = judge(&later(at));
            if verdict != present {
                return Ok(NextChange { at, score: verdict.score() });
            }
            (last, next) = (at, after);
        }
        Err(Some(last))
    };
    let mut same = match walk(first) {
        Ok(change) => return Some(change),
        Err(last) => last?,
    };
    // Nothing but the due date can matter so far ahead: go on where it comes near.
    let mut ahead = candidate.due?.overdue_from(moment.zone).minus(NEAR_DUE);
    while ahead > same {
        if judge(&later(ahead)).0 == present {
            same = ahead;
            break;
        }
        let middle = same.as_micros() + (ahead.as_micros() - same.as_micros()) / 2;
        if middle - same.as_micros() < DAY {
            break;
        }
        let middle = Timestamp::from_micros(middle);
        if judge(&later(middle)).0 == present { same = middle } else { ahead = middle }
    }
    walk(judge(&later(same)).1).ok()
}

/// The first moment at which any field that is read may have another value, for any of the tasks.
pub fn valid_until(uses: Uses, facts: &FactTable, ctx: &Context) -> Option<Timestamp> {
    let tasks = facts.overdue_from.iter().flatten().filter_map(|from| due_boundary(uses, *from, ctx.now)).min();
    [clock_boundary(uses, ctx), tasks].into_iter().flatten().min()
}

fn due_boundary(uses: Uses, overdue_from: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let reads_overdue = uses.task(TaskField::IsOverdue) || uses.context(ContextField::OverdueTasks);
    let overdue = (reads_overdue && overdue_from > now).then_some(overdue_from);
    // Minutes are rounded down: `m` holds up to and including `overdue_from - m minutes`.
    let minute = uses.task(TaskField::MinutesUntilDue).then(|| {
        let ahead = overdue_from.as_micros().saturating_sub(now.as_micros()).rem_euclid(MINUTE);
        Timestamp::from_micros(now.as_micros().saturating_add(ahead + 1))
    });
    [overdue, minute].into_iter().flatten().min()
}

fn clock_boundary(uses: Uses, ctx: &Context) -> Option<Timestamp> {
    let by_minute = uses.context(ContextField::Minute);
    let by_day = [ContextField::Weekday, ContextField::DayOfMonth, ContextField::IsWeekend];
    let by_day = by_day.into_iter().any(|field| uses.context(field))
        || uses.task(TaskField::DaysUntilDue)
        || uses.task(TaskField::AgeDays);
    let local = local_time(ctx.now, ctx.zone);
    let since_midnight = i64::from(local.num_seconds_from_midnight()) * SECOND + i64::from(local.nanosecond() / 1_000);
    let to_next = |step: i64| step - since_midnight % step;
    let ahead = [
        by_minute.then(|| to_next(MINUTE)),
        uses.context(ContextField::Hour).then(|| to_next(HOUR)),
        by_day.then(|| to_next(DAY)),
        uses.context(ContextField::Windows).then(|| to_next_edge(ctx, since_midnight)),
    ];
    ahead.into_iter().flatten().min().map(|ahead| on_wall_clock(ctx.now, ctx.zone, ahead))
}

/// Microseconds on the wall clock to the next start or end of a window.
fn to_next_edge(ctx: &Context, since_midnight: i64) -> i64 {
    let windows = TimeOfDay::ALL.map(|time| ctx.windows.of(time));
    let edges = windows.iter().flat_map(|window| [window.start_minute(), window.end_minute()]);
    let ahead = edges.map(|edge| {
        let ahead = (i64::from(edge) * MINUTE - since_midnight).rem_euclid(DAY);
        if ahead == 0 { DAY } else { ahead }
    });
    ahead.min().unwrap_or(DAY)
}

/// The moment at which the wall clock has moved on by `ahead`; sooner when the clock itself is changed before.
fn on_wall_clock(now: Timestamp, zone: Tz, ahead: i64) -> Timestamp {
    let offset = |micros: i64| local_time(Timestamp::from_micros(micros), zone).offset().fix();
    let (mut before, mut after) = (now.as_micros(), now.as_micros().saturating_add(ahead));
    let present = offset(before);
    if offset(after) == present {
        return Timestamp::from_micros(after);
    }
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(middle) == present { before = middle } else { after = middle }
    }
    Timestamp::from_micros(after)
}
