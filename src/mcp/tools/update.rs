//! Changing fields of a task; what is not sent stays.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::Outcome;
use crate::mcp::schemas::{changed, object, pointer, task_changes, with};
use crate::mcp::target::{pointed, target};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::widgets::Widget;
use crate::tasks::Status;
use crate::tasks::edit::TaskPatch;
use crate::tasks::pointing::Among;

use super::create::fields;
use super::one::{asked, shown};

pub(super) const UPDATE_TASK: Tool = Tool {
    name: "update_task",
    title: "Update a task",
    description: "Changes fields of one task: what is not sent stays, null empties. Status pending reopens a completed \
                  task, in_progress starts one. To put off use snooze_task, to move a date reschedule_task.",
    effect: Effect::Patches,
    widget: Some(Widget::TaskCard),
    progress: ("Changing the task", "Changed the task"),
    input: || {
        let status = json!({ "status": { "type": "string", "enum": ["pending", "in_progress", "completed"] } });
        object(&with(with(pointer(), task_changes()), status))
    },
    output: changed,
    words: |_, _, arguments| {
        patch(arguments);
        pointed(arguments);
    },
    run: run!(update_task),
};

async fn update_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let patch = patch(&mut arguments);
    arguments.check()?;
    let before = target(&desk.tasks, caller, &mut arguments, Among::Any).await?;
    let ask = asked(desk, caller, &arguments, &before, "Updated");
    let changed = desk.tasks.update(ask, before.id, patch).await?;
    Ok(shown(desk.eye(caller), &before, &changed, "Updated"))
}

fn patch(arguments: &mut Arguments) -> TaskPatch {
    let is_sent = |(name, _): (&String, _)| arguments.has(name);
    if !arguments.has("status") && !task_changes().as_object().into_iter().flatten().any(is_sent) {
        arguments.fault("", "changes nothing: send a field such as title, priority, due_date or labels");
    }
    TaskPatch { status: arguments.text("status").and_then(Status::parse), ..fields(arguments) }
}
