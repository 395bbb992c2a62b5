//! Strict JSON: what serde_json reads, but no key twice, no more than 64 levels, and whole numbers as integers.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep lists and objects may lie in each other.
const MAX_DEPTH: usize = 64;

/// A body that was read.
#[derive(Debug)]
pub(in crate::http) struct Parsed {
    /// The value; `3.0` was read as `3`, which JSON does not tell apart.
    pub(in crate::http) value: Value,
    /// Whether a number was changed that way, so that the text no longer says the same to a typed reader.
    pub(in crate::http) rewritten: bool,
    /// Whether some text or key holds the NUL character, which no database stores.
    pub(in crate::http) has_nul: bool,
}

/// Reads one JSON value; the error is a sentence without a full stop.
pub(in crate::http) fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    let mut state = State { depth: 0, rewritten: false, has_nul: false };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Seed(&mut state).deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(Parsed { value, rewritten: state.rewritten, has_nul: state.has_nul })
}

struct State {
    depth: usize,
    rewritten: bool,
    has_nul: bool,
}

struct Seed<'a>(&'a mut State);

impl State {
    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(E::custom(format_args!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 53 bits")]
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            self.0.rewritten = true;
            return Ok(Value::from(value as i64));
        }
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        self.0.has_nul |= value.contains('\0');
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        self.0.has_nul |= value.contains('\0');
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed(self.0))? {
            list.push(item);
        }
        self.0.depth -= 1;
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.enter()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.has_nul |= key.contains('\0');
            if map.contains_key(&key) {
                let shown: String = key.chars().take(60).collect();
                return Err(de::Error::custom(format_args!("the key `{}` is given twice", shown.escape_debug())));
            }
            let value = entries.next_value_seed(Seed(self.0))?;
            map.insert(key, value);
        }
        self.0.depth -= 1;
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(text: impl AsRef<[u8]>) -> String {
        parse(text.as_ref()).unwrap_err()
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        let parsed = parse(br#"{"a": 3.0, "b": 3e2, "c": 0.5, "d": 7}"#).unwrap();

        assert_eq!(parsed.value, json!({"a": 3, "b": 300, "c": 0.5, "d": 7}));
        assert!(parsed.rewritten && !parse(b"7").unwrap().rewritten);
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        insta::assert_snapshot!(refused(r#"{"a": 1, "b": {"x": 1, "x": 2}}"#), @"the key `x` is given twice at line 1 column 26");
        insta::assert_snapshot!(refused("[".repeat(65) + &*"]".repeat(65)), @"it is nested deeper than 64 levels at line 1 column 66");
        insta::assert_snapshot!(refused(r#"{"a": 1e400}"#), @"number out of range at line 1 column 11");
        insta::assert_snapshot!(refused(r#"{"a": NaN}"#), @"expected value at line 1 column 7");
        insta::assert_snapshot!(refused(r#""\ud800""#), @"unexpected end of hex escape at line 1 column 8");
        insta::assert_snapshot!(refused("{} x"), @"trailing characters at line 1 column 4");
        insta::assert_snapshot!(refused("{\"a\""), @"EOF while parsing an object at line 1 column 4");
        insta::assert_snapshot!(refused(""), @"EOF while parsing a value at line 1 column 0");
        insta::assert_snapshot!(refused("\"a\nb\""), @r"control character (\u0000-\u001F) found while parsing a string at line 2 column 0");
        insta::assert_snapshot!(refused(b"\"\xff\""), @"byte 2 is not UTF-8");
    }

    #[test]
    fn the_nul_character_is_noticed_in_texts_and_keys() {
        assert!(parse(br#"{"a": "x\u0000"}"#).unwrap().has_nul);
        assert!(parse(br#"{"\u0000": 1}"#).unwrap().has_nul);
        assert!(!parse(br#"{"a": "x"}"#).unwrap().has_nul);
    }
}
