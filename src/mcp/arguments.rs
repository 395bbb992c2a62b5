//! The arguments of a tool call: held against the tool's schema, then read by name.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::accounts::Caller;
use crate::calendar::{self, DateError, Due, TimeOfDay, Windows};
use crate::clock::Timestamp;
use crate::tasks::edit::Patch;
use crate::tasks::phrase::{self, Day};
use crate::tasks::priority::priority_of;
use crate::tasks::receipts::RetryKey;
use crate::tasks::{Changed, Fault, Retry, Status};

use super::outcome::{Refusal, Success};
use super::retries::keeping;

/// Arguments that keep the tool's schema, and the faults that only show when they are read.
#[derive(Debug)]
pub struct Arguments {
    fields: Map<String, Value>,
    day: Day,
    faults: Vec<Fault>,
    retry: Option<RetryKey>,
}

impl Arguments {
    /// Arguments of a caller, whose days are counted in their own zone.
    pub const fn new(fields: Map<String, Value>, day: Day) -> Self {
        Self { fields, day, faults: Vec::new(), retry: None }
    }

    /// The same of a call that may be sent again under a key.
    #[must_use]
    pub fn repeatable(self, retry: Option<RetryKey>) -> Self {
        Self { retry, ..self }
    }

    /// What identifies the call if it is sent again.
    pub const fn retry_key(&self) -> Option<&RetryKey> {
        self.retry.as_ref()
    }

    /// How the outcome is kept for when the call is sent again.
    pub fn retry<T>(&self, success: impl Fn(&Changed<T>) -> Success + Send + Sync + 'static) -> Option<Retry<T>> {
        self.retry.clone().map(|key| keeping(key, success))
    }

    /// The present moment, where and in what rhythm the caller lives.
    pub const fn day(&self) -> Day {
        self.day
    }

    /// Arguments of a row in a list, read in the same way.
    #[must_use]
    pub fn row(&self, fields: &Value) -> Self {
        Self::new(fields.as_object().cloned().unwrap_or_default(), self.day)
    }

    /// What was asked, apart from `key`: alike however its fields are ordered, and whatever time it is.
    pub fn asked(&self, key: &str) -> String {
        let fields: std::collections::BTreeMap<_, _> = self.fields.iter().filter(|(name, _)| *name != key).collect();
        serde_json::to_string(&fields).unwrap_or_default()
    }

    /// Whether the argument was given, be it `null`.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether the argument was given and is not `null`.
    pub fn says(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok())
    }

    /// A list.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_array().map(Vec::as_slice)
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        // Emptied, where it can be.
        if self.fields.get(name).is_some_and(Value::is_null) {
            return Some(Vec::new());
        }
        Some(self.list(name)?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The statuses that are asked for.
    pub fn statuses(&self, name: &str) -> Option<Vec<Status>> {
        Some(self.list(name)?.iter().filter_map(Value::as_str).filter_map(Status::parse).collect())
    }

    /// An argument that may be left out, emptied with `null`, or set.
    pub fn patch<T>(&self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Patch<T> {
        match self.fields.get(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => read(value).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// A text that may be emptied.
    pub fn text_patch(&self, name: &str) -> Patch<String> {
        self.patch(name, |value| value.as_str().map(str::to_owned))
    }

    /// Notes what is wrong with an argument.
    pub fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(format!("/{name}"), message));
    }

    /// Notes faults whose places are named already.
    pub fn note(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// A priority: a number, or a word.
    pub fn priority(&mut self, name: &str) -> Option<u8> {
        let value = self.get(name)?;
        let read = match value {
            Value::String(word) => priority_of(word),
            value => {
                value.as_u64().and_then(|number| u8::try_from(number).ok()).filter(|number| (1..=5).contains(number))
            }
        };
        if read.is_none() {
            self.fault(name, "must be 1 (low) to 5 (high), or a word: lowest, low, normal, high, urgent");
        }
        read
    }

    /// A due date as a person says it, or none to empty it.
    pub fn due(&mut self, name: &str) -> Patch<Due> {
        let Some(text) = self.text(name) else { return self.patch(name, |_| None) };
        let passed = || phrase::date_of_past(text, self.day).map(Due::On);
        if let Some(due) = phrase::due_of(text, self.day).or_else(passed) {
            return Patch::Set(due);
        }
        // What has the form of a date is told what is wrong with it; anything else, what is understood.
        let message = match calendar::parse_due(text, self.day.zone) {
            Err(DateError::Form) | Ok(_) => format!("was not understood; say it like {}", phrase::DUE_PHRASES),
            Err(error) => error.to_string(),
        };
        self.fault(name, message);
        Patch::Keep
    }

    /// A moment as a person says it; a day alone begins at its midnight.
    pub fn moment(&mut self, name: &str) -> Option<Timestamp> {
        let read = self.moment_to_come(self.text(name)?);
        if read.is_none() {
            self.fault(name, format!("must be a date or time, such as {}", phrase::DUE_PHRASES));
        }
        read
    }

    fn moment_to_come(&self, text: &str) -> Option<Timestamp> {
        calendar::parse_moment(text, self.day.zone).ok().or_else(|| match phrase::due_of(text, self.day)? {
            Due::At(moment) => Some(moment),
            Due::On(date) => Some(calendar::start_of_day(date, self.day.zone)),
        })
    }

    /// A moment from which on something counts: one to come, or one that has passed.
    pub fn from(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let read = self.moment_to_come(text).or_else(|| phrase::since_of(text, self.day));
        if read.is_none() {
            let known = "`yesterday`, `last week`, `3 days ago`";
            self.fault(name, format!("must be a date or time, such as {}, {known}", phrase::DUE_PHRASES));
        }
        read
    }

    /// A moment up to which something counts: "the end of the week" is with its last day.
    pub fn bound(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        match phrase::due_of(text, self.day) {
            Some(Due::On(date)) if names_an_end(text) => Some(calendar::end_of_day(date, self.day.zone)),
            _ => self.from(name),
        }
    }

    /// A moment that has passed, as a person says from when on.
    pub fn since(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let read = phrase::since_of(text, self.day);
        if read.is_none() {
            self.fault(name, format!("must be a time that has passed, such as {}", phrase::PAST_PHRASES));
        }
        read
    }

    /// A day as a person says it.
    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        let text = self.text(name)?;
        let read = phrase::due_of(text, self.day).map(|due| due.date(self.day.zone));
        if read.is_none() {
            self.fault(name, "must be a day, such as `today`, `tomorrow`, `friday` or `2026-12-24`");
        }
        read
    }

    /// A part of the day.
    pub fn time_of_day(&self, name: &str) -> Patch<TimeOfDay> {
        self.patch(name, |value| value.as_str().and_then(TimeOfDay::parse))
    }

    /// The faults that were noted, under a place in the call.
    pub fn take_faults(&mut self, under: &str) -> Vec<Fault> {
        std::mem::take(&mut self.faults).into_iter().map(|fault| fault.under(under)).collect()
    }

    /// Refuses when something could not be read.
    ///
    /// # Errors
    ///
    /// All faults that were noted.
    pub fn check(&mut self) -> Result<(), Refusal> {
        match self.take_faults("") {
            faults if faults.is_empty() => Ok(()),
            faults => Err(Refusal::invalid(faults)),
        }
    }
}

/// Whether a phrase names the end of something.
fn names_an_end(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    text.contains("end of") || matches!(text.as_str(), "eod" | "eow" | "eom")
}

/// The day of a caller at a moment.
pub const fn day_of(caller: &Caller, now: Timestamp, windows: Windows) -> Day {
    Day { now, zone: caller.zone, windows }
}
