//! Completing and deleting a task, and how every change of one task is answered.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Success};
use crate::mcp::schemas::{changed, object, pointer};
use crate::mcp::target::target;
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::TaskView;
use crate::mcp::widgets::Widget;
use crate::mcp::wording::{count, line, quoted};
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::pointing::Among;
use crate::tasks::{Changed, Status, Task};

pub(super) const COMPLETE_TASK: Tool = Tool {
    name: "complete_task",
    title: "Complete a task",
    description: "Marks one task as done. Use it when the user says they finished something (\"done with dentist\").",
    effect: Effect::Sets,
    widget: Some(Widget::TaskCard),
    progress: ("Completing the task", "Completed the task"),
    input: || object(&pointer()),
    output: changed,
    run: run!(complete_task),
};

pub(super) const DELETE_TASK: Tool = Tool {
    name: "delete_task",
    title: "Delete a task",
    description: "Deletes one task with its subtasks; undo brings it back. Only when the user wants it gone: finished \
                  tasks are completed, not deleted.",
    effect: Effect::Deletes,
    widget: None,
    progress: ("Deleting the task", "Deleted the task"),
    input: || object(&pointer()),
    output: changed,
    run: run!(delete_task),
};

async fn complete_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let before = target(&desk.tasks, caller, &mut arguments, Among::Open).await?;
    let changed = desk.tasks.move_to(desk.ask(caller), before.id, Status::Completed).await?;
    Ok(shown(desk, caller, &before, &changed, "Completed"))
}

async fn delete_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let before = target(&desk.tasks, caller, &mut arguments, Among::Any).await?;
    let parts = TaskFilter { parent_id: Some(before.id), ..TaskFilter::default() };
    let parts = ListTasks { filter: parts, sort: Sort::CreatedAt, cursor: None, limit: 1 };
    let parts = desk.tasks.list(caller, &parts).await?.total;
    let deleted = desk.tasks.delete(desk.ask(caller), before.id).await?;
    let mut structured = json!({ "task": TaskView::row(&before, desk.eye(caller)), "changed": true });
    if let Some(token) = deleted.undo_token {
        structured["undo_token"] = json!(token);
    }
    let with = if parts > 0 { format!(" and its {}", count(parts, "subtask")) } else { String::new() };
    Ok(Success::new(format!("Deleted {}{with}. The tool undo brings it back.", quoted(&before.title)), &structured))
}

/// A task after a change, and whether there was one: nothing is reported done that was not.
pub(super) fn shown(desk: &Desk, caller: &Caller, before: &Task, after: &Changed<Task>, done: &str) -> Success {
    let task = TaskView::whole(&after.value, desk.eye(caller));
    let is_changed = after.value.version != before.version;
    let text = if is_changed {
        format!("{done} {}.", line(&task))
    } else {
        format!("Nothing to change: {} is so already.", line(&task))
    };
    let mut structured = json!({ "task": task, "changed": is_changed });
    if let Some(token) = &after.undo_token {
        structured["undo_token"] = json!(token);
    }
    Success::new(text, &structured)
}
