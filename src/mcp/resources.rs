//! Tasks as resources: open ones are listed, any of the caller's can be read.

use rmcp::model::{CacheScope, ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use crate::accounts::Caller;
use crate::ids::TaskId;
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::ranking::RankQuestion;
use crate::tasks::search::SearchTerms;
use crate::tasks::{Status, Task, TaskError};

use super::outcome::Refusal;
use super::toolbox::Desk;
use super::views::TaskView;
use super::widgets;
use super::wording::line;

/// The URI of a task.
pub const TASK_TEMPLATE: &str = "mindflow://tasks/{id}";
/// What to do now.
pub const BEST: &str = "mindflow://best";

const PREFIX: &str = "mindflow://tasks/";
const JSON: &str = "application/json";
/// The most tasks of a page.
const PAGE: u32 = 50;
/// How many completions are offered.
const OFFERED: u32 = 20;

/// What can be read by a pattern.
pub fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(TASK_TEMPLATE, "task")
            .with_title("A task")
            .with_description("One of the user's tasks, by its id")
            .with_mime_type(JSON),
    ]
}

/// One page of what can be read: the widgets and the best task first, then the open tasks.
///
/// # Errors
///
/// A cursor of another list, or what keeps the store from reading.
pub async fn list(
    desk: &Desk,
    caller: &Caller,
    cursor: Option<String>,
    shows_widgets: bool,
) -> Result<ListResourcesResult, Refusal> {
    let is_first = cursor.is_none();
    let page = desk.tasks.list(caller, &open_tasks(None, cursor, PAGE.min(desk.most_rows))).await?;
    let mut resources = Vec::new();
    if is_first {
        let best = Resource::new(BEST, "best").with_title("Best task now").with_mime_type(JSON);
        resources.push(best.with_description("The one task to do now, with its score and reasons"));
        if shows_widgets {
            resources.extend(widgets::Widget::ALL.iter().map(|widget| widget.listed(&desk.public_url)));
        }
    }
    let eye = desk.eye(caller);
    resources.extend(page.items.iter().map(|task| {
        let about = line(&TaskView::row(task, eye));
        let resource = Resource::new(format!("{PREFIX}{}", task.id), task.id.to_string());
        resource.with_title(task.title.clone()).with_description(about).with_mime_type(JSON)
    }));
    let mut list = ListResourcesResult { resources, next_cursor: page.next_cursor, ..Default::default() };
    (list.ttl_ms, list.cache_scope) = (Some(0), Some(CacheScope::Private));
    Ok(list)
}

/// Reads a resource; `None` when there is none of this URI.
///
/// # Errors
///
/// What keeps the store from reading.
pub async fn read(desk: &Desk, caller: &Caller, uri: &str) -> Result<Option<ReadResourceResult>, Refusal> {
    if uri == BEST {
        return best(desk, caller).await.map(Some);
    }
    let Some(id) = uri.strip_prefix(PREFIX).and_then(|id| id.parse().ok()) else { return Ok(None) };
    match desk.tasks.get_task(caller, TaskId(id)).await {
        Ok(task) => Ok(Some(contents(uri, &json!(TaskView::whole(&task, desk.eye(caller)))))),
        Err(TaskError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn best(desk: &Desk, caller: &Caller) -> Result<ReadResourceResult, Refusal> {
    let standing = desk.tasks.recommend(caller, &RankQuestion::default()).await?;
    let eye = desk.eye(caller);
    let best = standing.entries().first().map(|entry| {
        json!({
            "task": TaskView::whole(standing.task(entry), eye).scored(entry.score),
            "recommendation": standing.explain(entry).recommendation,
        })
    });
    Ok(contents(BEST, &best.unwrap_or_else(|| json!({ "task": null }))))
}

fn contents(uri: &str, value: &serde_json::Value) -> ReadResourceResult {
    let text = ResourceContents::text(value.to_string(), uri).with_mime_type(JSON);
    ReadResourceResult::new(vec![text]).with_ttl_ms(0).with_cache_scope(CacheScope::Private)
}

/// Ids of open tasks that have the words that were typed.
///
/// # Errors
///
/// What keeps the store from reading.
pub async fn complete_id(desk: &Desk, caller: &Caller, typed: &str) -> Result<Vec<String>, Refusal> {
    Ok(found(desk, caller, typed).await?.iter().map(|task| task.id.to_string()).collect())
}

/// Titles of open tasks that have the words that were typed.
///
/// # Errors
///
/// What keeps the store from reading.
pub async fn complete_title(desk: &Desk, caller: &Caller, typed: &str) -> Result<Vec<String>, Refusal> {
    Ok(found(desk, caller, typed).await?.into_iter().map(|task| task.title).collect())
}

async fn found(desk: &Desk, caller: &Caller, typed: &str) -> Result<Vec<Task>, Refusal> {
    let search = Some(typed.trim()).filter(|typed| !typed.is_empty()).map(SearchTerms::parse);
    Ok(desk.tasks.list(caller, &open_tasks(search, None, OFFERED)).await?.items)
}

fn open_tasks(search: Option<SearchTerms>, cursor: Option<String>, limit: u32) -> ListTasks {
    let statuses = vec![Status::Pending, Status::InProgress, Status::Snoozed];
    let filter = TaskFilter { statuses, search, ..TaskFilter::default() };
    ListTasks { filter, sort: Sort::CreatedAtDesc, cursor, limit }
}
