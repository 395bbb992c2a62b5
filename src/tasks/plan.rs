//! A plan for a day: the ranked tasks, packed into the time there is.
//!
//! Greedy: tasks are taken in the order of the ranking, and each gets the earliest free time, tried in this order:
//!
//! 1. in the window of the part of the day that it prefers, and before the moment at which it is due;
//! 2. anywhere before that moment; 3. in its window; 4. anywhere.
//!
//! What fits nowhere is left out, and smaller tasks after it may still fit. Everything begins at a multiple of five
//! minutes; after an hour or more of one task come five minutes of rest; a task without an estimate gets half an hour. What
//! counts more is the policy's business alone: nothing here weighs tasks against each other.

use std::time::Duration;

use chrono::{Datelike, NaiveDate, NaiveTime};

use crate::accounts::Caller;
use crate::calendar::{Due, TimeOfDay, Window, Windows, local_date, resolve_local};
use crate::clock::Timestamp;

use super::Tasks;
use super::error::TaskError;
use super::ranking::RankQuestion;
use super::task::Task;

/// Everything begins at a multiple of this.
const STEP_MINUTES: u32 = 5;
/// What a task without an estimate gets.
const USUAL_MINUTES: u32 = 30;
/// From how long a task on there is a rest after it, and how long that is.
const LONG_MINUTES: u32 = 60;
const REST_MINUTES: u32 = 5;
/// The most time that there is in a day.
const DAY_MINUTES: u32 = 24 * 60;
/// The most tasks that are named as left out.
const LEFT_OUT_MAX: usize = 25;

/// What somebody wants planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanQuestion {
    /// From another moment than now.
    pub at: Option<Timestamp>,
    /// For this day; a later one is planned from its morning window on. Else the day of the moment.
    pub date: Option<NaiveDate>,
    /// So many minutes from the beginning, up to a day; else until the evening window ends.
    pub available_minutes: Option<u32>,
    /// By this policy; else the caller's own choice, else the server's.
    pub policy: Option<String>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct DayPlan {
    /// The day, in the caller's zone.
    pub date: NaiveDate,
    /// From when on there is time.
    pub from: Timestamp,
    /// Until when; not after `from` when the day is over.
    pub until: Timestamp,
    /// What to do when, in order; never two at once.
    pub slots: Vec<Slot>,
    /// What there is no room for, best first, at most 25.
    pub left_out: Vec<LeftOut>,
    /// How many there is no room for.
    pub left_out_total: usize,
    /// The minutes of all slots together, rests aside.
    pub planned_minutes: u32,
}

/// A task and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// When to begin.
    pub start: Timestamp,
    /// When it should be done.
    pub end: Timestamp,
    /// What.
    pub task: Task,
    /// Its score; absent when the policy failed on it.
    pub score: Option<f64>,
}

/// A task without a time.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// What.
    pub task: Task,
    /// Its score; absent when the policy failed on it.
    pub score: Option<f64>,
    /// Why.
    pub reason: Reason,
}

/// Why a task is not in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It takes longer than there is time at all.
    TooLong,
    /// What counts more has taken the time.
    NoRoom,
}

/// A stretch of time: start included, end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl Tasks {
    /// Plans a day of the caller's.
    ///
    /// Tasks that are asleep when the plan begins are not in it.
    ///
    /// # Errors
    ///
    /// A day that has passed, an unknown policy, or what keeps the store from reading.
    pub async fn plan_day(&self, caller: &Caller, question: PlanQuestion) -> Result<DayPlan, TaskError> {
        let base = question.at.unwrap_or_else(|| self.now());
        let today = local_date(base, caller.zone);
        let date = question.date.unwrap_or(today);
        if date < today || date.year() > 9999 {
            return Err(TaskError::fault("/date", "must be today or a day to come"));
        }
        let day = DayShape { date, caller, windows: self.windows(caller) };
        let from = if date == today { base } else { day.stretch(TimeOfDay::Morning).start };
        let from = next_step(from);
        let until = match question.available_minutes {
            Some(available) => from.plus(minutes(available.min(DAY_MINUTES))),
            None => day.stretch(TimeOfDay::Evening).end,
        };
        let at = if date == today { question.at } else { Some(from) };
        let ranking = RankQuestion { at, available_minutes: None, policy: question.policy };
        let standing = self.rank(caller, &ranking).await?;
        let mut packing = Packing::new(Stretch { start: from, end: until });
        let (mut slots, mut left_out, mut left_out_total) = (Vec::new(), Vec::new(), 0);
        for entry in standing.entries() {
            let task = standing.task(entry);
            let wanted = task.preferred_time.map(|part| day.stretch(part));
            if let Some(Stretch { start, end }) = packing.place(task, wanted) {
                slots.push(Slot { start, end, task: task.clone(), score: entry.score });
                continue;
            }
            left_out_total += 1;
            if left_out.len() < LEFT_OUT_MAX {
                let reason = packing.why_not(task);
                left_out.push(LeftOut { task: task.clone(), score: entry.score, reason });
            }
        }
        slots.sort_by_key(|slot| slot.start);
        let planned_minutes = slots.iter().map(|slot| effort_of(&slot.task)).sum();
        Ok(DayPlan { date, from, until, slots, left_out, left_out_total, planned_minutes })
    }
}

