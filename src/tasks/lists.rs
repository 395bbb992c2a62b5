//! Lists of tasks, page by page.

use std::fmt::Display;

use crate::accounts::Caller;
use crate::paging::{self, CursorError, Page};

use super::Tasks;
use super::error::{Fault, TaskError};
use super::filter::{Position, Sort, TaskFilter};
use super::task::Task;

/// The parameters that make a question; only who was understood in all of them can be told that a cursor is of another.
const PARAMETERS: [&str; 12] = [
    "?status",
    "?q",
    "?label",
    "?project_id",
    "?parent_id",
    "?due_before",
    "?due_after",
    "?updated_since",
    "?sort",
    "?at",
    "?available_minutes",
    "?policy",
];

/// What to list.
#[derive(Clone, Debug)]
pub struct ListTasks {
    /// Which tasks.
    pub filter: TaskFilter,
    /// In which order; never by score, which is the ranking's business.
    pub sort: Sort,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows, at most.
    pub limit: u32,
}

impl ListTasks {
    /// What a cursor is bound to: who asks, and what, without the page.
    pub(super) fn asked_by(&self, caller: &Caller) -> String {
        asked(caller, format_args!("tasks {:?} {:?}", self.filter, self.sort))
    }
}

impl Tasks {
    /// One page of the caller's tasks; deleted ones are not shown.
    pub async fn list(&self, caller: &Caller, list: &ListTasks) -> Result<Page<Task>, TaskError> {
        let question = list.asked_by(caller);
        let after: Option<Position> = match &list.cursor {
            None => None,
            Some(cursor) => Some(read_cursor(&question, cursor)?),
        };
        let rows = self
            .store()
            .list_tasks(caller.user_id, &list.filter, list.sort, after, list.limit.saturating_add(1))
            .await?;
        let total = self.store().count_tasks(caller.user_id, &list.filter).await?;
        Ok(page(&question, rows, list.limit, total))
    }
}

/// A question of somebody, as a cursor is bound to it: nobody continues another's list.
pub(super) fn asked(caller: &Caller, question: impl Display) -> String {
    format!("{} {question}", caller.user_id)
}

/// Reads a cursor of a list.
pub(super) fn read_cursor<P: serde::de::DeserializeOwned>(question: &str, cursor: &str) -> Result<P, TaskError> {
    paging::decode(question, cursor).map_err(|error| {
        let fault = Fault::new("?cursor", error.to_string());
        let fault = match error {
            CursorError::Unknown => fault,
            CursorError::Foreign => PARAMETERS.into_iter().fold(fault, Fault::because_of),
        };
        TaskError::Invalid(vec![fault])
    })
}

/// Makes a page of up to `limit` rows from one row more, which only tells whether there is a next page.
pub(super) fn page<T, P: serde::Serialize>(question: &str, mut rows: Vec<(P, T)>, limit: u32, total: u64) -> Page<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|(position, _)| paging::encode(question, position));
    Page { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor, total }
}
