//! How often somebody may type a user code that is none: so short a code must not be found by trying (RFC 8628, section
//! 5.1).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// The wrong codes that one visitor may type within [`WINDOW`].
const MOST: u32 = 10;
/// How long wrong codes count: as long as a code lives.
const WINDOW: Duration = super::DEVICE_LIFE;
/// Visitors that are remembered before those whose time is over are forgotten.
const CROWD: usize = 10_000;

/// Counts wrong codes, by visitor, in memory.
#[derive(Debug, Default)]
pub(in crate::oauth) struct Guesses(Mutex<HashMap<String, Tried>>);

#[derive(Clone, Copy, Debug)]
struct Tried {
    wrong: u32,
    since: Timestamp,
}

impl Guesses {
    /// Counts a try; says whether it may be made.
    pub(super) fn try_once(&self, visitor: &str, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CROWD {
            all.retain(|_, tried| now < tried.since.plus(WINDOW));
        }
        let tried = all.entry(visitor.to_owned()).or_insert(Tried { wrong: 0, since: now });
        if now >= tried.since.plus(WINDOW) {
            *tried = Tried { wrong: 0, since: now };
        }
        tried.wrong = tried.wrong.saturating_add(1);
        tried.wrong <= MOST
    }

    /// Takes a try back: the code was right.
    pub(super) fn was_right(&self, visitor: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tried) = all.get_mut(visitor) {
            tried.wrong = tried.wrong.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    #[test]
    fn ten_wrong_codes_are_enough_for_ten_minutes() {
        let guesses = Guesses::default();
        for _ in 0..10 {
            assert!(guesses.try_once("eve", NOW));
        }

        assert!(!guesses.try_once("eve", NOW.plus(WINDOW.saturating_sub(Duration::from_secs(1)))));
        assert!(guesses.try_once("ada", NOW), "others may");
        assert!(guesses.try_once("eve", NOW.plus(WINDOW)));
    }

    #[test]
    fn right_codes_do_not_count() {
        let guesses = Guesses::default();
        for _ in 0..100 {
            assert!(guesses.try_once("ada", NOW));
            guesses.was_right("ada");
        }
    }
}
