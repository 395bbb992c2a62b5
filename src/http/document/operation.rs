//! One operation of the document: its texts, parameters, body and security.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{answers, schemas, texts};
use crate::accounts::Scope;
use crate::http::auth::{SCHEME, SCHEME_ADMIN, SCHEME_READ, SCHEME_WRITE};
use crate::http::conditional::Preconditions;

/// Said of the body of each `PATCH`. One media type alone is documented: generators write a client's argument once for
/// each, and some then trip over their own code.
const MERGE_PATCH: &str = "A JSON merge patch (RFC 7396): what is absent stays, `null` clears. \
    `Content-Type: application/merge-patch+json` is understood as well.";

/// Where an operation stands.
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    /// Whether some operation of the path takes `If-Match`, so that its answers carry an `ETag`.
    pub(super) guarded: bool,
}

/// Completes one operation and notes the scope it needs.
pub(super) fn complete(
    described: &mut Value,
    place: &Place<'_>,
    schemas: &Map<String, Value>,
    scopes: &mut BTreeMap<String, Scope>,
) {
    let Some(operation) = described.as_object_mut() else { return };
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let own_errors = texts::complete(operation);
    if let Some(scope) = security(operation) {
        scopes.insert(id, scope);
    }
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        note_second_precondition(parameters);
        parameters.iter_mut().for_each(complete_parameter);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        complete_body(body, place.method);
    }
    answers::complete(operation, place, schemas, &own_errors);
}

/// Replaces the internal scheme names by the published one; public operations say so.
fn security(operation: &mut Map<String, Value>) -> Option<Scope> {
    let named = operation.get("security").and_then(Value::as_array).and_then(|schemes| schemes.first());
    let name = named.and_then(Value::as_object).and_then(|scheme| scheme.keys().next()).cloned();
    let scope = match name.as_deref() {
        Some(SCHEME_READ | SCHEME) => Some(Scope::Read),
        Some(SCHEME_WRITE) => Some(Scope::Write),
        Some(SCHEME_ADMIN) => Some(Scope::Admin),
        _ => None,
    };
    let published = if name.is_some() { json!([{SCHEME: []}]) } else { json!([]) };
    operation.insert("security".to_owned(), published);
    scope
}

/// Adds `If-None-Match` behind an `If-Match` that is read together with it.
fn note_second_precondition(parameters: &mut Vec<Value>) {
    let both = |parameter: &Value| parameter["schema"]["format"] == Preconditions::BOTH;
    if let Some(index) = parameters.iter().position(both) {
        let about = "Change only if the entity tag is none of these; `*`: not what exists (RFC 9110, section 13.1.2).";
        parameters.insert(index + 1, if_none_match(about));
    }
}

/// The header `If-None-Match`.
pub(super) fn if_none_match(about: &str) -> Value {
    json!({"name": "If-None-Match", "in": "header", "required": false, "schema": entity_tags(), "description": about})
}

fn entity_tags() -> Value {
    json!({"type": "string", "pattern": r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#})
}

fn complete_parameter(parameter: &mut Value) {
    let Some(parameter) = parameter.as_object_mut() else { return };
    if parameter.get("deprecated") == Some(&Value::Bool(false)) {
        parameter.shift_remove("deprecated");
    }
    let listed = parameter.get("schema").and_then(|schema| schema.get("type")) == Some(&json!("array"));
    if !listed && parameter.get("explode") == Some(&Value::Bool(true)) {
        parameter.shift_remove("explode");
    }
    // A list may be empty, which a query says by not naming it.
    if listed && parameter.get("in") == Some(&json!("query")) {
        parameter.insert("required".to_owned(), Value::Bool(false));
    }
    if let Some(schema) = parameter.get_mut("schema") {
        schemas::tidy(schema);
    }
    let name = parameter.get("name").and_then(Value::as_str).map(str::to_ascii_lowercase).unwrap_or_default();
    if name == "idempotency-key" && parameter.get("in") == Some(&json!("header")) {
        let key = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
        parameter.insert("schema".to_owned(), key);
    }
    if name == "if-match" {
        parameter.insert("schema".to_owned(), entity_tags());
    }
    if let Some(about) = describe(&name)
        && !parameter.contains_key("description")
    {
        parameter.insert("description".to_owned(), json!(about));
    }
    if let Some(Value::String(text)) = parameter.get_mut("description") {
        *text = texts::unwrapped(text);
    }
}

/// What parameters mean that many operations share.
fn describe(name: &str) -> Option<&'static str> {
    Some(match name {
        "idempotency-key" => {
            "Makes the request safe to repeat: the same key and body within 24 hours answer the first answer again."
        }
        "if-match" => "Change only if the entity tag is still this one (RFC 9110, section 13.1.1).",
        "limit" => "How many items a page holds at most.",
        "cursor" => "`next_cursor` of the page before, with the other parameters unchanged.",
        "task_id" => "The task's id.",
        "project_id" => "The project's id.",
        "attachment_id" => "The attachment's id.",
        "label_id" => "The label's id.",
        "session_id" => "The session's id.",
        "token_id" => "The personal access token's id.",
        _ => return None,
    })
}

fn complete_body(body: &mut Value, method: &str) {
    let Some(Value::Object(content)) = body.get_mut("content") else { return };
    answers::rename_json(content);
    for media in content.values_mut() {
        if let Some(schema) = media.get_mut("schema") {
            schemas::tidy(schema);
            schemas::close(schema);
        }
    }
    if method == "patch" {
        body["description"] = json!(MERGE_PATCH);
    }
    if let Some(Value::String(text)) = body.get_mut("description") {
        *text = texts::unwrapped(text);
    }
}

/// Whether an operation takes the header `If-Match`.
pub(super) fn takes_if_match(operation: &Value) -> bool {
    takes_header(operation, "if-match")
}

/// Whether an operation takes a header, whose name is given in lower case.
pub(super) fn takes_header(operation: &Value, name: &str) -> bool {
    operation.get("parameters").and_then(Value::as_array).into_iter().flatten().any(|parameter| {
        let is_header = parameter.get("in").and_then(Value::as_str) == Some("header");
        is_header && parameter.get("name").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}
