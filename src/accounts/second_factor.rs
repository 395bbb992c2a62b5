//! The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for who lost it.

use serde_json::json;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use super::admission::Proven;
use super::attempts::Guess;
use super::audit::AuditEntry;
use super::error::AccountError;
use super::letters::tell;
use super::secrets::{RandomError, SecretHash, hash_secret};
use super::{Accounts, Caller, Credential, Origin};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::mail::Message;
use crate::secret_key::SecretKey;
use crate::store::second_factors::SecondFactorRecord;
use crate::store::{StoreError, Tx};

/// The name that authenticators show.
const ISSUER: &str = "MindFlow";
/// Bytes of the shared secret (RFC 4226, section 4: 160 bits).
const SECRET_BYTES: usize = 20;
/// Seconds of a time step (RFC 6238, section 5.2).
const STEP_SECONDS: u64 = 30;
/// Steps that an authenticator's clock may be off, either way.
const DRIFT_STEPS: u16 = 1;
/// How many recovery codes one gets.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: 80 random bits need no slow hash.
const RECOVERY_BYTES: usize = 10;
/// Letters and digits that are not mistaken for each other (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What is in force for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Since when signing in needs a code; `None`: it does not.
    pub enabled_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u64,
}

/// What an authenticator is set up with; shown once.
#[derive(Debug)]
pub struct Enrolment {
    /// The shared secret in base 32, for typing.
    pub secret: Zeroizing<String>,
    /// The same as a link, for a QR code.
    pub otpauth_url: Zeroizing<String>,
}

/// What proved to be somebody's, beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Code,
    RecoveryCode,
}

