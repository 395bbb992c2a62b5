//! Taking changes back.

use std::time::Duration;

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Kind, Outcome, Refusal, Success};
use crate::mcp::schemas::{answer, object, tasks, text};
use crate::mcp::tool::{Effect, Tool, no_words, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::line;
use crate::tasks::undo::Undone;
use crate::tasks::{Ask, Changed, TaskError};

/// How far back "undo that" reaches.
const REACH: Duration = Duration::from_mins(10);

pub(super) const UNDO: Tool = Tool {
    name: "undo",
    title: "Undo",
    description: "Takes a change back: the one of undo_token, or else the user's latest of the last 10 minutes made \
                  through these tools, and says which it was. Use it for \"undo that\" or \"oops\".",
    effect: Effect::Adds,
    widget: Some(Widget::TaskList),
    progress: ("Taking it back", "Took it back"),
    input: || object(&json!({ "undo_token": text("From the result of the change", 200) })),
    output: || answer(&["undone", "tasks"], json!({ "undone": { "type": "string" }, "tasks": tasks() })),
    words: no_words,
    run: run!(undo),
};

async fn undo(desk: &Desk, caller: &Caller, arguments: Arguments) -> Outcome {
    let eye = desk.eye(caller);
    let ask = Ask { retry: arguments.retry(move |undone| told(undone, eye)), ..desk.ask(caller) };
    let undone = match arguments.text("undo_token") {
        Some(token) => desk.tasks.undo(ask, token.to_owned()).await,
        None => desk.tasks.undo_latest(ask, REACH).await.map_err(|error| match error {
            TaskError::NotFound(_) => TaskError::NotFound(NO_CHANGE),
            other => other,
        }),
    };
    match undone {
        Ok(undone) => Ok(told(&undone, eye)),
        Err(TaskError::NotFound(NO_CHANGE)) => {
            let message = "Nothing was undone: no change was made through these tools in the last 10 minutes.";
            Err(Refusal::new(Kind::NotFound, message))
        }
        Err(error) => Err(error.into()),
    }
}

fn told(changed: &Changed<Undone>, eye: Eye) -> Success {
    let undone = &changed.value;
    let gone: Vec<TaskView> = undone.gone.iter().map(|task| TaskView::row(task, eye)).collect();
    let tasks: Vec<TaskView> = undone.tasks.iter().map(|task| TaskView::whole(task, eye)).collect();
    let mut text = format!("Undone: {}.", in_words(&undone.action));
    text.extend(tasks.iter().map(|task| format!("\n- again {}", line(task))));
    text.extend(gone.iter().map(|task| format!("\n- gone {}", line(task))));
    Success::new(text, &json!({ "undone": undone.action, "tasks": tasks })).undone_by(changed.undo_token.as_ref())
}

/// What marks that there was nothing to take back, apart from a token that is unknown.
const NO_CHANGE: &str = "recent change";

fn in_words(action: &str) -> &str {
    match action {
        "task.created" | "task.batch" => "what was made",
        "task.updated" => "the change",
        "task.completed" => "the completion",
        "task.started" => "the start",
        "task.reopened" => "the reopening",
        "task.snoozed" => "the snooze",
        "task.deleted" => "the deletion",
        _ => "the last change",
    }
}
