//! One operation, compiled from the document: what it takes and who may call it.

use std::sync::Arc;

use poem::http::Method;
use serde_json::{Value, json};

use super::parameters::Parameter;
use super::schema::Rule;
use crate::accounts::Scope;
use crate::http::document::ApiDocument;
use crate::http::limits::{Class, class_of};
use crate::http::payload::JSON;
use crate::http::reach::Reach;
use crate::oauth::Resource;

/// What the contract layer knows about an operation.
#[derive(Debug)]
pub(super) struct Operation {
    /// The operation id.
    pub(super) id: Arc<str>,
    /// The scope it needs; `None` where anyone may call.
    pub(super) scope: Option<Scope>,
    /// To what it belongs.
    pub(super) resource: Resource,
    /// Whether programs that people connected may call it.
    pub(super) reach: Reach,
    /// How requests are counted.
    pub(super) class: Class,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<BodyRule>,
}

/// What a body must be.
#[derive(Debug)]
pub(super) struct BodyRule {
    /// Whether the operation takes the body; one that takes none has this rule to refuse what is sent all the same.
    pub(super) taken: bool,
    pub(super) required: bool,
    /// Whether a JSON merge patch may say so in its `Content-Type`.
    pub(super) merge_patch: bool,
    pub(super) rule: Rule,
}

impl Operation {
    /// Compiles the operation described at `pattern`.
    pub(super) fn compile(
        method: &Method,
        pattern: &Arc<str>,
        described: &Value,
        document: &ApiDocument,
    ) -> Result<Self, String> {
        let id = described["operationId"].as_str().ok_or_else(|| format!("an operation of {pattern} has no id"))?;
        let within = |error: String| format!("{id}: {error}");
        let parameters = described["parameters"].as_array().into_iter().flatten();
        Ok(Self {
            id: id.into(),
            scope: document.scopes.get(id).copied(),
            resource: if pattern.starts_with("/mcp") { Resource::Mcp } else { Resource::Api },
            reach: Reach::of(method, pattern),
            class: class_of(pattern),
            parameters: parameters
                .map(|parameter| Parameter::compile(parameter, pattern, &document.value))
                .collect::<Result<_, _>>()
                .map_err(within)?,
            body: match described.get("requestBody") {
                Some(body) if is_file(body) => None,
                Some(body) => Some(BodyRule::compile(method, body, described, &document.value).map_err(within)?),
                // The body of a GET has no meaning, so it is not even looked at (RFC 9110, section 9.3.1).
                None if *method == Method::GET => None,
                None => Some(BodyRule::of_nothing().map_err(within)?),
            },
        })
    }

    /// The names of the query parameters.
    pub(super) fn query_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(|parameter| parameter.is_query()).map(|parameter| parameter.name.as_str())
    }
}

/// Whether a body is a file, which its operation takes piece by piece.
fn is_file(body: &Value) -> bool {
    body["content"].get("application/octet-stream").is_some()
}

impl BodyRule {
    /// Where no body is taken: nothing, `null`, or an object without fields, as clients send that always send one. A
    /// field would be a wish that nobody hears.
    fn of_nothing() -> Result<Self, String> {
        // Of an object with named fields, though there are none, each unknown one is told by name.
        let nothing = json!({"type": "object", "nullable": true, "properties": {}, "additionalProperties": false});
        let rule = Rule::compile(&nothing, &Value::Null)?;
        Ok(Self { taken: false, required: false, merge_patch: false, rule })
    }

    fn compile(method: &Method, body: &Value, operation: &Value, document: &Value) -> Result<Self, String> {
        let content = &body["content"];
        let schema = content[JSON].get("schema").ok_or("only JSON bodies are supported")?;
        Ok(Self {
            taken: true,
            required: body["required"].as_bool().unwrap_or(false),
            merge_patch: *method == Method::PATCH,
            rule: Rule::of_body(schema, operation, document)?,
        })
    }
}
