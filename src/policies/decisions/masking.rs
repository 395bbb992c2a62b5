//! What stands for words of people: keyed hashes, from which the words cannot be read, but which a word can be held against.
//!
//! Policies may look for labels and projects by name. A script names those it looks for, so that a replay can put exactly
//! these back in their places; all others stay hashes, which are as good as any name that the script does not know.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hex::hex;
use crate::ids::UserId;
use crate::secret_key::SecretKey;

/// The purpose of the key.
const PURPOSE: &str = "words of decisions";
/// What a word begins with that is a hash.
const SIGN: char = '#';
/// How many words of a script are held against hashes.
const MOST_WORDS: usize = 256;

/// Hides words.
#[derive(Clone)]
pub struct Mask(SecretKey);

impl Mask {
    /// Under the server's secret.
    pub const fn new(secret: SecretKey) -> Self {
        Self(secret)
    }

    /// What stands for a word of somebody's; another one for everybody else.
    pub fn hide(&self, user: UserId, word: &str) -> String {
        let mac = self.0.mac(PURPOSE, &[user.0.as_bytes(), word.as_bytes()]);
        // Without a key nothing is kept of the word.
        let digits = mac.map(|mac| hex(mac.get(..8).unwrap_or_default())).unwrap_or_default();
        format!("{SIGN}{digits}")
    }

    /// The words of a script, by what stands for them in the rows of somebody.
    pub fn words(&self, user: UserId, words: &BTreeSet<String>) -> HashMap<String, Arc<str>> {
        words.iter().map(|word| (self.hide(user, word), Arc::from(word.as_str()))).collect()
    }
}

/// The texts in a script: whatever stands between quotes.
pub fn words_of(source: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for quote in ['"', '`'] {
        let quoted = source.lines().flat_map(|line| line.split(quote).skip(1).step_by(2));
        words.extend(quoted.map(str::to_owned));
    }
    words.into_iter().take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_word_is_hidden_from_who_does_not_know_it() {
        let mask = Mask::new(SecretKey::new("a secret of the server that is long enough"));
        let other = Mask::new(SecretKey::new("another secret, which is just as long as it"));
        let (ada, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));

        let hidden = mask.hide(ada, "doctor");
        assert!(hidden.len() == 17 && !hidden.contains("doctor"), "{hidden}");
        assert_eq!(hidden, mask.hide(ada, "doctor"));
        assert!(hidden != mask.hide(bob, "doctor") && hidden != other.hide(ada, "doctor"));
        let words = words_of("if \"home\" in task.labels || task.project == `doctor` { 1 }");
        assert_eq!(words, ["doctor", "home"].map(str::to_owned).into());
        assert_eq!(mask.words(ada, &words).get(&hidden).map(|word| &**word), Some("doctor"));
    }
}
