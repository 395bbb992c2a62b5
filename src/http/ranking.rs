//! `/api/tasks/best`, `/ranked`, `/{id}/explain`: what to do now, and why.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use crate::accounts::Caller;
use crate::ids::TaskId;
use crate::tasks::ListRanked;
use crate::tasks::error::both;
use crate::tasks::ranking::{RankQuestion, Standing};
use crate::tasks::{Fault, TaskError, Tasks};

use super::auth::Reader;
use super::fields::{Moment, Name};
use super::lists::Listed;
use super::page_cache::{PageCache, PageKey};
use super::payload::{Json, Rendered};
use super::problem::ApiError;
use super::ranking_views::{ExplainedView, RankedView};
use super::tags::Tag;
use super::task_queries::{FilterQuery, read_moment};
use super::task_views::StatusName;
use super::tasks::default_limit;

/// The operations on rankings.
#[derive(Debug)]
pub struct RankingApi {
    tasks: Tasks,
    pages: PageCache,
}

/// One page of a ranking.
#[derive(Debug, Object, Serialize)]
pub struct RankedPage {
    /// The tasks, best first.
    pub items: Vec<RankedView>,
    /// Where the next page begins; `null` on the last one. It carries the moment of the ranking.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

impl RankingApi {
    /// The operations over a service.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks, pages: PageCache::default() }
    }
}

/// Reads what the three questions share.
fn question(
    caller: &Caller,
    at: Option<&Moment>,
    available_minutes: Option<u32>,
    policy: Option<String>,
) -> Result<RankQuestion, TaskError> {
    let mut faults: Vec<Fault> = Vec::new();
    let at = read_moment("?at", at, caller, &mut faults);
    if faults.is_empty() { Ok(RankQuestion { at, available_minutes, policy }) } else { Err(TaskError::Invalid(faults)) }
}

fn best(standing: &Standing) -> Result<Vec<u8>, ApiError> {
    let entry = standing.entries().first().ok_or(TaskError::NoCandidate(
        "every task is completed, snoozed, too long for the time there is, or left out by the policy",
    ));
    let entry = entry?;
    serde_json::to_vec(&RankedView::of(standing, entry)).map_err(|error| ApiError::internal(&error))
}

#[OpenApi(prefix_path = "/api/tasks", tag = "Tag::Ranking")]
impl RankingApi {
    /// Get the best task
    ///
    /// The one task to do now, its score and the reasons.
    ///
    /// - 404: There is nothing to recommend.
    #[oai(path = "/best", method = "get", operation_id = "get_best_task")]
    async fn get_best_task(
        &self,
        caller: Reader,
        /// At this moment instead of now.
        at: Query<Option<Moment>>,
        /// Only tasks that fit into this many minutes, or have no estimate.
        #[oai(validator(minimum(value = "1"), maximum(value = "1440")))]
        available_minutes: Query<Option<u32>>,
        /// By this policy instead of your own choice.
        #[oai(validator(min_length = 1, max_length = 64))]
        policy: Query<Option<String>>,
    ) -> Result<Rendered<RankedView>, ApiError> {
        let question = question(&caller, at.0.as_ref(), available_minutes.0, policy.0);
        let question = question?;
        let standing = self.tasks.recommend(&caller, &question).await?;
        if let Some(answer) = standing.answer.get() {
            return Ok(Rendered::new(answer.clone()));
        }
        let answer = bytes::Bytes::from(best(&standing)?);
        Ok(Rendered::new(standing.answer.get_or_init(|| answer).clone()))
    }

    /// List tasks by rank
    ///
    /// Every task that can be recommended, best first: by score, then the older one, then by id.
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    #[oai(path = "/ranked", method = "get", operation_id = "list_ranked_tasks")]
    async fn list_ranked_tasks(
        &self,
        caller: Reader,
        key: PageKey,
        /// At this moment instead of now.
        at: Query<Option<Moment>>,
        /// Only tasks that fit into this many minutes, or have no estimate.
        #[oai(validator(minimum(value = "1"), maximum(value = "1440")))]
        available_minutes: Query<Option<u32>>,
        /// By this policy instead of your own choice.
        #[oai(validator(min_length = 1, max_length = 64))]
        policy: Query<Option<String>>,
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
        /// How many tasks, at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u32>,
        /// Where the page begins: the `next_cursor` of the page before.
        #[oai(validator(max_length = 512))]
        cursor: Query<Option<String>>,
    ) -> Result<Listed<RankedPage>, ApiError> {
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
        let question = question(&caller, at.0.as_ref(), available_minutes.0, policy.0);
        let (filter, question) = both(filter.into_filter(&caller), question)?;
        let list = ListRanked { question, filter, cursor: cursor.0, limit: limit.0 };
        let standing = self.tasks.rank_for(&caller, &list).await?;
        let page = async || {
            let page = self.tasks.list_ranked(&caller, &standing, &list).await?;
            let items = page.items.iter().map(|entry| RankedView::of(&standing, entry)).collect();
            Ok(Listed::new(&RankedPage { items, next_cursor: page.next_cursor }, page.total))
        };
        match standing.serial {
            Some(serial) => self.pages.answer(&caller, key, serial, page).await,
            None => page().await,
        }
    }

    /// Explain a task's score
    ///
    /// Its parts, when it changes by itself, what would move it, and with `versus`, what sets it apart from another task.
    #[oai(path = "/:task_id/explain", method = "get", operation_id = "explain_task")]
    async fn explain_task(
        &self,
        caller: Reader,
        task_id: Path<Uuid>,
        /// At this moment instead of now.
        at: Query<Option<Moment>>,
        /// By this policy instead of your own choice.
        #[oai(validator(min_length = 1, max_length = 64))]
        policy: Query<Option<String>>,
        /// Why not that one: another task of yours, whose score is compared term by term.
        versus: Query<Option<Uuid>>,
    ) -> Result<Json<ExplainedView>, ApiError> {
        let explained = async {
            let question = question(&caller, at.0.as_ref(), None, policy.0)?;
            self.tasks.explain(&caller, TaskId(task_id.0), &question, versus.0.map(TaskId)).await
        };
        let explained = explained.await?;
        Ok(Json(ExplainedView::from(&explained)))
    }
}
