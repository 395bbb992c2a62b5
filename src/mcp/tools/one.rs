//! Completing and deleting a task, and how every change of one task is answered.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Success};
use crate::mcp::schemas::{changed, object, pointer};
use crate::mcp::target::{pointed, target};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::{count, line, quoted};
use crate::tasks::filter::{Sort, TaskFilter};
use crate::tasks::lists::ListTasks;
use crate::tasks::pointing::Among;
use crate::tasks::{Ask, Changed, Status, Task};

pub(super) const COMPLETE_TASK: Tool = Tool {
    name: "complete_task",
    title: "Complete a task",
    description: "Marks one task as done. Use it when the user says they finished something (\"done with dentist\").",
    effect: Effect::Sets,
    widget: Some(Widget::TaskCard),
    progress: ("Completing the task", "Completed the task"),
    input: || object(&pointer()),
    output: changed,
    words: |_, _, arguments| pointed(arguments),
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
    words: |_, _, arguments| pointed(arguments),
    run: run!(delete_task),
};

async fn complete_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let before = target(&desk.tasks, caller, &mut arguments, Among::ToComplete).await?;
    let ask = asked(desk, caller, &arguments, &before, "Completed");
    let changed = desk.tasks.move_to(ask, before.id, Status::Completed).await?;
    Ok(shown(desk.eye(caller), &before, &changed, "Completed"))
}

async fn delete_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let before = target(&desk.tasks, caller, &mut arguments, Among::ToDelete).await?;
    let parts = TaskFilter { parent_id: Some(before.id), ..TaskFilter::default() };
    let parts = ListTasks { filter: parts, sort: Sort::CreatedAt, cursor: None, limit: 1 };
    let parts = desk.tasks.list(caller, &parts).await?.total;
    let (id, eye) = (before.id, desk.eye(caller));
    let gone = move |deleted: &Changed<()>| {
        let structured = json!({ "task": TaskView::row(&before, eye), "changed": true });
        let with = if parts > 0 { format!(" and its {}", count(parts, "subtask")) } else { String::new() };
        let text = format!("Deleted {}{with}. The tool undo brings it back.", quoted(&before.title));
        Success::new(text, &structured).undone_by(deleted.undo_token.as_ref())
    };
    let ask = Ask { retry: arguments.retry(gone.clone()), ..desk.ask(caller) };
    let deleted = desk.tasks.delete(ask, id).await?;
    Ok(gone(&deleted))
}

/// A change of one task that the caller asks a tool for.
pub(super) fn asked(
    desk: &Desk,
    caller: &Caller,
    arguments: &Arguments,
    before: &Task,
    done: &'static str,
) -> Ask<Task> {
    let (eye, before) = (desk.eye(caller), before.clone());
    Ask { retry: arguments.retry(move |changed| shown(eye, &before, changed, done)), ..desk.ask(caller) }
}

/// A task after a change, and whether there was one: nothing is reported done that was not.
pub(super) fn shown(eye: Eye, before: &Task, after: &Changed<Task>, done: &str) -> Success {
    let task = TaskView::whole(&after.value, eye);
    let is_changed = after.value.version != before.version;
    let text = if is_changed {
        format!("{done} {}.", line(&task))
    } else {
        format!("Nothing to change: {} is so already.", line(&task))
    };
    Success::new(text, &json!({ "task": task, "changed": is_changed })).undone_by(after.undo_token.as_ref())
}
