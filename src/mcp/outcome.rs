//! What comes of a tool call: a success, or a refusal that changed nothing.

use serde::Serialize;
use serde_json::{Value, json};

use crate::tasks::{Fault, TaskError};

use super::views::TaskView;
use super::wording::quoted;

/// What a tool answers.
pub type Outcome = Result<Success, Refusal>;

/// A tool did what it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// A sentence or a few lines for people and models.
    pub text: String,
    /// The same for programs; of the tool's output schema.
    pub structured: Value,
    /// Whether the same call was answered so before, and nothing was done now.
    pub is_replayed: bool,
}

impl Success {
    /// A success with its structured form, which always is an object.
    pub fn new(text: impl Into<String>, structured: &impl Serialize) -> Self {
        Self { text: text.into(), structured: serde_json::to_value(structured).unwrap_or_default(), is_replayed: false }
    }

    /// What takes the change back, if there was one.
    pub fn undo_token(&self) -> Option<&str> {
        self.structured["undo_token"].as_str()
    }

    /// The same with what takes the change back.
    #[must_use]
    pub fn undone_by(mut self, token: Option<&String>) -> Self {
        if let (Some(token), Value::Object(fields)) = (token, &mut self.structured) {
            fields.insert("undo_token".to_owned(), json!(token));
        }
        self
    }
}

/// Why a tool did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The arguments break a rule.
    Invalid,
    /// The words fit several tasks.
    Ambiguous,
    /// There is no such thing.
    NotFound,
    /// What there is stands against it.
    Conflict,
    /// The key of a call that may be sent again belongs to another call. To models a conflict as any.
    #[serde(rename = "conflict")]
    KeyReused,
    /// The database is away; the same call may work later.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl Kind {
    /// The same in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Ambiguous => "ambiguous",
            Self::NotFound => "not_found",
            Self::Conflict | Self::KeyReused => "conflict",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// A call that changed nothing, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    /// What kind of reason it is.
    pub kind: Kind,
    /// What is wrong and what to do, in one or two sentences.
    pub message: String,
    /// What is wrong with each argument.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ArgumentFault>,
    /// The tasks that may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<TaskView>,
    /// The lines after the message, for people and models.
    #[serde(skip)]
    pub lines: Vec<String>,
}

/// What is wrong with one argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArgumentFault {
    /// Which: `priority`, or `tasks[2].title` in a list.
    pub argument: String,
    /// What is allowed there, as the end of a sentence that begins with the argument.
    pub message: String,
}

impl From<Fault> for ArgumentFault {
    fn from(fault: Fault) -> Self {
        Self { argument: argument_of(&fault.field), message: fault.message }
    }
}

/// `/tasks/2/title` and `?cursor` as a caller writes them: `tasks[2].title`, `cursor`.
fn argument_of(place: &str) -> String {
    let place = place.trim_start_matches(['/', '?']);
    let mut name = String::with_capacity(place.len());
    for step in place.split('/') {
        if step.parse::<usize>().is_ok() {
            name.push('[');
            name.push_str(step);
            name.push(']');
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
    }
    name
}

impl Refusal {
    /// A refusal for a reason.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), faults: Vec::new(), candidates: Vec::new(), lines: Vec::new() }
    }

    /// Arguments that break rules; all of them are named.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let faults: Vec<_> = faults.into_iter().map(ArgumentFault::from).collect();
        let told = |fault: &ArgumentFault| match fault.argument.as_str() {
            "" => format!("the call {}", fault.message),
            // Unknown arguments are named by whoever called.
            argument => format!("`{}` {}", quoted(argument).trim_matches('"'), fault.message),
        };
        let message = match faults.as_slice() {
            [only] => format!("Nothing was done: {}.", told(only)),
            several => {
                format!("Nothing was done: {} faults in the arguments. Mend them and call again.", several.len())
            }
        };
        let lines = if faults.len() > 1 {
            faults.iter().map(|fault| format!("- {}", told(fault))).collect()
        } else {
            Vec::new()
        };
        Self { faults, lines, ..Self::new(Kind::Invalid, message) }
    }

    /// A single fault.
    pub fn fault(argument: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(format!("/{argument}"), message)])
    }

    /// What people and models read.
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for line in &self.lines {
            text.push('\n');
            text.push_str(line);
        }
        text
    }

    /// What programs read.
    pub fn structured(&self) -> Value {
        json!({ "error": self })
    }
}

