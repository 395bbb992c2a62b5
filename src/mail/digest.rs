//! What there is to do today, as a mail.

use std::fmt::Write as _;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// The most tasks of a kind that are named; the others are counted.
pub const MOST_NAMED: usize = 10;

/// What there is to do today. The texts of tasks are in this mail and nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The day, in words: `Monday, 23 March`.
    pub day: String,
    /// The best task.
    pub best: Line,
    /// Tasks that are late.
    pub overdue: Lines,
    /// Tasks that are due on this day.
    pub due: Lines,
    /// Tasks that were completed since the last such mail.
    pub completed: Lines,
    /// How many tasks are open.
    pub open: usize,
    /// Where one can end these mails.
    pub unsubscribe: String,
}

/// A task of the mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its title.
    pub title: String,
    /// What there is to say about it: why it is the best, or when it is due.
    pub note: String,
}

/// Tasks of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// The first of them, at most [`MOST_NAMED`].
    pub named: Vec<Line>,
    /// How many there are.
    pub total: usize,
}

impl Lines {
    /// Adds one, by name as long as there is room.
    pub fn push(&mut self, line: impl FnOnce() -> Line) {
        if self.named.len() < MOST_NAMED {
            self.named.push(line());
        }
        self.total += 1;
    }

    fn more(&self) -> Option<String> {
        let more = self.total.saturating_sub(self.named.len());
        (more > 0).then(|| format!("and {more} more"))
    }
}

impl Digest {
    /// The subject: the day, and how many tasks wait; no task's text, as subjects are shown on locked screens.
    pub fn subject(&self) -> String {
        let mut parts = Vec::new();
        if self.overdue.total > 0 {
            parts.push(format!("{} overdue", self.overdue.total));
        }
        if self.due.total > 0 {
            parts.push(format!("{} due", self.due.total));
        }
        if parts.is_empty() {
            parts.push(format!("{} open", self.open));
        }
        format!("{}: {}", self.day, parts.join(", "))
    }

    fn sections(&self) -> [(&'static str, &Lines); 3] {
        [("Overdue", &self.overdue), ("Due today", &self.due), ("Done since the last mail", &self.completed)]
    }

    pub(super) fn text(&self, name: Option<&str>, server: &str) -> String {
        let mut text = greeting(name);
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\nDo this first:\n  {}\n", self.best.title);
        if !self.best.note.is_empty() {
            let _ = writeln!(text, "  {}", self.best.note);
        }
        for (heading, lines) in self.sections().into_iter().filter(|(_, lines)| lines.total > 0) {
            let _ = writeln!(text, "\n{heading} ({})", lines.total);
            for line in &lines.named {
                let _ = writeln!(text, "  - {}", shown(line));
            }
            if let Some(more) = lines.more() {
                let _ = writeln!(text, "  {more}");
            }
        }
        let _ = write!(
            text,
            "\nOpen tasks in all: {}\n\n--\nYou get this mail because you asked {server} for it.\nNo more of these: {}\n",
            self.open, self.unsubscribe
        );
        text
    }

    pub(super) fn html(&self, name: Option<&str>, server: &str) -> Markup {
        html! {
            p { (greeting(name)) }
            h2 style="font-size:18px" { "Do this first" }
            p { strong { (self.best.title) } @if !self.best.note.is_empty() { br; (self.best.note) } }
            @for (heading, lines) in self.sections().into_iter().filter(|(_, lines)| lines.total > 0) {
                h2 style="font-size:18px" { (heading) " (" (lines.total) ")" }
                ul {
                    @for line in &lines.named { li { (shown(line)) } }
                    @if let Some(more) = lines.more() { li { (more) } }
                }
            }
            p { "Open tasks in all: " (self.open) }
            p style="font-size:14px" {
                "You get this mail because you asked " (server) " for it. "
                a href=(self.unsubscribe) { "No more of these mails" }
            }
        }
    }
}

fn greeting(name: Option<&str>) -> String {
    name.map_or_else(|| "Good morning,".to_owned(), |name| format!("Good morning, {name},"))
}

fn shown(line: &Line) -> String {
    if line.note.is_empty() { line.title.clone() } else { format!("{} ({})", line.title, line.note) }
}
