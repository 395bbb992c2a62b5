//! Fields of forms, each with its label and what is wrong with it.

use maud::{Markup, html};
use poem::Response;
use poem::http::HeaderValue;
use poem::http::header::RETRY_AFTER;

/// What was wrong with a form that comes back.
#[derive(Clone, Debug, Default)]
pub(in crate::http::oauth) struct Faults {
    /// What is told above all fields.
    pub(in crate::http::oauth) summary: Option<String>,
    /// Each field's name and what it must be.
    pub(in crate::http::oauth) fields: Vec<(&'static str, String)>,
    /// After how many seconds it is worth to send it again, when there were too many tries.
    pub(in crate::http::oauth) wait_seconds: Option<u64>,
}

impl Faults {
    /// One fault of the whole.
    pub(in crate::http::oauth) fn of(summary: impl Into<String>) -> Self {
        Self { summary: Some(summary.into()), ..Self::default() }
    }

    /// One fault of one field.
    pub(in crate::http::oauth) fn at(field: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { summary: Some(text.clone()), fields: vec![(field, text)], wait_seconds: None }
    }

    /// The answer that shows them, with when to come again.
    pub(in crate::http::oauth) fn paced(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.wait_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Whether there is anything to tell.
    pub(in crate::http::oauth) fn any(&self) -> bool {
        self.summary.is_some()
    }

    /// Whether this is what is told above all fields.
    pub(in crate::http::oauth) fn is(&self, summary: &str) -> bool {
        self.summary.as_deref() == Some(summary)
    }

    /// What is told above all fields, heard first; it leads to the fields.
    pub(super) fn above(&self, fields: &[&str]) -> Markup {
        let Some(summary) = &self.summary else { return html! {} };
        let first = self.fields.first().map(|(name, _)| *name).or_else(|| fields.first().copied());
        html! {
            div .faults #faults role="alert" tabindex="-1" {
                @if let Some(first) = first { a href={ "#" (first) } { (summary) } } @else { (summary) }
            }
        }
    }

    fn of_field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| *own == name).map(|(_, text)| text.as_str())
    }
}

/// A line of text.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'a str,
    pub(super) kind: &'static str,
    pub(super) value: &'a str,
    /// What browsers and password managers fill in (HTML, section 4.10.18.7.1).
    pub(super) autocomplete: &'static str,
    pub(super) hint: Option<&'a str>,
    pub(super) required: bool,
    pub(super) focus: bool,
}

impl Default for Field<'_> {
    fn default() -> Self {
        let (name, label, kind, value, autocomplete) = ("", "", "text", "", "off");
        Self { name, label, kind, value, autocomplete, hint: None, required: true, focus: false }
    }
}

impl Field<'_> {
    /// The field; one that was filled in wrongly says so. `blamed` are fields of which one is wrong, which is not told.
    pub(super) fn show(&self, faults: &Faults, blamed: &[&str]) -> Markup {
        let own = faults.of_field(self.name);
        let wrong = own.is_some() || (faults.any() && faults.fields.is_empty() && blamed.contains(&self.name));
        let first_fault = faults.fields.first().map(|(name, _)| *name);
        let focus = first_fault.map_or(self.focus, |first| first == self.name);
        let fault_id = match own {
            Some(_) => Some(format!("{}-fault", self.name)),
            None => wrong.then(|| "faults".to_owned()),
        };
        let hint_id = self.hint.map(|_| format!("{}-hint", self.name));
        let described: Vec<String> = hint_id.clone().into_iter().chain(fault_id).collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div .field {
                label for=(self.name) { (self.label) @if !self.required { span .quiet { " (optional)" } } }
                @if let (Some(hint), Some(id)) = (self.hint, &hint_id) { p .quiet id=(id) { (hint) } }
                @if let Some(own) = own { p .fault id={ (self.name) "-fault" } { (own) } }
                input id=(self.name) name=(self.name) type=(self.kind) value=(self.value)
                    autocomplete=(self.autocomplete) required[self.required] autofocus[focus]
                    spellcheck="false" autocapitalize=[(self.kind != "text").then_some("none")]
                    inputmode=[(self.autocomplete == "one-time-code").then_some("text")]
                    aria-invalid=[wrong.then_some("true")] aria-describedby=[described];
            }
        }
    }
}

/// What every form carries.
pub(super) fn hidden(step: &str, token: &str) -> Markup {
    html! {
        input type="hidden" name="step" value=(step);
        input type="hidden" name="csrf" value=(token);
    }
}
