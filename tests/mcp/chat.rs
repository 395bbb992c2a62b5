//! A chat that is connected to somebody's tasks.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::Actor;

/// A protocol that begins with `initialize`.
pub(crate) const CLASSIC: &str = "2025-11-25";
/// The protocol without sessions.
pub(crate) const MODERN: &str = "2026-07-28";

/// A chat.
pub(crate) struct Chat<'a> {
    person: Actor<'a>,
    era: &'static str,
    /// The schemas of results by tool.
    outputs: HashMap<String, Value>,
}

/// What a tool answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) data: Value,
    pub(crate) is_error: bool,
}

impl<'a> Chat<'a> {
    /// Somebody's chat with all their rights.
    pub(crate) async fn of(person: &Actor<'a>) -> Self {
        Self::with_scopes(person, &["read", "write"], CLASSIC).await
    }

    /// The same with fewer rights, or of another era.
    pub(crate) async fn with_scopes(person: &Actor<'a>, scopes: &[&str], era: &'static str) -> Self {
        let token = json!({ "name": format!("chat {era}"), "scopes": scopes });
        let token = person.post("/api/auth/tokens", &token).await.good();
        let mut chat = Self { person: person.holding(token["token"].as_str().unwrap()), era, outputs: HashMap::new() };
        let list = chat.ask("tools/list", json!({})).await;
        let tools = list["result"]["tools"].as_array().unwrap();
        chat.outputs = tools
            .iter()
            .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool["outputSchema"].clone()))
            .collect();
        chat
    }

    /// Sends a message as it is.
    pub(crate) async fn send(&self, message: &Value) -> Answer {
        let mut headers = vec![("accept", "application/json, text/event-stream")];
        let method = message["method"].as_str().unwrap_or_default();
        if method != "initialize" {
            headers.push(("mcp-protocol-version", self.era));
        }
        let name = message["params"].get("name").or_else(|| message["params"].get("uri"));
        if self.era == MODERN {
            headers.push(("mcp-method", method));
            if let Some(name) = name
                .and_then(Value::as_str)
                .filter(|_| matches!(method, "tools/call" | "prompts/get" | "resources/read"))
            {
                headers.push(("mcp-name", name));
            }
        }
        self.person.send(Method::POST, "/mcp", Some(message), &headers).await
    }

    /// The answer to a request, as JSON-RPC.
    pub(crate) async fn ask(&self, method: &str, mut params: Value) -> Value {
        if self.era == MODERN {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            });
        }
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = message_of(self.send(&message).await);
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }

    /// Calls a tool; its result must keep the tool's schema.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Told {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        let result = &answer["result"];
        let told = Told {
            text: result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
            data: result["structuredContent"].clone(),
            is_error: result["isError"] == true,
        };
        let schema = &self.outputs[tool];
        assert!(jsonschema::is_valid(schema, &told.data), "{tool} breaks its schema: {}", told.data);
        told
    }
}

impl Told {
    /// The data of a call that did what it should.
    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!(!self.is_error, "{}", self.text);
        self.data
    }

    /// The text of a call that did nothing for this reason.
    #[track_caller]
    pub(crate) fn refused(self, kind: &str) -> Self {
        assert!(self.is_error, "{}", self.text);
        assert_eq!(self.data["error"]["kind"], kind, "{}", self.text);
        self
    }

    /// The arguments that were refused.
    #[track_caller]
    pub(crate) fn faults(self) -> Vec<String> {
        let told = self.refused("invalid");
        let faults = told.data["error"]["faults"].as_array().unwrap();
        faults.iter().map(|fault| fault["argument"].as_str().unwrap().to_owned()).collect()
    }
}

/// The message of an answer: a document, or the one event of a stream.
pub(crate) fn message_of(answer: Answer) -> Value {
    match answer.body {
        Value::String(stream) => {
            let data = stream.lines().filter_map(|line| line.strip_prefix("data: ")).find(|data| !data.is_empty());
            serde_json::from_str(data.unwrap_or_else(|| panic!("{} {stream}", answer.status))).unwrap()
        }
        body => body,
    }
}
