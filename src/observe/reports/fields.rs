//! What is taken over from a log line into a report.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::Debug;

use sentry::Level as Severity;
use sentry::protocol::{Breadcrumb, Event, Exception, Value};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};

/// The fields that are taken; no other leaves this server. None of them holds what people wrote.
const TAKEN: [&str; 20] = [
    "attempt",
    "case",
    "changes",
    "column",
    "config.key",
    "count",
    "duty",
    "event.kind",
    "file",
    "http.method",
    "http.route",
    "http.status",
    "kind",
    "latency_ms",
    "line",
    "policy.name",
    "policy.version",
    "reason",
    "step",
    "store",
];

/// A log line, as far as it may be told.
#[derive(Default)]
pub(super) struct Fields {
    message: String,
    /// The causes, from the outermost in.
    causes: Vec<String>,
    values: BTreeMap<&'static str, Value>,
}

impl Fields {
    pub(super) fn of(event: &tracing::Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    /// A report. Sentry wants the innermost cause first.
    pub(super) fn into_event(self, target: &str) -> Event<'static> {
        let exception =
            |cause: String| Exception { ty: "error".to_owned(), value: Some(cause), ..Exception::default() };
        Event {
            level: Severity::Error,
            logger: Some(target.to_owned()),
            message: Some(self.message),
            exception: self.causes.into_iter().rev().map(exception).collect::<Vec<_>>().into(),
            extra: self.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Event::default()
        }
    }

    /// A step that led to a report.
    pub(super) fn into_step(self, about: &Metadata<'_>) -> Breadcrumb {
        Breadcrumb {
            category: Some(about.target().to_owned()),
            level: if *about.level() == Level::WARN { Severity::Warning } else { Severity::Info },
            message: Some(self.message),
            data: self.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Breadcrumb::default()
        }
    }

    fn take(&mut self, field: &Field, value: impl Into<Value>) {
        if let Ok(place) = TAKEN.binary_search(&field.name()) {
            self.values.insert(TAKEN[place], value.into());
        }
    }

    fn take_text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => text.clone_into(&mut self.message),
            // Whole chains are written as `outer: inner`.
            "error" | "panic" => self.causes.push(text.to_owned()),
            _ => self.take(field, text),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take_text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take_text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value);
    }

    fn record_error(&mut self, _field: &Field, value: &(dyn StdError + 'static)) {
        let mut cause = Some(value);
        while let Some(error) = cause {
            self.causes.push(error.to_string());
            cause = error.source();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order_so_that_names_are_found() {
        assert!(super::TAKEN.is_sorted());
    }
}
