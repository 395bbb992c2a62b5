//! Rules for the texts that people write: stored as given, within these bounds.

use unicode_normalization::UnicodeNormalization as _;

use super::error::Fault;

/// The longest title, in code points.
pub const TITLE_MAX: usize = 200;
/// The longest description, in code points.
pub const DESCRIPTION_MAX: usize = 2000;
/// The longest name of a project or label, in code points.
pub const NAME_MAX: usize = 60;
/// The most labels that a task can have.
pub const LABELS_MAX: usize = 20;

/// Trims a text of one line and checks it: not blank, no control character, at most `max` code points.
pub fn one_line(field: &str, text: &str, max: usize) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(field, "must not be blank"));
    }
    if text.chars().any(breaks_line) {
        return Err(Fault::new(field, "must not contain line breaks or control characters"));
    }
    let text = text.trim();
    at_most(field, text, max)
}

/// Reads the name of a project or label, as [`one_line`]. However a keyboard composes its letters, it is one name.
pub fn name(field: &str, text: &str) -> Result<String, Fault> {
    one_line(field, &text.nfc().collect::<String>(), NAME_MAX)
}

/// Checks a text of several lines: line breaks and tabs are welcome, other control characters are not.
pub fn several_lines(field: &str, text: &str, max: usize) -> Result<String, Fault> {
    if text.chars().any(|c| breaks_line(c) && !matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')) {
        return Err(Fault::new(field, "must not contain control characters other than line breaks and tabs"));
    }
    at_most(field, text, max)
}

fn at_most(field: &str, text: &str, max: usize) -> Result<String, Fault> {
    let length = text.chars().count();
    if length > max {
        return Err(Fault::new(field, format!("must be at most {max} characters long; it has {length}")));
    }
    Ok(text.to_owned())
}

/// Control characters, and the two separators that Unicode calls line breaks too.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The form in which two names are compared: composed, and folded to lower case.
pub fn name_key(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_counts_characters_not_bytes() {
        assert!(one_line("/title", &"😀".repeat(200), TITLE_MAX).is_ok());

        let fault = one_line("/title", &"😀".repeat(201), TITLE_MAX).unwrap_err();

        assert_eq!(fault.message, "must be at most 200 characters long; it has 201");
    }

    #[test]
    fn a_title_is_trimmed_and_stays_on_one_line() {
        assert_eq!(one_line("/title", "  R&D <b>  ", TITLE_MAX).as_deref(), Ok("R&D <b>"));
        for bad in ["", " \t ", "a\nb", "a\u{0}b", "a\u{85}b", "a\u{2028}b", "a\n", "\ta"] {
            assert!(one_line("/title", bad, TITLE_MAX).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_one_however_its_letters_are_composed() {
        assert_eq!(name("/name", " u\u{308}ber ").as_deref(), Ok("\u{fc}ber"));
        assert_eq!(name_key("U\u{308}BER"), name_key("\u{fc}ber"));
        assert!(name("/name", &"u\u{308}".repeat(NAME_MAX)).is_ok());
    }

    #[test]
    fn a_description_may_have_lines_and_tabs() {
        assert!(several_lines("/description", "a\r\n\tb", DESCRIPTION_MAX).is_ok());
        assert!(several_lines("/description", "a\u{7}b", DESCRIPTION_MAX).is_err());
    }
}
