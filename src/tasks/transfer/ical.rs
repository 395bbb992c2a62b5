//! Tasks as a calendar: one VTODO each (RFC 5545).
//!
//! Written by hand, because the crates at hand fold a long line's last part one octet too late.
//!
//! What iCalendar has no property for goes under names of our own: `X-MINDFLOW-EFFORT-MINUTES` (a DURATION may not stand
//! beside DUE), `X-MINDFLOW-PREFERRED-TIME`, `X-MINDFLOW-SNOOZED-UNTIL` and `X-MINDFLOW-PROJECT`.

use std::collections::HashMap;
use std::fmt::Display;

use crate::calendar::Due;
use crate::clock::Timestamp;
use crate::ids::ProjectId;
use crate::store::Exported;
use crate::tasks::task::{Status, Task};

/// The longest line, in octets without its end (RFC 5545, section 3.1).
const LINE_MAX: usize = 75;

/// Writes the calendar, task by task.
#[derive(Debug)]
pub struct CalendarWriter {
    text: String,
    projects: HashMap<ProjectId, String>,
    empty: bool,
}

impl Default for CalendarWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl CalendarWriter {
    /// A calendar that has begun.
    pub fn new() -> Self {
        let mut calendar = Self { text: String::new(), projects: HashMap::new(), empty: true };
        calendar.line("BEGIN", "VCALENDAR");
        calendar.line("VERSION", "2.0");
        calendar.line("PRODID", concat!("-//MindFlow//MindFlow ", env!("CARGO_PKG_VERSION"), "//EN"));
        calendar.line("CALSCALE", "GREGORIAN");
        calendar
    }

    /// Adds a task; projects are remembered for their names.
    pub fn take(&mut self, row: Exported) {
        match row {
            Exported::Project(project) => {
                self.projects.insert(project.id, project.name);
            }
            Exported::Label(_) | Exported::Attachment(_) | Exported::Decision(_) => {}
            Exported::Task(task) => {
                self.empty = false;
                self.write(&task);
            }
        }
    }

    /// The whole calendar.
    pub fn finish(mut self) -> Vec<u8> {
        if self.empty {
            self.write_zone();
        }
        self.line("END", "VCALENDAR");
        self.text.into_bytes()
    }

    fn write(&mut self, task: &Task) {
        self.line("BEGIN", "VTODO");
        self.line("UID", task.id);
        // Without a METHOD this is when the task was last revised (section 3.8.7.2).
        self.line("DTSTAMP", utc(task.updated_at));
        self.line("CREATED", utc(task.created_at));
        self.line("LAST-MODIFIED", utc(task.updated_at));
        self.line("SUMMARY", escaped(&task.title));
        if let Some(description) = &task.description {
            self.line("DESCRIPTION", escaped(description));
        }
        self.line("STATUS", status(task.status));
        if let Some(at) = task.completed_at {
            self.line("COMPLETED", utc(at));
        }
        match task.due {
            Some(Due::On(date)) => self.line("DUE;VALUE=DATE", date.format("%Y%m%d")),
            Some(Due::At(at)) => self.line("DUE", utc(at)),
            None => {}
        }
        self.line("PRIORITY", priority(task.priority));
        if !task.labels.is_empty() {
            let names: Vec<_> = task.labels.iter().map(|name| escaped(name)).collect();
            self.line("CATEGORIES", names.join(","));
        }
        if let Some(parent) = task.parent_id {
            self.line("RELATED-TO;RELTYPE=PARENT", parent);
        }
        self.write_own(task);
        self.line("END", "VTODO");
    }

    /// The properties that are ours.
    fn write_own(&mut self, task: &Task) {
        if let Some(minutes) = task.effort_minutes {
            self.line("X-MINDFLOW-EFFORT-MINUTES", minutes);
        }
        if let Some(time) = task.preferred_time {
            self.line("X-MINDFLOW-PREFERRED-TIME", time.as_str());
        }
        if let Some(until) = task.snoozed_until {
            self.line("X-MINDFLOW-SNOOZED-UNTIL", utc(until));
        }
        if let Some(name) = task.project_id.and_then(|id| self.projects.get(&id)).map(|name| escaped(name)) {
            self.line("X-MINDFLOW-PROJECT", name);
        }
    }

    /// A calendar must hold something (section 3.6); without tasks it holds UTC.
    fn write_zone(&mut self) {
        self.line("BEGIN", "VTIMEZONE");
        self.line("TZID", "Etc/UTC");
        self.line("BEGIN", "STANDARD");
        self.line("DTSTART", "19700101T000000");
        self.line("TZOFFSETFROM", "+0000");
        self.line("TZOFFSETTO", "+0000");
        self.line("END", "STANDARD");
        self.line("END", "VTIMEZONE");
    }

    /// Writes a content line, folded where it is too long, never inside of a character.
    fn line(&mut self, name: &str, value: impl Display) {
        let line = format!("{name}:{value}");
        let mut rest = line.as_str();
        let mut room = LINE_MAX;
        while rest.len() > room {
            let (now, later) = rest.split_at(rest.floor_char_boundary(room));
            self.text.push_str(now);
            self.text.push_str("\r\n ");
            rest = later;
            // The blank that continues a line counts.
            room = LINE_MAX - 1;
        }
        self.text.push_str(rest);
        self.text.push_str("\r\n");
    }
}

/// `20261224T180000Z`; fractions of a second cannot be said.
fn utc(moment: Timestamp) -> impl Display {
    moment.to_utc().format("%Y%m%dT%H%M%SZ")
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Snoozed => "NEEDS-ACTION",
        Status::InProgress => "IN-PROCESS",
        Status::Completed => "COMPLETED",
    }
}

/// 5 (high) becomes 1 (highest), 1 (low) becomes 9 (lowest), in even steps (section 3.8.1.9).
fn priority(priority: u8) -> u8 {
    11_u8.saturating_sub(2 * priority.clamp(1, 5))
}

/// A value of type TEXT (section 3.3.11); every kind of line break is `\n` there.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
