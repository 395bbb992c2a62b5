//! What may stand in a policy, as data for editors: facts, functions, constants. What a language server would complete.

use serde::Serialize;
use serde_json::{Value, json};

use crate::scoring::{ContextField, Status, TaskField};

/// The version of the interface between the server and its policies.
pub const INTERFACE_VERSION: u32 = 1;

/// A field of `task` or `ctx`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// `whole`, `bool`, `word`, `text`, `texts` or `map`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it may be `()`.
    pub nullable: bool,
    /// The least value of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The greatest value of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The values of a word.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub words: &'static [&'static str],
    /// What it means.
    pub about: &'static str,
}

/// A function, keyword or operator of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called; each of these runs as it stands.
    pub example: &'static str,
    /// What it gives.
    pub about: &'static str,
}

const TIMES: &[&str] = &["morning", "afternoon", "evening"];
const STATUSES: &[&str] =
    &[Status::Pending.as_str(), Status::InProgress.as_str(), Status::Completed.as_str(), Status::Snoozed.as_str()];
/// Counts are 32 bits wide.
const MOST: i64 = 4_294_967_295;
/// Days from year 1970 to 9999, and minutes.
const DAYS: i64 = 2_932_896;
const MINUTES: i64 = DAYS * 1_440;

const fn field(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, nullable: false, min: None, max: None, words: &[], about }
}

impl Field {
    const fn or_nothing(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn within(mut self, min: i64, max: i64) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self
    }

    const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
}

/// What is known of a field of `task`.
pub fn task_field(name: TaskField) -> Field {
    let text = name.as_str();
    match name {
        TaskField::Priority => field(text, "whole", "from 1 (low) to 5 (high)").within(1, 5),
        TaskField::Status => field(text, "word", "where the task stands").one_of(STATUSES),
        TaskField::HasDue => field(text, "bool", "whether there is a due date"),
        TaskField::IsOverdue => field(text, "bool", "the due moment has come; for a date alone: the day is over"),
        TaskField::DaysUntilDue => {
            field(text, "whole", "calendar days to the due day, negative before today").or_nothing().within(-DAYS, DAYS)
        }
        TaskField::MinutesUntilDue => field(text, "whole", "whole minutes, rounded down, until it is overdue")
            .or_nothing()
            .within(-MINUTES, MINUTES),
        TaskField::EffortMinutes => field(text, "whole", "the estimate in minutes").or_nothing().within(0, MOST),
        TaskField::PreferredTime => {
            field(text, "word", "the part of the day in which it is best done").or_nothing().one_of(TIMES)
        }
        TaskField::AgeDays => field(text, "whole", "calendar days since it was made").within(0, DAYS),
        TaskField::SnoozeCount => field(text, "whole", "how often it was put off").within(0, MOST),
        TaskField::Labels => field(text, "texts", "its labels: `\"home\" in task.labels`, `task.labels.len()`"),
        TaskField::Project => field(text, "text", "the project's name").or_nothing(),
        TaskField::BlockedBy => {
            field(text, "whole", "how many open tasks it waits for: its open parts").within(0, MOST)
        }
        TaskField::Blocks => field(text, "whole", "how many open tasks wait for it").within(0, MOST),
        TaskField::TimesSkipped => field(text, "whole", "how often it was recommended and left").within(0, MOST),
    }
}

/// What is known of a field of `ctx`.
pub fn context_field(name: ContextField) -> Field {
    let text = name.as_str();
    match name {
        ContextField::Hour => field(text, "whole", "the hour of the person's wall clock").within(0, 23),
        ContextField::Minute => field(text, "whole", "the minute of the person's wall clock").within(0, 59),
        ContextField::Weekday => field(text, "whole", "1 (Monday) to 7 (Sunday)").within(1, 7),
        ContextField::DayOfMonth => field(text, "whole", "the day of the month").within(1, 31),
        ContextField::IsWeekend => field(text, "bool", "whether it is Saturday or Sunday"),
        ContextField::Windows => {
            field(text, "map", "`windows.morning.active`; `start` and `end` in minutes since midnight").one_of(TIMES)
        }
        ContextField::MinutesAvailable => {
            field(text, "whole", "how long the person has, in minutes").or_nothing().within(1, 1_440)
        }
        ContextField::Energy => {
            field(text, "word", "how much energy the person has").or_nothing().one_of(&["low", "medium", "high"])
        }
        ContextField::OpenTasks => field(text, "whole", "how many tasks are open").within(0, MOST),
        ContextField::OverdueTasks => field(text, "whole", "how many of them are overdue").within(0, MOST),
    }
}

