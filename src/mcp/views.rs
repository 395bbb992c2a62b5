//! Tasks and scores as tools show them: few fields, and none that is empty.

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;

use crate::calendar::local_date;
use crate::clock::Timestamp;
use crate::scoring::{Explanation, Lever, NextChange, Part};
use crate::tasks::wording::{say_due, say_moment};
use crate::tasks::{Status, Task};

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it stands.
    pub status: &'static str,
    /// 1 (low) to 5 (high).
    pub priority: u8,
    /// When it is due: a date alone, or an instant in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// The same for people, in their zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_text: Option<String>,
    /// The same without the present year, for lines of lists.
    #[serde(skip)]
    pub due_short: Option<String>,
    /// Whether it is late.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// How long it will take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort_estimate_minutes: Option<u32>,
    /// The part of the day in which it is best done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_time: Option<&'static str>,
    /// From when on it is a candidate again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<String>,
    /// The same for people, in their zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_text: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The project that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The task that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Its score now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// Where and when somebody looks at their tasks.
#[derive(Clone, Copy, Debug)]
pub struct Eye {
    /// The present moment.
    pub now: Timestamp,
    /// Their zone.
    pub zone: Tz,
}

impl TaskView {
    /// Everything about a task.
    pub fn whole(task: &Task, eye: Eye) -> Self {
        Self {
            description: task.description.clone(),
            project_id: task.project_id.map(|id| id.to_string()),
            parent_id: task.parent_id.map(|id| id.to_string()),
            completed_at: task.completed_at.map(|at| at.to_string()),
            ..Self::row(task, eye)
        }
    }

    /// A row of a long list: what tells tasks apart and decides between them. Lists fill a model's memory quickly, and
    /// everything else is an `explain_task` or `fetch` away.
    pub fn compact(task: &Task, eye: Eye) -> Self {
        Self {
            due_text: None,
            preferred_time: None,
            snoozed_text: None,
            labels: Vec::new(),
            completed_at: task.completed_at.map(|at| at.to_string()),
            ..Self::row(task, eye)
        }
    }

    /// A task among few: all but its long texts.
    pub fn row(task: &Task, Eye { now, zone }: Eye) -> Self {
        let open = task.status != Status::Completed;
        let this_year = local_date(now, zone).format(" %Y").to_string();
        Self {
            id: task.id.to_string(),
            title: task.title.clone(),
            status: task.status.as_str(),
            priority: task.priority,
            due_date: task.due.map(|due| due.to_string()),
            due_text: task.due.map(|due| say_due(due, zone)),
            due_short: task.due.map(|due| say_due(due, zone).replacen(&this_year, "", 1)),
            overdue: open && task.due.is_some_and(|due| due.overdue_from(zone) <= now),
            effort_estimate_minutes: task.effort_minutes,
            preferred_time: task.preferred_time.map(crate::calendar::TimeOfDay::as_str),
            snoozed_until: task.snoozed_until.map(|until| until.to_string()),
            snoozed_text: task.snoozed_until.map(|until| say_moment(until, zone)),
            labels: task.labels.clone(),
            ..Self::default()
        }
    }

    /// The same with its score.
    #[must_use]
    pub fn scored(self, score: Option<f64>) -> Self {
        Self { score, ..self }
    }
}

/// A named part of a score; the points of all parts add up to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartView {
    name: String,
    value: f64,
    weight: f64,
    points: f64,
}

impl PartView {
    /// The parts of an explanation.
    pub fn all(explanation: &Explanation) -> Vec<Self> {
        let view =
            |part: &Part| Self { name: part.name.clone(), value: part.value, weight: part.weight, points: part.points };
        explanation.parts.iter().map(view).collect()
    }
}

/// The next different score of a task that nobody touches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NextChangeView {
    at: String,
    at_text: String,
    score: Option<f64>,
}

impl NextChangeView {
    /// A change in somebody's zone.
    pub fn of(change: &NextChange, zone: Tz) -> Self {
        Self { at: change.at.to_string(), at_text: say_moment(change.at, zone), score: change.score }
    }
}

/// One thing that would move a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeverView {
    /// Which field; `time_of_day` is not the task's, but the hour at which it is asked.
    pub field: String,
    /// The value that it would have.
    pub value: Value,
    /// The score afterwards.
    pub score: f64,
    /// The score afterwards less the score now.
    pub difference: f64,
}

impl From<&Lever> for LeverView {
    fn from(lever: &Lever) -> Self {
        let (field, value) = lever.change.named();
        Self { field, value, score: lever.score, difference: lever.difference }
    }
}
