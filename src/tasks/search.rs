//! Words to search by, folded alike for both databases.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most words of a question that are looked at; more only narrow what is found already.
pub(super) const WORDS_MAX: usize = 16;
/// The longest part of a word that is looked at, in code points: PostgreSQL leaves out words of 2 KiB.
const WORD_MAX: usize = 100;

/// A text as words: letters and digits in lower case without accents, separated by spaces.
///
/// SQLite's and PostgreSQL's own word splitters differ in a hundred small ways; given such words, they agree. Chinese and
/// Japanese are written without spaces: there every two characters that follow each other are a word, and so is the last
/// one alone, so that whatever stands in the middle of a run begins a word.
pub fn words(text: &str) -> String {
    let words = fold(text).into_iter().flat_map(|word| match word {
        Word::Spaced(word) => vec![word],
        Word::Run(run) => pairs(&run).chain(run.last().map(char::to_string)).collect(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A word between spaces, or a run of characters that are written without any.
enum Word {
    Spaced(String),
    Run(Vec<char>),
}

fn fold(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut inside = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match (c.is_alphanumeric(), is_unspaced(c), words.last_mut().filter(|_| inside)) {
            (false, ..) => {}
            (true, true, Some(Word::Run(run))) => run.push(c),
            (true, true, _) => words.push(Word::Run(vec![c])),
            (true, false, Some(Word::Spaced(word))) if word.chars().count() >= WORD_MAX => {}
            (true, false, Some(Word::Spaced(word))) => word.push(c),
            (true, false, _) => words.push(Word::Spaced(c.to_string())),
        }
        inside = c.is_alphanumeric();
    }
    words
}

fn pairs(run: &[char]) -> impl Iterator<Item = String> {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// Han characters, Hiragana and Katakana.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

/// A question: every word must occur. One without words finds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerms {
    words: Vec<String>,
    reach: Reach,
}

/// Where a word of a question may occur, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In title or description, as the beginning of a word at least.
    Beginnings,
    /// In the title, as a whole word.
    TitleWords,
}

impl SearchTerms {
    /// Reads what a person typed; signs alone are no words.
    pub fn parse(text: &str) -> Self {
        let words = fold(text).into_iter().flat_map(|word| match word {
            Word::Spaced(word) => vec![word],
            // The pairs say all about a longer run; its last character begins more words than it ends.
            Word::Run(run) if run.len() > 1 => pairs(&run).collect(),
            Word::Run(run) => run.iter().map(char::to_string).collect(),
        });
        Self { words: words.take(WORDS_MAX).collect(), reach: Reach::Beginnings }
    }

    /// The same words, asked for as whole words of the title.
    #[must_use]
    pub fn in_title(self) -> Self {
        Self { reach: Reach::TitleWords, ..self }
    }

    /// The question without words that say nothing; as it is when nothing would remain.
    #[must_use]
    pub fn without(self, says_nothing: impl Fn(&str) -> bool) -> Self {
        let words: Vec<String> = self.words.iter().filter(|word| !says_nothing(word)).cloned().collect();
        if words.is_empty() { self } else { Self { words, ..self } }
    }

    /// Where the words may occur.
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// The words; none when there is no letter or digit in the question.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_accents_and_signs() {
        assert_eq!(words("  Café-Crème, R&D: №5 "), "cafe creme r d no5");
        assert_eq!(words("Straße Ǆ"), "straße dz");
        assert_eq!(words("\"' OR 1=1 --"), "or 1 1");
        assert_eq!(words("!?"), "");
        assert_eq!(words(&"x".repeat(2000)).len(), WORD_MAX);
    }

    #[test]
    fn what_is_written_without_spaces_is_found_by_any_part_of_it() {
        assert_eq!(words("会議室を予約"), "会議 議室 室を を予 予約 約");
        assert_eq!(words("明日3時に会議(東京)"), "明日 日 3 時に に会 会議 議 東京 京");
        assert_eq!(words("ﾃｽﾄ北"), "テス スト ト北 北");
        for question in ["会議", "議室", "室", "会", "会議室", "予約", "約", "会議 予約"] {
            let text = words("会議室を予約");
            let asked = SearchTerms::parse(question);
            assert!(asked.words().iter().all(|ask| text.split(' ').any(|word| word.starts_with(&**ask))), "{question}");
        }
        assert_eq!(SearchTerms::parse("会議室").words(), ["会議", "議室"]);
    }

    #[test]
    fn a_question_of_signs_has_no_words() {
        assert!(SearchTerms::parse(" * \" ").words().is_empty());
    }
}
