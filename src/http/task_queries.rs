//! Query parameters of lists of tasks, made into what the domain asks.

use poem_openapi::Enum;
use uuid::Uuid;

use crate::accounts::Caller;
use crate::calendar::parse_moment;
use crate::clock::Timestamp;
use crate::ids::{ProjectId, TaskId};
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::search::SearchTerms;
use crate::tasks::{Fault, Status, TaskError};

use super::fields::{Moment, Name};
use super::task_views::StatusName;

/// The order of a list; `-` turns it round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "TaskSort")]
pub enum SortName {
    /// Oldest first.
    #[oai(rename = "created_at")]
    CreatedAt,
    /// Newest first.
    #[oai(rename = "-created_at")]
    CreatedAtDesc,
    /// Due soonest first, undated last.
    #[oai(rename = "due_date")]
    DueDate,
    /// Due latest first, undated last.
    #[oai(rename = "-due_date")]
    DueDateDesc,
    /// Least important first.
    #[oai(rename = "priority")]
    Priority,
    /// Most important first.
    #[oai(rename = "-priority")]
    PriorityDesc,
    /// Lowest score first, tasks without a score last.
    #[oai(rename = "score")]
    Score,
    /// Highest score first, tasks without a score last.
    #[oai(rename = "-score")]
    ScoreDesc,
}

impl From<SortName> for Sort {
    fn from(sort: SortName) -> Self {
        match sort {
            SortName::CreatedAt => Self::CreatedAt,
            SortName::CreatedAtDesc => Self::CreatedAtDesc,
            SortName::DueDate => Self::DueDate,
            SortName::DueDateDesc => Self::DueDateDesc,
            SortName::Priority => Self::Priority,
            SortName::PriorityDesc => Self::PriorityDesc,
            SortName::Score => Self::Score,
            SortName::ScoreDesc => Self::ScoreDesc,
        }
    }
}

/// The filters as they came.
#[derive(Debug, Default)]
pub struct FilterQuery {
    /// `status`, repeatable.
    pub statuses: Option<Vec<StatusName>>,
    /// `q`.
    pub text: Option<String>,
    /// `label`.
    pub label: Option<Name>,
    /// `project_id`.
    pub project_id: Option<Uuid>,
    /// `parent_id`.
    pub parent_id: Option<Uuid>,
    /// `due_before`.
    pub due_before: Option<Moment>,
    /// `due_after`.
    pub due_after: Option<Moment>,
    /// `updated_since`.
    pub updated_since: Option<Moment>,
}

impl FilterQuery {
    /// Reads dates in the caller's zone and the words of the search.
    ///
    /// # Errors
    ///
    /// Every parameter that cannot be read.
    pub fn into_filter(self, caller: &Caller) -> Result<TaskFilter, TaskError> {
        let mut faults = Vec::new();
        let mut moment = |name: &str, text: Option<Moment>| read_moment(name, text.as_ref(), caller, &mut faults);
        let (due_before, due_after) = (moment("?due_before", self.due_before), moment("?due_after", self.due_after));
        let updated_since = moment("?updated_since", self.updated_since);
        if !faults.is_empty() {
            return Err(TaskError::Invalid(faults));
        }
        // In one order and once each, however they were given: it is the same question to a cursor.
        let wanted = self.statuses.unwrap_or_default();
        let statuses = Status::ALL.into_iter().filter(|status| wanted.contains(&StatusName::from(*status)));
        Ok(TaskFilter {
            statuses: statuses.collect(),
            search: self.text.as_deref().map(SearchTerms::parse),
            label: self.label.map(|label| label.0.trim().to_owned()),
            project_id: self.project_id.map(ProjectId),
            parent_id: self.parent_id.map(TaskId),
            due_before,
            due_after,
            updated_since,
        })
    }
}

/// Reads a moment of the query in the caller's zone.
pub fn read_moment(name: &str, text: Option<&Moment>, caller: &Caller, faults: &mut Vec<Fault>) -> Option<Timestamp> {
    match text.map(|text| parse_moment(&text.0, caller.zone))? {
        Ok(moment) => Some(moment),
        Err(error) => {
            faults.push(Fault::new(name, error.to_string()));
            None
        }
    }
}
