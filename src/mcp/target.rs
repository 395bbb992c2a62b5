//! Which task a call is about: its id, or the words of a person. Never a guess.

use crate::accounts::Caller;
use crate::ids::TaskId;
use crate::tasks::pointing::{Among, Found, SEVERAL_MAX};
use crate::tasks::{Task, TaskError, Tasks};

use super::arguments::Arguments;
use super::outcome::{Kind, Refusal};
use super::views::{Eye, TaskView};
use super::wording::{candidate, quoted};

/// Finds the one task that `id` or `query` points at.
///
/// # Errors
///
/// Neither or both were given, there is no such task, or the words fit several, which are listed.
pub async fn target(tasks: &Tasks, caller: &Caller, arguments: &mut Arguments, among: Among) -> Result<Task, Refusal> {
    pointed(arguments);
    arguments.check()?;
    let eye = Eye { now: arguments.day().now, zone: caller.zone };
    if let Some(Ok(id)) = arguments.text("id").map(str::parse) {
        return tasks.get_task(caller, TaskId(id)).await.map_err(missing);
    }
    // A model that puts words where an id belongs means the words.
    let words = arguments.text("query").or_else(|| arguments.text("id")).unwrap_or_default();
    by_words(tasks, caller, words, among, eye).await
}

/// Notes when a call does not say which task, or says it twice.
pub fn pointed(arguments: &mut Arguments) {
    match (arguments.says("id"), arguments.says("query")) {
        (true, true) => arguments.fault("query", "must be left out when an id is given"),
        (false, false) => arguments.fault("id", "is missing: say which task, by its id or with words in query"),
        (true, false) | (false, true) => {}
    }
}

/// What is said when an id leads nowhere.
pub fn missing(error: TaskError) -> Refusal {
    match error {
        TaskError::NotFound(_) => Refusal::new(
            Kind::NotFound,
            "Nothing was done: there is no task with this id. Say it in words with `query`, or look with get_tasks.",
        ),
        other => Refusal::from(other),
    }
}

async fn by_words(tasks: &Tasks, caller: &Caller, words: &str, among: Among, eye: Eye) -> Result<Task, Refusal> {
    match tasks.find_by_words(caller, words, among).await? {
        Found::One(task) => Ok(*task),
        Found::None => Err(Refusal::new(
            Kind::NotFound,
            format!("Nothing was done: no task fits {}. Use other words, or look with get_tasks.", quoted(words)),
        )),
        Found::Gone { task, others } => {
            let kind = if others.is_empty() { Kind::NotFound } else { Kind::Ambiguous };
            let mut message = format!("Nothing was done: {} was deleted a moment ago.", quoted(&task.title));
            if !others.is_empty() {
                message.push_str(" There is another of this title. If it is meant, call again with its id.");
            }
            Err(asking(kind, message, &others, eye))
        }
        Found::Several(several) => {
            let many = if several.len() < SEVERAL_MAX as usize { "" } else { "at least " };
            let message = format!(
                "Nothing was done: {many}{} tasks fit {}. Ask which one is meant, then call again with its id.",
                several.len(),
                quoted(words)
            );
            Err(asking(Kind::Ambiguous, message, &several, eye))
        }
    }
}

/// A refusal that asks which of these tasks is meant.
fn asking(kind: Kind, message: String, among: &[Task], eye: Eye) -> Refusal {
    let candidates: Vec<TaskView> = among.iter().map(|task| TaskView::row(task, eye)).collect();
    let lines = candidates.iter().map(candidate).collect();
    Refusal { candidates, lines, ..Refusal::new(kind, message) }
}
