//! Answers of the document: the errors an operation can give, and the headers of its answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::{Place, if_none_match, takes_header};
use super::schemas;
use crate::http::changes::{REPLAYED, UNDO_TOKEN};
use crate::http::limits::{self, Class};
use crate::http::payload::JSON;
use crate::http::problem::PROBLEM_JSON;

/// Status, component name, meaning.
const ERRORS: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "The body cannot be read: malformed JSON, a key given twice, or a wrong encoding."),
    (401, "Unauthorized", "The credential is missing, wrong, expired or was ended."),
    (403, "Forbidden", "The credential does not allow this."),
    (404, "NotFound", "There is no such thing, or it belongs to somebody else."),
    (408, "RequestTimeout", "The body did not come in time."),
    (409, "Conflict", "The request does not fit the present state."),
    (
        412,
        "PreconditionFailed",
        "`If-Match` names another version than the present one, or `If-None-Match` the present one.",
    ),
    (413, "ContentTooLarge", "The body is larger than the server takes."),
    (415, "UnsupportedMediaType", "The body must be JSON (`Content-Type: application/json`)."),
    (416, "RangeNotSatisfiable", "There is no such part; `Content-Range` says how much there is."),
    (422, "Invalid", "The request breaks rules; `errors` lists every fault."),
    (429, "TooManyRequests", "Too many requests; `Retry-After` says when to come back."),
    (500, "InternalError", "Something went wrong on the server; it was logged under the request's id."),
    (503, "Unavailable", "The service cannot answer at the moment; try again soon."),
];

/// Component name, header, description, schema.
const HEADERS: &[(&str, &str, &str, &str)] = &[
    ("RequestId", "X-Request-ID", "The request's id, the client's own when it sent a plausible one.", "string"),
    ("RateLimit", "RateLimit", "What is left of the quota, and the seconds until it is whole again.", "string"),
    ("RateLimitPolicy", "RateLimit-Policy", "The quota and its window in seconds.", "string"),
    ("RetryAfter", "Retry-After", "Seconds to wait before the next try.", "integer"),
    ("Challenge", "WWW-Authenticate", "How to authenticate (RFC 6750).", "string"),
    ("Location", "Location", "Where the new thing is.", "string"),
    ("EntityTag", "ETag", "The version, for `If-Match`.", "string"),
    ("TotalCount", "X-Total-Count", "How many items all pages together hold.", "integer"),
    ("UndoToken", "Undo-Token", "Takes the change back, once and within 24 hours, with `POST /api/undo`.", "string"),
    (
        "Replayed",
        "Idempotent-Replayed",
        "`true` when this answer was given before under the same `Idempotency-Key`.",
        "string",
    ),
];

/// Completes an operation's responses.
pub(super) fn complete(
    operation: &mut Map<String, Value>,
    place: &Place<'_>,
    schemas: &Map<String, Value>,
    own_errors: &BTreeMap<u16, String>,
) {
    let limited = limits::class_of(place.path) != Class::Exempt;
    let repeatable = takes_header(&Value::Object(operation.clone()), "idempotency-key");
    let mut statuses = possible(operation, place, limited);
    statuses.extend(own_errors.keys());
    let mut responses = match operation.shift_remove("responses") {
        Some(Value::Object(responses)) => responses,
        _ => Map::new(),
    };
    for (status, response) in &mut responses {
        keep_possible_headers(response, place, repeatable);
        complete_declared(status, response, place, schemas, limited);
    }
    note_not_modified(operation, &mut responses, place);
    for status in statuses {
        let Some((_, name, _)) = ERRORS.iter().find(|(known, ..)| *known == status) else { continue };
        let answer = match own_errors.get(&status) {
            Some(about) => error(status, about),
            None => json!({"$ref": format!("#/components/responses/{name}")}),
        };
        responses.entry(status.to_string()).or_insert(answer);
    }
    responses.sort_keys();
    operation.insert("responses".to_owned(), Value::Object(responses));
}

/// Drops the headers of changes from an answer that comes of none, and those of repetitions where there is none.
fn keep_possible_headers(response: &mut Value, place: &Place<'_>, repeatable: bool) {
    let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) else { return };
    headers.retain(|name, _| match name.to_ascii_lowercase().as_str() {
        UNDO_TOKEN => place.method != "get",
        REPLAYED => repeatable,
        _ => true,
    });
}

/// What has an entity tag is not sent again to who has it.
fn note_not_modified(operation: &mut Map<String, Value>, responses: &mut Map<String, Value>, place: &Place<'_>) {
    let tagged = responses.get("200").is_some_and(|response| response["headers"].get("ETag").is_some());
    if place.method != "get" || !tagged || responses.contains_key("304") {
        return;
    }
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(if_none_match("Answer 304, without the body, if the entity tag is one of these."));
    }
    let headers = responses.get("200").map_or_else(|| json!({}), |response| response["headers"].clone());
    let known = json!({"description": "The client has the present version already.", "headers": headers});
    responses.insert("304".to_owned(), known);
}

/// The errors that an operation can give because of what it takes.
fn possible(operation: &Map<String, Value>, place: &Place<'_>, limited: bool) -> Vec<u16> {
    let whole = Value::Object(operation.clone());
    // Where no body is taken, one that comes all the same is read, and refused.
    let reads_body = operation.contains_key("requestBody") || place.method != "get";
    let authenticated = operation.get("security").and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty());
    let mut statuses = vec![422, 500];
    let mut add = |when: bool, more: &[u16]| {
        if when {
            statuses.extend_from_slice(more);
        }
    };
    add(reads_body, &[400, 413, 415]);
    add(authenticated, &[401, 403]);
    add(place.path.contains('{'), &[404]);
    add(takes_header(&whole, "idempotency-key"), &[409]);
    add(takes_header(&whole, "if-match"), &[412]);
    add(limited, &[429, 503]);
    statuses
}

