//! A plan for a day.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Outcome, Success};
use crate::mcp::schemas::{answer, number, object, plain, task, tasks, text};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::widgets::Widget;
use crate::mcp::wording::{count, quoted};
use crate::tasks::plan::{DayPlan, PlanQuestion};
use crate::tasks::wording::say_clock;

pub(super) const PLAN_DAY: Tool = Tool {
    name: "plan_day",
    title: "Plan the day",
    description: "Lays the ranked tasks into the time that is left today, or into another day, one after the other. Use \
                  it for \"plan my day\" or \"what can I get done by six\". It is a proposal and changes nothing.",
    effect: Effect::Reads,
    widget: Some(Widget::TaskList),
    progress: ("Planning your day", "Planned your day"),
    input: || {
        object(&json!({
            "date": text("Another day, e.g. tomorrow, friday", 100),
            "at": text("From this moment on, instead of now", 100),
            "available_minutes": number("So much time, instead of until the evening ends", 1, 1440),
            "policy": plain(64),
        }))
    },
    output: || {
        let slot = json!({
            "type": "object",
            "properties": {
                "start": { "type": "string" },
                "end": { "type": "string" },
                "start_text": { "type": "string" },
                "end_text": { "type": "string" },
                "task": task(),
            },
            "required": ["start", "end", "task"],
        });
        let properties = json!({
            "date": { "type": "string" },
            "time_zone": { "type": "string" },
            "slots": { "type": "array", "items": slot },
            "left_out": tasks(),
            "planned_minutes": { "type": "integer" },
        });
        answer(&["date", "slots", "left_out", "planned_minutes"], properties)
    },
    words: |_, _, arguments| drop(question(arguments)),
    run: run!(plan_day),
};

async fn plan_day(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let question = question(&mut arguments);
    arguments.check()?;
    let plan = desk.tasks.plan_day(caller, question).await?;
    let eye = desk.eye(caller);
    let most = usize::try_from(desk.most_rows).unwrap_or(usize::MAX);
    let slots = slots(&plan, most, eye);
    let left_out: Vec<TaskView> = plan
        .left_out
        .iter()
        .take(most - slots.len())
        .map(|left| TaskView::row(&left.task, eye).scored(left.score))
        .collect();
    let structured = json!({
        "date": plan.date.to_string(),
        "time_zone": caller.zone.name(),
        "slots": slots,
        "left_out": left_out,
        "planned_minutes": plan.planned_minutes,
    });
    Ok(Success::new(planned(&plan, most, eye), &structured))
}

fn question(arguments: &mut Arguments) -> PlanQuestion {
    PlanQuestion {
        at: arguments.moment("at"),
        date: arguments.date("date"),
        available_minutes: arguments.number("available_minutes"),
        policy: arguments.text("policy").map(str::to_owned),
    }
}

fn slots(plan: &DayPlan, most: usize, eye: Eye) -> Vec<Value> {
    let slot = |slot: &crate::tasks::plan::Slot| {
        json!({
            "start": slot.start.to_string(),
            "end": slot.end.to_string(),
            "start_text": say_clock(slot.start, eye.zone),
            "end_text": say_clock(slot.end, eye.zone),
            "task": TaskView::row(&slot.task, eye).scored(slot.score),
        })
    };
    plan.slots.iter().take(most).map(slot).collect()
}

fn planned(plan: &DayPlan, most: usize, eye: Eye) -> String {
    let day = plan.date.format("%a %-d %b %Y");
    let clock = |moment: Timestamp| say_clock(moment, eye.zone);
    if plan.slots.is_empty() {
        let reason = match plan.until <= plan.from {
            true => "the day is over",
            false if plan.left_out.is_empty() => "there is no open task",
            false => "no task fits into the time there is",
        };
        return format!("Nothing is planned for {day}: {reason}.");
    }
    let mut text = format!("Plan for {day}, {} of work:", count(plan.planned_minutes.into(), "minute"));
    for slot in plan.slots.iter().take(most) {
        let _ = write!(text, "\n- {}-{} {}", clock(slot.start), clock(slot.end), quoted(&slot.task.title));
    }
    if plan.slots.len() > most {
        let _ = write!(text, "\nAnd {} after that.", count((plan.slots.len() - most) as u64, "task"));
    }
    if plan.left_out_total > 0 {
        let total = u64::try_from(plan.left_out_total).unwrap_or(u64::MAX);
        let _ = write!(text, "\nNo room for {}.", count(total, "task"));
    }
    text
}
