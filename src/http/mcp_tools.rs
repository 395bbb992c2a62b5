//! `/mcp/tools`: the tools of the Model Context Protocol, for people with curl.

use std::sync::Arc;

use poem::http::StatusCode;
use poem_openapi::param::Path;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use super::auth::Reader;
use super::gate::Gate;
use super::payload::Json;
use super::problem::ApiError;
use super::tags::Tag;
use crate::mcp::outcome::{Kind, Refusal};
use crate::mcp::toolbox::Toolbox;
use crate::tasks::Fault;

/// The operations on tools.
pub struct McpToolsApi {
    toolbox: Arc<Toolbox>,
    gate: Gate,
}

/// The tools there are.
#[derive(Debug, Object, Serialize)]
struct ToolList {
    /// Always in the same order.
    tools: Vec<ToolView>,
}

/// A tool.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Tool", rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
struct ToolView {
    /// Its name.
    name: String,
    /// The name for people.
    title: String,
    /// What it does, and when to use it.
    description: String,
    /// The JSON Schema (2020-12) of its arguments.
    input_schema: Any<Value>,
    /// The JSON Schema of `structuredContent` in its result.
    output_schema: Any<Value>,
    /// What it does to the tasks.
    annotations: Any<Value>,
}

/// What a tool answered.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
struct ToolResult {
    /// The answer in words.
    content: Vec<TextContent>,
    /// The answer as data.
    structured_content: Any<Value>,
    /// Always `false`: what was refused is a problem document.
    is_error: bool,
}

/// A text.
#[derive(Debug, Object, Serialize)]
struct TextContent {
    /// Always `text`.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// The words.
    text: String,
}

impl McpToolsApi {
    /// The operations over the tools.
    pub const fn new(toolbox: Arc<Toolbox>, gate: Gate) -> Self {
        Self { toolbox, gate }
    }
}

#[OpenApi(prefix_path = "/mcp", tag = "Tag::Mcp")]
impl McpToolsApi {
    /// List tools
    ///
    /// The tools that hosts of the Model Context Protocol see at `/mcp`.
    #[expect(clippy::unused_async, reason = "poem-openapi's operations are")]
    #[oai(path = "/tools", method = "get", operation_id = "list_tools")]
    async fn list_tools(&self, _caller: Reader) -> Json<ToolList> {
        let field = |value: Option<Value>| Any(value.unwrap_or_default());
        let view = |tool: &rmcp::model::Tool| ToolView {
            name: tool.name.to_string(),
            title: tool.title.clone().unwrap_or_default(),
            description: tool.description.as_deref().unwrap_or_default().to_owned(),
            input_schema: Any(Value::Object((*tool.input_schema).clone())),
            output_schema: field(tool.output_schema.as_deref().cloned().map(Value::Object)),
            annotations: field(tool.annotations.as_ref().and_then(|all| serde_json::to_value(all).ok())),
        };
        Json(ToolList { tools: self.toolbox.list().iter().map(view).collect() })
    }

    /// Call a tool
    ///
    /// The body holds the tool's arguments; its `inputSchema` says which. Tools that change something need the scope
    /// `write`.
    ///
    /// - 404: There is no such tool, or no task fits.
    /// - 409: The words fit several tasks, or the present state stands against it.
    #[oai(path = "/tools/:name", method = "post", operation_id = "call_tool")]
    async fn call_tool(
        &self,
        caller: Reader,
        /// The tool's name.
        #[oai(validator(min_length = 1, max_length = 64))]
        name: Path<String>,
        arguments: poem_openapi::payload::Json<Any<Map<String, Value>>>,
    ) -> Result<Json<ToolResult>, ApiError> {
        let scope = self.toolbox.scope(&name.0).ok_or_else(|| ApiError::not_found("tool"))?;
        self.gate.demand(&caller, scope)?;
        let outcome = self.toolbox.call(&name.0, &caller, arguments.0.0).await;
        match outcome.ok_or_else(|| ApiError::not_found("tool"))? {
            Ok(success) => Ok(Json(ToolResult {
                content: vec![TextContent { kind: "text".to_owned(), text: success.text }],
                structured_content: Any(success.structured),
                is_error: false,
            })),
            Err(refusal) => Err(problem(refusal)),
        }
    }
}

/// A refusal as HTTP says it.
fn problem(refusal: Refusal) -> ApiError {
    let text = refusal.text();
    let conflict = |kind, title| ApiError::new(StatusCode::CONFLICT, kind, title).detail(text.clone());
    match refusal.kind {
        Kind::Invalid => {
            let faults = refusal.faults.into_iter().map(|fault| {
                let steps = fault.argument.replace('[', "/").replace(']', "").replace('.', "/");
                Fault::new(if steps.is_empty() { steps } else { format!("/{steps}") }, fault.message)
            });
            ApiError::invalid(faults.collect())
        }
        Kind::Ambiguous => conflict("ambiguous", "Several tasks fit"),
        Kind::Conflict => conflict("conflict", "The present state stands against it"),
        Kind::NotFound => ApiError::new(StatusCode::NOT_FOUND, "not-found", "Not found").detail(text),
        Kind::Unavailable => ApiError::unavailable(&std::io::Error::other("a tool could not reach the database")),
        Kind::Internal => ApiError::internal_untold(),
    }
}
