//! What to list, and in which order.

use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId};

use super::search::SearchTerms;
use super::task::Status;

/// Which tasks to list; what is left out does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// One of these statuses; empty: any.
    pub statuses: Vec<Status>,
    /// Full text.
    pub search: Option<SearchTerms>,
    /// Has this label (compared without case).
    pub label: Option<String>,
    /// Belongs to this project.
    pub project_id: Option<ProjectId>,
    /// Is a part of this task.
    pub parent_id: Option<TaskId>,
    /// Due before this moment.
    pub due_before: Option<Timestamp>,
    /// Due at this moment or after it.
    pub due_after: Option<Timestamp>,
    /// Changed at this moment or after it.
    pub updated_since: Option<Timestamp>,
}

impl TaskFilter {
    /// Whether every task passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The order of a list; `id` decides between equals, so that every order is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Oldest first.
    CreatedAt,
    /// Newest first.
    CreatedAtDesc,
    /// Due soonest first, undated last.
    DueDate,
    /// Due latest first, undated last.
    DueDateDesc,
    /// Least important first.
    Priority,
    /// Most important first.
    PriorityDesc,
    /// Lowest score first, tasks without a score last.
    Score,
    /// Highest score first, tasks without a score last.
    ScoreDesc,
    /// Found in the title before found in the description, newest first: the default of a search.
    Relevance,
}

impl Sort {
    /// The names that clients use, with their meaning.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("created_at", Self::CreatedAt),
        ("-created_at", Self::CreatedAtDesc),
        ("due_date", Self::DueDate),
        ("-due_date", Self::DueDateDesc),
        ("priority", Self::Priority),
        ("-priority", Self::PriorityDesc),
        ("score", Self::Score),
        ("-score", Self::ScoreDesc),
    ];
}

/// A place in a list: what comes after it is the next page, however many rows were added meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The sort key of the last row shown.
    #[serde(rename = "k")]
    pub key: i64,
    /// Its id.
    #[serde(rename = "i")]
    pub id: uuid::Uuid,
}
