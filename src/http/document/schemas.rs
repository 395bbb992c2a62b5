//! Schemas of the document: strict input, nullable output, whole numbers written as such.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const PREFIX: &str = "#/components/schemas/";

/// The names of all schemas that request bodies use, directly or through others.
pub(super) fn reachable_from_requests(document: &Value) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let paths = document.get("paths").and_then(Value::as_object);
    let operations = paths.into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values);
    for body in operations.filter_map(|operation| operation.get("requestBody")) {
        references(body, document, &mut used);
    }
    used.iter().filter_map(|reference| reference.strip_prefix(PREFIX)).map(str::to_owned).collect()
}

/// Completes all schemas: `inputs` refuse unknown fields, the others may hold `null` where a field is optional.
pub(super) fn complete(schemas: &mut Map<String, Value>, inputs: &BTreeSet<String>) {
    let known = schemas.clone();
    for (name, schema) in schemas.iter_mut() {
        tidy(schema);
        if inputs.contains(name) {
            close(schema);
        } else {
            optional_is_nullable(schema);
        }
        for property in
            schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            nullable_reference(property, &known);
        }
    }
}

/// Unknown fields of an object with named fields are refused.
pub(super) fn close(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut()
        && schema.contains_key("properties")
    {
        schema.entry("additionalProperties").or_insert(Value::Bool(false));
    }
}

/// An answer's optional field is there with `null`.
fn optional_is_nullable(schema: &mut Value) {
    let required: BTreeSet<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        if required.contains(name) {
            continue;
        }
        if property.get("$ref").is_some() {
            *property = json!({"allOf": [property.take()]});
        }
        property["nullable"] = Value::Bool(true);
    }
}

/// What makes a schema say something about the type of its values.
const TYPED: [&str; 4] = ["type", "allOf", "anyOf", "oneOf"];

/// The schema of `null` alone.
pub(crate) fn null() -> Value {
    json!({"type": "string", "nullable": true, "enum": [null]})
}

/// What OpenAPI 3.0 takes for nullable: a reference beside `nullable` needs a type, and an enumeration would have to list
/// `null`; as one of two forms it keeps its name, so that generated clients have one type for it.
fn nullable_reference(property: &mut Value, schemas: &Map<String, Value>) {
    if property.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    let reference = property.pointer("/allOf/0/$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(PREFIX));
    let target = reference.and_then(|name| schemas.get(name)).cloned();
    let Some(property) = property.as_object_mut() else { return };
    if !TYPED.iter().any(|key| property.contains_key(*key)) {
        // A schema that says nothing allows null already.
        property.shift_remove("nullable");
    }
    if let Some(Value::Object(target)) = target {
        if target.contains_key("enum") {
            property.shift_remove("nullable");
            if let Some(Value::Array(forms)) = property.shift_remove("allOf") {
                property.insert("oneOf".to_owned(), forms.into_iter().take(1).chain([null()]).collect());
            }
        } else if let Some(kind) = target.get("type") {
            property.entry("type").or_insert(kind.clone());
        }
    }
    if let Some(Value::Array(values)) = property.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Undoes what makes generated schemas hard to read: `5.0` for `5`, the same words twice beside a reference.
pub(super) fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            single_reference(map);
            for (key, value) in map.iter_mut() {
                if matches!(key.as_str(), "minimum" | "maximum" | "multipleOf") {
                    whole(value);
                }
                if key == "description"
                    && let Value::String(text) = value
                {
                    *text = super::texts::unwrapped(text);
                }
                tidy(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// `{"allOf": [ref, {"description": d}], "description": d}` says `d` once.
fn single_reference(map: &mut Map<String, Value>) {
    let repeats = match map.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::Object(reference), Value::Object(rest)]) => {
            reference.contains_key("$ref") && rest.iter().all(|(key, value)| map.get(key) == Some(value))
        }
        _ => false,
    };
    if repeats && let Some(Value::Array(all)) = map.get_mut("allOf") {
        all.truncate(1);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 53 bits")]
fn whole(value: &mut Value) {
    if let Some(number) = value.as_f64()
        && number.fract() == 0.0
        && number.abs() < 9_007_199_254_740_992.0
    {
        *value = json!(number as i64);
    }
}

/// Drops schemas, answers and headers that no operation refers to, directly or through others.
pub(super) fn without_unused(mut document: Value) -> Value {
    let mut used = BTreeSet::new();
    references(&document["paths"], &document, &mut used);
    for section in ["responses", "headers", "schemas"] {
        if let Some(entries) = document["components"][section].as_object_mut() {
            entries.retain(|name, _| used.contains(&format!("#/components/{section}/{name}")));
        }
    }
    document
}

fn references(value: &Value, document: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && used.insert(reference.to_owned())
                && let Some(target) = document.pointer(reference.trim_start_matches('#'))
            {
                references(target, document, used);
            }
            map.values().for_each(|value| references(value, document, used));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, document, used)),
        _ => {}
    }
}
