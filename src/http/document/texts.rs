//! Texts of the document: doc comments become summaries, descriptions and descriptions of errors; and YAML.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Completes summary and description; takes the errors out that the description lists as `- 409: …`.
pub(super) fn complete(operation: &mut Map<String, Value>) -> BTreeMap<u16, String> {
    let summary = operation.get("summary").and_then(Value::as_str).map(unwrapped).unwrap_or_default();
    let summary = summary.trim_end_matches('.').to_owned();
    let (description, errors) = split(operation.get("description").and_then(Value::as_str).unwrap_or_default());
    let description = if description.is_empty() { format!("{summary}.") } else { description };
    let mut complete = Map::new();
    for key in ["tags", "operationId"] {
        if let Some(value) = operation.shift_remove(key) {
            complete.insert(key.to_owned(), value);
        }
    }
    complete.insert("summary".to_owned(), json!(summary));
    complete.insert("description".to_owned(), json!(description));
    for (key, value) in std::mem::take(operation) {
        complete.entry(key).or_insert(value);
    }
    *operation = complete;
    errors
}

fn split(description: &str) -> (String, BTreeMap<u16, String>) {
    let mut errors = BTreeMap::new();
    let text = unwrapped(description);
    let kept: Vec<_> = text
        .lines()
        .filter(|line| match error_item(line) {
            Some((status, about)) => {
                errors.insert(status, about);
                false
            }
            None => true,
        })
        .collect();
    (kept.join("\n").trim().to_owned(), errors)
}

/// Reads `- 409: The name is taken.`
fn error_item(line: &str) -> Option<(u16, String)> {
    let (status, about) = line.strip_prefix("- ")?.split_once(':')?;
    let status: u16 = status.trim_matches(|c| c == '`' || c == ' ').parse().ok()?;
    (400..600).contains(&status).then(|| (status, about.trim().to_owned()))
}

/// Joins the lines of each paragraph and list item, as Markdown shows them.
pub(super) fn unwrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut verbatim = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        let own = verbatim || fence || line.is_empty() || line.starts_with("- ") || line.starts_with('|');
        match lines.last_mut() {
            Some(last) if !own && !last.is_empty() && !last.starts_with('|') && !last.starts_with("```") => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
        verbatim ^= fence;
    }
    lines.join("\n")
}

/// The tags that operations use, in order of appearance, with the descriptions that were registered.
pub(super) fn tags(registered: Option<&Value>, paths: &Map<String, Value>) -> Value {
    let mut seen = BTreeSet::new();
    let mut tags = Vec::new();
    let operations = paths.values().filter_map(Value::as_object).flat_map(|item| item.values());
    for name in operations.filter_map(|operation| operation.get("tags")?.as_array()).flatten().filter_map(Value::as_str)
    {
        if !seen.insert(name) {
            continue;
        }
        let known = registered.and_then(Value::as_array).into_iter().flatten();
        let about = known.filter(|tag| tag["name"] == name).find_map(|tag| tag["description"].as_str());
        tags.push(json!({"name": name, "description": about.map_or_else(|| format!("{name}."), unwrapped)}));
    }
    Value::Array(tags)
}

/// Block style YAML 1.2. Every text is written in JSON's quotes, which are YAML's double quotes too, so none is
/// mistaken for a number, a date or a boolean.
pub(super) fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    write_yaml(value, 0, &mut out);
    out
}

fn write_yaml(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&indent);
                out.push_str(&plain_key(key));
                out.push(':');
                write_nested(value, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&indent);
                out.push('-');
                write_nested(item, depth, out);
            }
        }
        scalar => {
            out.push_str(&indent);
            out.push_str(&scalar.to_string());
            out.push('\n');
        }
    }
}

fn write_nested(value: &Value, depth: usize, out: &mut String) {
    let nested =
        value.as_object().is_some_and(|map| !map.is_empty()) || value.as_array().is_some_and(|a| !a.is_empty());
    if nested {
        out.push('\n');
        write_yaml(value, depth + 1, out);
    } else {
        out.push(' ');
        out.push_str(&value.to_string());
        out.push('\n');
    }
}

fn plain_key(key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && !matches!(key, "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { key.to_owned() } else { Value::String(key.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_a_doc_comment_become_errors_of_the_operation() {
        let (description, errors) = split("Makes an\naccount.\n\n- 409: The address\nis taken.\n- kept");

        assert_eq!(description, "Makes an account.\n\n- kept");
        assert_eq!(errors, BTreeMap::from([(409, "The address is taken.".to_owned())]));
    }

    #[test]
    fn yaml_reads_back_as_the_same_value() {
        let value =
            json!({"a": [1, {"b c": "x\n\"ü"}, [], {}], "200": {"on": null, "n": 1.5, "s": "2020-01-01"}, "t": true});

        let read: Value = serde_yaml_ng::from_str(&to_yaml(&value)).unwrap();

        assert_eq!(read, value);
    }
}
