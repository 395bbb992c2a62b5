//! The tools by name: listed, and called.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use crate::accounts::{Caller, Scope};
use crate::clock::{Clock, Timestamp};
use crate::http::contract::{Rule, find_nul};
use crate::observe::metrics::McpMetrics;
use crate::tasks::change::Channel;
use crate::tasks::wording::say_moment;
use crate::tasks::{Ask, Tasks};

use super::arguments::{Arguments, day_of};
use super::outcome::{Outcome, Refusal};
use super::schemas::pointer;
use super::tool::{Effect, Tool};
use super::tools::TOOLS;
use super::views::Eye;

/// How many faults of one call are told.
const MAX_FAULTS: usize = 50;

/// What the tools work with.
#[derive(Debug)]
pub struct Desk {
    /// The tasks.
    pub tasks: Tasks,
    /// The time.
    pub clock: Clock,
    /// The most rows of one result.
    pub most_rows: u32,
    /// The public URL, without a slash at the end.
    pub public_url: String,
    /// Counts calls.
    pub metrics: McpMetrics,
}

impl Desk {
    /// How a caller sees tasks now.
    pub fn eye(&self, caller: &Caller) -> Eye {
        Eye { now: self.clock.now(), zone: caller.zone }
    }

    /// A change that the caller asks a tool for.
    pub fn ask<T>(&self, caller: &Caller) -> Ask<T> {
        Ask::new(caller.clone()).through(Channel::Mcp)
    }

    /// A moment in words, in the caller's zone.
    pub fn say(&self, moment: Timestamp, caller: &Caller) -> String {
        say_moment(moment, caller.zone)
    }
}

/// All tools.
pub struct Toolbox {
    desk: Desk,
    listed: Vec<rmcp::model::Tool>,
    rules: HashMap<&'static str, (&'static Tool, Rule)>,
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toolbox").field("tools", &self.rules.len()).finish_non_exhaustive()
    }
}

impl Toolbox {
    /// The tools over their services.
    ///
    /// # Errors
    ///
    /// When a tool's schema is wrong, which the tests would have shown.
    pub fn new(desk: Desk, widgets: bool) -> Result<Self, String> {
        let listed = TOOLS.iter().map(|tool| tool.described(widgets)).collect();
        let rules = TOOLS.iter().map(|tool| Ok((tool.name, (tool, Rule::compile(&(tool.input)(), &Value::Null)?))));
        Ok(Self { desk, listed, rules: rules.collect::<Result<_, String>>()? })
    }

    /// What the tools work with.
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The tools as hosts list them, always in the same order.
    pub fn list(&self) -> &[rmcp::model::Tool] {
        &self.listed
    }

    /// The scope that a tool needs; `None` when there is no such tool.
    pub fn scope(&self, name: &str) -> Option<Scope> {
        self.rules.get(name).map(|(tool, _)| tool.effect.scope())
    }

    /// Calls a tool; `None` when there is no such tool.
    pub async fn call(&self, name: &str, caller: &Caller, arguments: Map<String, Value>) -> Option<Outcome> {
        let (tool, rule) = self.rules.get(name)?;
        let started = Instant::now();
        let outcome = self.carry_out(tool, rule, caller, arguments).await;
        let word = outcome.as_ref().err().map_or("success", |refusal| refusal.kind.as_str());
        self.desk.metrics.called(tool.name, word, started.elapsed());
        Some(outcome)
    }

    async fn carry_out(&self, tool: &Tool, rule: &Rule, caller: &Caller, mut fields: Map<String, Value>) -> Outcome {
        if !caller.scopes.allow(tool.effect.scope()) {
            return Err(Refusal::new(
                super::outcome::Kind::Invalid,
                format!("Nothing was done: {} needs the scope `{}`.", tool.name, tool.effect.scope().as_str()),
            ));
        }
        // Some hosts send `null` for what is left out; in a patch it means something, but for what points at the task.
        match tool.effect {
            Effect::Patches => fields.retain(|name, value| !value.is_null() || pointer().get(name).is_none()),
            Effect::Reads | Effect::Adds | Effect::Sets | Effect::Deletes => drop_nulls(&mut fields, rule.schema()),
        }
        let fields = Value::Object(fields);
        let mut faults = Vec::new();
        rule.check(&fields, MAX_FAULTS, &mut faults, str::to_owned);
        find_nul(&fields, "", MAX_FAULTS, &mut faults);
        let Value::Object(fields) = fields else { return Err(Refusal::invalid(faults)) };
        if !faults.is_empty() {
            return Err(Refusal::invalid(faults));
        }
        let day = day_of(caller, self.desk.clock.now(), self.desk.tasks.windows(caller));
        (tool.run)(&self.desk, caller, Arguments::new(fields, day)).await
    }
}

/// Leaves out what is `null` and cannot be, in the arguments and in rows of them.
fn drop_nulls(fields: &mut Map<String, Value>, schema: &Value) {
    fields.retain(|name, value| !value.is_null() || !says_no_null(&schema["properties"][name]));
    for (name, value) in fields {
        let rows = &schema["properties"][name.as_str()]["items"];
        for row in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            drop_nulls(row, rows);
        }
    }
}

/// Whether a known argument cannot be `null`.
fn says_no_null(schema: &Value) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => !kinds.contains(&json!("null")),
        kind => kind.is_string(),
    }
}

/// What came of a call as the protocol says it.
pub fn call_result(outcome: Outcome) -> CallToolResult {
    match outcome {
        Ok(success) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(success.text)]);
            result.structured_content = Some(success.structured);
            result
        }
        Err(refusal) => {
            let mut result = CallToolResult::error(vec![ContentBlock::text(refusal.text())]);
            result.structured_content = Some(refusal.structured());
            result
        }
    }
}