const fn function(name: &'static str, example: &'static str, about: &'static str) -> Function {
    Function { name, example, about }
}

/// The functions of the language that policies are likely to need.
pub const FUNCTIONS: &[Function] = &[
    function("abs", "(-3).abs()", "the number without its sign"),
    function("ceiling", "1.2.ceiling()", "the next whole number above"),
    function("contains", "[1, 2].contains(1)", "whether an array, map or text holds it; also `1 in [1, 2]`"),
    function("exp", "1.0.exp()", "e to the power of the number"),
    function("filter", "[1, 2].filter(|x| x > 1)", "the items for which the closure holds"),
    function("floor", "1.8.floor()", "the next whole number below"),
    function("index_of", "[1, 2].index_of(2)", "the place of an item, -1 when it is not there"),
    function("is_empty", "[].is_empty()", "whether there is nothing in it"),
    function("keys", "#{ a: 1 }.keys()", "the names of a map"),
    function("len", "[1, 2].len()", "how many items or letters there are"),
    function("ln", "2.0.ln()", "the natural logarithm"),
    function("log", "100.0.log()", "the logarithm to base 10"),
    function("map", "[1, 2].map(|x| x * 2)", "what the closure makes of each item"),
    function("max", "max(1, 2)", "the greater of two numbers"),
    function("min", "min(1, 2)", "the lesser of two numbers"),
    function("reduce", "[1, 2].reduce(|sum, x| sum + x, 0)", "all items brought into one value"),
    function("round", "1.5.round()", "the nearest whole number"),
    function("some", "[1, 2].some(|x| x > 1)", "whether the closure holds for an item"),
    function("all", "[1, 2].all(|x| x > 0)", "whether the closure holds for all items"),
    function("sqrt", "2.0.sqrt()", "the square root"),
    function("starts_with", "\"home\".starts_with(\"ho\")", "whether a text begins so"),
    function("ends_with", "\"home\".ends_with(\"me\")", "whether a text ends so"),
    function("to_float", "3.to_float()", "the number as one with a fraction"),
    function("to_int", "3.7.to_int()", "the number without its fraction"),
    function("to_lower", "\"Home\".to_lower()", "the text in lower case"),
    function("to_string", "3.to_string()", "the value as text; `${…}` between backticks does so by itself"),
    function("to_upper", "\"home\".to_upper()", "the text in upper case"),
    function("values", "#{ a: 1 }.values()", "the values of a map"),
];

const KEYWORDS: [&str; 19] = [
    "const", "let", "fn", "if", "else", "switch", "return", "in", "true", "false", "global", "for", "while", "loop",
    "do", "until", "break", "continue", "try",
];

/// All of it.
pub fn schema() -> Value {
    let task: Vec<Field> = TaskField::ALL.iter().map(|name| task_field(*name)).collect();
    let ctx: Vec<Field> = ContextField::ALL.iter().map(|name| context_field(*name)).collect();
    json!({
        "interface_version": INTERFACE_VERSION,
        "task": task,
        "ctx": ctx,
        "ctx_params": "the values of the script's own PARAMS: `ctx.params.<name>`",
        "entry_points": [
            { "name": "score", "parameters": ["task", "ctx"], "required": true, "returns": "a finite number" },
            { "name": "explain", "parameters": ["task", "ctx"], "required": true,
              "returns": "a map: `total`, `parts` (each with `name`, `points` and, if wanted, `value`, `weight`), `recommendation`" },
            { "name": "eligible", "parameters": ["task", "ctx"], "required": false, "returns": "false leaves the task out" },
        ],
        "constants": [
            { "name": "WINDOWS", "form": "#{ morning: [\"06:00\", \"12:00\"], afternoon: […], evening: […] }",
              "about": "the parts of the day of people who have set none" },
            { "name": "RANGE", "form": "#{ min: 0.0, max: 100.0 }", "about": "a score outside is a fault" },
            { "name": "PARAMS", "form": "#{ name: #{ type, default, … } }", "about": "what operators and people may set" },
        ],
        "params": {
            "number": ["min", "max", "default", "label", "user"],
            "whole": ["min", "max", "default", "label", "user"],
            "bool": ["default", "label", "user"],
            "word": ["words", "default", "label", "user"],
        },
        "functions": FUNCTIONS,
        "keywords": KEYWORDS,
        "not_available": ["eval", "import", "export", "print", "debug", "curry", "sleep", "timestamp", "rand", "this"],
    })
}
