//! Changing fields of a task; what is not sent stays.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Refusal};
use crate::mcp::schemas::{changed, object, pointer, task_changes, with};
use crate::mcp::target::target;
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::widgets::Widget;
use crate::tasks::Status;
use crate::tasks::edit::TaskPatch;
use crate::tasks::pointing::Among;

use super::create::fields;
use super::one::shown;

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
    run: run!(update_task),
};

async fn update_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let patch = TaskPatch { status: arguments.text("status").and_then(Status::parse), ..fields(&mut arguments) };
    arguments.check()?;
    if patch == TaskPatch::default() {
        return Err(Refusal::fault("", "Say what to change, such as `title`, `priority`, `due_date` or `labels`"));
    }
    let before = target(&desk.tasks, caller, &mut arguments, Among::Any).await?;
    let changed = desk.tasks.update(desk.ask(caller), before.id, patch).await?;
    Ok(shown(desk, caller, &before, &changed, "Updated"))
}
