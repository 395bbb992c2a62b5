//! The tools by name: listed, and called.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use crate::accounts::{Caller, Scope};
use crate::clock::{Clock, Timestamp};
use crate::http::contract::{Rule, find_nul};
use crate::observe::metrics::McpMetrics;
use crate::tasks::change::Channel;
use crate::tasks::wording::say_moment;
use crate::tasks::{Ask, Fault, Tasks};

use super::arguments::{Arguments, day_of};
use super::lenient;
use super::outcome::{Outcome, Refusal};
use super::retries::{key_of, replayed};
use super::tool::{Effect, Tool};
use super::tools::TOOLS;
use super::views::Eye;

/// How many faults of one call are told.
const MAX_FAULTS: usize = 50;
/// The argument that makes a call safe to send again.
const KEY: &str = "idempotency_key";

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

    /// Calls a tool; `None` when there is no such tool. With a `key` a call that changes something may be sent again.
    pub async fn call(
        &self,
        name: &str,
        caller: &Caller,
        arguments: Map<String, Value>,
        key: Option<&str>,
    ) -> Option<Outcome> {
        let (tool, rule) = self.rules.get(name)?;
        let started = Instant::now();
        let outcome = match self.read(tool, rule, caller, arguments, key) {
            Ok(arguments) => self.carry_out(tool, caller, arguments).await,
            Err(refusal) => Err(refusal),
        };
        let word = outcome.as_ref().err().map_or("success", |refusal| refusal.kind.as_str());
        self.desk.metrics.called(tool.name, word, started.elapsed());
        Some(outcome)
    }

    /// Reads the arguments of a call, or says all that is wrong with them: by the schema, and in the words of dates and tasks.
    fn read(
        &self,
        tool: &Tool,
        rule: &Rule,
        caller: &Caller,
        mut fields: Map<String, Value>,
        key: Option<&str>,
    ) -> Result<Arguments, Refusal> {
        if !caller.scopes.allow(tool.effect.scope()) {
            return Err(Refusal::new(
                super::outcome::Kind::Invalid,
                format!("Nothing was done: {} needs the scope `{}`.", tool.name, tool.effect.scope().as_str()),
            ));
        }
        lenient::mend(&mut fields, rule.schema(), tool.effect);
        let fields = Value::Object(fields);
        let mut faults = Vec::new();
        rule.check(&fields, MAX_FAULTS, &mut faults, str::to_owned);
        find_nul(&fields, "", MAX_FAULTS, &mut faults);
        let Value::Object(fields) = fields else { return Err(Refusal::invalid(faults)) };
        let day = day_of(caller, self.desk.clock.now(), self.desk.tasks.windows(caller));
        let mut arguments = Arguments::new(fields, day);
        (tool.words)(&self.desk, caller, &mut arguments);
        if key.is_some_and(|key| arguments.text(KEY).is_some_and(|own| own != key)) {
            arguments.fault(KEY, "must be left out, or be the same as the header Idempotency-Key");
        }
        add_others(&mut faults, arguments.take_faults(""));
        if !faults.is_empty() {
            return Err(Refusal::invalid(faults));
        }
        let retry = key.or_else(|| arguments.text(KEY)).filter(|_| tool.effect != Effect::Reads);
        let retry = retry.map(|key| key_of(tool.name, key, &arguments.asked(KEY)));
        Ok(arguments.repeatable(retry))
    }

    async fn carry_out(&self, tool: &Tool, caller: &Caller, arguments: Arguments) -> Outcome {
        // Before anything is looked up: the words of the first call may mean nothing any more.
        if let Some(key) = arguments.retry_key()
            && let Some(answer) = self.desk.tasks.answered(caller, key).await?
        {
            return replayed(&answer);
        }
        (tool.run)(&self.desk, caller, arguments).await
    }
}

/// Adds faults of places of which none is told yet.
fn add_others(faults: &mut Vec<Fault>, others: Vec<Fault>) {
    for other in others {
        if faults.len() < MAX_FAULTS && faults.iter().all(|known| known.field != other.field) {
            faults.push(other);
        }
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
