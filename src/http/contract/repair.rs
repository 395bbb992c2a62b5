//! Something harmless in the place of what a schema refused, so that the rest can be read.

use serde_json::{Map, Value, json};

use crate::http::problem::Fault;

/// A far day, which is wrong nowhere.
const SOME_DAY: &str = "9999-12-01";
/// Nobody's id.
const SOME_ID: &str = "00000000-0000-0000-0000-000000000000";
/// How deep schemas lie in each other, at most.
const MAX_DEPTH: usize = 24;

/// The body with every refused value replaced by one of the right form, and without unknown fields.
pub(super) fn repaired(mut body: Value, schema: &Value, found: &[Fault]) -> Value {
    for fault in found {
        let pointer = &fault.field;
        if pointer.is_empty() || pointer.starts_with('/') {
            let steps: Vec<String> =
                pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
            repair(&mut body, schema, &steps);
        }
    }
    body
}

fn repair(value: &mut Value, schema: &Value, steps: &[String]) {
    match (steps, value) {
        // An object that breaks a rule as a whole has fields that are right by themselves.
        ([], Value::Object(_)) if schema.get("properties").is_some() => {}
        ([], value) => *value = some(schema, 0),
        ([name, rest @ ..], Value::Object(fields)) => {
            let Some(inner) = schema.get("properties").and_then(|known| known.get(name)) else {
                fields.remove(name);
                return;
            };
            match fields.get_mut(name) {
                Some(field) => repair(field, inner, rest),
                None => {
                    fields.insert(name.clone(), some(inner, 0));
                }
            }
        }
        ([index, rest @ ..], Value::Array(items)) => {
            if let (Some(item), Some(inner)) =
                (index.parse().ok().and_then(|index: usize| items.get_mut(index)), schema.get("items"))
            {
                repair(item, inner, rest);
            }
        }
        // What lies around it was replaced already.
        _ => {}
    }
}

/// The simplest value of a schema's form.
fn some(schema: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(choice) = schema.get("enum").and_then(|choices| choices.get(0)) {
        return choice.clone();
    }
    let kind = &schema["type"];
    match kind.as_str().or_else(|| kind[0].as_str()) {
        Some("string") => some_text(schema),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("array") => {
            let fewest = schema["minItems"].as_u64().unwrap_or_default();
            (0..fewest).map(|_| some(&schema["items"], depth + 1)).collect()
        }
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields = required.map(|name| (name.to_owned(), some(&schema["properties"][name], depth + 1)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

fn some_text(schema: &Value) -> Value {
    match schema["format"].as_str() {
        Some("date-or-date-time") => json!(SOME_DAY),
        Some("uuid") => json!(SOME_ID),
        _ => {
            let fewest = schema["minLength"].as_u64().unwrap_or(1).clamp(1, 64);
            json!("x".repeat(usize::try_from(fewest).unwrap_or(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_replaced_and_the_rest_stays() {
        let note = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "minLength": 2},
            "rank": {"type": ["integer", "null"], "minimum": 3},
            "day": {"type": "string", "format": "date-or-date-time"},
            "mood": {"type": "string", "enum": ["good", "bad"]},
            "notes": {"type": "array", "items": note, "minItems": 1},
        }});
        let body = json!({"rank": "x", "day": 7, "mood": "bad", "notes": [{"text": "a"}, 5, {}], "x/y": 1});
        let found = ["/name", "/rank", "/day", "/notes/1", "/notes/2/text", "/x~1y", "?limit"];
        let found = found.map(|field| Fault::new(field, ""));

        let body = repaired(body, &schema, &found);

        let notes = json!([{"text": "a"}, {"text": "x"}, {"text": "x"}]);
        assert_eq!(body, json!({"name": "xx", "rank": 3, "day": SOME_DAY, "mood": "bad", "notes": notes}));
        assert_eq!(repaired(json!([]), &schema, &[Fault::new("", "")]), json!({"name": "xx"}));
        assert_eq!(repaired(json!({"notes": 1}), &schema, &found[3..]), json!({"notes": 1}));
    }
}
