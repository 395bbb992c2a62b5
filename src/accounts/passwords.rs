//! Passwords: which are good enough, and their slow hashes (Argon2id), made aside from everything else.
//!
//! A password is normalised to NFC (RFC 8265, section 4.2), so that the same keys give the same password on every
//! device, and is otherwise taken as it is: no trimming, no forbidden characters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The fewest characters, when the password is strong.
pub const FEWEST_CHARACTERS: usize = 8;
/// From here on, length alone is enough.
pub const LONG_CHARACTERS: usize = 12;
/// More would only slow the hash down.
pub const MOST_CHARACTERS: usize = 256;

/// What one hash costs (OWASP's first choice for Argon2id): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes that may wait for each that is made at the same time: some five seconds of work.
const WAITING_PER_PERMIT: usize = 256;
/// What a guess is compared with when there is no account, so that it takes the same time.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm8gc3VjaCBwZXJzb24$q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k";

/// Why a password cannot be chosen; told as the end of a sentence that begins with the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPasswordError {
    /// Fewer than eight characters.
    #[error("must have at least 8 characters")]
    TooShort,
    /// More than are hashed.
    #[error("must have at most 256 characters")]
    TooLong,
    /// It is the person's address.
    #[error("must not be the e-mail address")]
    IsEmail,
    /// Eight to eleven characters that are easily guessed, and why.
    #[error("is easily guessed ({0}): use 12 or more characters, or less usual ones")]
    Guessable(String),
}

/// Stands for the hash of who has no password (yet) and signs in elsewhere; nothing hashes to it.
pub const NO_PASSWORD: &str = "none";

/// Why no hash was made.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already.
    #[error("too many passwords are being checked")]
    Busy,
    /// Argon2 or the system refused; a stored hash may be broken.
    #[error("cannot hash a password")]
    Failed,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not the password, or nobody's.
    Wrong,
    /// The password.
    Right,
    /// The password; its hash was made with other costs and is to be replaced by this one.
    Rehashed(String),
}

/// Checks that a password is good enough for the person with this address.
pub fn check_strength(password: &str, email: &str, full_name: Option<&str>) -> Result<(), WeakPasswordError> {
    let password = normalise(password);
    let characters = password.chars().count();
    if characters < FEWEST_CHARACTERS {
        return Err(WeakPasswordError::TooShort);
    }
    if characters > MOST_CHARACTERS {
        return Err(WeakPasswordError::TooLong);
    }
    if password.to_lowercase() == email.to_lowercase() {
        return Err(WeakPasswordError::IsEmail);
    }
    if characters < LONG_CHARACTERS { check_guesses(&password, email, full_name) } else { Ok(()) }
}

fn check_guesses(password: &str, email: &str, full_name: Option<&str>) -> Result<(), WeakPasswordError> {
    let own: Vec<&str> = email.split(['@', '.']).chain(full_name.unwrap_or_default().split(' ')).collect();
    let estimate = zxcvbn::zxcvbn(password, &own);
    if estimate.score() >= zxcvbn::Score::Two {
        return Ok(());
    }
    let warning = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    let reason = warning.map_or_else(|| "it could be found by trying".to_owned(), |warning| warning.to_string());
    Err(WeakPasswordError::Guessable(reason.trim_end_matches('.').to_owned()))
}

fn normalise(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfc().collect())
}

/// Makes and checks hashes on threads of their own: few at a time, so that a storm of sign-ins cannot starve the rest.
#[derive(Clone)]
pub struct Passwords(Arc<Bench>);

struct Bench {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Counts one that waits, until it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Passwords {
    /// Uses half of the machine's cores at most.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores.div_ceil(2), cores.div_ceil(2) * WAITING_PER_PERMIT)
    }
}

impl Passwords {
    /// At most `parallel` hashes at a time and `most_waiting` waiting ones.
    pub fn new(parallel: usize, most_waiting: usize) -> Self {
        let permits = Arc::new(Semaphore::new(parallel));
        Self(Arc::new(Bench { permits, waiting: AtomicUsize::new(0), most_waiting }))
    }

