//! The text of a stream (HTML Standard, section 9.2.5): fields, one a line, and an empty line after each event.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde_json::json;

use super::views::EventView;

/// A comment: it says that the connection stands, and is nothing to the client.
pub(super) const HEARTBEAT: &str = ":\n\n";
/// How long a client waits before it connects again, in milliseconds.
const RETRY_MS: u32 = 3000;

/// What stands first: how long to wait before a new try, and the number from which the stream goes on.
pub(super) fn ready(number: i64) -> String {
    format!("retry: {RETRY_MS}\nevent: ready\nid: {number}\ndata: {}\n\n", json!({ "version": number }))
}

/// Some of what happened is not known any more; the stream goes on from `number`.
pub(super) fn reset(number: i64) -> String {
    format!("event: reset\nid: {number}\ndata: {}\n\n", json!({ "version": number }))
}

/// Adds an event to a text.
pub(super) fn write(event: &EventView, text: &mut String) -> fmt::Result {
    // JSON on one line: its line breaks are escaped.
    write!(text, "event: {}\nid: {}\ndata: {}\n\n", event.kind, event.version, Json(event))
}

struct Json<T>(T);

impl<T: Serialize> fmt::Display for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}
