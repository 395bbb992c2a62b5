//! `/mcp/tools`: the tools of the Model Context Protocol, for people with curl.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::header::CONTENT_TYPE;
use poem::{IntoResponse, Response};
use poem_openapi::param::Path;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Any, Type};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use super::auth::Reader;
use super::changes::{IdempotencyKey, REPLAYED, UNDO_TOKEN};
use super::gate::Gate;
use super::payload::{JSON, Json};
use super::problem::ApiError;
use super::tags::Tag;
use crate::mcp::outcome::{Kind, Refusal, Success};
use crate::mcp::toolbox::Toolbox;
use crate::tasks::{Fault, TaskError};

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

/// A [`ToolResult`] with the headers of every change: what takes it back, and whether it was answered before.
#[derive(Debug)]
struct Called {
    result: ToolResult,
    undo_token: Option<String>,
    is_replayed: bool,
}

impl From<Success> for Called {
    fn from(success: Success) -> Self {
        Self {
            undo_token: success.undo_token().map(str::to_owned),
            is_replayed: success.is_replayed,
            result: ToolResult {
                content: vec![TextContent { kind: "text".to_owned(), text: success.text }],
                structured_content: Any(success.structured),
                is_error: false,
            },
        }
    }
}

impl IntoResponse for Called {
    fn into_response(self) -> Response {
        let mut builder = Response::builder().header(CONTENT_TYPE, JSON);
        if let Some(token) = self.undo_token {
            builder = builder.header(UNDO_TOKEN, token);
        }
        if self.is_replayed {
            builder = builder.header(REPLAYED, "true");
        }
        builder.body(serde_json::to_string(&self.result).unwrap_or_default())
    }
}

impl ApiResponse for Called {
    fn meta() -> MetaResponses {
        // The document layer knows what each of these headers says.
        let headers = [UNDO_TOKEN, REPLAYED].map(|name| MetaHeader {
            name: name.to_owned(),
            description: None,
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        });
        let content = vec![MetaMediaType { content_type: JSON, schema: ToolResult::schema_ref() }];
        let (status, headers) = (Some(200), headers.into());
        let response = MetaResponse { description: "", status, status_range: None, content, headers };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        ToolResult::register(registry);
    }
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
    /// `write`; an `Idempotency-Key` makes them safe to send again, as the argument `idempotency_key` does.
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
        /// Makes a repetition safe: the same key and arguments within 24 hours get the first answer again.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: IdempotencyKey,
        arguments: poem_openapi::payload::Json<Any<Map<String, Value>>>,
    ) -> Result<Called, ApiError> {
        let scope = self.toolbox.scope(&name.0).ok_or_else(|| ApiError::not_found("tool"))?;
        self.gate.demand(&caller, scope)?;
        let key = idempotency_key.into_key().map(|retry| retry.key);
        let outcome = self.toolbox.call(&name.0, &caller, arguments.0.0, key.as_deref()).await;
        outcome.ok_or_else(|| ApiError::not_found("tool"))?.map(Called::from).map_err(problem)
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
        Kind::KeyReused => ApiError::from(&TaskError::KeyReused),
        Kind::Conflict => conflict("conflict", "The present state stands against it"),
        Kind::NotFound => ApiError::new(StatusCode::NOT_FOUND, "not-found", "Not found").detail(text),
        Kind::Unavailable => ApiError::unavailable(&std::io::Error::other("a tool could not reach the database")),
        Kind::Internal => ApiError::internal_untold(),
    }
}
