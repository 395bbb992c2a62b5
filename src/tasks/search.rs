//! Words to search by, folded alike for both databases.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most words of a question that are looked at; more only narrow what is found already.
const WORDS_MAX: usize = 16;
/// The longest part of a word that is looked at, in code points: PostgreSQL leaves out words of 2 KiB.
const WORD_MAX: usize = 100;

/// A text as words: letters and digits in lower case without accents, separated by spaces.
///
/// SQLite's and PostgreSQL's own word splitters differ in a hundred small ways; given such words, they agree.
pub fn words(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if !c.is_alphanumeric() {
            length = 0;
            if !folded.ends_with(' ') && !folded.is_empty() {
                folded.push(' ');
            }
        } else if length < WORD_MAX {
            length += 1;
            folded.push(c);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A question: every word must occur, as the beginning of a word at least. One without words finds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerms(Vec<String>);

impl SearchTerms {
    /// Reads what a person typed; signs alone are no words.
    pub fn parse(text: &str) -> Self {
        Self(words(text).split(' ').filter(|word| !word.is_empty()).take(WORDS_MAX).map(str::to_owned).collect())
    }

    /// The words; none when there is no letter or digit in the question.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_accents_and_signs() {
        assert_eq!(words("  Café-Crème, R&D: №5 "), "cafe creme r d no5");
        assert_eq!(words("Straße 北京 Ǆ"), "straße 北京 dz");
        assert_eq!(words("\"' OR 1=1 --"), "or 1 1");
        assert_eq!(words("!?"), "");
        assert_eq!(words(&"x".repeat(2000)).len(), WORD_MAX);
    }

    #[test]
    fn a_question_of_signs_has_no_words() {
        assert!(SearchTerms::parse(" * \" ").words().is_empty());
    }
}
