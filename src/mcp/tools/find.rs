//! Lists of tasks.

use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::ids::{ProjectId, TaskId};
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::Outcome;
use crate::mcp::schemas::{answer, object, plain, text, with};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::TaskView;
use crate::mcp::widgets::Widget;
use crate::mcp::wording::count;
use crate::tasks::Status;
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::search::SearchTerms;

use super::page::{ROWS, listed, page_answer, page_fields};

/// What is listed when the caller does not say: everything that is not done.
const OPEN: [Status; 3] = [Status::Pending, Status::InProgress, Status::Snoozed];

pub(super) const GET_TASKS: Tool = Tool {
    name: "get_tasks",
    title: "List tasks",
    description: "The user's tasks by filter, due soonest first; open ones unless status says otherwise. Use it for \
                  \"show my tasks\", \"what is due this week\", \"what did I finish\". For what to do now use \
                  get_best_task.",
    effect: Effect::Reads,
    widget: Some(Widget::TaskList),
    progress: ("Looking at your tasks", "Listed your tasks"),
    input: || object(&with(filter_fields(), page_fields())),
    output: || answer(&["tasks", "total", "next_cursor"], page_answer()),
    words: |_, _, arguments| drop(filter(arguments)),
    run: run!(get_tasks),
};

fn filter_fields() -> Value {
    json!({
        "status": {
            "type": "array",
            "items": { "type": "string", "enum": ["pending", "in_progress", "completed", "snoozed"] },
            "maxItems": 4,
        },
        "q": text("Words in title or description", 200),
        "label": plain(50),
        "project_id": { "type": "string", "format": "uuid" },
        "parent_id": { "type": "string", "format": "uuid" },
        "due_before": text("As said, e.g. tomorrow, friday, 2026-12-24", 100),
        "due_after": plain(100),
        "updated_since": text("e.g. yesterday, 7 days ago", 100),
        "sort": { "type": "string", "enum": Sort::NAMES.map(|(name, _)| name) },
    })
}

async fn get_tasks(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let filter = filter(&mut arguments);
    arguments.check()?;
    let by_default = if filter.search.is_some() { Sort::Relevance } else { Sort::DueDate };
    let wanted = arguments.text("sort").and_then(|wanted| Sort::NAMES.into_iter().find(|(name, _)| *name == wanted));
    let list = ListTasks {
        filter,
        sort: wanted.map_or(by_default, |(_, sort)| sort),
        cursor: arguments.text("cursor").map(str::to_owned),
        limit: arguments.number("limit").unwrap_or(ROWS).min(desk.most_rows),
    };
    let page = match list.sort {
        Sort::Score | Sort::ScoreDesc => desk.tasks.list_by_score(caller, &list, None).await?,
        _ => desk.tasks.list(caller, &list).await?.map(|task| (task, None)),
    };
    let eye = desk.eye(caller);
    let rows: Vec<TaskView> =
        page.items.iter().map(|(task, score)| TaskView::compact(task, eye).scored(*score)).collect();
    let head = match rows.len() as u64 {
        0 => "No task fits.".to_owned(),
        shown if shown == page.total => format!("{}:", count(page.total, "task")),
        shown => format!("{shown} of {}:", count(page.total, "task")),
    };
    Ok(listed(head, &rows, page.total, page.next_cursor.as_deref(), eye))
}

fn filter(arguments: &mut Arguments) -> TaskFilter {
    let id = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    // Once each and in one order: it is the same question to a cursor.
    let wanted = arguments.statuses("status").filter(|wanted| !wanted.is_empty()).unwrap_or_else(|| OPEN.to_vec());
    TaskFilter {
        statuses: Status::ALL.into_iter().filter(|status| wanted.contains(status)).collect(),
        search: arguments.text("q").map(SearchTerms::parse),
        label: arguments.text("label").map(|label| label.trim().to_owned()),
        project_id: id(arguments.text("project_id")).map(ProjectId),
        parent_id: id(arguments.text("parent_id")).map(TaskId),
        due_before: arguments.bound("due_before"),
        due_after: arguments.from("due_after"),
        updated_since: arguments.since("updated_since"),
    }
}
