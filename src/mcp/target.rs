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
    let eye = Eye { now: arguments.day().now, zone: caller.zone };
    match (arguments.text("id"), arguments.text("query")) {
        (Some(_), Some(_)) => Err(Refusal::fault("query", "must be left out when `id` is given")),
        (None, None) => Err(Refusal::fault("id", "or `query` is needed: say which task, by its id or in words")),
        (Some(id), None) => match id.parse() {
            Ok(id) => tasks.get_task(caller, TaskId(id)).await.map_err(missing),
            // A model that puts words where an id belongs means the words.
            Err(_) => by_words(tasks, caller, id, among, eye).await,
        },
        (None, Some(words)) => by_words(tasks, caller, words, among, eye).await,
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
        Found::Several(several) => {
            let candidates: Vec<TaskView> = several.iter().map(|task| TaskView::row(task, eye)).collect();
            let many = if candidates.len() < SEVERAL_MAX as usize { "" } else { "at least " };
            let message = format!(
                "Nothing was done: {many}{} tasks fit {}. Ask which one is meant, then call again with its id.",
                candidates.len(),
                quoted(words)
            );
            let lines = candidates.iter().map(candidate).collect();
            Err(Refusal { candidates, lines, ..Refusal::new(Kind::Ambiguous, message) })
        }
    }
}
