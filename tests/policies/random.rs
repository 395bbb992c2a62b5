//! Random policies of the compilable language, and random tasks and moments for them.
//!
//! The tests and the fuzz target share this. Policies are of the right types for the most part, so that they get far;
//! now and then a number may be absent, overflow or be divided by zero, as in policies that people write.

#[path = "random/choices.rs"]
mod choices;
#[path = "random/expressions.rs"]
mod expressions;
#[path = "random/facts.rs"]
mod facts;
#[path = "random/statements.rs"]
mod statements;

pub(crate) use choices::Choices;
pub(crate) use facts::{moment, task};

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number.
    Whole,
    /// A float.
    Float,
    /// Either, depending on the task.
    Number,
    /// A truth value.
    Truth,
    /// A text.
    Text,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Whole, Self::Float, Self::Number, Self::Truth, Self::Text];
}

/// What the check says of a fact that is compared with a word it can never be: the one mistake that is made here.
pub(crate) const MISSPELT: &str = "` is never `";

/// Words that tasks, moments and scripts have in common.
pub(crate) const WORDS: [&str; 10] =
    ["pending", "in_progress", "snoozed", "morning", "afternoon", "evening", "low", "high", "Garden", "urgent"];

const CONSTANTS: &str = r#"
const W = #{ a: 0.1, b: 0.2, c: 3, d: -2.5, sum: 0.30000000000000004, none: () };
const BY_STATUS = #{ pending: 1.5, in_progress: 2.25, snoozed: -0.5 };
const BY_TIME = #{ morning: 3, afternoon: 5, evening: 7 };
const BY_ANY = #{ Garden: 1, urgent: 2.5, pending: 3, high: 4.0 };
const NEXT = #{ morning: "afternoon", afternoon: "evening", evening: "morning", low: "high", high: "low" };
const DEEP = #{ pending: #{ x: 1.5, y: 2 }, in_progress: #{ x: 0.1, y: 3 }, snoozed: #{ x: -4.0, y: 0 } };
const LIST = [1, 2, 3, 5, 8, 13];
const FLOATS = [0.1, 0.2, 0.3, 1e300, -0.0];
const TEXTS = ["Garden", "urgent", "low"];
const LIMIT = 7;
const PARAMS = #{
    scale: #{ type: "number", min: -10.0, max: 1e6, default: 0.1 },
    steps: #{ type: "whole", min: -3, max: 9000000000000000000, default: 2 },
    loud: #{ type: "bool", default: false },
    mood: #{ type: "word", words: ["urgent", "low", "Garden"], default: "low" },
};
"#;

/// Writes one policy.
pub(crate) struct Writer<'a, 'b> {
    choices: &'a mut Choices<'b>,
    /// The variables and what they are, the innermost last.
    locals: Vec<(String, Kind)>,
    /// The helpers written so far: their names, parameters and results.
    helpers: Vec<(String, Vec<Kind>, Kind)>,
    names: usize,
}

/// A random policy.
pub(crate) fn policy(choices: &mut Choices<'_>) -> String {
    let mut writer = Writer { choices, locals: Vec::new(), helpers: Vec::new(), names: 0 };
    let mut text = CONSTANTS.to_owned();
    for number in 0..writer.choices.below(4) {
        text.push_str(&writer.helper(number));
    }
    let kind = writer.choices.pick(&[Kind::Float, Kind::Float, Kind::Whole, Kind::Number]);
    text.push_str(&writer.function("score", &[], kind));
    if writer.choices.percent(30) {
        text.push_str(&writer.function("eligible", &[], Kind::Truth));
    }
    text.push_str("fn explain(task, ctx) { #{ total: score(task, ctx), parts: [], recommendation: \"\" } }\n");
    text
}

impl Writer<'_, '_> {
    fn helper(&mut self, number: usize) -> String {
        let params: Vec<Kind> = (0..self.choices.below(3)).map(|_| self.choices.pick(&Kind::ALL)).collect();
        let (name, kind) = (format!("helper{number}"), self.choices.pick(&Kind::ALL));
        let text = self.function(&name, &params, kind);
        self.helpers.push((name, params, kind));
        text
    }

    fn function(&mut self, name: &str, params: &[Kind], kind: Kind) -> String {
        self.locals = params.iter().enumerate().map(|(index, kind)| (format!("p{index}"), *kind)).collect();
        let listed: Vec<String> = ["task".to_owned(), "ctx".to_owned()]
            .into_iter()
            .chain(self.locals.iter().map(|(name, _)| name.clone()))
            .collect();
        let body = self.body(kind, 3);
        format!("fn {name}({}) {{\n{body}}}\n", listed.join(", "))
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }
}
