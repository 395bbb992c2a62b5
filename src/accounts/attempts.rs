//! Guesses of passwords and codes: how often one may be wrong about an account before one must wait.
//!
//! Beside the limits of the edge, which count by address: whoever guesses from many addresses is stopped here. Guesses
//! are counted before they are checked, so that many at the same time are no way around; right ones are taken back.
//! Accounts that do not exist are counted like those that do. Counted in memory, by this process alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::unsync::Cache;
use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, Timestamp};
use crate::ids::UserId;

/// How many wrong guesses one has within [`WINDOW`].
pub const MOST_FAILURES: u32 = 10;
/// How long wrong guesses count, from the first one on.
pub const WINDOW: Duration = Duration::from_mins(15);
/// For how many accounts guesses are remembered; beyond, those that matter least are forgotten.
const MOST_KEPT: usize = 65_536;

/// What is guessed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guess<'a> {
    /// The password of the account with this address in lower case.
    Password(&'a str),
    /// A code of this person's second factor.
    Code(UserId),
}

/// No more guesses for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there were too many wrong attempts for this account; try again in {} minute(s)", .wait_seconds.div_ceil(60))]
pub struct TooManyAttempts {
    /// Until the next guess is taken, in seconds; at least 1.
    pub wait_seconds: u64,
}

type Key = [u8; 32];

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    since: Timestamp,
}

/// The wrong guesses of the last quarter of an hour.
pub(super) struct Attempts {
    clock: Clock,
    most: u32,
    failures: Mutex<Cache<Key, Failures>>,
}

/// A guess under way, counted as wrong unless it is taken back.
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    key: Key,
}

impl Attempts {
    /// Allows `most` wrong guesses; 0 is no limit.
    pub(super) fn new(most: u32, clock: Clock) -> Self {
        Self { clock, most, failures: Mutex::new(Cache::new(MOST_KEPT)) }
    }

    /// Counts a guess, which is then to be checked.
    pub(super) fn begin(&self, guess: Guess<'_>) -> Result<Attempt<'_>, TooManyAttempts> {
        let (key, now) = (key_of(guess), self.clock.now());
        let mut failures = self.failures();
        let before = failures.get(&key).copied().filter(|before| now < before.since.plus(WINDOW));
        let before = before.unwrap_or(Failures { count: 0, since: now });
        if self.most > 0 && before.count >= self.most {
            let wait = before.since.plus(WINDOW).as_seconds() - now.as_seconds();
            return Err(TooManyAttempts { wait_seconds: u64::try_from(wait).unwrap_or(0).max(1) });
        }
        failures.insert(key, Failures { count: before.count.saturating_add(1), ..before });
        drop(failures);
        Ok(Attempt { attempts: self, key })
    }

    fn failures(&self) -> MutexGuard<'_, Cache<Key, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The guess was right, or could not be checked: it does not count.
    pub(super) fn forgive(self) {
        let mut failures = self.attempts.failures();
        if let Some(before) = failures.get(&self.key).copied() {
            failures.insert(self.key, Failures { count: before.count.saturating_sub(1), ..before });
        }
    }
}

fn key_of(guess: Guess<'_>) -> Key {
    match guess {
        Guess::Password(email) => Sha256::new().chain_update("password ").chain_update(email).finalize().into(),
        Guess::Code(user) => Sha256::new().chain_update("code ").chain_update(user.0).finalize().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts() -> (Attempts, Clock) {
        let clock = Clock::fixed(Timestamp::from_micros(1_800_000_000_000_000));
        (Attempts::new(3, clock.clone()), clock)
    }

    #[test]
    fn wrong_guesses_are_counted_and_right_ones_are_not() {
        let (attempts, clock) = attempts();
        let ada = Guess::Password("ada@example.org");
        for _ in 0..5 {
            attempts.begin(ada).unwrap().forgive();
        }
        for _ in 0..3 {
            attempts.begin(ada).unwrap();
        }

        assert_eq!(attempts.begin(ada).err(), Some(TooManyAttempts { wait_seconds: 900 }));
        clock.advance(Duration::from_secs(899));
        assert_eq!(attempts.begin(ada).err(), Some(TooManyAttempts { wait_seconds: 1 }));
        assert!(attempts.begin(Guess::Password("bob@example.org")).is_ok());
        clock.advance(Duration::from_secs(1));
        assert!(attempts.begin(ada).is_ok());
    }

    #[test]
    fn guesses_at_the_same_time_are_no_way_around() {
        let (attempts, _) = attempts();
        let code = Guess::Code(UserId(uuid::Uuid::nil()));

        let under_way: Vec<_> = (0..10).filter_map(|_| attempts.begin(code).ok()).collect();

        assert_eq!(under_way.len(), 3);
    }

    #[test]
    fn zero_is_no_limit() {
        let attempts = Attempts::new(0, Clock::system());

        assert!((0..100).all(|_| attempts.begin(Guess::Password("x")).is_ok()));
    }
}
