//! From OpenAPI 3.0 schemas to JSON Schema, and a rule that a value keeps or breaks.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::{faults, read_only};
use crate::http::document;
use crate::http::fields::FORMATS;
use crate::http::problem::Fault;

/// How deep schemas may refer to each other; deeper ones are not checked here but by their type.
const MAX_DEPTH: usize = 24;

/// A schema, ready to check values.
#[derive(Debug)]
pub struct Rule {
    schema: Value,
    validator: Validator,
}

impl Rule {
    /// Compiles a schema of `document`.
    ///
    /// # Errors
    ///
    /// When it is no schema.
    pub fn compile(schema: &Value, document: &Value) -> Result<Self, String> {
        Self::of(inline(schema, document, 0))
    }

    /// Compiles the schema of an operation's body, which knows the read-only fields of what it changes.
    pub(super) fn of_body(schema: &Value, operation: &Value, document: &Value) -> Result<Self, String> {
        let mut schema = inline(schema, document, 0);
        read_only::note(&mut schema, operation, document);
        Self::of(schema)
    }

    fn of(schema: Value) -> Result<Self, String> {
        let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        for (format, check) in FORMATS {
            options = options.with_format(*format, |text: &str| check(text).is_none());
        }
        let validator = options.build(&schema).map_err(|error| error.to_string())?;
        Ok(Self { schema, validator })
    }

    /// Adds everything that is wrong with `value`, up to `limit` faults in all, under names that `field` makes of
    /// JSON pointers.
    pub fn check(&self, value: &Value, limit: usize, found: &mut Vec<Fault>, field: impl Fn(&str) -> String) {
        if self.validator.is_valid(value) {
            return;
        }
        for error in self.validator.iter_errors(value) {
            for (pointer, message) in faults::told(&error, &self.schema) {
                if found.len() >= limit {
                    return;
                }
                let fault = Fault::new(field(&pointer), message);
                if !found.contains(&fault) {
                    found.push(fault);
                }
            }
        }
    }

    /// The schema as it was compiled, without references.
    pub const fn schema(&self) -> &Value {
        &self.schema
    }
}

/// A schema without references, as JSON Schema says it.
fn inline(schema: &Value, document: &Value, depth: usize) -> Value {
    let Some(map) = schema.as_object() else { return schema.clone() };
    if depth > MAX_DEPTH {
        return Value::Bool(true);
    }
    let deeper = |schema: &Value| inline(schema, document, depth + 1);
    if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        return target.map_or(Value::Bool(true), deeper);
    }
    let mut out = Map::new();
    if let Some([only]) = map.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && let Value::Object(base) = deeper(only)
    {
        out = base;
    }
    for (key, value) in map {
        match key.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Map<_, _> = properties.map(|(name, schema)| (name.clone(), deeper(schema))).collect();
                out.insert(key.clone(), Value::Object(properties));
            }
            "items" | "additionalProperties" | "not" => {
                out.insert(key.clone(), deeper(value));
            }
            "allOf" if value.as_array().is_some_and(|all| all.len() == 1) => {}
            "oneOf" if value.get(1) == Some(&document::null()) => {
                // `null` or the other form: faults are told of that form.
                if let Value::Object(form) = value.get(0).map(deeper).unwrap_or_default() {
                    out.extend(form);
                }
                allow_null(&mut out);
            }
            "allOf" | "anyOf" | "oneOf" => {
                out.insert(key.clone(), value.as_array().into_iter().flatten().map(deeper).collect());
            }
            "type" | "format" | "enum" | "required" | "pattern" | "minimum" | "maximum" | "multipleOf"
            | "minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties"
            | "maxProperties" => {
                out.insert(key.clone(), value.clone());
            }
            _ => {}
        }
    }
    if FORMATS.iter().any(|(format, _)| out.get("format").and_then(Value::as_str) == Some(*format)) {
        // The domain's own check says more than these, and says it in words.
        out.retain(|key, _| !matches!(key.as_str(), "pattern" | "minLength" | "maxLength"));
    }
    exclusive(map, &mut out, "exclusiveMinimum", "minimum");
    exclusive(map, &mut out, "exclusiveMaximum", "maximum");
    bounded(&mut out);
    if map.get("nullable") == Some(&Value::Bool(true)) {
        allow_null(&mut out);
    }
    Value::Object(out)
}

/// OpenAPI 3.0 marks a bound as exclusive, JSON Schema gives exclusive bounds keywords of their own.
fn exclusive(map: &Map<String, Value>, out: &mut Map<String, Value>, mark: &str, bound: &str) {
    if map.get(mark) == Some(&Value::Bool(true))
        && let Some(limit) = out.remove(bound)
    {
        out.insert(mark.to_owned(), limit);
    }
}

/// The integer formats are bounds, which JSON Schema does not know.
fn bounded(out: &mut Map<String, Value>) {
    let (min, max) = match out.get("format").and_then(Value::as_str) {
        Some("int8") => (json!(i8::MIN), json!(i8::MAX)),
        Some("int16") => (json!(i16::MIN), json!(i16::MAX)),
        Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        Some("uint8") => (json!(0), json!(u8::MAX)),
        Some("uint16") => (json!(0), json!(u16::MAX)),
        Some("uint32") => (json!(0), json!(u32::MAX)),
        Some("uint64") => (json!(0), json!(u64::MAX)),
        _ => return,
    };
    if !out.contains_key("exclusiveMinimum") {
        out.entry("minimum").or_insert(min);
    }
    if !out.contains_key("exclusiveMaximum") {
        out.entry("maximum").or_insert(max);
    }
}

fn allow_null(out: &mut Map<String, Value>) {
    if let Some(kind) = out.get_mut("type")
        && kind.is_string()
    {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = out.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    for union in ["anyOf", "oneOf"] {
        if let Some(Value::Array(options)) = out.get_mut(union) {
            options.push(json!({"type": "null"}));
        }
    }
}
