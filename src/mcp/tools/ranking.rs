//! What to do now, and why.

use std::fmt::Write as _;

use serde_json::json;

use crate::accounts::Caller;
use crate::scoring::Ranked;
use crate::tasks::explaining::{Candidacy, Explained};
use crate::tasks::filter::TaskFilter;
use crate::tasks::pointing::Among;
use crate::tasks::ranking::{RankQuestion, Standing};
use crate::tasks::{ListRanked, TaskError};

use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Refusal, Success};
use crate::mcp::schemas::{answer, number, object, plain, pointer, task, tasks, text, with};
use crate::mcp::target::{pointed, target};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, LeverView, NextChangeView, PartView, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::{count, line, parts, quoted, score};

use super::page::{ROWS, listed, page_answer, page_fields};

/// How many tasks come after the best one.
const RUNNERS_UP: usize = 3;

pub(super) const GET_BEST_TASK: Tool = Tool {
    name: "get_best_task",
    title: "Best task now",
    description: "The one task to do now, with its score, the reasons and the runners-up. Use it when the user asks what \
                  to do, work on or focus on next, also for a given time (\"I have 20 minutes\"). It changes nothing.",
    effect: Effect::Reads,
    widget: Some(Widget::BestTask),
    progress: ("Weighing your tasks", "Found the best task"),
    input: || object(&question_fields()),
    output: || {
        answer(
            &["task"],
            json!({
                "task": { "anyOf": [task(), { "type": "null" }] },
                "score": { "type": "number" },
                "recommendation": { "type": "string" },
                "parts": { "type": "array", "items": { "type": "object" } },
                "runners_up": tasks(),
                "at": { "type": "string" },
                "time_zone": { "type": "string" },
            }),
        )
    },
    words: |_, _, arguments| drop(question(arguments)),
    run: run!(get_best_task),
};

pub(super) const GET_RANKED_TASKS: Tool = Tool {
    name: "get_ranked_tasks",
    title: "Tasks by rank",
    description: "Open tasks in the order in which they should be done, with scores. Use it for \"what are my top \
                  tasks\" or to compare; for a single answer use get_best_task.",
    effect: Effect::Reads,
    widget: Some(Widget::TaskList),
    progress: ("Ranking your tasks", "Ranked your tasks"),
    input: || object(&with(question_fields(), page_fields())),
    output: || answer(&["tasks", "total", "next_cursor"], page_answer()),
    words: |_, _, arguments| drop(question(arguments)),
    run: run!(get_ranked_tasks),
};

pub(super) const EXPLAIN_TASK: Tool = Tool {
    name: "explain_task",
    title: "Explain a score",
    description: "Why a task has its score: its parts, when it changes by itself, and what would move it. Use it for \
                  \"why this one?\" or \"why is X so low?\".",
    effect: Effect::Reads,
    widget: Some(Widget::TaskCard),
    progress: ("Looking at the score", "Explained the score"),
    input: || object(&with(pointer(), json!({ "at": text("At this moment instead of now", 100) }))),
    output: || {
        answer(
            &["task", "score"],
            json!({
                "task": task(),
                "score": { "type": ["number", "null"] },
                "recommendation": { "type": "string" },
                "parts": { "type": "array", "items": { "type": "object" } },
                "next_change": { "type": "object" },
                "levers": { "type": "array", "items": { "type": "object" } },
                "is_candidate": { "type": "boolean" },
            }),
        )
    },
    words: |_, _, arguments| {
        arguments.moment("at");
        pointed(arguments);
    },
    run: run!(explain_task),
};

fn question_fields() -> serde_json::Value {
    json!({
        "available_minutes": number("Only tasks that fit into this time", 1, 1440),
        "at": text("At this moment instead of now, e.g. tomorrow 9am", 100),
        "policy": plain(64),
    })
}

fn question(arguments: &mut Arguments) -> RankQuestion {
    RankQuestion {
        at: arguments.moment("at"),
        available_minutes: arguments.number("available_minutes"),
        policy: arguments.text("policy").map(str::to_owned),
    }
}

async fn get_best_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let question = question(&mut arguments);
    arguments.check()?;
    let standing = desk.tasks.recommend(caller, &question).await?;
    let eye = Eye { now: standing.moment.now, zone: caller.zone };
    let Some(best) = standing.entries().first() else {
        let text = match question.available_minutes {
            Some(minutes) => format!("No open task fits into {}.", count(minutes.into(), "minute")),
            None => "There is nothing to do now: every task is completed or snoozed.".to_owned(),
        };
        return Ok(Success::new(
            text,
            &json!({ "task": null, "runners_up": [], "at": eye.now.to_string(), "time_zone": caller.zone.name() }),
        ));
    };
    let view = |entry: &Ranked| TaskView::row(standing.task(entry), eye).scored(entry.score);
    let task = TaskView::whole(standing.task(best), eye).scored(best.score);
    let runners_up: Vec<TaskView> = standing.entries().iter().skip(1).take(RUNNERS_UP).map(view).collect();
    let explanation = standing.explain(best);
    let mut structured = json!({
        "task": task,
        "recommendation": explanation.recommendation,
        "parts": PartView::all(explanation),
        "runners_up": runners_up,
        "at": eye.now.to_string(),
        "time_zone": caller.zone.name(),
    });
    if let Some(score) = best.score {
        structured["score"] = json!(score);
    }
    let when = question.at.map_or_else(|| "now".to_owned(), |at| format!("at {}", desk.say(at, caller)));
    Ok(Success::new(best_text(&standing, best, (&task, &runners_up), &when), &structured))
}

