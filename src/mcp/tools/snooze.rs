//! Putting a task off.

use serde_json::json;

use crate::accounts::Caller;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Kind, Outcome, Refusal};
use crate::mcp::schemas::{changed, number, object, pointer, text, with};
use crate::mcp::target::target;
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::widgets::Widget;
use crate::mcp::wording::quoted;
use crate::tasks::Status;
use crate::tasks::pointing::Among;
use crate::tasks::ranking::SnoozeWish;

use super::one::shown;

pub(super) const SNOOZE_TASK: Tool = Tool {
    name: "snooze_task",
    title: "Snooze a task",
    description: "Puts one task off: it is not recommended until then. Use it for \"later\", \"not today\", \"remind me \
                  monday\". Give one of phrase, minutes, until. The due date stays.",
    effect: Effect::Sets,
    widget: Some(Widget::TaskCard),
    progress: ("Snoozing the task", "Snoozed the task"),
    input: || {
        let wishes = json!({
            "phrase": text("As said: monday morning, in 2 hours", 100),
            "minutes": number("So many minutes from now", 1, 525_600),
            "until": text("A moment in ISO 8601", 100),
        });
        object(&with(pointer(), wishes))
    },
    output: changed,
    run: run!(snooze_task),
};

async fn snooze_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let wish = wish(&arguments)?;
    let until = desk.tasks.snooze_until(caller, wish)?;
    let before = target(&desk.tasks, caller, &mut arguments, Among::Open).await?;
    if before.status == Status::Completed {
        let message = format!(
            "Nothing was done: {} is completed. Reopen it first, if it is to be done again.",
            quoted(&before.title)
        );
        return Err(Refusal::new(Kind::Conflict, message));
    }
    let changed = desk.tasks.snooze(desk.ask(caller), before.id, until).await?;
    Ok(shown(desk, caller, &before, &changed, "Snoozed"))
}

fn wish(arguments: &Arguments) -> Result<SnoozeWish, Refusal> {
    match (arguments.text("phrase"), arguments.number("minutes"), arguments.text("until")) {
        (Some(phrase), None, None) => Ok(SnoozeWish::Phrase(phrase.to_owned())),
        (None, Some(minutes), None) => Ok(SnoozeWish::Minutes(minutes)),
        (None, None, Some(until)) => match crate::calendar::parse_moment(until, arguments.day().zone) {
            Ok(until) => Ok(SnoozeWish::Until(until)),
            // A model that puts words where a moment belongs means the words.
            Err(crate::calendar::DateError::Form) => Ok(SnoozeWish::Phrase(until.to_owned())),
            Err(error) => Err(Refusal::fault("until", error.to_string())),
        },
        (None, None, None) => {
            Err(Refusal::fault("phrase", "or `minutes` or `until` is needed: ask the user until when"))
        }
        _ => Err(Refusal::fault("phrase", "must come alone: give one of `phrase`, `minutes` and `until`")),
    }
}
