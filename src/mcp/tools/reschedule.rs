//! Moving a due date.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::Outcome;
use crate::mcp::schemas::{changed, due, nullable, object_with, pointer, with};
use crate::mcp::target::{pointed, target};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::widgets::Widget;
use crate::tasks::edit::TaskPatch;
use crate::tasks::pointing::Among;

use super::one::{asked, shown};

pub(super) const RESCHEDULE_TASK: Tool = Tool {
    name: "reschedule_task",
    title: "Reschedule a task",
    description: "Moves the due date of one task and nothing else; null removes it. Use it for \"move it to friday\".",
    effect: Effect::Sets,
    widget: Some(Widget::TaskCard),
    progress: ("Moving the date", "Moved the date"),
    input: || object_with(&["due_date"], &with(pointer(), json!({ "due_date": nullable(due()) }))),
    output: changed,
    words: |_, _, arguments| {
        arguments.due("due_date");
        pointed(arguments);
    },
    run: run!(reschedule_task),
};

async fn reschedule_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let patch = TaskPatch { due: arguments.due("due_date"), ..TaskPatch::default() };
    arguments.check()?;
    let before = target(&desk.tasks, caller, &mut arguments, Among::Open).await?;
    let ask = asked(desk, caller, &arguments, &before, "Rescheduled");
    let changed = desk.tasks.update(ask, before.id, patch).await?;
    Ok(shown(desk.eye(caller), &before, &changed, "Rescheduled"))
}
