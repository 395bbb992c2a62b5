//! Making tasks: one, or up to twenty-five, all of them or none.

use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::ids::{ProjectId, TaskId};
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Refusal, Success};
use crate::mcp::retries::replayed;
use crate::mcp::schemas::{answer, object, object_with, task_fields, tasks, text, with};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::line;
use crate::tasks::batch::{Action, Operation, Outcome as Made};
use crate::tasks::edit::{Patch, TaskPatch};
use crate::tasks::{Ask, Changed, Fault, Status, TaskError};

/// The most tasks of one call.
const MOST: usize = 25;

pub(super) const CREATE_TASK: Tool = Tool {
    name: "create_task",
    title: "Create tasks",
    description: "Makes one task, or up to 25 with tasks (all or none). Use it when the user wants to remember or plan \
                  something. Send only what they said; do not invent dates, priorities or efforts.",
    effect: Effect::Adds,
    widget: Some(Widget::TaskCard),
    progress: ("Writing it down", "Written down"),
    input: || {
        let more = json!({
            "tasks": {
                "type": "array",
                "description": "Several at once, instead of the fields above",
                "items": object_with(&["title"], &task_fields()),
                "minItems": 1,
                "maxItems": MOST,
            },
            "idempotency_key": text("Same key, same call: made once", 200),
        });
        object(&with(task_fields(), more))
    },
    output: || answer(&["tasks"], json!({ "tasks": tasks(), "undo_token": { "type": "string" } })),
    words: |_, _, arguments| drop(operations(arguments)),
    run: run!(create_task),
};

async fn create_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let operations = operations(&mut arguments);
    arguments.check()?;
    let eye = desk.eye(caller);
    let several = arguments.has("tasks");
    let ask = Ask { retry: arguments.retry(move |changed| success(changed, eye)), ..desk.ask(caller) };
    match desk.tasks.batch(ask, operations).await {
        Ok(changed) => Ok(success(&changed, eye)),
        Err(TaskError::Replayed(answer)) => replayed(&answer),
        Err(TaskError::Invalid(faults)) => {
            Err(Refusal::invalid(faults.into_iter().map(|fault| in_the_call(&fault, several)).collect()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the task or the rows; every fault of every row is noted.
fn operations(arguments: &mut Arguments) -> Vec<Operation> {
    if !arguments.says("tasks") {
        if !arguments.says("title") {
            arguments.fault("title", "is required: say what is to be done, or give several as `tasks`");
        }
        return vec![Action::Create(new_task(arguments)).into()];
    }
    for name in task_fields().as_object().into_iter().flat_map(|fields| fields.keys()) {
        if arguments.has(name) {
            arguments.fault(name, "must be left out when `tasks` is given: say it in each row");
        }
    }
    let rows = arguments.list("tasks").map(<[Value]>::to_vec).unwrap_or_default();
    let operation = |(index, row): (usize, &Value)| {
        let mut row = arguments.row(row);
        let patch = new_task(&mut row);
        arguments.note(row.take_faults(&format!("/tasks/{index}")));
        Action::Create(patch).into()
    };
    rows.iter().enumerate().map(operation).collect()
}

/// A new task: what was not said has its default.
fn new_task(arguments: &mut Arguments) -> TaskPatch {
    TaskPatch { status: Some(Status::Pending), ..fields(arguments) }
}

/// The fields of a task that a call sets; shared with `update_task`.
pub(super) fn fields(arguments: &mut Arguments) -> TaskPatch {
    let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    TaskPatch {
        title: arguments.text("title").map(str::to_owned),
        description: arguments.text_patch("description"),
        priority: arguments.priority("priority"),
        due: arguments.due("due_date"),
        effort_minutes: arguments.patch("effort_estimate_minutes", |value| u32::try_from(value.as_u64()?).ok()),
        preferred_time: arguments.time_of_day("preferred_time"),
        labels: arguments.texts("labels"),
        project_id: arguments.patch("project_id", |value| id(value).map(ProjectId)),
        parent_id: arguments.patch("parent_id", |value| id(value).map(TaskId)),
        status: None,
        snoozed_until: Patch::Keep,
    }
}

/// Where the caller wrote what a fault of the batch is about.
fn in_the_call(fault: &Fault, several: bool) -> Fault {
    let place = fault.field.strip_prefix("/operations/").unwrap_or(&fault.field);
    let (index, rest) = place.split_once('/').unwrap_or((place, ""));
    let rest = rest.strip_prefix("task").map_or_else(|| format!("/{rest}"), str::to_owned);
    let field = if several { format!("/tasks/{index}{rest}") } else { rest };
    Fault::new(field, fault.message.clone())
}

fn success(changed: &Changed<Vec<Made>>, eye: Eye) -> Success {
    let made = changed.value.iter().filter_map(|made| match made {
        Made::Created(task) | Made::Stands(task) => Some(TaskView::whole(task, eye)),
        Made::Deleted(_) => None,
    });
    let made: Vec<TaskView> = made.collect();
    let text = match made.as_slice() {
        [only] => format!("Created {}.", line(only)),
        several => {
            let lines = several.iter().map(|task| format!("\n- {}", line(task)));
            format!("Created {} tasks:{}", several.len(), lines.collect::<String>())
        }
    };
    Success::new(text, &json!({ "tasks": made })).undone_by(changed.undo_token.as_ref())
}