fn complete_declared(
    status: &str,
    response: &mut Value,
    place: &Place<'_>,
    schemas: &Map<String, Value>,
    limited: bool,
) {
    let good = status.starts_with('2');
    let Some(response) = response.as_object_mut() else { return };
    if response.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
        response.insert("description".to_owned(), json!(meaning(status)));
    }
    let mut list = false;
    if let Some(Value::Object(content)) = response.get_mut("content") {
        rename_json(content);
        for media in content.values_mut() {
            if let Some(schema) = media.get_mut("schema") {
                schemas::tidy(schema);
                list |= is_page(schema, schemas);
            }
        }
    }
    let declared = match response.shift_remove("headers") {
        Some(Value::Object(headers)) => headers,
        _ => Map::new(),
    };
    let mut names = vec!["X-Request-ID"];
    names.extend(limited.then_some(["RateLimit", "RateLimit-Policy"]).into_iter().flatten());
    names.extend((status == "201").then_some("Location"));
    names.extend((good && list).then_some("X-Total-Count"));
    let versioned = place.guarded && matches!(place.method, "get" | "put" | "patch" | "post");
    names.extend((good && versioned).then_some("ETag"));
    let known = HEADERS.iter().filter(|(_, header, ..)| {
        names.contains(header) || declared.keys().any(|own| own.eq_ignore_ascii_case(header))
    });
    let mut headers: Map<String, Value> = known.map(|(component, header, ..)| reference(component, header)).collect();
    for (name, header) in declared {
        if !headers.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
            headers.insert(name, header);
        }
    }
    response.insert("headers".to_owned(), Value::Object(headers));
}

fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "Created.",
        "202" => "Accepted; the rest happens later.",
        "204" => "Done; there is nothing to show.",
        _ => "Done.",
    }
}

/// Whether a schema is a page of a list.
fn is_page(schema: &Value, schemas: &Map<String, Value>) -> bool {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/components/schemas/"));
    let schema = name.and_then(|name| schemas.get(name)).unwrap_or(schema);
    schema.pointer("/properties/next_cursor").is_some()
}

/// poem-openapi writes a charset, which JSON does not have (RFC 8259, section 11).
pub(super) fn rename_json(content: &mut Map<String, Value>) {
    if let Some(media) = content.shift_remove("application/json; charset=utf-8") {
        content.insert(JSON.to_owned(), media);
    }
}

fn reference(component: &str, header: &str) -> (String, Value) {
    (header.to_owned(), json!({"$ref": format!("#/components/headers/{component}")}))
}

/// The error answers that operations refer to.
pub(super) fn components() -> Map<String, Value> {
    ERRORS.iter().map(|(status, name, about)| ((*name).to_owned(), error(*status, about))).collect()
}

/// The headers that answers refer to.
pub(super) fn headers() -> Map<String, Value> {
    let header = |(component, _, about, kind): &(&str, &str, &str, &str)| {
        ((*component).to_owned(), json!({"description": about, "schema": {"type": kind}}))
    };
    HEADERS.iter().map(header).collect()
}

fn error(status: u16, about: &str) -> Value {
    let mut headers = Map::from_iter([reference("RequestId", "X-Request-ID")]);
    headers.extend(matches!(status, 401 | 403).then(|| reference("Challenge", "WWW-Authenticate")));
    headers.extend(matches!(status, 429 | 503).then(|| reference("RetryAfter", "Retry-After")));
    if status == 429 {
        headers.extend([reference("RateLimit", "RateLimit"), reference("RateLimitPolicy", "RateLimit-Policy")]);
    }
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    json!({"description": about, "headers": headers, "content": {PROBLEM_JSON: {"schema": schema}}})
}

/// The schemas of problem documents.
pub(super) fn schemas() -> [(String, Value); 2] {
    let problem = json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "The kind of error; stable."},
            "title": {"type": "string", "description": "The kind of error in words; the same for every occurrence."},
            "status": {"type": "integer", "description": "The HTTP status.", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What happened this time."},
            "request_id": {"type": "string", "description": "The request's id, as in the server's log."},
            "errors": {
                "type": "array",
                "description": "For bad input: every fault of the request.",
                "items": {"$ref": "#/components/schemas/Fault"},
            },
        },
        "example": {
            "type": "urn:mindflow:problem:invalid-input",
            "title": "The request breaks a rule",
            "status": 422,
            "detail": "`/priority` must be between 1 and 5.",
            "request_id": "01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2d",
            "errors": [{"field": "/priority", "message": "must be between 1 and 5"}],
        },
    });
    let fault = json!({
        "type": "object",
        "description": "One thing that is wrong with a request.",
        "required": ["field", "message"],
        "properties": {
            "field": {
                "type": "string",
                "description": "A JSON pointer into the body, or `?name` in the query, `{name}` in the path, `Name:` \
                                for a header.",
            },
            "message": {"type": "string", "description": "What is allowed there."},
            "line": {"type": "integer", "minimum": 1, "description": "In a script: the line."},
            "column": {"type": "integer", "minimum": 1, "description": "In a script: the column of the line."},
        },
    });
    [("Problem".to_owned(), problem), ("Fault".to_owned(), fault)]
}
