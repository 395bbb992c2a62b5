//! Tasks as clients see and send them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use crate::calendar::{self, Due, TimeOfDay};
use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId};
use crate::tasks::edit::{Patch, TaskPatch};
use crate::tasks::error::Fault;
use crate::tasks::{Status, Task, undo};

use super::changes::Shown;
use super::fields::{Description, Moment, Name, Title};

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[oai(rename = "Status", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum StatusName {
    /// To be done.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// Put off until `snoozed_until`.
    Snoozed,
}

impl From<Status> for StatusName {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::InProgress => Self::InProgress,
            Status::Completed => Self::Completed,
            Status::Snoozed => Self::Snoozed,
        }
    }
}

impl From<StatusName> for Status {
    fn from(status: StatusName) -> Self {
        match status {
            StatusName::Pending => Self::Pending,
            StatusName::InProgress => Self::InProgress,
            StatusName::Completed => Self::Completed,
            StatusName::Snoozed => Self::Snoozed,
        }
    }
}

/// The part of the day in which a task is best done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[oai(rename = "TimeOfDay", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TimeOfDayName {
    /// The user's morning window.
    Morning,
    /// The user's afternoon window.
    Afternoon,
    /// The user's evening window.
    Evening,
}

impl From<TimeOfDay> for TimeOfDayName {
    fn from(time: TimeOfDay) -> Self {
        match time {
            TimeOfDay::Morning => Self::Morning,
            TimeOfDay::Afternoon => Self::Afternoon,
            TimeOfDay::Evening => Self::Evening,
        }
    }
}

impl From<TimeOfDayName> for TimeOfDay {
    fn from(time: TimeOfDayName) -> Self {
        match time {
            TimeOfDayName::Morning => Self::Morning,
            TimeOfDayName::Afternoon => Self::Afternoon,
            TimeOfDayName::Evening => Self::Evening,
        }
    }
}

/// A task.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Task")]
pub struct TaskView {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// Where it stands.
    pub status: StatusName,
    /// 1 (low) to 5 (high).
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    pub priority: u8,
    /// When it is due, as it was given: a date alone, or an instant in UTC.
    #[oai(nullable)]
    pub due_date: Option<Moment>,
    /// How long it will take, in minutes.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "525600")))]
    pub effort_estimate_minutes: Option<u32>,
    /// The part of the day in which it is best done.
    #[oai(nullable)]
    pub preferred_time: Option<TimeOfDayName>,
    /// From when on a snoozed task is a candidate again.
    #[oai(nullable)]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// How often it was put off.
    #[oai(validator(minimum(value = "0")))]
    pub snooze_count: u32,
    /// Its labels, in alphabetical order.
    pub labels: Vec<Name>,
    /// The project that it belongs to.
    #[oai(nullable)]
    pub project_id: Option<Uuid>,
    /// The task that it is a part of.
    #[oai(nullable)]
    pub parent_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was completed.
    #[oai(nullable)]
    pub completed_at: Option<DateTime<Utc>>,
    /// Counts its changes; the entity tag of `If-Match` in quotes.
    pub version: i64,
    /// Its present score, where the list is ordered by it.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl From<&Task> for TaskView {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id.0,
            title: Title(task.title.clone()),
            description: task.description.clone().map(Description),
            status: task.status.into(),
            priority: task.priority,
            due_date: task.due.map(|due| Moment(due.to_string())),
            effort_estimate_minutes: task.effort_minutes,
            preferred_time: task.preferred_time.map(TimeOfDayName::from),
            snoozed_until: task.snoozed_until.map(Timestamp::to_utc),
            snooze_count: task.snooze_count,
            labels: task.labels.iter().cloned().map(Name).collect(),
            project_id: task.project_id.map(|id| id.0),
            parent_id: task.parent_id.map(|id| id.0),
            created_at: task.created_at.to_utc(),
            updated_at: task.updated_at.to_utc(),
            completed_at: task.completed_at.map(Timestamp::to_utc),
            version: task.version,
            score: None,
        }
    }
}

impl Shown for Task {
    type View = TaskView;

    fn view(&self) -> TaskView {
        TaskView::from(self)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> Option<String> {
        Some(format!("/api/tasks/{}", self.id))
    }
}

/// A new task, or everything that a task is to be.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TaskInput {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// Where it stands; `snoozed` needs `snoozed_until`.
    pub status: Option<StatusName>,
    /// 1 (low) to 5 (high); 3 when left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    pub priority: Option<u8>,
    /// When it is due: a date alone, or a date-time; without offset it is read in the user's zone.
    #[oai(nullable)]
    pub due_date: Option<Moment>,
    /// How long it will take, in minutes.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "525600")))]
    pub effort_estimate_minutes: Option<u32>,
    /// The part of the day in which it is best done.
    #[oai(nullable)]
    pub preferred_time: Option<TimeOfDayName>,
    /// From when on a snoozed task is a candidate again.
    #[oai(nullable)]
    pub snoozed_until: Option<Moment>,
    /// Its labels; those that do not exist yet are made.
    #[oai(validator(max_items = 20))]
    pub labels: Option<Vec<Name>>,
    /// One of your projects.
    #[oai(nullable)]
    pub project_id: Option<Uuid>,
    /// One of your tasks, of which this is a part.
    #[oai(nullable)]
    pub parent_id: Option<Uuid>,
}

