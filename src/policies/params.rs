//! Reads the constant `PARAMS` of a script, and gives scripts the values.

use rhai::{Dynamic, INT, Map, Scope};

use crate::scoring::params::{Param, ParamKind, ParamValue, ParamValues, Params};

use super::suggest::known_names;
use super::values::kind;

/// How many parameters a policy may have.
const MOST_PARAMS: usize = 32;
/// How many letters a name, a word or a label may have.
const LONGEST_NAME: usize = 40;
const LONGEST_LABEL: usize = 200;
/// How many words a parameter may choose from.
const MOST_WORDS: usize = 32;

const KEYS: [&str; 7] = ["default", "label", "max", "min", "type", "user", "words"];
const TYPES: [&str; 4] = ["bool", "number", "whole", "word"];

/// What is wrong with a parameter: its name, when it has one, and what.
pub(super) type ParamFault = (Option<String>, String);

/// Reads the parameters that a script declares.
///
/// # Errors
///
/// Everything that is wrong with them.
pub(super) fn read_params(constants: &Scope<'_>) -> Result<Params, Vec<ParamFault>> {
    let Some(value) = constants.get("PARAMS") else { return Ok(Params::default()) };
    let Ok(map) = value.as_map_ref() else {
        return Err(vec![(None, format!("`PARAMS` must be a map, not {}", kind(value)))]);
    };
    if map.len() > MOST_PARAMS {
        return Err(vec![(None, format!("`PARAMS` has {} parameters; {MOST_PARAMS} are allowed", map.len()))]);
    }
    let (mut params, mut faults) = (Vec::new(), Vec::new());
    for (name, value) in map.iter() {
        match read_param(name, value) {
            Ok(param) => params.push(param),
            Err(message) => faults.push((Some(name.to_string()), format!("the parameter `{name}` {message}"))),
        }
    }
    if faults.is_empty() { Ok(Params::new(params)) } else { Err(faults) }
}

fn read_param(name: &str, value: &Dynamic) -> Result<Param, String> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(format!("must have a name of 1 to {LONGEST_NAME} letters"));
    }
    let map = value.as_map_ref().map_err(|_| {
        format!(
            "must be a map such as `#{{ type: \"number\", min: 0.0, max: 10.0, default: 1.0, label: \"…\" }}`, not {}",
            kind(value)
        )
    })?;
    if let Some(unknown) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("has a key `{unknown}`; {}", known_names(unknown, &KEYS)));
    }
    let word = text(&map, "type")?.ok_or("needs a `type`: number, whole, bool or word")?;
    let param_kind = read_kind(&word, &map)?;
    let label = text(&map, "label")?.unwrap_or_default();
    if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(format!("must have a `label` of at most {LONGEST_LABEL} letters on one line"));
    }
    let user = map.get("user").map_or(Ok(false), Dynamic::as_bool);
    let user = user.map_err(|_| "must have `user: true` or `user: false`")?;
    let default = map.get("default").ok_or("needs a `default`")?;
    let unchecked = Param { name: name.to_owned(), kind: param_kind, default: ParamValue::Bool(false), label, user };
    let default = value_of(default).and_then(|value| unchecked.accept(&value).ok());
    let default = default.ok_or_else(|| format!("has a `default` that {}", unchecked.rule()))?;
    Ok(Param { default, ..unchecked })
}

fn read_kind(word: &str, map: &Map) -> Result<ParamKind, String> {
    let takes =
        |keys: &[&str]| match ["max", "min", "words"].iter().find(|key| map.contains_key(**key) && !keys.contains(key))
        {
            Some(key) => Err(format!("of the type `{word}` has no `{key}`")),
            None => Ok(()),
        };
    match word {
        "number" => {
            takes(&["min", "max"])?;
            let end = |key| map.get(key).and_then(super::values::number).filter(|end| end.is_finite());
            match (end("min"), end("max")) {
                (Some(min), Some(max)) if min < max => Ok(ParamKind::Number { min, max }),
                _ => Err("needs a `min` and a `max` above it".to_owned()),
            }
        }
        "whole" => {
            takes(&["min", "max"])?;
            let end = |key| map.get(key).and_then(|end| end.as_int().ok());
            match (end("min"), end("max")) {
                (Some(min), Some(max)) if min < max => Ok(ParamKind::Whole { min, max }),
                _ => Err("needs a `min` and a `max` above it, both whole numbers".to_owned()),
            }
        }
        "bool" => takes(&[]).map(|()| ParamKind::Bool),
        "word" => {
            takes(&["words"])?;
            let words = map.get("words").and_then(|words| words.as_array_ref().ok()).map(|words| {
                words.iter().map(|word| word.as_immutable_string_ref().ok().map(|word| word.to_string())).collect()
            });
            let words: Option<Vec<String>> = words.flatten();
            let fits =
                |word: &String| !word.is_empty() && word.len() <= LONGEST_NAME && !word.chars().any(char::is_control);
            match words {
                Some(words) if (1..=MOST_WORDS).contains(&words.len()) && words.iter().all(fits) => {
                    Ok(ParamKind::Word { words })
                }
                _ => Err(format!("needs `words`: an array of 1 to {MOST_WORDS} texts")),
            }
        }
        other => Err(format!("has the type `{other}`; {}", known_names(other, &TYPES))),
    }
}

fn text(map: &Map, key: &str) -> Result<Option<String>, String> {
    let Some(value) = map.get(key) else { return Ok(None) };
    match value.as_immutable_string_ref() {
        Ok(text) => Ok(Some(text.to_string())),
        Err(_) => Err(format!("must have a text as `{key}`, not {}", kind(value))),
    }
}

fn value_of(value: &Dynamic) -> Option<ParamValue> {
    if let Ok(value) = value.as_bool() {
        return Some(ParamValue::Bool(value));
    }
    if let Ok(value) = value.as_int() {
        return Some(ParamValue::Whole(value));
    }
    if let Ok(value) = value.as_float() {
        return value.is_finite().then_some(ParamValue::Number(value));
    }
    value.as_immutable_string_ref().ok().map(|text| ParamValue::Word(text.to_string()))
}

/// `ctx.params`.
pub(super) fn params_value(values: &ParamValues) -> Dynamic {
    let value = |value: &ParamValue| match value {
        ParamValue::Bool(value) => Dynamic::from(*value),
        ParamValue::Whole(value) => Dynamic::from::<INT>(*value),
        ParamValue::Number(value) => Dynamic::from(*value),
        ParamValue::Word(value) => Dynamic::from(value.clone()),
    };
    let map: Map = values.iter().map(|(name, param)| (name.as_str().into(), value(param))).collect();
    Dynamic::from_map(map)
}
