//! What is wrong with an input, in the words that its sender reads.

use serde::Serialize;

/// One fault of an input: where it is, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: `/priority` in the body, `?limit` in the query, `{task_id}` in the path, `If-Match:` in a header.
    pub field: String,
    /// What is allowed there, as the end of a sentence that begins with the field. Never repeats the value.
    pub message: String,
}

impl Fault {
    /// Makes a fault.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same fault of a value that lies deeper: `prefix` is put before the pointer.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { field: format!("{prefix}{}", self.field), ..self }
    }
}