impl Accounts {
    /// Whether signing in as this person needs a code.
    pub async fn second_factor_needed(&self, user: UserId) -> Result<bool, AccountError> {
        Ok(self.store.find_second_factor(user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
    }

    /// Checks the code of somebody who proved who they are otherwise, where one is needed.
    ///
    /// # Errors
    ///
    /// [`AccountError::SecondFactorNeeded`] without one; else as [`Self::check_second_factor`].
    pub async fn prove_second_factor(
        &self,
        proven: Proven,
        code: Option<&str>,
        origin: &Origin,
    ) -> Result<Proven, AccountError> {
        if !self.second_factor_needed(proven.user_id()).await? {
            return Ok(proven);
        }
        let checked = match code {
            Some(code) => self.check_second_factor(proven.user_id(), code, origin).await,
            None => Err(AccountError::SecondFactorNeeded),
        };
        self.count_sign_in("second_factor", &checked);
        checked.map(|()| proven.and("otp"))
    }

    /// Checks a code of the authenticator, or a recovery code; each is good once.
    ///
    /// # Errors
    ///
    /// [`AccountError::WrongCode`]; [`AccountError::TooManyAttempts`] after too many of them.
    pub async fn check_second_factor(&self, user: UserId, code: &str, origin: &Origin) -> Result<(), AccountError> {
        let attempt = self.attempts.begin(Guess::Code(user))?;
        let (key, now, text) = (self.secret.clone(), self.clock.now(), tidy(code));
        let work = self.store.write(move |tx| Box::pin(async move { prove(tx, &key, user, &text, now).await }));
        match work.await {
            Ok(Some(proof)) => {
                attempt.forgive();
                if proof == Proof::RecoveryCode {
                    let entry = AuditEntry::anonymous(Some(user), "recovery_code.used", now).from(origin);
                    let post = self.post.clone();
                    let told = self.store.write(move |tx| {
                        Box::pin(async move {
                            tell(&post, tx, user, Message::RecoveryCodeUsed).await?;
                            Ok::<_, AccountError>(tx.insert_audit(&entry).await?)
                        })
                    });
                    told.await?;
                    self.post.wake();
                }
                Ok(())
            }
            Ok(None) => {
                self.note(AuditEntry::anonymous(Some(user), "second_factor.refused", now).from(origin)).await?;
                Err(AccountError::WrongCode)
            }
            Err(error) => {
                attempt.forgive();
                Err(error)
            }
        }
    }

    /// What is in force for the caller.
    pub async fn get_second_factor(&self, caller: &Caller) -> Result<SecondFactor, AccountError> {
        let factor = self.store.find_second_factor(caller.user_id).await?;
        let left = self.store.count_recovery_codes(caller.user_id).await?;
        Ok(SecondFactor {
            enabled_at: factor.and_then(|factor| factor.confirmed_at).map(Timestamp::from_micros),
            recovery_codes_left: u64::try_from(left).unwrap_or(0),
        })
    }

    /// Makes a secret for an authenticator. It counts only when [`Self::confirm_second_factor`] has seen a code of it;
    /// until then, beginning again replaces it.
    pub async fn begin_second_factor(&self, caller: &Caller, origin: &Origin) -> Result<Enrolment, AccountError> {
        own_session(caller)?;
        let (user, now) = (caller.user_id, self.clock.now());
        let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| RandomError)?;
        let row = self.store.find_user(user).await?.ok_or(AccountError::NotFound("account"))?;
        let totp = authenticator(&secret, &row.email)?;
        let otpauth_url = totp.to_url().map_err(|_| StoreError::corrupt("e-mail address", user.to_string()))?;
        let enrolment =
            Enrolment { secret: Zeroizing::new(totp.secret().to_base32()), otpauth_url: Zeroizing::new(otpauth_url) };
        let sealed = self.secret.seal(&purpose(user), &secret)?;
        let entry = AuditEntry::by(caller, "second_factor.begun", now).from(origin);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.begin_second_factor(user, &sealed, now).await? {
                        return Err(AccountError::SecondFactorOn);
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await?;
        Ok(enrolment)
    }

    /// Puts the factor in force after a first right code; gives the recovery codes, which are never shown again.
    pub async fn confirm_second_factor(
        &self,
        caller: &Caller,
        code: &str,
        origin: &Origin,
    ) -> Result<Vec<String>, AccountError> {
        own_session(caller)?;
        let (user, now) = (caller.user_id, self.clock.now());
        let attempt = self.attempts.begin(Guess::Code(user))?;
        let codes = recovery_codes()?;
        let hashes: Vec<SecretHash> = codes.iter().map(|code| hash_secret(&tidy(code))).collect();
        let (key, text, post) = (self.secret.clone(), tidy(code), self.post.clone());
        let entry = AuditEntry::by(caller, "second_factor.confirmed", now).from(origin);
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // The person's row is locked first, as by everybody.
                tell(&post, tx, user, Message::SecondFactorOn).await?;
                let factor = tx.find_second_factor(user).await?.ok_or(AccountError::NotFound("second factor"))?;
                if factor.confirmed_at.is_some() {
                    return Err(AccountError::SecondFactorOn);
                }
                if !spend_code(tx, &key, user, &factor, &text, now).await? {
                    return Err(AccountError::fault("/code", &"is not the code that the authenticator shows now"));
                }
                if !tx.confirm_second_factor(user, now).await? {
                    return Err(AccountError::SecondFactorOn);
                }
                tx.replace_recovery_codes(user, &hashes).await?;
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        match work.await {
            Err(error @ AccountError::Invalid(_)) => return Err(error),
            outcome => {
                attempt.forgive();
                outcome?;
            }
        }
        self.post.wake();
        Ok(codes)
    }

    /// Takes the factor away, for who has the password and a code (or a recovery code).
    pub async fn delete_second_factor(
        &self,
        caller: &Caller,
        password: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        own_session(caller)?;
        if !self.second_factor_needed(caller.user_id).await? {
            return Err(AccountError::NotFound("second factor"));
        }
        self.confirm(caller, password, origin).await?;
        self.check_second_factor(caller.user_id, code, origin).await?;
        let (user, now) = (caller.user_id, self.clock.now());
        let entry = AuditEntry::by(caller, "second_factor.deleted", now).from(origin);
        let post = self.post.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tell(&post, tx, user, Message::SecondFactorOff).await?;
                    tx.delete_second_factor(user).await?;
                    Ok::<_, AccountError>(tx.insert_audit(&entry).await?)
                })
            })
            .await?;
        self.post.wake();
        Ok(())
    }

    /// Replaces the recovery codes, used or not, for who has the password; gives the new ones.
    pub async fn renew_recovery_codes(
        &self,
        caller: &Caller,
        password: &str,
        origin: &Origin,
    ) -> Result<Vec<String>, AccountError> {
        own_session(caller)?;
        if !self.second_factor_needed(caller.user_id).await? {
            return Err(AccountError::NotFound("second factor"));
        }
        self.confirm(caller, password, origin).await?;
        let codes = recovery_codes()?;
        let hashes: Vec<SecretHash> = codes.iter().map(|code| hash_secret(&tidy(code))).collect();
        let user = caller.user_id;
        let entry = AuditEntry::by(caller, "recovery_codes.renewed", self.clock.now()).from(origin);
        let entry = entry.with(json!({ "count": codes.len() }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.replace_recovery_codes(user, &hashes).await?;
                    tx.insert_audit(&entry).await
                })
            })
            .await?;
        Ok(codes)
    }

    /// Writes a row of the log that belongs to no other change.
    pub(super) async fn note(&self, entry: AuditEntry) -> Result<(), AccountError> {
        Ok(self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await })).await?)
    }
}