/// A change of a task (RFC 7396): what is left out stays, `null` empties.
#[derive(Clone, Debug, Default, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TaskChange {
    /// What is to be done.
    pub title: Option<Title>,
    /// More about it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// Where it stands; `snoozed` needs `snoozed_until`.
    pub status: Option<StatusName>,
    /// 1 (low) to 5 (high).
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    pub priority: Option<u8>,
    /// When it is due: a date alone, or a date-time; without offset it is read in the user's zone.
    #[oai(nullable)]
    pub due_date: MaybeUndefined<Moment>,
    /// How long it will take, in minutes.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "525600")))]
    pub effort_estimate_minutes: MaybeUndefined<u32>,
    /// The part of the day in which it is best done.
    #[oai(nullable)]
    pub preferred_time: MaybeUndefined<TimeOfDayName>,
    /// From when on a snoozed task is a candidate again.
    #[oai(nullable)]
    pub snoozed_until: MaybeUndefined<Moment>,
    /// Its labels, all of them; those that do not exist yet are made.
    #[oai(validator(max_items = 20))]
    pub labels: Option<Vec<Name>>,
    /// One of your projects.
    #[oai(nullable)]
    pub project_id: MaybeUndefined<Uuid>,
    /// One of your tasks, of which this is a part.
    #[oai(nullable)]
    pub parent_id: MaybeUndefined<Uuid>,
}

fn patch<T, U>(field: MaybeUndefined<T>, read: impl FnOnce(T) -> U) -> Patch<U> {
    match field {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(read(value)),
    }
}

/// Reads the two kinds of dates of a body, collecting what is wrong with them.
struct Dates {
    zone: Tz,
    faults: Vec<Fault>,
}

impl Dates {
    fn due(&mut self, field: Patch<String>) -> Patch<Due> {
        self.read("/due_date", field, calendar::parse_due)
    }

    fn moment(&mut self, field: Patch<String>) -> Patch<Timestamp> {
        self.read("/snoozed_until", field, calendar::parse_moment)
    }

    fn read<T>(
        &mut self,
        name: &str,
        field: Patch<String>,
        parse: fn(&str, Tz) -> Result<T, calendar::DateError>,
    ) -> Patch<T> {
        match field {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => match parse(&text, self.zone) {
                Ok(value) => Patch::Set(value),
                Err(error) => {
                    self.faults.push(Fault::new(name, error.to_string()));
                    Patch::Keep
                }
            },
        }
    }

    fn or<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }
}

impl TaskInput {
    /// The patch that makes a task exactly this; what is left out becomes empty.
    ///
    /// # Errors
    ///
    /// Dates that do not exist.
    pub fn into_patch(self, zone: Tz) -> Result<TaskPatch, Vec<Fault>> {
        let mut dates = Dates { zone, faults: Vec::new() };
        let patch = TaskPatch {
            title: Some(self.title.0),
            description: Patch::replace(self.description.map(|text| text.0)),
            status: Some(self.status.map_or(Status::Pending, Status::from)),
            priority: Some(self.priority.unwrap_or(crate::tasks::edit::PRIORITY_DEFAULT)),
            due: dates.due(Patch::replace(self.due_date.map(|due| due.0))),
            effort_minutes: Patch::replace(self.effort_estimate_minutes),
            preferred_time: Patch::replace(self.preferred_time.map(TimeOfDay::from)),
            snoozed_until: dates.moment(Patch::replace(self.snoozed_until.map(|until| until.0))),
            labels: Some(self.labels.unwrap_or_default().into_iter().map(|label| label.0).collect()),
            project_id: Patch::replace(self.project_id.map(ProjectId)),
            parent_id: Patch::replace(self.parent_id.map(TaskId)),
        };
        dates.or(patch)
    }
}

impl TaskChange {
    /// The same as a patch of the domain.
    ///
    /// # Errors
    ///
    /// Dates that do not exist.
    pub fn into_patch(self, zone: Tz) -> Result<TaskPatch, Vec<Fault>> {
        let mut dates = Dates { zone, faults: Vec::new() };
        let patch = TaskPatch {
            title: self.title.map(|title| title.0),
            description: patch(self.description, |text| text.0),
            status: self.status.map(Status::from),
            priority: self.priority,
            due: dates.due(patch(self.due_date, |due| due.0)),
            effort_minutes: patch(self.effort_estimate_minutes, |minutes| minutes),
            preferred_time: patch(self.preferred_time, TimeOfDay::from),
            snoozed_until: dates.moment(patch(self.snoozed_until, |until| until.0)),
            labels: self.labels.map(|labels| labels.into_iter().map(|label| label.0).collect()),
            project_id: patch(self.project_id, ProjectId),
            parent_id: patch(self.parent_id, TaskId),
        };
        dates.or(patch)
    }
}

/// What an undo brought back.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Undone")]
pub struct UndoneView {
    /// What was taken back, such as `task.deleted`.
    pub action: String,
    /// The tasks as they are again; one that the change had made is gone and not among them.
    pub tasks: Vec<TaskView>,
}

impl Shown for undo::Undone {
    type View = UndoneView;

    fn view(&self) -> UndoneView {
        UndoneView { action: self.action.clone(), tasks: self.tasks.iter().map(TaskView::from).collect() }
    }
}
