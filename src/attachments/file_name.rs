//! What a file may be called: whatever people call files, but nothing that means more to a file system, a header or a
//! reader's eye.

/// The longest name, in bytes: what file systems take.
pub const MAX_BYTES: usize = 255;

/// A name that can be shown, and given to a file anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

/// What is wrong with a name, as the end of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing is left of it.
    #[error("must not be blank")]
    Blank,
    /// It is too long.
    #[error("must have at most 255 bytes in UTF-8")]
    TooLong,
    /// It leads somewhere.
    #[error("must be a plain name, without a path")]
    Path,
    /// It has characters that cannot be seen, or that turn others around.
    #[error("must not contain control characters, line breaks or characters that change the direction of text")]
    Invisible,
    /// It is no text.
    #[error("must be UTF-8")]
    NotText,
}

impl FileName {
    /// Takes a name; blanks around it do not count.
    ///
    /// # Errors
    ///
    /// [`NameFault`] for what cannot be a name.
    pub fn new(text: &str) -> Result<Self, NameFault> {
        if text.chars().any(is_invisible) {
            return Err(NameFault::Invisible);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(NameFault::Blank);
        }
        if text.len() > MAX_BYTES {
            return Err(NameFault::TooLong);
        }
        if text.contains(['/', '\\']) || text == "." || text == ".." {
            return Err(NameFault::Path);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name of a file that came without one.
    pub fn unnamed(extension: Option<&str>) -> Self {
        Self(extension.map_or_else(|| "attachment".to_owned(), |extension| format!("attachment.{extension}")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Controls (C0, C1, DEL), separators of lines and paragraphs, what turns the direction of text (Unicode 9, section
/// 23.2: the trick of `photo_gpj.exe`), and marks that cannot be seen.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}' | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_language_are_kept() {
        for name in
            ["a.txt", "Rechnung März (2).pdf", "報告.docx", "👩‍👩‍👧.png", "no extension", ".hidden", "a:b?*.txt", "…"]
        {
            assert_eq!(FileName::new(name).unwrap().as_str(), name);
        }
        assert_eq!(FileName::new("  a b.txt ").unwrap().as_str(), "a b.txt");
    }

    #[test]
    fn tricks_are_refused() {
        let long = format!("{}.txt", "ä".repeat(126));
        for (name, fault) in [
            ("", NameFault::Blank),
            ("   ", NameFault::Blank),
            (long.as_str(), NameFault::TooLong),
            ("../../etc/passwd", NameFault::Path),
            ("/etc/passwd", NameFault::Path),
            ("C:\\boot.ini", NameFault::Path),
            ("..", NameFault::Path),
            (".", NameFault::Path),
            ("a\0.txt", NameFault::Invisible),
            ("a\r\nX-Evil: 1", NameFault::Invisible),
            ("photo_\u{202E}gpj.exe", NameFault::Invisible),
            ("a\u{2066}b", NameFault::Invisible),
            ("a\u{200B}b", NameFault::Invisible),
            ("a\u{85}b", NameFault::Invisible),
            ("a\u{2028}b", NameFault::Invisible),
        ] {
            assert_eq!(FileName::new(name).unwrap_err(), fault, "{name:?}");
        }
        assert!(FileName::new(&"a".repeat(255)).is_ok() && FileName::new(&"a".repeat(256)).is_err());
    }
}
