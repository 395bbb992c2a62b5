//! Calls of tools by chats and agents.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::histogram::Seconds;

/// Calls of tools; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct McpMetrics {
    calls: Family<[(&'static str, &'static str); 2], Counter>,
    seconds: Family<[(&'static str, &'static str); 1], Seconds>,
}

impl McpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("mcp_tool_calls", "Calls of tools, by tool and outcome", self.calls.clone());
        registry.register("mcp_tool_duration_seconds", "How long calls of tools took, by tool", self.seconds.clone());
    }

    /// Counts a call of a tool that there is; `outcome` is one word of few.
    pub fn called(&self, tool: &'static str, outcome: &'static str, duration: Duration) {
        self.calls.get_or_create(&[("tool", tool), ("outcome", outcome)]).inc();
        self.seconds.get_or_create(&[("tool", tool)]).observe(duration);
    }
}
