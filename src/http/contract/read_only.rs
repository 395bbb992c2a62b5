//! Fields that the server alone decides: a resource shows them, its input does not take them.
//!
//! An input of a resource has no other fields than the resource that the operation answers with; what that has beyond
//! them is read-only.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where a closed object of a compiled schema notes its read-only fields; no keyword of JSON Schema.
pub(super) const READ_ONLY: &str = "x-read-only";

/// Notes the read-only fields of all objects in the `schema` of an operation's body.
pub(super) fn note(schema: &mut Value, operation: &Value, document: &Value) {
    let mut shown = Shown { document, seen: BTreeSet::new(), objects: Vec::new() };
    let answers = operation["responses"].as_object().into_iter().flatten();
    answers.filter(|(status, _)| status.starts_with('2')).for_each(|(_, answer)| shown.collect(answer));
    mark(schema, &shown.objects);
}

/// The objects that an operation's answers are made of.
struct Shown<'a> {
    document: &'a Value,
    seen: BTreeSet<&'a str>,
    objects: Vec<&'a Map<String, Value>>,
}

impl<'a> Shown<'a> {
    fn collect(&mut self, value: &'a Value) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                    && self.seen.insert(reference)
                    && let Some(target) = self.document.pointer(reference.trim_start_matches('#'))
                {
                    self.collect(target);
                }
                self.objects.extend(map.get("properties").and_then(Value::as_object));
                map.values().for_each(|value| self.collect(value));
            }
            Value::Array(items) => items.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }
}

fn mark(schema: &mut Value, objects: &[&Map<String, Value>]) {
    match schema {
        Value::Object(map) => {
            if map.get("additionalProperties") == Some(&Value::Bool(false))
                && let Some(names) =
                    map.get("properties").and_then(Value::as_object).and_then(|own| beyond(own, objects))
            {
                map.insert(READ_ONLY.to_owned(), json!(names));
            }
            map.values_mut().for_each(|value| mark(value, objects));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| mark(value, objects)),
        _ => {}
    }
}

/// What the smallest object that has all of an input's fields has beyond them.
fn beyond(input: &Map<String, Value>, objects: &[&Map<String, Value>]) -> Option<Vec<String>> {
    let resource = objects.iter().filter(|object| input.keys().all(|name| object.contains_key(name)));
    let resource = resource.min_by_key(|object| object.len()).filter(|_| !input.is_empty())?;
    Some(resource.keys().filter(|name| !input.contains_key(*name)).cloned().collect())
}
