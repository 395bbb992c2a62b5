//! What can keep a change or a question about accounts from succeeding.

use super::attempts::TooManyAttempts;
use super::passkeys::NoPasskeysError;
use super::passwords::HashError;
use super::secrets::RandomError;
use crate::fault::Fault;
use crate::mail::MailError;
use crate::oauth::tokens::SigningError;
use crate::paging::CursorError;
use crate::store::StoreError;

/// Why the service said no.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The input breaks rules; all of the faults.
    #[error("the input breaks {} rule(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// Somebody has an account with this address, in whatever case.
    #[error("there is an account with this e-mail address already")]
    EmailTaken,
    /// Nobody can register.
    #[error("registration is closed on this server; its operator makes accounts")]
    RegistrationClosed,
    /// Registration needs an invitation, and this is none (any more).
    #[error("registration needs an unused invitation code of this server")]
    InviteNeeded,
    /// No such account, or another password, or a disabled account: which is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The password is right, but the account has a second factor, and no code of it came.
    #[error("a code of the authenticator is needed, too")]
    SecondFactorNeeded,
    /// The code is no (unused) one of this person's second factor.
    #[error("the code is wrong, or was used already")]
    WrongCode,
    /// Too many wrong passwords or codes.
    #[error(transparent)]
    TooManyAttempts(#[from] TooManyAttempts),
    /// There is a second factor already.
    #[error("there is a second factor already; remove it first")]
    SecondFactorOn,
    /// The address has been proved.
    #[error("the e-mail address is confirmed already")]
    EmailVerified,
    /// Who comes from elsewhere brings no address.
    #[error("an account needs an e-mail address")]
    AddressNeeded,
    /// The identity is linked to an account already.
    #[error("this identity is linked to an account already")]
    IdentityTaken,
    /// The account has as many identities as it can.
    #[error("the account has too many identities")]
    TooManyIdentities,
    /// Without it the account's owner could not sign in.
    #[error("this is the only way to sign in; set a password or add another way first")]
    LastWayIn,
    /// This server cannot have passkeys.
    #[error(transparent)]
    NoPasskeys(#[from] NoPasskeysError),
    /// The passkey does not sign anybody in; why is not told.
    #[error("nobody can sign in with this passkey")]
    PasskeyRefused,
    /// The sign-in with a passkey, or its registration, was not begun here, too long ago, or answered before.
    #[error("the ceremony was not begun here, was begun too long ago, or was answered already; begin again")]
    CeremonyOver,
    /// The passkey belongs to an account already.
    #[error("this passkey belongs to an account already")]
    PasskeyTaken,
    /// The account has as many passkeys as it can.
    #[error("the account has too many passkeys; remove one first")]
    TooManyPasskeys,
    /// The sign-in is too old to change who can sign in.
    #[error("the sign-in is too old for this; sign in again, or give the password")]
    ProofNeeded,
    /// No mail can be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The password that should confirm a change is not the caller's.
    #[error("the password is wrong")]
    WrongPassword,
    /// The refresh token is unknown, used or its session has ended.
    #[error("the refresh token is not valid (any more); sign in again")]
    RefreshRefused,
    /// A personal access token cannot do this; a session can.
    #[error("this needs a session; a personal access token cannot do it")]
    SessionNeeded,
    /// A token cannot allow more than its maker may do.
    #[error("a token cannot have the scope `{0}`, which its maker does not have")]
    ScopeExceeded(&'static str),
    /// The caller has no such thing (somebody else may).
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// No account has this address.
    #[error("there is no account with the e-mail address `{0}`")]
    NoSuchUser(String),
    /// A password could not be hashed, or too many wait for that.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The machine has no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// No token could be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store failed.
    #[error("the accounts cannot be read or changed")]
    Store(#[from] StoreError),
}

impl AccountError {
    /// The kind of refusal in one word, for metrics.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::EmailTaken => "taken",
            Self::RegistrationClosed | Self::InviteNeeded => "not_admitted",
            Self::WrongCredentials | Self::WrongPassword => "wrong_credentials",
            Self::SecondFactorNeeded => "second_factor_needed",
            Self::WrongCode => "wrong_code",
            Self::TooManyAttempts(_) => "too_many_attempts",
            Self::RefreshRefused | Self::PasskeyRefused => "refused",
            _ => "failed",
        }
    }

    /// One fault of the input.
    pub(super) fn fault(field: &str, message: &impl ToString) -> Self {
        Self::Invalid(vec![Fault::new(field, message.to_string())])
    }
}

impl From<CursorError> for AccountError {
    fn from(error: CursorError) -> Self {
        Self::fault("?cursor", &error)
    }
}

/// Collects the faults of an input, so that all of them are told.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Takes a rule's outcome: its value, or its fault at `field` and `None`.
    pub(super) fn take<T, E: ToString>(&mut self, field: &str, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|error| self.0.push(Fault::new(field, error.to_string()))).ok()
    }

    /// Takes the outcome of a rule that names the field itself.
    pub(super) fn check<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.0.push(fault)).ok()
    }

    /// The value when there was no fault at all, else every fault.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, AccountError> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(AccountError::Invalid(self.0)),
        }
    }
}
