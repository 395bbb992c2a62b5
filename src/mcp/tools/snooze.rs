//! Putting a task off.

use serde_json::json;

use crate::accounts::Caller;
use crate::calendar::{self, DateError};
use crate::clock::Timestamp;
use crate::mcp::arguments::Arguments;
use crate::mcp::outcome::{Kind, Outcome, Refusal};
use crate::mcp::schemas::{changed, number, object, pointer, text, with};
use crate::mcp::target::{pointed, target};
use crate::mcp::tool::{Effect, Tool, run};
use crate::mcp::toolbox::Desk;
use crate::mcp::widgets::Widget;
use crate::mcp::wording::quoted;
use crate::tasks::pointing::Among;
use crate::tasks::ranking::SnoozeWish;
use crate::tasks::{Fault, Status, TaskError};

use super::one::{asked, shown};

pub(super) const SNOOZE_TASK: Tool = Tool {
    name: "snooze_task",
    title: "Snooze a task",
    description: "Puts one task off: it is not recommended until then. Use it for \"later\", \"not today\", \"remind me \
                  monday\". Give one of phrase, minutes, until. The due date stays.",
    // So many minutes from now are other ones a minute later.
    effect: Effect::Adds,
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
    words: |desk, caller, arguments| {
        until(desk, caller, arguments);
        pointed(arguments);
    },
    run: run!(snooze_task),
};

async fn snooze_task(desk: &Desk, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let until = until(desk, caller, &mut arguments);
    let before = target(&desk.tasks, caller, &mut arguments, Among::Open).await?;
    if before.status == Status::Completed {
        let message = format!(
            "Nothing was done: {} is completed. Reopen it first, if it is to be done again.",
            quoted(&before.title)
        );
        return Err(Refusal::new(Kind::Conflict, message));
    }
    let Some(until) = until else { return Err(Refusal::fault(WISHES[0], MISSING)) };
    let ask = asked(desk, caller, &arguments, &before, "Snoozed");
    let changed = desk.tasks.snooze(ask, before.id, until).await?;
    Ok(shown(desk.eye(caller), &before, &changed, "Snoozed"))
}

/// The ways to say until when.
const WISHES: [&str; 3] = ["phrase", "minutes", "until"];
const MISSING: &str = "is missing: say until when, by one of phrase, minutes and until; ask the user";

/// Until when the task is put off; what is wrong with that is noted.
fn until(desk: &Desk, caller: &Caller, arguments: &mut Arguments) -> Option<Timestamp> {
    let given: Vec<&str> = WISHES.into_iter().filter(|name| arguments.says(name)).collect();
    let [name] = given[..] else {
        if given.is_empty() {
            arguments.fault(WISHES[0], MISSING);
        }
        for name in given {
            arguments.fault(name, "must come alone: give one of phrase, minutes and until");
        }
        return None;
    };
    let told = match wish(arguments)? {
        Ok(wish) => desk.tasks.snooze_until(caller, wish),
        Err(error) => Err(TaskError::fault("/until", error.to_string())),
    };
    match told {
        Ok(until) => Some(until),
        Err(TaskError::Invalid(faults)) => {
            // Words in `until` are read as a phrase.
            arguments.note(faults.into_iter().map(|fault| Fault::new(format!("/{name}"), fault.message)).collect());
            None
        }
        Err(_) => None,
    }
}

fn wish(arguments: &Arguments) -> Option<Result<SnoozeWish, DateError>> {
    if let Some(minutes) = arguments.number("minutes") {
        return Some(Ok(SnoozeWish::Minutes(minutes)));
    }
    if let Some(phrase) = arguments.text("phrase") {
        return Some(Ok(SnoozeWish::Phrase(phrase.to_owned())));
    }
    let until = arguments.text("until")?;
    Some(match calendar::parse_moment(until, arguments.day().zone) {
        Ok(until) => Ok(SnoozeWish::Until(until)),
        // A model that puts words where a moment belongs means the words.
        Err(DateError::Form) => Ok(SnoozeWish::Phrase(until.to_owned())),
        Err(error) => Err(error),
    })
}
