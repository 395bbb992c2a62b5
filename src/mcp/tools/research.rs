//! `search` and `fetch` in the shape that ChatGPT's research features ask for: an object that is also the text.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::ids::TaskId;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Kind, Outcome, Refusal, Success};
use crate::mcp::schemas::{answer, object_with, text};
use crate::mcp::tool::{Effect, Tool, no_words, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::TaskView;
use crate::mcp::wording::facts;
use crate::tasks::TaskError;
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::search::SearchTerms;

/// How many tasks a search finds.
const FOUND: u32 = 20;

pub(super) const SEARCH: Tool = Tool {
    name: "search",
    title: "Search tasks",
    description: "Finds tasks of any status by words, as ids and titles for fetch. For a list with dates use get_tasks.",
    effect: Effect::Reads,
    widget: None,
    progress: ("Searching your tasks", "Searched your tasks"),
    input: || object_with(&["query"], &json!({ "query": text("Words in title or description", 200) })),
    output: || {
        let result = json!({
            "type": "object",
            "properties": { "id": { "type": "string" }, "title": { "type": "string" }, "url": { "type": "string" } },
            "required": ["id", "title", "url"],
        });
        answer(&["results"], json!({ "results": { "type": "array", "items": result } }))
    },
    words: no_words,
    run: run!(search),
};

pub(super) const FETCH: Tool = Tool {
    name: "fetch",
    title: "Fetch a task",
    description: "Everything about one task, by an id of search.",
    effect: Effect::Reads,
    widget: None,
    progress: ("Reading the task", "Read the task"),
    input: || object_with(&["id"], &json!({ "id": text("The task's id", 200) })),
    output: || {
        answer(
            &["id", "title", "text", "url"],
            json!({
                "id": { "type": "string" },
                "title": { "type": "string" },
                "text": { "type": "string" },
                "url": { "type": "string" },
                "metadata": { "type": "object", "additionalProperties": { "type": "string" } },
            }),
        )
    },
    words: no_words,
    run: run!(fetch),
};

async fn search(desk: &Desk, caller: &Caller, arguments: Arguments) -> Outcome {
    let terms = SearchTerms::parse(arguments.text("query").unwrap_or_default());
    let filter = TaskFilter { search: Some(terms), ..TaskFilter::default() };
    let list = ListTasks { filter, sort: Sort::Relevance, cursor: None, limit: FOUND.min(desk.most_rows) };
    let page = desk.tasks.list(caller, &list).await?;
    let row = |task: &crate::tasks::Task| json!({ "id": task.id.to_string(), "title": task.title, "url": address(desk, task.id) });
    Ok(both(&json!({ "results": page.items.iter().map(row).collect::<Vec<_>>() })))
}

async fn fetch(desk: &Desk, caller: &Caller, arguments: Arguments) -> Outcome {
    let unknown = || Refusal::new(Kind::NotFound, "There is no task with this id. Take one that search gave.");
    let id = arguments.text("id").unwrap_or_default().parse().map_err(|_| unknown())?;
    let task = desk.tasks.get_task(caller, TaskId(id)).await.map_err(|error| match error {
        TaskError::NotFound(_) => unknown(),
        other => other.into(),
    })?;
    let view = TaskView::whole(&task, desk.eye(caller));
    let mut about = facts(&view).join(", ");
    if let Some(description) = &view.description {
        if !about.is_empty() {
            about.push('\n');
        }
        about.push_str(description);
    }
    if about.is_empty() {
        about.clone_from(&view.title);
    }
    Ok(both(&json!({
        "id": view.id,
        "title": view.title,
        "text": about,
        "url": address(desk, task.id),
        "metadata": metadata(&view),
    })))
}

/// The task's own address.
fn address(desk: &Desk, id: TaskId) -> String {
    format!("{}/api/tasks/{id}", desk.public_url)
}

/// Every field of a task but its title and description, as texts.
fn metadata(view: &TaskView) -> BTreeMap<String, String> {
    let fields = serde_json::to_value(view).unwrap_or_default();
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let kept = |name: &str| !matches!(name, "id" | "title" | "description");
    fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| kept(name))
        .map(|(name, value)| (name.clone(), shown(value)))
        .collect()
}

fn both(structured: &Value) -> Success {
    Success::new(structured.to_string(), structured)
}