fn best_text(standing: &Standing, best: &Ranked, (task, runners_up): (&TaskView, &[TaskView]), when: &str) -> String {
    let explanation = standing.explain(best);
    let mut text = format!("Best {when}: {}.", line(task));
    if let Some(total) = best.score {
        let _ = write!(text, " Score {} = {}.", score(total), parts(explanation));
    }
    text.push(' ');
    text.push_str(&explanation.recommendation);
    if !runners_up.is_empty() {
        let told = runners_up.iter().map(|task| match task.score {
            Some(value) => format!("{} {}", quoted(&task.title), score(value)),
            None => quoted(&task.title),
        });
        let _ = write!(text, "\nThen: {}.", told.collect::<Vec<_>>().join(", "));
    }
    text
}

async fn get_ranked_tasks(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let question = question(&mut arguments);
    arguments.check()?;
    let when = question.at.map(|at| format!(" at {}", desk.say(at, caller))).unwrap_or_default();
    let list = ListRanked {
        question,
        filter: TaskFilter::default(),
        cursor: arguments.text("cursor").map(str::to_owned),
        limit: arguments.number("limit").unwrap_or(ROWS).min(desk.most_rows),
    };
    let standing = desk.tasks.rank_for(caller, &list).await?;
    let page = desk.tasks.list_ranked(caller, &standing, &list).await?;
    let eye = Eye { now: standing.moment.now, zone: caller.zone };
    let view = |entry: &Ranked| TaskView::compact(standing.task(entry), eye).scored(entry.score);
    let rows: Vec<TaskView> = page.items.iter().map(view).collect();
    let head = match rows.len() {
        0 => "No open task.".to_owned(),
        shown => format!("{shown} of {}, best first{when}:", count(page.total, "open task")),
    };
    Ok(listed(head, &rows, page.total, page.next_cursor.as_deref(), eye))
}

async fn explain_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let at = arguments.moment("at");
    arguments.check()?;
    let found = target(&desk.tasks, caller, &mut arguments, Among::Any).await?;
    let question = RankQuestion { at, ..RankQuestion::default() };
    let explained = desk.tasks.explain(caller, found.id, &question, None).await.map_err(gone)?;
    let eye = Eye { now: explained.moment.now, zone: caller.zone };
    let task = TaskView::whole(&explained.task, eye).scored(explained.score);
    let next = explained.next_change.as_ref().map(|change| NextChangeView::of(change, caller.zone));
    let mut structured = json!({
        "task": task,
        "score": explained.score,
        "recommendation": explained.explanation.recommendation,
        "parts": PartView::all(&explained.explanation),
        "levers": explained.levers.iter().map(LeverView::from).collect::<Vec<_>>(),
        "is_candidate": explained.candidacy.is_given(),
    });
    if let Some(next) = next {
        structured["next_change"] = json!(next);
    }
    Ok(Success::new(explained_text(&explained, &task, desk, caller), &structured))
}

/// The task was there a moment ago.
fn gone(error: TaskError) -> Refusal {
    error.into()
}

fn explained_text(explained: &Explained, task: &TaskView, desk: &Desk, caller: &Caller) -> String {
    let mut text = match explained.score {
        Some(total) => {
            format!("{} scores {} = {}.", line(task), score(total), parts(&explained.explanation))
        }
        None => format!("{} has no score.", line(task)),
    };
    text.push_str(match explained.candidacy {
        Candidacy::Given => "",
        Candidacy::NotOpen => " It cannot be recommended while it is completed or snoozed.",
        Candidacy::LeftOut => " The policy leaves it out for now.",
    });
    text.push(' ');
    text.push_str(&explained.explanation.recommendation);
    if let Some(change) = &explained.next_change
        && let Some(value) = change.score
    {
        let _ = write!(text, " By itself it becomes {} at {}.", score(value), desk.say(change.at, caller));
    }
    let mut levers: Vec<LeverView> = explained.levers.iter().map(LeverView::from).collect();
    levers.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
    for lever in levers.iter().take(3) {
        let sign = if lever.difference < 0.0 { "" } else { "+" };
        let value = lever.value.as_str().map_or_else(|| lever.value.to_string(), str::to_owned);
        let _ = write!(text, "\n{} {value}: {sign}{}", lever.field.replace('_', " "), score(lever.difference));
    }
    text
}
