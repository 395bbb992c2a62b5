//! What is wrong with a policy, and where; and how Rhai's errors are told.

use std::fmt;
use std::path::{Path, PathBuf};

use rhai::{EvalAltResult, ParseError, Position};
use serde::Serialize;

use crate::scoring::ScoreFault;

use super::engine::{DEADLINE, MAX_OPERATIONS};

/// A fault of a policy's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct PolicyFault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// What was found and what is allowed.
    pub message: String,
}

impl PolicyFault {
    /// A fault of the file as a whole.
    pub fn new(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into() }
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.line = place.line;
        self.column = place.column;
        self
    }

    /// A fault found while the script ran.
    pub fn of_run(file: &Path, what: &str, fault: &ScoreFault) -> Self {
        let place = Place { line: fault.line, column: fault.column };
        Self::new(file, format!("{what}: {}", fault.message)).at(place)
    }
}

/// `policies/default/policy.rhai:3:7: message`, as compilers write.
impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:{}:", self.column.unwrap_or(1))?;
        }
        write!(f, " {}", self.message)
    }
}

/// A place in a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self { line: position.line(), column: position.position() }
    }
}

/// A syntax error with its place.
pub fn syntax_fault(file: &Path, error: &ParseError) -> PolicyFault {
    PolicyFault::new(file, format!("syntax error: {}", tidy(&error.0.to_string()))).at(error.1.into())
}

/// An error of a run, at the innermost place, in words that say what the limit is.
pub fn run_fault(error: EvalAltResult) -> ScoreFault {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, position) => {
            let mut fault = run_fault(*inner);
            if fault.line.is_none() {
                (fault.line, fault.column) = (position.line(), position.position());
            }
            fault
        }
        mut error => {
            let place = Place::from(error.take_position());
            ScoreFault { message: describe(&error), line: place.line, column: place.column }
        }
    }
}

fn describe(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => {
            format!("does not end: stopped after {MAX_OPERATIONS} operations")
        }
        EvalAltResult::ErrorTerminated(..) => {
            format!("does not end in time: stopped after {} ms", DEADLINE.as_millis())
        }
        EvalAltResult::ErrorStackOverflow(_) => "calls itself too deeply".to_owned(),
        EvalAltResult::ErrorDataTooLarge(what, _) => format!("makes a value that is too large ({})", tidy(what)),
        EvalAltResult::ErrorTooManyVariables(_) => "makes too many variables".to_owned(),
        EvalAltResult::ErrorPropertyNotFound(name, _) => format!("there is no field `{name}`"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.split_once(" (") {
            Some((operator, operands)) if operator.chars().all(is_operator) && operands.contains("()") => format!(
                "`{operator}` with nothing: a fact that may be absent needs another value then, as in \
                 `task.effort_minutes ?? 60`"
            ),
            _ => format!("there is no function `{signature}`"),
        },
        EvalAltResult::ErrorRuntime(thrown, _) => format!("the policy threw {thrown}"),
        other => tidy(&other.to_string()),
    }
}

fn is_operator(letter: char) -> bool {
    "+-*/%".contains(letter)
}

/// Rhai's sentences in our form: lower case, no full stop.
fn tidy(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if letters.as_str().starts_with(|next: char| !next.is_uppercase()) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