impl From<TaskError> for Refusal {
    fn from(error: TaskError) -> Self {
        let conflict = |next: &str| Self::new(Kind::Conflict, format!("Nothing was done: {error}. {next}"));
        match error {
            TaskError::Invalid(faults) => Self::invalid(faults),
            TaskError::NotFound(what) => Self::new(
                Kind::NotFound,
                format!("Nothing was done: there is no such {what}. Find the right one with get_tasks or search."),
            ),
            TaskError::NoCandidate(reason) => {
                Self::new(Kind::NotFound, format!("There is nothing to recommend: {reason}."))
            }
            TaskError::Operation { index, source } => {
                let inner = Self::from(*source);
                Self { message: format!("Row {index}: {}", inner.message), ..inner }
            }
            TaskError::Completed(_) => {
                Self::new(Kind::Conflict, "Nothing was done: the task is completed; set its status to pending first.")
            }
            TaskError::Changed { .. } | TaskError::Present { .. } | TaskError::NameTaken(_) => {
                conflict("Look at what there is now, then call again.")
            }
            TaskError::UndoSpent(_) | TaskError::UndoOvertaken(_) => conflict("It cannot be taken back any more."),
            TaskError::TooManyAttachments(_) | TaskError::QuotaUsedUp { .. } | TaskError::UploadGivenUp => {
                conflict("Tell the user; files cannot be attached from here.")
            }
            TaskError::KeyReused => {
                Self { kind: Kind::KeyReused, ..conflict("Use a new idempotency_key for a new request.") }
            }
            TaskError::KeyRunning => conflict("Call again in a second, with the same idempotency_key."),
            TaskError::AccountGone => Self::new(Kind::NotFound, "The account does not exist any more."),
            TaskError::Store(error) => Self::from_store(&error),
            TaskError::Replayed(_) => {
                let message =
                    "The same call was carried out meanwhile. Call again with the same idempotency_key for its answer.";
                Self::new(Kind::Conflict, message)
            }
            TaskError::Rehearsed => Self::internal(&error),
        }
    }
}

impl Refusal {
    fn from_store(error: &crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match error {
            StoreError::Unavailable(_) | StoreError::Moved | StoreError::Dropped => {
                tracing::warn!(%error, "a tool could not reach the database");
                Self::new(Kind::Unavailable, "Nothing was done: the database cannot be reached. Try again in a moment.")
            }
            StoreError::Url(_)
            | StoreError::Taken(_)
            | StoreError::Dangling(_)
            | StoreError::Corrupt { .. }
            | StoreError::Statement(_) => Self::internal(error),
        }
    }

    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a tool failed");
        Self::new(Kind::Internal, "Nothing was done: the server has a fault, which is in its log.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_arguments_as_callers_write_them() {
        let cases = [("/priority", "priority"), ("/tasks/2/title", "tasks[2].title"), ("?cursor", "cursor"), ("", "")];

        for (place, argument) in cases {
            assert_eq!(argument_of(place), argument);
        }
    }

    #[test]
    fn one_fault_is_a_sentence_and_several_are_lines() {
        let fault = |name: &str| Fault::new(name, "must be a text");

        assert_eq!(Refusal::invalid(vec![fault("/a")]).text(), "Nothing was done: `a` must be a text.");
        assert_eq!(
            Refusal::invalid(vec![fault("/a"), fault("/b")]).text(),
            "Nothing was done: 2 faults in the arguments. Mend them and call again.\n- `a` must be a text\n- `b` must be a text"
        );
    }
}