/// Where the windows lie on a day of somebody's.
struct DayShape<'a> {
    date: NaiveDate,
    caller: &'a Caller,
    windows: Windows,
}

impl DayShape<'_> {
    fn stretch(&self, part: TimeOfDay) -> Stretch {
        let window = self.windows.of(part);
        let start = self.at(self.date, window.start_time());
        Stretch { start, end: self.end_of(window) }
    }

    /// A window that runs over midnight ends on the next day.
    fn end_of(&self, window: Window) -> Timestamp {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(window.end_minute() % 1440) * 60, 0);
        let over = window.end_minute() == 1440 || window.end_minute() <= window.start_minute();
        let date = if over { self.date.succ_opt().unwrap_or(self.date) } else { self.date };
        self.at(date, time.unwrap_or_default())
    }

    fn at(&self, date: NaiveDate, time: NaiveTime) -> Timestamp {
        resolve_local(date.and_time(time), self.caller.zone)
    }
}

/// A day that fills up.
struct Packing {
    whole: Stretch,
    /// What is taken, rests included; in order.
    busy: Vec<Stretch>,
    /// The shortest effort for which there was no room: room only shrinks, so nothing as long needs to be tried again.
    hopeless: u32,
}

impl Packing {
    const fn new(whole: Stretch) -> Self {
        Self { whole, busy: Vec::new(), hopeless: u32::MAX }
    }

    fn place(&mut self, task: &Task, wanted: Option<Stretch>) -> Option<Stretch> {
        let (whole, effort) = (self.whole, effort_of(task));
        if effort >= self.hopeless {
            return None;
        }
        let deadline = match task.due {
            Some(Due::At(due)) if due > whole.start => Some(due),
            _ => None,
        };
        let before = |stretch: Stretch| deadline.map(|due| Stretch { end: stretch.end.min(due), ..stretch });
        let tries = [wanted.and_then(before), before(whole), wanted, Some(whole)];
        let Some(start) = tries.into_iter().flatten().find_map(|stretch| self.earliest(stretch, effort)) else {
            self.hopeless = effort;
            return None;
        };
        let taken = Stretch { start, end: start.plus(minutes(taken_minutes(effort))) };
        let place = self.busy.partition_point(|busy| busy.start < start);
        self.busy.insert(place, taken);
        Some(Stretch { start, end: start.plus(minutes(effort)) })
    }

    /// The first moment from which on there is room within a stretch.
    fn earliest(&self, stretch: Stretch, effort: u32) -> Option<Timestamp> {
        let last = stretch.end.min(self.whole.end);
        let mut start = next_step(stretch.start.max(self.whole.start));
        for busy in &self.busy {
            if start.plus(minutes(taken_minutes(effort))) <= busy.start {
                break;
            }
            start = start.max(busy.end);
        }
        (start.plus(minutes(effort)) <= last).then_some(start)
    }

    fn why_not(&self, task: &Task) -> Reason {
        let fits = self.whole.start.plus(minutes(effort_of(task))) <= self.whole.end;
        if fits { Reason::NoRoom } else { Reason::TooLong }
    }
}

fn effort_of(task: &Task) -> u32 {
    task.effort_minutes.unwrap_or(USUAL_MINUTES)
}

/// The minutes after which something else may begin.
fn taken_minutes(effort: u32) -> u32 {
    let rest = if effort >= LONG_MINUTES { REST_MINUTES } else { 0 };
    effort.saturating_add(rest).next_multiple_of(STEP_MINUTES)
}

fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

/// The next multiple of five minutes.
fn next_step(moment: Timestamp) -> Timestamp {
    let step = i64::from(STEP_MINUTES) * 60_000_000;
    Timestamp::from_micros(moment.as_micros() + (-moment.as_micros()).rem_euclid(step))
}

#[cfg(test)]
mod tests;
