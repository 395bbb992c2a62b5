//! What the server writes to people.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Everything that the server ever writes to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Asks to open a link, which proves that the address is theirs.
    VerifyAddress {
        /// The link; it holds a secret.
        link: String,
    },
    /// Lets them choose a new password.
    ResetPassword {
        /// The link; it holds a secret.
        link: String,
    },
    /// Their password was changed.
    PasswordChanged,
    /// A second factor is needed from now on.
    SecondFactorOn,
    /// The second factor was taken away.
    SecondFactorOff,
    /// Somebody signed in with a recovery code.
    RecoveryCodeUsed,
    /// One can sign in through an account elsewhere from now on.
    IdentityLinked {
        /// Where, such as `Google`.
        provider: String,
    },
    /// One cannot sign in through an account elsewhere any more.
    IdentityUnlinked {
        /// Where, such as `Google`.
        provider: String,
    },
    /// One can sign in with another passkey from now on.
    PasskeyAdded,
    /// One cannot sign in with a passkey any more.
    PasskeyRemoved,
    /// The same for all of them, because a new password was chosen for who had lost the old one.
    PasskeysRemoved,
    /// What there is to do today.
    Digest(Box<Digest>),
}

impl Message {
    /// The word for it in the database, logs and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyAddress { .. } => "verify_address",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::IdentityLinked { .. } => "identity_linked",
            Self::IdentityUnlinked { .. } => "identity_unlinked",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeysRemoved => "passkeys_removed",
            Self::Digest(_) => "digest",
        }
    }

    /// The subject line.
    pub fn subject(&self) -> String {
        let fixed = match self {
            Self::VerifyAddress { .. } => "Confirm your e-mail address",
            Self::ResetPassword { .. } => "Choose a new password",
            Self::PasswordChanged => "Your password was changed",
            Self::SecondFactorOn => "Two-factor sign-in is on",
            Self::SecondFactorOff => "Two-factor sign-in is off",
            Self::RecoveryCodeUsed => "A recovery code was used",
            Self::IdentityLinked { .. } => "A new way to sign in",
            Self::IdentityUnlinked { .. } => "A way to sign in was removed",
            Self::PasskeyAdded => "A passkey was added",
            Self::PasskeyRemoved => "A passkey was removed",
            Self::PasskeysRemoved => "Your passkeys were removed",
            Self::Digest(digest) => return digest.subject(),
        };
        fixed.to_owned()
    }

    /// The link that the message is about, if any; whoever holds it can use it.
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::VerifyAddress { link } | Self::ResetPassword { link } => Some(link),
            _ => None,
        }
    }

    /// Where one can end further messages of its kind with one request (RFC 8058).
    pub fn unsubscribe(&self) -> Option<&str> {
        match self {
            Self::Digest(digest) => Some(&digest.unsubscribe),
            _ => None,
        }
    }
}
