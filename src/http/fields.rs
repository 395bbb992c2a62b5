//! Kinds of text that requests carry: what the document says of each, and how each is checked.
//!
//! The document states a rule as far as a schema can (length, pattern, format); [`explain`] asks the domain, whose
//! message says what is wrong. The contract layer calls it for every text whose `format` is one of [`FORMATS`].

use std::borrow::Cow;

use chrono_tz::Tz;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde_json::Value;

use crate::accounts::email::{self, Email};
use crate::accounts::passkeys::NAME_MAX as PASSKEY_NAME_MAX;
use crate::accounts::passwords::{FEWEST_CHARACTERS, MOST_CHARACTERS, check_strength};
use crate::accounts::personal_tokens::TOKEN_NAME_MAX;
use crate::accounts::user::FULL_NAME_MAX;
use crate::calendar::{parse_due, parse_minute, parse_zone};
use crate::policies::engine::MAX_SCRIPT_BYTES;
use crate::policies::folder::is_name;
use crate::tasks::text::{self, DESCRIPTION_MAX, NAME_MAX, TITLE_MAX, one_line, several_lines};

/// A day that exists in the years 1970 to 9999; February has 29 days here, leap years are checked apart.
macro_rules! date_pattern {
    () => {
        "(19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-9]))"
    };
}
/// A time of day, with or without offset.
macro_rules! time_pattern {
    () => {
        "[Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
    };
}

/// One line, not blank, no control characters.
const LINE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$";
/// Lines and tabs, no other control characters.
const LINES: &str = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$";
const WINDOW_TIME: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
const MOMENT: &str = concat!("^", date_pattern!(), "(", time_pattern!(), ")?$");

/// What is wrong with a text, as the rest of a sentence; `None` when nothing is.
type Check = fn(&str) -> Option<String>;

/// The formats that are ours, with the domain's check of each.
pub const FORMATS: &[(&str, Check)] = &[
    ("title", |text| one_line("", text, TITLE_MAX).err().map(|fault| fault.message)),
    ("description", |text| several_lines("", text, DESCRIPTION_MAX).err().map(|fault| fault.message)),
    ("name", |text| text::name("", text).err().map(|fault| fault.message)),
    ("date-or-date-time", |text| parse_due(text, Tz::UTC).err().map(|error| error.to_string())),
    ("email", |text| Email::parse(text).err().map(|error| error.to_string())),
    ("new-password", |text| check_strength(text, "", None).err().map(|error| error.to_string())),
    ("full-name", |text| one_line("", text, FULL_NAME_MAX).err().map(|fault| fault.message)),
    ("token-name", |text| one_line("", text, TOKEN_NAME_MAX).err().map(|fault| fault.message)),
    ("passkey-name", |text| one_line("", text, PASSKEY_NAME_MAX).err().map(|fault| fault.message)),
    ("policy-name", |text| {
        (!is_name(text)).then(|| "must have 1 to 64 lower-case letters, digits, `-` and `_`".to_owned())
    }),
    ("policy-version", |text| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let good = text.len() == 12 && text.bytes().all(is_digit);
        (!good).then(|| "must be a version: twelve hexadecimal digits in lower case".to_owned())
    }),
    ("window-time", |text| {
        parse_minute(text).is_none().then(|| "must be a time of day such as `06:00`, up to `24:00`".to_owned())
    }),
    ("time-zone", |text| {
        parse_zone(text).is_none().then(|| "must be the name of an IANA time zone such as `Europe/Vienna`".to_owned())
    }),
];

/// What is wrong with a text of one of [`FORMATS`]; `None` for a good text or another format.
pub fn explain(format: &str, text: &str) -> Option<String> {
    FORMATS.iter().find(|(name, _)| *name == format).and_then(|(_, check)| check(text))
}

/// Makes string types for the document.
macro_rules! text_fields {
    ($($(#[$doc:meta])* $name:ident { $($rule:ident: $value:expr),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                concat!("string_", stringify!($name)).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                #[allow(unused_mut, clippy::allow_attributes_without_reason)]
                let mut schema = MetaSchema::new("string");
                $(schema.$rule = Some($value);)*
                MetaSchemaRef::Inline(Box::new(schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(text)) => Ok(Self(text)),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> ParseResult<Self> {
                Ok(Self(text.to_owned()))
            }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                Some(Value::String(self.0.clone()))
            }
        }
    )+};
}

