//! How much a script may have of what the parser takes long for.
//!
//! Rhai looks through all variables that are there for each that is named, and through all statements of a block for each
//! that it simplifies: the time grows with the square of their number. So they are counted before anything is parsed; in
//! texts and comments too, which no policy in good order is full of.

/// What is counted, and the most of it.
const SYMBOLS: [(&str, usize); 3] = [
    (";", 3_000),
    ("=>", 800),
    // Each takes hundreds of bytes of the tree, more than anything else that is as short.
    ("${", 1_000),
];
const WORDS: [(&str, usize); 2] = [("let", 500), ("const", 250)];
/// A longer word is put together letter by letter, each time anew.
const LONGEST_WORD: usize = 2_000;

/// What a script has too much of, in words.
pub(super) fn too_many(source: &str) -> Option<String> {
    let words = || source.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    if let Some(word) = words().find(|word| word.len() > LONGEST_WORD) {
        let start: String = word.chars().take(20).collect();
        return Some(format!("the file has a word of {} bytes, `{start}…`; it may have {LONGEST_WORD}", word.len()));
    }
    let symbols = SYMBOLS.into_iter().map(|(symbol, most)| (symbol, source.matches(symbol).count(), most));
    let words = WORDS.into_iter().map(|(word, most)| (word, words().filter(|one| *one == word).count(), most));
    let found = symbols.chain(words).find(|(_, found, most)| found > most);
    found.map(|(what, found, most)| format!("the file has {found} times `{what}`; a policy may have it {most} times"))
}
