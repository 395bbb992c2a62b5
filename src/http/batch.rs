//! `/api/tasks/batch` and `/api/undo`: several changes at once, and the way back.

use poem_openapi::payload::Json as JsonBody;
use poem_openapi::{Enum, Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use crate::accounts::Caller;
use crate::ids::TaskId;
use crate::tasks::batch::{Action, Operation, Outcome};
use crate::tasks::undo::Undone;
use crate::tasks::{Fault, Status, TaskError, Tasks};

use super::auth::Writer;
use super::changes::{Conditions, Done, IdempotencyKey, Shown, change, known_versions};
use super::checked::Checked;
use super::fields::Moment;
use super::problem::ApiError;
use super::tags::Tag;
use super::task_views::{TaskChange, TaskView};
use super::tasks::SnoozeTask;

/// Changes of several things at once.
#[derive(Debug)]
pub struct BatchApi {
    tasks: Tasks,
}

impl BatchApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks }
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum OperationName {
    /// Make the task given by `task`.
    Create,
    /// Change the task `id` as `task` says.
    Update,
    /// Complete the task `id`.
    Complete,
    /// Reopen the task `id`.
    Reopen,
    /// Start the task `id`.
    Start,
    /// Put the task `id` off, by `until`, `minutes` or `phrase`.
    Snooze,
    /// Delete the task `id`.
    Delete,
}

/// One operation.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct BatchOperation {
    /// What to do.
    pub op: OperationName,
    /// With which task; not for `create`.
    pub id: Option<Uuid>,
    /// Only if the task is still at this version: an entity tag such as `"7"`.
    #[oai(validator(max_length = 255))]
    pub if_match: Option<String>,
    /// The fields, for `create` and `update`.
    pub task: Option<TaskChange>,
    /// For `snooze`: a moment to come.
    pub until: Option<Moment>,
    /// For `snooze`: so many minutes from now.
    #[oai(validator(minimum(value = "1"), maximum(value = "525600")))]
    pub minutes: Option<u32>,
    /// For `snooze`: in words, such as `tomorrow morning`.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub phrase: Option<String>,
}

/// Up to a hundred operations, carried out in order, all of them or none.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct Batch {
    /// The operations.
    #[oai(validator(min_items = 1, max_items = 100))]
    pub operations: Vec<BatchOperation>,
}

/// What came of one operation.
#[derive(Clone, Debug, Object, Serialize)]
pub struct BatchResult {
    /// The status that the operation alone would have answered: 200, 201 or 204.
    pub status: u16,
    /// The task as it is now; `null` when it is gone.
    #[oai(nullable)]
    pub task: Option<TaskView>,
}

/// What came of a batch.
#[derive(Clone, Debug, Object, Serialize)]
pub struct BatchResults {
    /// One result for each operation, in order.
    pub results: Vec<BatchResult>,
}

impl Shown for Vec<Outcome> {
    type View = BatchResults;

    fn view(&self) -> BatchResults {
        let results = self.iter().map(|outcome| match outcome {
            Outcome::Created(task) => BatchResult { status: 201, task: Some(TaskView::from(task)) },
            Outcome::Stands(task) => BatchResult { status: 200, task: Some(TaskView::from(task)) },
            Outcome::Deleted(_) => BatchResult { status: 204, task: None },
        });
        BatchResults { results: results.collect() }
    }
}

/// A token that takes a change back.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct UndoRequest {
    /// The `Undo-Token` of the answer to the change.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub token: String,
}

impl BatchOperation {
    /// The same as an operation of the domain.
    fn read(self, caller: &Caller, tasks: &Tasks) -> Operation {
        let mut faults = self.misplaced();
        let versions = known_versions(self.if_match.as_deref()).unwrap_or_else(|_| {
            faults.push(Fault::new("/if_match", "must be `*` or a list of entity tags such as \"7\""));
            None
        });
        let action = self.action(caller, tasks).unwrap_or_else(|found| {
            faults.extend(found);
            None
        });
        Operation { action, versions, faults }
    }