text_fields! {
    /// A task's title: trimmed, one line, 1 to 200 characters.
    Title { format: "title", pattern: LINE.to_owned(), min_length: 1, max_length: TITLE_MAX }
    /// A description: up to 2,000 characters, line breaks and tabs allowed.
    Description { format: "description", pattern: LINES.to_owned(), max_length: DESCRIPTION_MAX }
    /// The name of a label or project: trimmed, one line, 1 to 60 characters.
    Name { format: "name", pattern: LINE.to_owned(), min_length: 1, max_length: NAME_MAX }
    /// A date alone or a date-time (RFC 3339); without offset it is read in the user's zone.
    Moment { format: "date-or-date-time", pattern: MOMENT.to_owned(), max_length: 40 }
    /// An e-mail address.
    EmailAddress { format: "email", pattern: email::PATTERN.to_owned(), min_length: 5, max_length: email::MOST_CHARACTERS }
    /// A password that is good enough for a new one.
    NewPassword { format: "new-password", min_length: FEWEST_CHARACTERS, max_length: MOST_CHARACTERS }
    /// The name of a person: trimmed, one line, 1 to 200 characters.
    FullName { format: "full-name", pattern: LINE.to_owned(), min_length: 1, max_length: FULL_NAME_MAX }
    /// The name of a personal access token: trimmed, one line, 1 to 100 characters.
    TokenName { format: "token-name", pattern: LINE.to_owned(), min_length: 1, max_length: TOKEN_NAME_MAX }
    /// The name of a passkey: trimmed, one line, 1 to 100 characters.
    PasskeyName { format: "passkey-name", pattern: LINE.to_owned(), min_length: 1, max_length: PASSKEY_NAME_MAX }
    /// A time of day at which a window begins or ends.
    WindowTime { format: "window-time", pattern: WINDOW_TIME.to_owned(), max_length: 5 }
    /// The name of a policy: lower-case letters, digits, `-` and `_`.
    PolicyName { format: "policy-name", pattern: "^[a-z0-9_-]{1,64}$".to_owned(), min_length: 1, max_length: 64 }
    /// The version of a policy: the first twelve hexadecimal digits of the SHA-256 of its text.
    PolicyVersionName { format: "policy-version", pattern: "^[0-9a-f]{12}$".to_owned(), min_length: 12, max_length: 12 }
    /// The text of a policy, at most 128 KiB.
    PolicySource { min_length: 1, max_length: MAX_SCRIPT_BYTES }
    /// What a version is for: up to 2,000 characters, line breaks and tabs allowed.
    PolicyMessage { format: "description", pattern: LINES.to_owned(), max_length: DESCRIPTION_MAX }
    /// A file of worked examples: YAML.
    TestText { min_length: 1, max_length: MAX_SCRIPT_BYTES }
    /// The name of an IANA time zone.
    ZoneName { format: "time-zone", max_length: 64 }
}

/// An object of another standard, which this document does not repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonObject(pub Value);

impl Type for JsonObject {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "object".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for JsonObject {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(object @ Value::Object(_)) => Ok(Self(object)),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

impl ToJSON for JsonObject {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_domain_takes_the_pattern_takes_too() {
        let pattern = regex(MOMENT);
        for text in
            ["2026-12-24", "2028-02-29", "2026-12-24T09:00", "2026-12-24t09:00:00.25z", "9999-12-31T00:00:00+23:59"]
        {
            assert!(pattern(text) && explain("date-or-date-time", text).is_none(), "{text}");
        }
        for text in ["2026-02-30", "0000-00-00", "1969-12-31", "2026-12-24T23:59:60Z", "2026-12-24 ", "x2026-12-24"] {
            assert!(!pattern(text) && explain("date-or-date-time", text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_window_begins_and_ends_at_a_time_of_day() {
        let pattern = regex(WINDOW_TIME);
        for text in ["00:00", "06:30", "23:59", "24:00"] {
            assert!(pattern(text) && explain("window-time", text).is_none(), "{text}");
        }
        for text in ["", "6:00", "24:01", "25:00", "06:60", "06:00:00", "noon", "+1:00"] {
            assert!(!pattern(text) && explain("window-time", text).is_some(), "{text}");
        }
    }

    fn regex(pattern: &str) -> impl Fn(&str) -> bool {
        let schema = jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).unwrap();
        move |text| schema.is_valid(&serde_json::json!(text))
    }

    #[test]
    fn a_line_is_not_blank_and_has_no_control_characters() {
        let line = regex(LINE);
        for text in ["a", " a ", "😀", "R&D"] {
            assert!(line(text) && explain("title", text).is_none(), "{text:?}");
        }
        for text in ["", " ", "a\nb", "\u{0}", "a\u{9f}", "a\u{2028}b", "\t"] {
            assert!(!line(text) && explain("title", text).is_some(), "{text:?}");
        }
    }
}
