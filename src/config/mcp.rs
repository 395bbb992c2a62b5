//! `[mcp]`: what chats and agents see.

use super::source::Values;
use super::value;

/// What chats and agents see.
#[derive(Clone, Debug)]
pub struct Mcp {
    /// How they call the server.
    pub server_name: String,
    /// The version that they are told; `None` is the program's own.
    pub server_version: Option<String>,
    /// What they are told that the server is for.
    pub server_description: String,
    /// Whether they may show tasks as widgets.
    pub widgets: bool,
    /// The most tasks in one answer.
    pub most_tasks: u32,
}

impl Mcp {
    pub(super) fn from_values(values: &mut Values) -> Self {
        Self {
            server_name: values.get("mcp.server_name", value::words),
            server_version: values.get("mcp.server_version", value::optional_words),
            server_description: values.get("mcp.server_description", value::words),
            widgets: values.get("mcp.enable_task_widgets", value::boolean),
            most_tasks: values.get("mcp.max_tasks_per_request", value::integer(1, 1000)),
        }
    }
}