    /// What to do; `None` when a field is missing that says it.
    fn action(self, caller: &Caller, tasks: &Tasks) -> Result<Option<Action>, Vec<Fault>> {
        let id = self.id.map(TaskId);
        let moved = |status| Ok(id.map(|id| Action::Move(id, status)));
        let patch =
            |task: Option<TaskChange>| task.map(|task| task.into_patch(caller.zone)).transpose().map_err(in_task);
        match self.op {
            OperationName::Create => Ok(patch(self.task)?.map(Action::Create)),
            OperationName::Update => Ok(id.zip(patch(self.task)?).map(|(id, patch)| Action::Update(id, patch))),
            OperationName::Complete => moved(Status::Completed),
            OperationName::Reopen => moved(Status::Pending),
            OperationName::Start => moved(Status::InProgress),
            OperationName::Delete => Ok(id.map(Action::Delete)),
            OperationName::Snooze => {
                let wish = SnoozeTask { until: self.until, minutes: self.minutes, phrase: self.phrase };
                let until = wish.into_wish(caller).and_then(|wish| tasks.snooze_until(caller, wish));
                match until {
                    Ok(until) => Ok(id.map(|id| Action::Snooze(id, until))),
                    Err(TaskError::Invalid(faults)) => Err(faults),
                    Err(other) => Err(vec![Fault::new("", other.to_string())]),
                }
            }
        }
    }

    /// Fields that the operation lacks, and fields that it has no use for.
    fn misplaced(&self) -> Vec<Fault> {
        use OperationName::{Create, Snooze, Update};
        let takes_task = matches!(self.op, Create | Update);
        let needed = [("/id", self.op != Create, self.id.is_some()), ("/task", takes_task, self.task.is_some())];
        let useless = [
            ("/id", self.op == Create && self.id.is_some()),
            ("/if_match", self.op == Create && self.if_match.is_some()),
            ("/task", !takes_task && self.task.is_some()),
            ("/until", self.op != Snooze && self.until.is_some()),
            ("/minutes", self.op != Snooze && self.minutes.is_some()),
            ("/phrase", self.op != Snooze && self.phrase.is_some()),
        ];
        let missing = needed.into_iter().filter(|(_, needed, given)| *needed && !given);
        let missing = missing.map(|(field, ..)| Fault::new(field, "is required for this operation"));
        let useless = useless.into_iter().filter(|(_, given)| *given);
        missing.chain(useless.map(|(field, _)| Fault::new(field, "has no meaning for this operation"))).collect()
    }
}

fn in_task(faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().map(|fault| fault.under("/task")).collect()
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Tasks")]
impl BatchApi {
    /// Change several tasks at once
    ///
    /// All operations are carried out in one transaction, in order; when one fails, nothing is changed.
    ///
    /// - 404: A task of the batch does not exist.
    /// - 412: A task of the batch is at another version than its `if_match` says.
    #[oai(path = "/tasks/batch", method = "post", operation_id = "batch_tasks")]
    async fn batch_tasks(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: Checked<Batch>,
    ) -> Result<Done<Vec<Outcome>>, ApiError> {
        let (batch, purpose) = body.open();
        let operations = batch.operations.into_iter().map(|operation| operation.read(&caller, &self.tasks)).collect();
        let on = Conditions::repeatable(idempotency_key).on(purpose);
        change(&caller, on, |ask| self.tasks.batch(ask, operations)).await
    }

    /// Undo a change
    ///
    /// Takes back the change whose answer carried the token: once, within 24 hours, and only while nothing that it
    /// touched has been changed since.
    ///
    /// - 404: The token is unknown.
    /// - 409: The token is spent, or what it would restore was changed since.
    #[oai(path = "/undo", method = "post", operation_id = "undo_change")]
    async fn undo_change(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: JsonBody<UndoRequest>,
    ) -> Result<Done<Undone>, ApiError> {
        change(&caller, Conditions::repeatable(idempotency_key), |ask| self.tasks.undo(ask, body.0.token)).await
    }
}
