//! `/api/tasks`: making, changing and listing tasks.

use poem_openapi::param::{Path, Query};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use crate::accounts::Caller;
use crate::calendar::parse_moment;
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::paging::LIMIT_DEFAULT;
use crate::tasks::error::both;
use crate::tasks::filter::Sort;
use crate::tasks::lists::ListTasks;
use crate::tasks::ranking::SnoozeWish;
use crate::tasks::{Fault, Status, Task, TaskError, Tasks};

use super::auth::{Reader, Writer};
use super::changes::{Conditions, Created, Done, Gone, IdempotencyKey, change};
use super::checked::Checked;
use super::conditional::Preconditions;
use super::fields::{Moment, Name};
use super::lists::Listed;
use super::page_cache::{PageCache, PageKey};
use super::problem::ApiError;
use super::tags::Tag;
use super::task_queries::{FilterQuery, SortName, read_moment};
use super::task_views::{StatusName, TaskChange, TaskInput, TaskView};

/// The operations on tasks, one by one.
#[derive(Debug)]
pub struct TasksApi {
    tasks: Tasks,
    pages: PageCache,
}

/// One page of tasks.
#[derive(Debug, Object, Serialize)]
pub struct TaskPage {
    /// The tasks.
    pub items: Vec<TaskView>,
    /// Where the next page begins; `null` on the last one.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// Until when a task is put off: exactly one of these.
#[derive(Clone, Debug, Default, Object)]
#[oai(deny_unknown_fields, example)]
pub struct SnoozeTask {
    /// A moment to come; without offset it is read in your zone.
    #[oai(skip_serializing_if_is_none)]
    pub until: Option<Moment>,
    /// So many minutes from now.
    #[oai(skip_serializing_if_is_none, validator(minimum(value = "1"), maximum(value = "525600")))]
    pub minutes: Option<u32>,
    /// In words: `tomorrow`, `this evening`, `monday 9am`, `next week`, `in 2 hours`.
    #[oai(skip_serializing_if_is_none, validator(min_length = 1, max_length = 100))]
    pub phrase: Option<String>,
}

impl Example for SnoozeTask {
    fn example() -> Self {
        Self { phrase: Some("tomorrow morning".to_owned()), ..Self::default() }
    }
}

impl SnoozeTask {
    /// What is wished for.
    ///
    /// # Errors
    ///
    /// None or several of the fields, or a date that does not exist.
    pub fn into_wish(self, caller: &Caller) -> Result<SnoozeWish, TaskError> {
        match (self.until, self.minutes, self.phrase) {
            (Some(until), None, None) => match parse_moment(&until.0, caller.zone) {
                Ok(until) => Ok(SnoozeWish::Until(until)),
                Err(error) => Err(TaskError::fault("/until", error.to_string())),
            },
            (None, Some(minutes), None) => Ok(SnoozeWish::Minutes(minutes)),
            (None, None, Some(phrase)) => Ok(SnoozeWish::Phrase(phrase)),
            _ => Err(TaskError::fault("", "must have exactly one of `until`, `minutes` and `phrase`")),
        }
    }
}

impl TasksApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks, pages: PageCache::default() }
    }

    async fn list(&self, caller: &Caller, filter: FilterQuery, sort: Option<SortName>, page: PageQuery) -> ListAnswer {
        let (filter, at) = both(filter.into_filter(caller), moment_of(caller, sort, page.at.as_ref()))?;
        let by_default = if filter.search.is_some() { Sort::Relevance } else { Sort::CreatedAtDesc };
        let list =
            ListTasks { sort: sort.map_or(by_default, Sort::from), filter, cursor: page.cursor, limit: page.limit };
        let found = match list.sort {
            Sort::Score | Sort::ScoreDesc => self.tasks.list_by_score(caller, &list, at).await,
            _ => self.tasks.list(caller, &list).await.map(|page| page.map(|task| (task, None))),
        };
        let found = found?;
        let items = found.items.iter().map(|(task, score)| TaskView { score: *score, ..TaskView::from(task) });
        Ok(Listed::new(&TaskPage { items: items.collect(), next_cursor: found.next_cursor }, found.total))
    }
}

type ListAnswer = Result<Listed<TaskPage>, ApiError>;

/// Which page.
struct PageQuery {
    at: Option<Moment>,
    cursor: Option<String>,
    limit: u32,
}

