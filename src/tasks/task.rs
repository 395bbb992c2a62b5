//! A task as it is kept.

use serde::{Deserialize, Serialize};

use crate::calendar::{Due, TimeOfDay};
use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId};
pub use crate::scoring::Status;

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done: 1 to 200 characters on one line.
    pub title: String,
    /// More about it: up to 2,000 characters.
    pub description: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// 1 (low) to 5 (high).
    pub priority: u8,
    /// When it is due.
    pub due: Option<Due>,
    /// How long it will take, in minutes.
    pub effort_minutes: Option<u32>,
    /// The part of the day in which it is best done.
    pub preferred_time: Option<TimeOfDay>,
    /// From when on a snoozed task is a candidate again; set exactly while the status is [`Status::Snoozed`].
    pub snoozed_until: Option<Timestamp>,
    /// How often it was snoozed.
    pub snooze_count: u32,
    /// The labels' names, in alphabetical order.
    pub labels: Vec<String>,
    /// The project that it belongs to.
    pub project_id: Option<ProjectId>,
    /// The task that it is a part of.
    pub parent_id: Option<TaskId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was completed; set exactly while the status is [`Status::Completed`].
    pub completed_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Counts its changes, from 1.
    pub version: i64,
}
