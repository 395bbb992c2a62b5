//! Tasks and their rules: the service that every edge calls.
//!
//! Each change goes the way of [`change`]; each question about scores goes through [`ranking`].

use std::sync::Arc;

use crate::accounts::Caller;
use crate::clock::{Clock, Timestamp};
use crate::ids::TaskId;
use crate::observe::metrics::RankingMetrics;
use crate::policies::decisions::recording::Recorder;
use crate::policies::live::LivePolicies;
use crate::store::Store;

pub mod attachments;
pub mod batch;
pub mod change;
pub mod collections;
pub mod edit;
pub mod error;
pub mod explaining;
pub mod filter;
pub mod groups;
mod lineup;
pub mod lists;
mod operations;
pub mod phrase;
pub mod plan;
pub mod pointing;
pub mod priority;
mod ranked_lists;
pub mod ranking;
pub mod receipts;
mod recommending;
pub mod search;
pub mod simulation;
pub mod task;
pub mod text;
pub mod transfer;
pub mod undo;
mod waits;
pub mod wording;

pub use change::{Ask, Changed, Channel, Retry};
pub use error::{Fault, TaskError};
pub use ranked_lists::ListRanked;
pub use task::{Status, Task};

use change::Changes;
use edit::TaskPatch;
use ranking::Rankings;
use receipts::{Answer, RetryKey};

/// Everything that can be done with tasks, projects and labels.
#[derive(Clone, Debug)]
pub struct Tasks {
    changes: Changes,
    rankings: Arc<Rankings>,
    metrics: RankingMetrics,
    /// Keeps a sample of what is recommended.
    recorder: Option<Recorder>,
}

impl Tasks {
    /// Tasks that are kept in `store` and ranked by `policies`.
    pub fn new(store: Store, clock: Clock, policies: Arc<LivePolicies>) -> Self {
        let rankings = Arc::new(Rankings::new(policies));
        rankings.follow(&clock);
        let changes = Changes::new(store, clock);
        Self { changes, rankings, metrics: RankingMetrics::default(), recorder: None }
    }

    /// Counts in `metrics` from now on.
    #[must_use]
    pub fn counting(self, metrics: RankingMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Gives what it recommends to a recorder from now on.
    #[must_use]
    pub fn recording(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    fn store(&self) -> &Store {
        &self.changes.store
    }

    fn now(&self) -> Timestamp {
        self.changes.clock.now()
    }

    /// What the caller was answered to this request before, if it is one that may be sent again.
    ///
    /// # Errors
    ///
    /// [`TaskError::KeyReused`] for the key of another request, or what keeps the store from reading.
    pub async fn answered(&self, caller: &Caller, key: &RetryKey) -> Result<Option<Answer>, TaskError> {
        match self.store().find_receipt(caller.user_id, &key.key, self.now()).await? {
            Some((fingerprint, answer)) if fingerprint == key.fingerprint => Ok(Some(answer)),
            Some(_) => Err(TaskError::KeyReused),
            None => Ok(None),
        }
    }

    /// The caller's task.
    pub async fn get_task(&self, caller: &Caller, id: TaskId) -> Result<Task, TaskError> {
        self.store().find_task(caller.user_id, id).await?.ok_or(TaskError::NotFound("task"))
    }

    /// Makes a task.
    pub async fn create(&self, ask: Ask<Task>, patch: TaskPatch) -> Result<Changed<Task>, TaskError> {
        self.changes.run("task.created", ask, |work| Box::pin(operations::create(work, patch))).await
    }

    /// Changes fields of a task.
    pub async fn update(&self, ask: Ask<Task>, id: TaskId, patch: TaskPatch) -> Result<Changed<Task>, TaskError> {
        self.changes.run("task.updated", ask, move |work| Box::pin(operations::edit(work, id, patch))).await
    }

    /// Completes a task, reopens it or starts it; idempotent.
    pub async fn move_to(&self, ask: Ask<Task>, id: TaskId, status: Status) -> Result<Changed<Task>, TaskError> {
        let action = operations::name_of_move(status);
        self.changes.run(action, ask, move |work| Box::pin(operations::move_to(work, id, status))).await
    }

    /// Puts a task off.
    pub async fn snooze(&self, ask: Ask<Task>, id: TaskId, until: Timestamp) -> Result<Changed<Task>, TaskError> {
        self.changes.run("task.snoozed", ask, move |work| Box::pin(operations::snooze(work, id, until))).await
    }

    /// Deletes a task and everything that is a part of it.
    pub async fn delete(&self, ask: Ask<()>, id: TaskId) -> Result<Changed<()>, TaskError> {
        self.changes.run("task.deleted", ask, move |work| Box::pin(operations::delete(work, id))).await
    }

    /// Brings a deleted task back; idempotent.
    pub async fn restore(&self, ask: Ask<Task>, id: TaskId) -> Result<Changed<Task>, TaskError> {
        self.changes.run("task.restored", ask, move |work| Box::pin(operations::restore(work, id))).await
    }
}
