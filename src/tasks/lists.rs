//! Lists of tasks, page by page.

use crate::accounts::Caller;
use crate::paging::{self, Page};

use super::Tasks;
use super::error::TaskError;
use super::filter::{Position, Sort, TaskFilter};
use super::task::Task;

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
    /// What a cursor is bound to: the question without its page.
    pub(super) fn question(&self) -> String {
        format!("tasks {:?} {:?}", self.filter, self.sort)
    }
}

impl Tasks {
    /// One page of the caller's tasks; deleted ones are not shown.
    pub async fn list(&self, caller: &Caller, list: &ListTasks) -> Result<Page<Task>, TaskError> {
        let question = list.question();
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

/// Reads a cursor of a list.
pub(super) fn read_cursor<P: serde::de::DeserializeOwned>(question: &str, cursor: &str) -> Result<P, TaskError> {
    paging::decode(question, cursor).map_err(|error| TaskError::fault("?cursor", error.to_string()))
}

/// Makes a page of up to `limit` rows from one row more, which only tells whether there is a next page.
pub(super) fn page<T, P: serde::Serialize>(question: &str, mut rows: Vec<(P, T)>, limit: u32, total: u64) -> Page<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|(position, _)| paging::encode(question, position));
    Page { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor, total }
}
