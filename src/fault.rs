//! What is wrong with an input, in the words that its sender reads.

use serde::Serialize;

/// Whether an input is to be acted on, or only held against every rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// What it asks for is to happen.
    #[default]
    Act,
    /// Nothing of it may happen: the rest of a refused input is to show what else is wrong with it.
    Rehearse,
}

/// One fault of an input: where it is, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: `/priority` in the body, `?limit` in the query, `{task_id}` in the path, `If-Match:` in a header.
    pub field: String,
    /// What is allowed there, as the end of a sentence that begins with the field. Never repeats the value.
    pub message: String,
    /// In a script: the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column of the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Where else the input had to be read to find this.
    #[serde(skip)]
    because_of: Vec<String>,
}

impl Fault {
    /// Makes a fault.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), line: None, column: None, because_of: Vec::new() }
    }

    /// Says where in a script it is.
    #[must_use]
    pub fn at(self, line: Option<usize>, column: Option<usize>) -> Self {
        Self { line, column, ..self }
    }

    /// Says what else the fault was concluded from: who cannot read that cannot know of the fault either. A step `*`
    /// of a pointer stands for any.
    #[must_use]
    pub fn because_of(mut self, place: impl Into<String>) -> Self {
        self.because_of.push(place.into());
        self
    }

    /// The same fault of a value that lies deeper: `prefix` is put before the pointers.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        let deeper = |place: String| format!("{prefix}{place}");
        Self {
            field: deeper(self.field),
            message: self.message,
            line: self.line,
            column: self.column,
            because_of: self.because_of.into_iter().map(deeper).collect(),
        }
    }

    /// Whether the fault was concluded from what stands at `place`, around it, or in it when it is a list.
    pub fn rests_on(&self, place: &str) -> bool {
        std::iter::once(&self.field).chain(&self.because_of).any(|ground| touches(ground, place))
    }
}

fn touches(ground: &str, place: &str) -> bool {
    let (mut ground, mut place) = (ground.split('/'), place.split('/'));
    loop {
        match (ground.next(), place.next()) {
            (_, None) => return true,
            (Some(own), Some(other)) if own == "*" || own == other => {}
            (Some(_), Some(_)) => return false,
            (None, Some(step)) => return step.parse::<usize>().is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_rests_on_its_field_and_on_what_it_was_concluded_from() {
        let fault = Fault::new("/until", "is missing").because_of("/status").under("/tasks/3");

        for (place, rests) in [
            ("/tasks/3/until", true),
            ("/tasks/3/status", true),
            ("/tasks/3", true),
            ("", true),
            ("/tasks/3/title", false),
            ("/tasks/30/status", false),
            ("/tasks/3/until/at", false),
            ("?status", false),
        ] {
            assert_eq!(fault.rests_on(place), rests, "{place}");
        }
    }

    #[test]
    fn a_fault_of_a_list_rests_on_its_items() {
        assert!(Fault::new("/labels", "").rests_on("/labels/2"));
        assert!(Fault::new("/parent_id", "").because_of("/tasks/*/id").rests_on("/tasks/7/id"));
        assert!(!Fault::new("/parent_id", "").because_of("/tasks/*/id").rests_on("/tasks/7/title"));
        assert!(!Fault::new("", "").rests_on("/labels"));
    }
}
