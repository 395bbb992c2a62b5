//! Parameters of path, query and header: texts become values, values are checked.

use std::borrow::Cow;
use std::collections::HashMap;

use poem::http::HeaderMap;
use serde_json::{Number, Value};
use url::form_urlencoded;

use super::operation::Operation;
use super::schema::Rule;
use crate::http::conditional;
use crate::http::problem::Fault;

/// A parameter, compiled from the document.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// Its name in faults: `?limit`, `{task_id}`, `If-Match:`.
    field: String,
    place: Place,
    required: bool,
    kind: Kind,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One(Scalar),
    /// It may be repeated.
    Many(Scalar),
}

impl Parameter {
    pub(super) fn compile(described: &Value, pattern: &str, document: &Value) -> Result<Self, String> {
        let name = described["name"].as_str().unwrap_or_default().to_owned();
        let (place, field) = match described["in"].as_str() {
            Some("path") if !pattern.contains(&format!("{{{name}}}")) => {
                return Err(format!(
                    "the path {pattern} has no `{name}`; the handler's argument must be named as in it"
                ));
            }
            Some("path") => (Place::Path, format!("{{{name}}}")),
            Some("query") => (Place::Query, format!("?{name}")),
            Some("header") => (Place::Header, format!("{name}:")),
            _ => return Err(format!("the parameter `{name}` is neither in path, query nor header")),
        };
        let rule = Rule::compile(&described["schema"], document)?;
        let kind = match rule.schema()["type"].as_str() {
            Some("array") => Kind::Many(scalar(&rule.schema()["items"])),
            _ => Kind::One(scalar(rule.schema())),
        };
        let required = described["required"].as_bool().unwrap_or(false);
        Ok(Self { name, field, place, required, kind, rule })
    }

    pub(super) fn is_query(&self) -> bool {
        self.place == Place::Query
    }

    /// Checks the texts given for this parameter.
    fn check(&self, texts: &[Cow<'_, str>], limit: usize, found: &mut Vec<Fault>) {
        match (self.kind, texts) {
            (_, []) if self.required => found.push(Fault::new(&self.field, "is required")),
            (_, []) => {}
            (Kind::One(_), [_, _, ..]) => found.push(Fault::new(&self.field, "must be given once")),
            (Kind::One(scalar), [text]) => self.check_value(read(scalar, text), limit, found),
            (Kind::Many(scalar), texts) => {
                let values: Result<Vec<_>, _> = texts.iter().map(|text| read(scalar, text)).collect();
                self.check_value(values.map(Value::Array), limit, found);
            }
        }
    }

    fn check_value(&self, value: Result<Value, &'static str>, limit: usize, found: &mut Vec<Fault>) {
        match value {
            Ok(value) => self.rule.check(&value, limit, found, |_| self.field.clone()),
            Err(expected) => found.push(Fault::new(&self.field, expected)),
        }
    }
}

fn scalar(schema: &Value) -> Scalar {
    let kind = &schema["type"];
    let name = kind.as_str().or_else(|| kind.as_array()?.first()?.as_str());
    match name {
        Some("integer") => Scalar::Integer,
        Some("number") => Scalar::Number,
        Some("boolean") => Scalar::Boolean,
        _ => Scalar::Text,
    }
}

fn read(scalar: Scalar, text: &str) -> Result<Value, &'static str> {
    match scalar {
        Scalar::Text if text.contains('\0') => Err("must not contain the NUL character"),
        Scalar::Text => Ok(Value::String(text.to_owned())),
        Scalar::Integer => integer(text).map(Value::Number).ok_or("must be an integer"),
        Scalar::Number => number(text).map(Value::Number).ok_or("must be a number"),
        Scalar::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false"),
        },
    }
}

/// Digits with or without a minus; one too large for 64 bits stays a number, so that its range is what is told.
fn integer(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>()
        .map(Number::from)
        .ok()
        .or_else(|| Number::from_f64(text.parse().unwrap_or(f64::MAX).clamp(f64::MIN, f64::MAX)))
}

fn number(text: &str) -> Option<Number> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    if plain { text.parse().ok().and_then(Number::from_f64) } else { None }
}

/// Checks the path's parameters.
pub(super) fn check_path(operation: &Operation, path: &matchit::Params<'_, '_>, limit: usize, found: &mut Vec<Fault>) {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
        let text: Vec<_> = path.get(&parameter.name).map(Cow::Borrowed).into_iter().collect();
        parameter.check(&text, limit, found);
    }
}

/// Checks the query: no unknown names, the known ones right.
pub(super) fn check_query(operation: &Operation, query: Option<&str>, limit: usize, found: &mut Vec<Fault>) {
    let mut given: HashMap<Cow<'_, str>, Vec<Cow<'_, str>>> = HashMap::new();
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { continue };
            if !is_utf8(pair) {
                found.push(Fault::new(format!("?{}", shown(&name)), "must be UTF-8, percent-encoded"));
            }
            given.entry(name).or_default().push(value);
        }
    }
    for parameter in operation.parameters.iter().filter(|parameter| parameter.is_query()) {
        let texts = given.remove(parameter.name.as_str()).unwrap_or_default();
        parameter.check(&texts, limit, found);
    }
    if given.is_empty() {
        return;
    }
    let known = operation.query_names().collect::<Vec<_>>().join(", ");
    let mut unknown: Vec<_> = given.into_keys().collect();
    unknown.sort_unstable();
    for name in unknown {
        if found.len() >= limit {
            return;
        }
        let message = if known.is_empty() {
            "is not a known parameter; there are none here".to_owned()
        } else {
            format!("is not a known parameter; known: {known}")
        };
        found.push(Fault::new(format!("?{}", shown(&name)), message));
    }
}

/// A name that a client made up, as far as it can be repeated.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Whether the percent-encoded bytes are UTF-8: the decoder puts U+FFFD where they are not.
fn is_utf8(query: &str) -> bool {
    let replaced = |text: &str| text.matches('\u{FFFD}').count();
    let decoded: usize =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| replaced(&name) + replaced(&value)).sum();
    decoded == 0 || decoded == query.to_ascii_uppercase().matches("%EF%BF%BD").count() + replaced(query)
}

/// Checks the headers that the operation takes.
pub(super) fn check_headers(operation: &Operation, headers: &HeaderMap, limit: usize, found: &mut Vec<Fault>) {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Header) {
        let mut texts = Vec::new();
        for value in headers.get_all(parameter.name.as_str()) {
            let Ok(text) = value.to_str() else {
                found.push(Fault::new(&parameter.field, "must consist of visible ASCII characters"));
                return;
            };
            texts.push(Cow::Borrowed(text));
        }
        if conditional::is_list_of_tags(&parameter.name) && !texts.is_empty() {
            if !conditional::can_be_read(&texts.join(", ")) {
                found.push(conditional::fault(&parameter.name));
            }
        } else {
            parameter.check(&texts, limit, found);
        }
    }
}