/// The moment of the scores by which a list is ordered.
fn moment_of(caller: &Caller, sort: Option<SortName>, at: Option<&Moment>) -> Result<Option<Timestamp>, TaskError> {
    let mut faults = Vec::new();
    let moment = read_moment("?at", at, caller, &mut faults);
    if at.is_some() && !matches!(sort, Some(SortName::Score | SortName::ScoreDesc)) {
        faults.push(Fault::new("?at", "is for lists in the order of scores: `sort=score` or `sort=-score`"));
    }
    if faults.is_empty() { Ok(moment) } else { Err(TaskError::Invalid(faults)) }
}

#[OpenApi(prefix_path = "/api/tasks", tag = "Tag::Tasks")]
impl TasksApi {
    /// List tasks
    ///
    /// Every status unless asked otherwise, newest first; a search shows what is found in titles first.
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    #[oai(path = "/", method = "get", operation_id = "list_tasks")]
    async fn list_tasks(
        &self,
        caller: Reader,
        key: PageKey,
        /// Only tasks of this status; may be given several times.
        status: Query<Option<Vec<StatusName>>>,
        /// Only tasks whose title or description has all of these words, or words that begin like them. Signs are no
        /// words: a question without a letter or digit finds nothing.
        #[oai(validator(min_length = 1, max_length = 200))]
        q: Query<Option<String>>,
        /// Only tasks with this label.
        label: Query<Option<Name>>,
        /// Only tasks of this project.
        project_id: Query<Option<Uuid>>,
        /// Only tasks that are a part of this task.
        parent_id: Query<Option<Uuid>>,
        /// Only tasks that are due before this moment.
        due_before: Query<Option<Moment>>,
        /// Only tasks that are due at this moment or later.
        due_after: Query<Option<Moment>>,
        /// Only tasks that were changed at this moment or later.
        updated_since: Query<Option<Moment>>,
        /// The order.
        sort: Query<Option<SortName>>,
        /// In the order of the scores at this moment instead of now.
        at: Query<Option<Moment>>,
        /// How many tasks, at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// Where the page begins: the `next_cursor` of the page before.
        #[oai(validator(max_length = 512))]
        cursor: Query<Option<String>>,
    ) -> ListAnswer {
        let filter = FilterQuery {
            statuses: status.0,
            text: q.0,
            label: label.0,
            project_id: project_id.0,
            parent_id: parent_id.0,
            due_before: due_before.0,
            due_after: due_after.0,
            updated_since: updated_since.0,
        };
        let page = PageQuery { at: at.0, cursor: cursor.0, limit: limit.0 };
        let list = async || self.list(&caller, filter, sort.0, page).await;
        match sort.0 {
            // Scores change with time.
            Some(SortName::Score | SortName::ScoreDesc) => list().await,
            _ => self.pages.answer(&caller, key, caller.data_version, list).await,
        }
    }

    /// Make a task
    ///
    /// Labels that do not exist yet are made with it.
    #[oai(path = "/", method = "post", operation_id = "create_task")]
    async fn create_task(
        &self,
        caller: Writer,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        body: Checked<TaskInput>,
    ) -> Result<Created<Task>, ApiError> {
        let (input, purpose) = body.open();
        let patch = input.into_patch(caller.zone).map_err(TaskError::Invalid)?;
        let on = Conditions::repeatable(idempotency_key).on(purpose);
        change(&caller, on, |ask| self.tasks.create(ask, patch)).await
    }

    /// Get a task
    #[oai(path = "/:task_id", method = "get", operation_id = "get_task")]
    async fn get_task(&self, caller: Reader, task_id: Path<Uuid>) -> Result<Done<Task>, ApiError> {
        let task = self.tasks.get_task(&caller, TaskId(task_id.0)).await?;
        Ok(Done::shown(task))
    }

