//! JSON Schemas (2020-12) of arguments and results, kept short: models read all of them before the first word.

use serde_json::{Map, Value, json};

/// An object with these properties and no others.
pub(super) fn object(properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The same where some properties must be given.
pub(super) fn object_with(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A text.
pub(super) fn text(description: &str, most: u32) -> Value {
    json!({ "type": "string", "description": description, "minLength": 1, "maxLength": most })
}

/// A text that says all by its name.
pub(super) fn plain(most: u32) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most })
}

/// A whole number.
pub(super) fn number(description: &str, least: u32, most: u32) -> Value {
    json!({ "type": "integer", "description": description, "minimum": least, "maximum": most })
}

/// The same schema, where `null` empties.
pub(super) fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = match kind.take() {
            Value::Array(mut kinds) => {
                kinds.push(json!("null"));
                Value::Array(kinds)
            }
            kind => json!([kind, "null"]),
        };
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}

/// Both sets of properties.
pub(super) fn with(mut properties: Value, more: Value) -> Value {
    if let (Value::Object(own), Value::Object(more)) = (&mut properties, more) {
        own.extend(more);
    }
    properties
}

/// How a call points at a task.
pub(super) fn pointer() -> Value {
    json!({
        "id": { "type": "string", "description": "The task's id; or use query", "minLength": 1, "maxLength": 200 },
        "query": text("Words for the task, as the user said them", 200),
    })
}

/// A due date as a person says it.
pub(super) fn due() -> Value {
    text("As said: friday 5pm, tomorrow, in 2 weeks, or ISO 8601", 100)
}

/// The fields of a task that a call may set.
pub(super) fn task_fields() -> Value {
    json!({
        "title": plain(200),
        "description": { "type": "string", "maxLength": 2000 },
        "priority": { "type": ["integer", "string"], "description": "1 low to 5 high, or low/normal/high/urgent" },
        "due_date": due(),
        "effort_estimate_minutes": { "type": "integer", "minimum": 1, "maximum": 525_600 },
        "preferred_time": { "type": "string", "enum": ["morning", "afternoon", "evening"] },
        "labels": { "type": "array", "items": plain(50), "maxItems": 20 },
        "project_id": { "type": "string", "format": "uuid" },
        "parent_id": { "type": "string", "format": "uuid" },
    })
}

/// The same where each but the title can be emptied.
pub(super) fn task_changes() -> Value {
    let mut changes = Map::new();
    if let Value::Object(fields) = task_fields() {
        for (name, schema) in fields {
            let keeps = matches!(name.as_str(), "title" | "priority");
            changes.insert(name, if keeps { schema } else { nullable(schema) });
        }
    }
    Value::Object(changes)
}

/// A task in a result: what always is there. Its other fields are told where calls set them.
pub(super) fn task() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "title": { "type": "string" },
        },
        "required": ["id", "title"],
    })
}

/// A list of tasks in a result.
pub(super) fn tasks() -> Value {
    json!({ "type": "array", "items": task() })
}

/// What a tool answers: these properties, or what was refused.
pub(super) fn answer(required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object",
        "properties": with(properties, json!({ "error": { "type": "object" } })),
        "anyOf": [{ "required": required }, { "required": ["error"] }],
    })
}

/// What a change of one task answers.
pub(super) fn changed() -> Value {
    answer(
        &["task", "changed"],
        json!({
            "task": task(),
            "changed": { "type": "boolean" },
            "undo_token": { "type": "string" },
        }),
    )
}
