//! E-mail addresses: how they must look, and when two are the same.

use unicode_normalization::UnicodeNormalization as _;

/// The longest address, in characters (RFC 5321, section 4.5.3.1, with its erratum 1690).
pub const MOST_CHARACTERS: usize = 254;
/// The longest label of a domain, in characters.
const MOST_LABEL_CHARACTERS: usize = 63;
/// The longest text before the `@`, in bytes (RFC 5321, section 4.5.3.1.1). The pattern does not know it.
const MOST_LOCAL_BYTES: usize = 64;

/// What stands between the dots before the `@`.
macro_rules! local_part {
    () => {
        r#"[^\s\ufeff"(),.:;<>@\[\\\]\u0000-\u001f\u007f-\u00a0]+"#
    };
}
/// A character of a label, the hyphen aside.
macro_rules! letter {
    () => {
        r"[^\s\ufeff\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a0]"
    };
}
/// What stands between the dots after the `@`.
macro_rules! label {
    () => {
        concat!(letter!(), "((", letter!(), "|-){0,61}", letter!(), ")?")
    };
}

/// The same rules as a regular expression (ECMA-262), for the API's description.
pub const PATTERN: &str =
    concat!(r"^\s*", local_part!(), r"(\.", local_part!(), ")*@", label!(), r"(\.", label!(), r")+\s*$");

/// An address that a mail could be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

/// Why a text is no address; told as the end of a sentence that begins with the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Too long to be delivered.
    #[error("must be at most 254 characters long")]
    TooLong,
    /// No mail server takes so much before the `@`.
    #[error("must have at most 64 characters before the `@`")]
    LocalTooLong,
    /// Not of the form that nearly all addresses have. Quoted local parts and IP addresses are not accepted.
    #[error("must be an e-mail address such as `ada@example.org`")]
    Form,
}

impl Email {
    /// Reads an address; spaces around it are dropped, line breaks and the like are refused.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text: String = text.trim_matches(' ').nfc().collect();
        if text.chars().count() > MOST_CHARACTERS {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::Form)?;
        if local.len() > MOST_LOCAL_BYTES {
            return Err(EmailError::LocalTooLong);
        }
        if !is_local(local) || !is_domain(domain) {
            return Err(EmailError::Form);
        }
        let key = key_of(&text);
        Ok(Self { text, key })
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text for all ways to write the address in upper and lower case.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The key under which an address would be found, for texts that may be none.
pub fn key_of(text: &str) -> String {
    text.trim().nfc().collect::<String>().to_lowercase()
}

fn is_local(local: &str) -> bool {
    let usable = |c: char| !c.is_control() && !is_blank(c) && !"\"(),:;<>@[\\]".contains(c);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(usable))
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    labels.len() > 1 && labels.iter().all(|label| is_label(label))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.chars().count() <= MOST_LABEL_CHARACTERS
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || (c > '\u{a0}' && !is_blank(c)))
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_addresses_are_kept_as_given_and_equal_in_any_case() {
        for text in ["ada@example.org", "Ada.Love+tasks@Example.ORG", "o'brien_{x}@a-b.co.uk", "jürgen@büro.de"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
        let (one, two) = (Email::parse(" ADA@Example.org ").unwrap(), Email::parse("ada@eXample.org").unwrap());
        assert_eq!(one.key(), two.key());
        assert_eq!(one.as_str(), "ADA@Example.org");
        assert_eq!(Email::parse("JÜRGEN@büro.de").unwrap().key(), Email::parse("ju\u{308}rgen@büro.de").unwrap().key());
    }

    #[test]
    fn more_than_mail_servers_take_is_refused() {
        assert!(Email::parse(&format!("{}@example.org", "x".repeat(64))).is_ok());
        assert_eq!(Email::parse(&format!("{}@example.org", "x".repeat(65))), Err(EmailError::LocalTooLong));
        assert_eq!(Email::parse(&format!("{}@example.org", "ü".repeat(33))), Err(EmailError::LocalTooLong));
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("ada@{}.org", "x.".repeat(126));
        let cases = [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "a@b@c.org",
            "a b@c.org",
            "a..b@c.org",
            ".a@c.org",
            "a.@c.org",
            "ada@-x.org",
            "ada@x-.org",
            "ada@.org",
            "ada@org.",
            "ada@exa mple.org",
            "a\nb@c.org",
            "a\u{0}@c.org",
            "<a@c.org>",
            "ada@[127.0.0.1]",
            "ada@ex_ample.org",
        ];

        for text in cases {
            assert_eq!(Email::parse(text), Err(EmailError::Form), "{text:?}");
        }
        assert_eq!(Email::parse(&long), Err(EmailError::TooLong));
    }

    #[test]
    fn the_pattern_says_the_same() {
        let schema = jsonschema::validator_for(&serde_json::json!({ "pattern": PATTERN })).unwrap();
        let texts = [
            "ada@example.org",
            " o'brien_{x}@a-b.co.uk ",
            "jürgen@büro.de",
            "ada",
            "ada@localhost",
            "a@b@c.org",
            "a b@c.org",
            "a..b@c.org",
            ".a@c.org",
            "a.@c.org",
            "ada@-x.org",
            "ada@x-.org",
            "ada@org.",
            "<a@c.org>",
            "ada@[127.0.0.1]",
            "ada@ex_ample.org",
            "a\u{0}@c.org",
            "a\\b@c.org",
            "a@\u{2003}.org",
            "a\u{feff}@b.org",
            "a@💌.org",
            "a@\u{a1}.org",
            "",
        ];

        for text in texts {
            assert_eq!(schema.is_valid(&serde_json::json!(text)), Email::parse(text).is_ok(), "{text:?}");
        }
    }
}