    /// Replace a task
    ///
    /// What is left out becomes empty or its default.
    #[oai(path = "/:task_id", method = "put", operation_id = "replace_task")]
    async fn replace_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
        body: Checked<TaskInput>,
    ) -> Result<Done<Task>, ApiError> {
        let (input, purpose) = body.open();
        let patch = input.into_patch(caller.zone).map_err(TaskError::Invalid)?;
        let on = Conditions::default().matching(&preconditions).on(purpose);
        change(&caller, on, |ask| self.tasks.update(ask, TaskId(task_id.0), patch)).await
    }

    /// Change a task
    ///
    /// A JSON merge patch (RFC 7396): what is left out stays, `null` empties.
    #[oai(path = "/:task_id", method = "patch", operation_id = "update_task")]
    async fn update_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
        body: Checked<TaskChange>,
    ) -> Result<Done<Task>, ApiError> {
        let (input, purpose) = body.open();
        let patch = input.into_patch(caller.zone).map_err(TaskError::Invalid)?;
        let on = Conditions::default().matching(&preconditions).on(purpose);
        change(&caller, on, |ask| self.tasks.update(ask, TaskId(task_id.0), patch)).await
    }

    /// Delete a task
    ///
    /// Its parts go with it. The undo token brings all of it back, and so does `restore`, task by task, each after the
    /// one that it is a part of.
    #[oai(path = "/:task_id", method = "delete", operation_id = "delete_task")]
    async fn delete_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Gone, ApiError> {
        let on = Conditions::default().matching(&preconditions);
        change(&caller, on, |ask| self.tasks.delete(ask, TaskId(task_id.0))).await
    }

    /// Complete a task
    ///
    /// Idempotent: a completed task stays as it is.
    #[oai(path = "/:task_id/complete", method = "post", operation_id = "complete_task")]
    async fn complete_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Makes a repetition safe: the same key within 24 hours gets the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Done<Task>, ApiError> {
        let on = Conditions::repeatable(idempotency_key).matching(&preconditions);
        self.move_to(&caller, task_id.0, on, Status::Completed).await
    }

    /// Reopen a task
    ///
    /// A completed or snoozed task becomes pending; an open one stays as it is.
    #[oai(path = "/:task_id/reopen", method = "post", operation_id = "reopen_task")]
    async fn reopen_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Makes a repetition safe: the same key within 24 hours gets the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Done<Task>, ApiError> {
        let on = Conditions::repeatable(idempotency_key).matching(&preconditions);
        self.move_to(&caller, task_id.0, on, Status::Pending).await
    }

    /// Start a task
    ///
    /// Idempotent.
    ///
    /// - 409: The task is completed and must be reopened first, or the first request with this key still runs.
    #[oai(path = "/:task_id/start", method = "post", operation_id = "start_task")]
    async fn start_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Makes a repetition safe: the same key within 24 hours gets the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Done<Task>, ApiError> {
        let on = Conditions::repeatable(idempotency_key).matching(&preconditions);
        self.move_to(&caller, task_id.0, on, Status::InProgress).await
    }

    /// Snooze a task
    ///
    /// The task leaves every recommendation until the given moment, in your time zone.
    #[oai(path = "/:task_id/snooze", method = "post", operation_id = "snooze_task")]
    async fn snooze_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Makes a repetition safe: the same key and body within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
        body: Checked<SnoozeTask>,
    ) -> Result<Done<Task>, ApiError> {
        let (input, purpose) = body.open();
        let until = self.tasks.snooze_until(&caller, input.into_wish(&caller)?)?;
        let on = Conditions::repeatable(idempotency_key).matching(&preconditions).on(purpose);
        change(&caller, on, |ask| self.tasks.snooze(ask, TaskId(task_id.0), until)).await
    }

    /// Restore a task
    ///
    /// Brings a deleted task back; idempotent. A part of something that is still deleted comes back as a task of its
    /// own.
    #[oai(path = "/:task_id/restore", method = "post", operation_id = "restore_task")]
    async fn restore_task(
        &self,
        caller: Writer,
        task_id: Path<Uuid>,
        /// Makes a repetition safe: the same key within 24 hours gets the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        /// Only if the task is still at this version: an entity tag such as `"7"`.
        #[oai(name = "If-Match")]
        preconditions: Preconditions,
    ) -> Result<Done<Task>, ApiError> {
        let on = Conditions::repeatable(idempotency_key).matching(&preconditions);
        change(&caller, on, |ask| self.tasks.restore(ask, TaskId(task_id.0))).await
    }
}

impl TasksApi {
    async fn move_to(
        &self,
        caller: &Caller,
        task_id: Uuid,
        on: Conditions,
        status: Status,
    ) -> Result<Done<Task>, ApiError> {
        change(caller, on, |ask| self.tasks.move_to(ask, TaskId(task_id), status)).await
    }
}

/// Rows on a page when the client does not say.
pub(super) const fn default_limit() -> u32 {
    LIMIT_DEFAULT
}
