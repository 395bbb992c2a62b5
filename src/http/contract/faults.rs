//! Faults in words: what people read when a value breaks a schema. The value itself is never repeated.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::read_only::READ_ONLY;
use crate::http::fields::explain;

/// The faults of one schema error: JSON pointers and what is allowed there.
pub(super) fn told(error: &ValidationError<'_>, schema: &Value) -> Vec<(String, String)> {
    let at = error.instance_path().as_str();
    let place = holder(error, schema);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = place.get("properties").and_then(Value::as_object);
            let known = known.map(|known| known.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
            let message = match known {
                Some(known) if !known.is_empty() => format!("is not a known field; known: {known}"),
                _ => "is not a known field".to_owned(),
            };
            let read_only =
                |name: &String| place[READ_ONLY].as_array().is_some_and(|all| all.iter().any(|own| own == name));
            let message = |name| if read_only(name) { "is read-only".to_owned() } else { message.clone() };
            unexpected.iter().map(|name| (child(at, name), message(name))).collect()
        }
        Kind::Required { property } => {
            vec![(child(at, property.as_str().unwrap_or_default()), "is required".to_owned())]
        }
        // What it may be is told by the choice itself.
        Kind::Type { .. } if place.get("enum").is_some() => Vec::new(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => nearest(context, schema, at),
        Kind::Format { format } => {
            let own = error.instance().as_str().and_then(|text| explain(format, text));
            vec![(at.to_owned(), own.unwrap_or_else(|| message(error.kind(), place)))]
        }
        kind => vec![(at.to_owned(), message(kind, place))],
    }
}

/// The schema object whose keyword failed.
fn holder<'a>(error: &ValidationError<'_>, schema: &'a Value) -> &'a Value {
    let path = error.schema_path().as_str();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    schema.pointer(parent).unwrap_or(&Value::Null)
}

/// Of several allowed forms, tells about the one that fails least; a form of another type is no help.
fn nearest(forms: &[Vec<ValidationError<'static>>], schema: &Value, at: &str) -> Vec<(String, String)> {
    let of_type = |form: &&Vec<ValidationError<'static>>| {
        !form.iter().any(|error| matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == at)
    };
    match forms.iter().filter(of_type).min_by_key(|form| form.len()) {
        Some(form) if !form.is_empty() => form.iter().flat_map(|error| told(error, schema)).collect(),
        _ => vec![(at.to_owned(), "has none of the allowed forms".to_owned())],
    }
}

fn message(kind: &Kind, schema: &Value) -> String {
    match kind {
        Kind::Type { .. } => format!("must be {}", types(schema)),
        Kind::Enum { options } => format!("must be one of {}", choices(options)),
        Kind::Constant { expected_value } => format!("must be {}", plain(expected_value)),
        Kind::Minimum { .. } | Kind::Maximum { .. } | Kind::ExclusiveMinimum { .. } | Kind::ExclusiveMaximum { .. } => {
            range(schema)
        }
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MaxLength { limit } => format!("must be at most {} long", counted(*limit, "character")),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must be at least {} long", counted(*limit, "character")),
        Kind::MaxItems { limit } => format!("must have at most {}", counted(*limit, "item")),
        Kind::MinItems { limit } => format!("must have at least {}", counted(*limit, "item")),
        Kind::MaxProperties { limit } => format!("must have at most {}", counted(*limit, "field")),
        Kind::MinProperties { limit } => format!("must have at least {}", counted(*limit, "field")),
        Kind::UniqueItems => "must not hold an item twice".to_owned(),
        Kind::Pattern { pattern } => pattern_in_words(pattern),
        Kind::Format { format } => format!("must be {}", format_in_words(format)),
        Kind::FalseSchema => "is not allowed here".to_owned(),
        Kind::OneOfMultipleValid { .. } => "has more than one of the allowed forms".to_owned(),
        _ => "is not allowed".to_owned(),
    }
}

/// "a string or null"
fn types(schema: &Value) -> String {
    let word = |name: &Value| match name.as_str() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        Some("object") => "an object",
        _ => "null",
    };
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().map(word).collect::<Vec<_>>().join(" or "),
        Some(name) => word(name).to_owned(),
        None => "of another type".to_owned(),
    }
}

fn choices(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    options.iter().map(plain).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// "between 1 and 5"
fn range(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).map(Value::to_string);
    match (bound("minimum"), bound("maximum"), bound("exclusiveMinimum"), bound("exclusiveMaximum")) {
        (Some(min), Some(max), _, _) => format!("must be between {min} and {max}"),
        (Some(min), None, _, Some(above)) => format!("must be at least {min} and less than {above}"),
        (None, Some(max), Some(below), _) => format!("must be more than {below} and at most {max}"),
        (None, None, Some(below), Some(above)) => format!("must be more than {below} and less than {above}"),
        (Some(min), ..) => format!("must be at least {min}"),
        (_, Some(max), ..) => format!("must be at most {max}"),
        (_, _, Some(below), _) => format!("must be more than {below}"),
        (_, _, _, Some(above)) => format!("must be less than {above}"),
        _ => "is out of range".to_owned(),
    }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn pattern_in_words(pattern: &str) -> String {
    match pattern {
        "^[!-~]+$" => "must consist of visible ASCII characters".to_owned(),
        _ => format!("must match the pattern {pattern}"),
    }
}

fn format_in_words(format: &str) -> &str {
    match format {
        "uuid" => "a UUID",
        "date-time" => "a moment such as 2026-12-24T18:00:00Z (RFC 3339)",
        "date" => "a date such as 2026-12-24",
        "time" => "a time such as 18:00:00Z",
        "email" => "an e-mail address",
        "uri" => "a URI",
        "regex" => "a regular expression",
        other => other,
    }
}

/// The pointer to a field of the object at `pointer` (RFC 6901).
fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
