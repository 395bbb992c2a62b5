//! Batches: up to a hundred operations, all of them or none.

use super::Tasks;
use super::change::{Ask, Changed, Work};
use super::edit::TaskPatch;
use super::error::{Fault, TaskError};
use super::operations;
use super::task::{Status, Task};
use crate::clock::Timestamp;
use crate::ids::TaskId;

/// The most operations of one batch.
pub const OPERATIONS_MAX: usize = 100;

/// What one operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a task.
    Create(TaskPatch),
    /// Change a task.
    Update(TaskId, TaskPatch),
    /// Move a task to a status.
    Move(TaskId, Status),
    /// Put a task off.
    Snooze(TaskId, Timestamp),
    /// Delete a task and its parts.
    Delete(TaskId),
}

impl Action {
    /// Where the operation holds what the action is about.
    const fn place(&self) -> &'static str {
        match self {
            Self::Create(_) | Self::Update(..) => "/task",
            Self::Move(..) | Self::Snooze(..) | Self::Delete(_) => "",
        }
    }
}

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What to do; `None` when that could not be read.
    pub action: Option<Action>,
    /// The versions that the caller knows; `None` sets no condition.
    pub versions: Option<Vec<i64>>,
    /// What was wrong with it already when it was read.
    pub faults: Vec<Fault>,
}

/// An operation that can be read, and depends on no version.
impl From<Action> for Operation {
    fn from(action: Action) -> Self {
        Self { action: Some(action), versions: None, faults: Vec::new() }
    }
}

/// What came of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A task was made.
    Created(Task),
    /// A task is now so.
    Stands(Task),
    /// A task is gone.
    Deleted(TaskId),
}

impl Tasks {
    /// Carries out all operations in order, in one transaction.
    ///
    /// # Errors
    ///
    /// [`TaskError::Invalid`] with every fault of every operation, under `/operations/<index>`; if none has any,
    /// [`TaskError::Operation`] for the first that failed. Nothing is changed then.
    pub async fn batch(
        &self,
        ask: Ask<Vec<Outcome>>,
        operations: Vec<Operation>,
    ) -> Result<Changed<Vec<Outcome>>, TaskError> {
        self.changes.run("task.batch", ask, move |work| Box::pin(async move { run_all(work, operations).await })).await
    }
}

async fn run_all(work: &mut Work<'_, '_>, operations: Vec<Operation>) -> Result<Vec<Outcome>, TaskError> {
    let mut outcomes = Vec::with_capacity(operations.len());
    let (mut faults, mut refused, mut failed) = (Vec::new(), false, None);
    for (index, operation) in operations.into_iter().enumerate() {
        let mut found = operation.faults;
        refused |= !found.is_empty();
        work.expect_versions(operation.versions);
        if let Some(action) = operation.action {
            let place = action.place();
            // Go on after refused input, so that the caller learns of all of it; nothing is kept in the end.
            match run_one(work, action).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(TaskError::Invalid(more)) => {
                    refused = true;
                    found.extend(more.into_iter().map(|fault| fault.under(place)));
                }
                Err(error @ TaskError::Store(_)) => return Err(error),
                Err(error) => {
                    found.push(Fault::new("", error.to_string()).because_of("/id").because_of("/if_match"));
                    failed.get_or_insert((index, error));
                }
            }
        }
        let place = format!("/operations/{index}");
        faults.extend(found.into_iter().map(|fault| fault.because_of("/op").under(&place)));
    }
    match failed {
        _ if refused => Err(TaskError::Invalid(faults)),
        Some((index, error)) => Err(TaskError::Operation { index, source: Box::new(error) }),
        None => Ok(outcomes),
    }
}

async fn run_one(work: &mut Work<'_, '_>, action: Action) -> Result<Outcome, TaskError> {
    match action {
        Action::Create(patch) => operations::create(work, patch).await.map(Outcome::Created),
        Action::Update(id, patch) => operations::edit(work, id, patch).await.map(Outcome::Stands),
        Action::Move(id, status) => operations::move_to(work, id, status).await.map(Outcome::Stands),
        Action::Snooze(id, until) => operations::snooze(work, id, until).await.map(Outcome::Stands),
        Action::Delete(id) => operations::delete(work, id).await.map(|()| Outcome::Deleted(id)),
    }
}
