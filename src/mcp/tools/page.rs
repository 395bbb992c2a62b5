//! Pages of long lists: compact rows as data, the first of them in words.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::mcp::outcome::Success;
use crate::mcp::schemas::{tasks, text};
use crate::mcp::views::{Eye, TaskView};
use crate::mcp::wording::quoted;

/// Rows when the caller does not say.
pub(super) const ROWS: u32 = 20;
/// How many rows are told in words too: models that only see text ask for pages of this size.
const TOLD: usize = 6;

/// Which page of a list.
pub(super) fn page_fields() -> Value {
    json!({
        "limit": { "type": "integer", "minimum": 1, "maximum": 1000 },
        "cursor": text("next_cursor of the page before", 512),
    })
}

/// What a list answers.
pub(super) fn page_answer() -> Value {
    json!({
        "tasks": tasks(),
        "total": { "type": "integer" },
        "next_cursor": { "type": ["string", "null"] },
        "time_zone": { "type": "string" },
    })
}

/// A page: `head` is its first line.
pub(super) fn listed(head: String, rows: &[TaskView], total: u64, next: Option<&str>, eye: Eye) -> Success {
    let mut text = head;
    for (place, task) in rows.iter().take(TOLD).enumerate() {
        let due = task.due_short.as_deref().map(|due| format!(" {due}"));
        let late = if task.overdue { " overdue" } else { "" };
        let _ = write!(text, "\n{}. {}{}{late}", place + 1, quoted(&task.title), due.unwrap_or_default());
    }
    if rows.len() > TOLD {
        let _ = write!(text, "\n{} more in the data, or in pages of {TOLD} with limit.", rows.len() - TOLD);
    }
    if next.is_some() {
        text.push_str("\nNext page: cursor.");
    }
    let structured = json!({ "tasks": rows, "total": total, "next_cursor": next, "time_zone": eye.zone.name() });
    Success::new(text, &structured)
}
