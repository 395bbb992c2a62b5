//! Making tasks: one, or up to twenty-five, all of them or none.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::accounts::Caller;
use crate::ids::{ProjectId, TaskId};
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Refusal, Success};
use crate::mcp::schemas::{answer, object, object_with, task_fields, tasks, text, with};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::line;
use crate::tasks::batch::{Action, Operation, Outcome as Made};
use crate::tasks::edit::{Patch, TaskPatch};
use crate::tasks::receipts::{Answer, RetryKey};
use crate::tasks::{Ask, Changed, Fault, Retry, Status, TaskError};

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
    run: run!(create_task),
};

async fn create_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let operations = operations(&mut arguments)?;
    let eye = desk.eye(caller);
    let retry = arguments.text("idempotency_key").map(|key| retry(key, &arguments.asked("idempotency_key"), eye));
    let several = arguments.has("tasks");
    let ask = Ask { retry, ..desk.ask(caller) };
    match desk.tasks.batch(ask, operations).await {
        Ok(changed) => Ok(success(&changed, eye)),
        Err(TaskError::Replayed(answer)) => replayed(&answer),
        Err(TaskError::Invalid(faults)) => {
            Err(Refusal::invalid(faults.into_iter().map(|fault| in_the_call(&fault, several)).collect()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the rows, or every fault of every row.
fn operations(arguments: &mut Arguments) -> Result<Vec<Operation>, Refusal> {
    let Some(rows) = arguments.list("tasks").map(<[Value]>::to_vec) else {
        if arguments.text("title").is_none() {
            return Err(Refusal::fault("title", "is required: say what is to be done, or give several as `tasks`"));
        }
        let patch = new_task(arguments);
        arguments.check()?;
        return Ok(vec![Action::Create(patch).into()]);
    };
    for name in task_fields().as_object().into_iter().flat_map(|fields| fields.keys()) {
        if arguments.has(name) {
            arguments.fault(name, "must be left out when `tasks` is given: say it in each row");
        }
    }
    arguments.check()?;
    let mut faults = Vec::new();
    let operations = rows.iter().enumerate().map(|(index, row)| {
        let mut row = arguments.row(row);
        let patch = new_task(&mut row);
        faults.extend(row.take_faults(&format!("/tasks/{index}")));
        Action::Create(patch).into()
    });
    let operations = operations.collect();
    if faults.is_empty() { Ok(operations) } else { Err(Refusal::invalid(faults)) }
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

fn retry(key: &str, asked: &str, eye: Eye) -> Retry<Vec<Made>> {
    let asked = format!("create_task {asked}");
    Retry {
        // Apart from the keys of the HTTP API, whose answers are written otherwise.
        key: RetryKey { key: format!("mcp {key}"), fingerprint: Sha256::digest(asked).into() },
        render: Arc::new(move |outcome: Result<&Changed<Vec<Made>>, &TaskError>| {
            let body = match outcome {
                Ok(changed) => {
                    let success = success(changed, eye);
                    json!({ "text": success.text, "structured": success.structured })
                }
                Err(error) => json!({ "text": error.to_string() }),
            };
            Answer { status: 200, headers: Vec::new(), body: body.to_string() }
        }),
    }
}

/// The first answer again.
fn replayed(answer: &Answer) -> Outcome {
    let mut kept: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = kept["text"].as_str().unwrap_or_default().to_owned();
    match kept["structured"].take() {
        Value::Null => Err(Refusal::new(crate::mcp::outcome::Kind::Conflict, format!("Nothing was done: {text}."))),
        structured => Ok(Success { text: format!("Already done before. {text}"), structured }),
    }
}

fn success(changed: &Changed<Vec<Made>>, eye: Eye) -> Success {
    let made = changed.value.iter().filter_map(|made| match made {
        Made::Created(task) | Made::Stands(task) => Some(TaskView::whole(task, eye)),
        Made::Deleted(_) => None,
    });
    let made: Vec<TaskView> = made.collect();
    let mut structured = json!({ "tasks": made });
    if let Some(token) = &changed.undo_token {
        structured["undo_token"] = json!(token);
    }
    let text = match made.as_slice() {
        [only] => format!("Created {}.", line(only)),
        several => {
            let lines = several.iter().map(|task| format!("\n- {}", line(task)));
            format!("Created {} tasks:{}", several.len(), lines.collect::<String>())
        }
    };
    Success::new(text, &structured)
}