    /// Hashes a new password, as a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        let password = normalise(password);
        self.run(move || hash_now(&password)).await
    }

    /// Compares a password with the stored hash; without one (nobody there, or [`NO_PASSWORD`]) it takes the same time
    /// and is wrong.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        let password = normalise(password);
        let stored = stored.filter(|hash| *hash != NO_PASSWORD).map(str::to_owned);
        self.run(move || verify_now(&password, stored.as_deref())).await
    }

    /// The permit goes to the thread: a caller that leaves does not let another hash begin before its own ended.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let permit = {
            let place = Place(&self.0.waiting);
            if self.0.waiting.fetch_add(1, Ordering::Relaxed) >= self.0.most_waiting {
                return Err(HashError::Busy);
            }
            let permit = Arc::clone(&self.0.permits).acquire_owned().await;
            drop(place);
            permit.map_err(|_| HashError::Failed)?
        };
        let done = spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        done.await.map_err(|_| HashError::Failed)?
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, HashError> {
    let hash: PasswordHash = argon2()?.hash_password(password.as_bytes()).map_err(|_| HashError::Failed)?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
    let hash = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| HashError::Failed)?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) if stored.is_none() => Ok(Verdict::Wrong),
        Ok(()) if is_current(&hash) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::Rehashed(hash_now(password)?)),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(_) => Err(HashError::Failed),
    }
}

fn is_current(hash: &PasswordHash) -> bool {
    let costs = Params::try_from(hash).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    hash.algorithm.as_str() == "argon2id" && costs == Ok((MEMORY_KIB, PASSES, LANES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_is_right() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery").await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify("correct horse battery", Some(&hash)).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.verify("correct horse batterz", Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.verify("correct horse battery", None).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.verify("none", Some(NO_PASSWORD)).await.unwrap(), Verdict::Wrong);
        assert!(passwords.verify("x", Some("md5:x")).await.is_err());
    }

    #[test]
    fn checking_nobodys_password_costs_as_much_as_any() {
        assert!(is_current(&PasswordHash::new(NOBODY).unwrap()));
        assert_eq!(verify_now("no such person", None).unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn composed_and_decomposed_letters_are_the_same_password() {
        let passwords = Passwords::default();
        let hash = passwords.hash("schöne grüße an alle").await.unwrap();

        let verdict = passwords.verify("scho\u{308}ne gru\u{308}ße an alle", Some(&hash)).await.unwrap();

        assert_eq!(verdict, Verdict::Right);
    }

    #[tokio::test]
    async fn a_hash_of_other_costs_is_replaced() {
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let old: PasswordHash = cheap.hash_password(b"correct horse battery").unwrap();

        let verdict = Passwords::default().verify("correct horse battery", Some(&old.to_string())).await.unwrap();

        let Verdict::Rehashed(new) = verdict else { panic!("{verdict:?}") };
        assert!(new.contains("m=19456"));
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_sent_away() {
        let passwords = Passwords::new(0, 1);
        let mut first = Box::pin(passwords.hash("one"));
        assert!(futures_util::poll!(&mut first).is_pending());

        assert!(matches!(passwords.hash("two").await, Err(HashError::Busy)));
        drop(first);

        let mut third = Box::pin(passwords.hash("three"));
        assert!(futures_util::poll!(&mut third).is_pending(), "the place is free again");
    }

    #[test]
    fn short_passwords_must_be_strong_and_long_ones_only_long() {
        let check = |password: &str| check_strength(password, "ada.lovelace@example.org", Some("Ada Lovelace"));
        let guessable = |password: &str| matches!(check(password), Err(WeakPasswordError::Guessable(_)));

        assert_eq!(check("1234567"), Err(WeakPasswordError::TooShort));
        assert_eq!(check(&"x".repeat(257)), Err(WeakPasswordError::TooLong));
        assert_eq!(check("Ada.Lovelace@example.org"), Err(WeakPasswordError::IsEmail));
        assert!(guessable("password1") && guessable("lovelace1") && guessable("aaaaaaaa") && guessable("12345678"));
        assert_eq!(check("kX9#vQ2m!z"), Ok(()));
        assert_eq!(check("twelve chars"), Ok(()));
        assert_eq!(check("pässwörtchen"), Ok(()), "characters count, not bytes");
    }
}