/// Changing how one signs in takes a sign-in, not a token of a program.
pub(super) fn own_session(caller: &Caller) -> Result<(), AccountError> {
    match caller.credential {
        Credential::Session(_) => Ok(()),
        Credential::PersonalToken(_) | Credential::Grant(_) | Credential::Shell => Err(AccountError::SessionNeeded),
    }
}

/// Finds out whether `text` is a code of this person's, and uses it up.
async fn prove(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    user: UserId,
    text: &str,
    now: Timestamp,
) -> Result<Option<Proof>, AccountError> {
    let Some(factor) = tx.find_second_factor(user).await?.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(None);
    };
    if spend_code(tx, key, user, &factor, text, now).await? {
        return Ok(Some(Proof::Code));
    }
    Ok(tx.spend_recovery_code(user, hash_secret(text), now).await?.then_some(Proof::RecoveryCode))
}

/// Whether `text` is the authenticator's code, of a step later than any that was used.
async fn spend_code(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    user: UserId,
    factor: &SecondFactorRecord,
    text: &str,
    now: Timestamp,
) -> Result<bool, AccountError> {
    let secret = key.open(&purpose(user), &factor.sealed_secret);
    let secret = secret.ok_or_else(|| StoreError::corrupt("second factor", user.to_string()))?;
    let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
    let step = authenticator(&secret, "")?.check(text, seconds).and_then(|step| i64::try_from(step).ok());
    match step {
        Some(step) => Ok(tx.spend_step(user, step).await?),
        None => Ok(false),
    }
}

fn authenticator(secret: &[u8], account: &str) -> Result<Totp, AccountError> {
    let builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(DRIFT_STEPS)
        .with_step_duration(STEP_SECONDS)
        .with_issuer(Some(ISSUER))
        .with_account_name(account)
        .with_secret(secret.to_vec());
    builder.build().map_err(|_| StoreError::corrupt("second factor", "secret").into())
}

/// What a shared secret is sealed for: one person's cannot be put in another's row.
fn purpose(user: UserId) -> String {
    format!("second factor of {user}")
}

/// A code as it is compared: without the blanks and hyphens that people type, and what Crockford lets them mistake.
fn tidy(code: &str) -> String {
    let letters = code.chars().filter(|c| !matches!(c, ' ' | '-')).flat_map(char::to_lowercase);
    letters
        .map(|c| {
            if c == 'o' {
                '0'
            } else if matches!(c, 'i' | 'l') {
                '1'
            } else {
                c
            }
        })
        .collect()
}

/// New recovery codes, such as `4f7k-9w2m-x0qz-7bda`.
fn recovery_codes() -> Result<Vec<String>, RandomError> {
    (0..RECOVERY_CODES).map(|_| recovery_code()).collect()
}

fn recovery_code() -> Result<String, RandomError> {
    let mut bytes = Zeroizing::new([0_u8; RECOVERY_BYTES]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| RandomError)?;
    let bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let letter = |index: usize| char::from(ALPHABET[usize::try_from(bits >> (5 * index) & 31).unwrap_or(0)]);
    let mut code = String::new();
    for index in 0..RECOVERY_BYTES * 8 / 5 {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        code.push(letter(index));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_told_apart_and_forgive_typing() {
        let codes = recovery_codes().unwrap();
        let distinct: std::collections::HashSet<_> = codes.iter().collect();

        assert_eq!((codes.len(), distinct.len(), codes[0].len()), (10, 10, 19));
        assert_eq!(tidy(&codes[0].to_uppercase().replace('-', " ").replace('0', "O")), tidy(&codes[0]));
    }

    /// RFC 6238, appendix B, with six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = authenticator(b"12345678901234567890", "").unwrap();

        assert_eq!(totp.generate(59).to_string(), "287082");
        assert_eq!(totp.generate(1_111_111_109).to_string(), "081804");
        assert_eq!(totp.check("287082", 89), Some(1));
        assert_eq!((totp.check("287082", 29), totp.check("287082", 90)), (Some(1), None));
    }
}
