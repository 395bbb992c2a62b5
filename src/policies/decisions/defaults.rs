//! Other defaults of parameters, written into the text of a script; everything else of it stays as it is.

use std::ops::Range;

use crate::scoring::params::{ParamValue, ParamValues};

/// The text with these defaults of `PARAMS`; `None` when one of them is not written there as a plain value.
pub(super) fn with_defaults(source: &str, values: &ParamValues) -> Option<String> {
    let mut text = source.to_owned();
    for (name, value) in values {
        let place = default_of(&text, name)?;
        text.replace_range(place, &literal(value));
    }
    Some(text)
}

/// A value as scripts write it.
fn literal(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(value) => value.to_string(),
        ParamValue::Whole(value) => value.to_string(),
        // With a point, so that it stays a number that is not whole.
        ParamValue::Number(value) => format!("{value:?}"),
        ParamValue::Word(word) => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// Where the default of a parameter stands.
fn default_of(text: &str, name: &str) -> Option<Range<usize>> {
    let tokens = tokens(text);
    let word = |index: usize| tokens.get(index).map(|range: &Range<usize>| &text[range.clone()]);
    let is_key = |index: usize, key: &str| {
        word(index).is_some_and(|word| word.trim_matches('"') == key) && word(index + 1) == Some(":")
    };
    let params = (0..tokens.len()).find(|at| word(*at) == Some("PARAMS") && word(at + 1) == Some("="))?;
    let own = value_of(&tokens, text, params + 2, |at| is_key(at, name))?;
    let at = value_of(&tokens, text, own, |at| is_key(at, "default"))?;
    // The value ends where the next key begins, or the map does; signs stand before numbers.
    let end = (at..tokens.len()).find(|at| matches!(word(*at), Some("," | "}")))?;
    let value = tokens.get(at)?.start..tokens.get(end.checked_sub(1)?)?.end;
    (end > at && end - at <= 2).then_some(value)
}

/// Of the map that begins at a token, the first token of the value of a key.
fn value_of(tokens: &[Range<usize>], text: &str, map: usize, is_key: impl Fn(usize) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for at in map..tokens.len() {
        match &text[tokens[at].clone()] {
            "#{" | "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth = depth.checked_sub(1)?,
            _ if depth == 1 && is_key(at) => return Some(at + 2),
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    None
}

/// Words, texts and signs of a script; no comments.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let length = match byte {
            b'/' if rest.starts_with(b"//") => {
                at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with(b"/*") => {
                at += rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'"' | b'`' => quoted(rest, *byte),
            b'#' if rest.starts_with(b"#{") => 2,
            byte if is_word(*byte) => rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len()),
            _ => 1,
        };
        tokens.push(at..at + length);
        at += length;
    }
    // Ranges inside of a letter of several bytes would be no text; only signs are cut by bytes.
    tokens.retain(|range| text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
    tokens
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'
}

/// How long a text is, with its quotes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "// PARAMS = #{ days: #{ \"default\": 9 } }\n\
        const TABLE = #{ days: #{ default: 1 } };\n\
        const PARAMS = #{\n\
            days: #{ type: \"whole\", min: 0, max: 30, \"default\": 1, label: \"Days: { soon, \\\"now\\\" }\" }, // days\n\
            weight: #{ label: `default: 4`, type: \"number\", min: -5.0, max: 5.0, \"default\": -1.5 },\n\
            tone: #{ type: \"word\", words: [\"calm\", \"loud\"], \"default\": \"calm\" }\n\
        };\n\
        fn score(task, ctx) { ctx.params.days }\n";

    fn values(given: &[(&str, ParamValue)]) -> ParamValues {
        given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_default_is_replaced_where_it_stands_and_nothing_else_is() {
        let other = values(&[
            ("days", ParamValue::Whole(12)),
            ("weight", ParamValue::Number(2.0)),
            ("tone", ParamValue::Word("loud".to_owned())),
        ]);

        let text = with_defaults(SCRIPT, &other).unwrap();

        let expected = SCRIPT
            .replace("max: 30, \"default\": 1,", "max: 30, \"default\": 12,")
            .replace("\"default\": -1.5", "\"default\": 2.0")
            .replace("\"default\": \"calm\"", "\"default\": \"loud\"");
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_not_written_as_a_plain_value_is_left_alone() {
        let days = values(&[("days", ParamValue::Whole(12))]);

        assert_eq!(with_defaults("const A = 1;", &days), None);
        assert_eq!(with_defaults("const PARAMS = #{ days: #{ min: 1 } };", &days), None);
        assert_eq!(with_defaults("const PARAMS = #{ days: #{ \"default\": A + B + 1 } };", &days), None);
        assert_eq!(with_defaults("const PARAMS = #{ days: #{ \"default\": 1", &days), None);
        assert_eq!(with_defaults("\u{e4}\"`#{", &days), None);
    }
}
