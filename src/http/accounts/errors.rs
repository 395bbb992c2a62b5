//! How the service's refusals look over HTTP.

use poem::http::StatusCode;

use crate::accounts::AccountError;
use crate::accounts::passwords::HashError;
use crate::fault::Fault;
use crate::http::problem::ApiError;
use crate::mail::MailError;

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const CONFLICT: StatusCode = StatusCode::CONFLICT;
/// What is wrong with a ceremony, as the rest of a sentence.
const CEREMONY_OVER: &str = "was not begun here, was begun too long ago, or was answered already; begin again";

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let detail = sentence(&error);
        let problem = |status, kind, title| Self::new(status, kind, title).detail(detail.clone());
        match &error {
            AccountError::Invalid(faults) => Self::invalid(faults.clone()),
            AccountError::EmailTaken => problem(CONFLICT, "email-taken", "The e-mail address is taken"),
            AccountError::RegistrationClosed => problem(FORBIDDEN, "registration-closed", "Registration is closed"),
            AccountError::InviteNeeded => problem(FORBIDDEN, "invite-needed", "An invitation is needed"),
            AccountError::WrongCredentials => problem(UNAUTHORIZED, "wrong-credentials", "The sign-in was refused"),
            AccountError::RefreshRefused => {
                problem(UNAUTHORIZED, "invalid-refresh-token", "The refresh token was refused")
            }
            AccountError::SecondFactorNeeded => {
                problem(UNAUTHORIZED, "second-factor-needed", "A second factor is needed")
            }
            AccountError::WrongCode => problem(UNAUTHORIZED, "wrong-second-factor", "The second factor was refused"),
            AccountError::TooManyAttempts(refused) => {
                problem(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many wrong attempts")
                    .header("retry-after", refused.wait_seconds.to_string())
            }
            AccountError::SecondFactorOn => problem(CONFLICT, "second-factor-on", "There is a second factor already"),
            AccountError::EmailVerified => {
                problem(CONFLICT, "email-verified", "The e-mail address is confirmed already")
            }
            AccountError::AddressNeeded => problem(CONFLICT, "address-needed", "An e-mail address is needed"),
            AccountError::IdentityTaken => problem(CONFLICT, "identity-taken", "The identity is linked already"),
            AccountError::TooManyIdentities => {
                problem(CONFLICT, "too-many-identities", "There are too many identities")
            }
            AccountError::LastWayIn => problem(CONFLICT, "last-way-in", "It is the only way to sign in"),
            AccountError::NoPasskeys(_) => problem(CONFLICT, "no-passkeys", "This server cannot have passkeys"),
            AccountError::PasskeyRefused => problem(UNAUTHORIZED, "passkey-refused", "The passkey was refused"),
            AccountError::CeremonyOver => Self::invalid(vec![Fault::new("/ceremony", CEREMONY_OVER)]),
            AccountError::PasskeyTaken => {
                problem(CONFLICT, "passkey-taken", "The passkey belongs to an account already")
            }
            AccountError::TooManyPasskeys => problem(CONFLICT, "too-many-passkeys", "There are too many passkeys"),
            AccountError::ProofNeeded => problem(FORBIDDEN, "proof-needed", "The sign-in is too old"),
            AccountError::Mail(MailError::NotConfigured) => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "mail-not-configured", "This server cannot send e-mail")
            }
            AccountError::WrongPassword => problem(FORBIDDEN, "wrong-password", "The password is wrong"),
            AccountError::SessionNeeded => problem(FORBIDDEN, "session-needed", "A session is needed"),
            AccountError::ScopeExceeded(scope) => {
                let challenge = format!("Bearer realm=\"MindFlow\", error=\"insufficient_scope\", scope=\"{scope}\"");
                problem(FORBIDDEN, "insufficient-scope", "The credential does not allow this")
                    .header("www-authenticate", challenge)
            }
            AccountError::NotFound(what) => Self::not_found(what),
            AccountError::NoSuchUser(_) => Self::not_found("account"),
            AccountError::Hash(HashError::Busy) => busy(detail),
            AccountError::Store(source) => Self::from(source),
            AccountError::Hash(HashError::Failed)
            | AccountError::Random(_)
            | AccountError::Signing(_)
            | AccountError::Mail(MailError::Delayed(_) | MailError::Refused(_)) => Self::internal(&error),
        }
    }
}

fn busy(detail: String) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The service is busy")
        .detail(detail)
        .header("retry-after", "5")
}

/// An error's message as a sentence of its own.
fn sentence(error: &AccountError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_a_sentence() {
        let error = ApiError::from(AccountError::WrongCredentials);

        assert_eq!(error.to_string(), "The e-mail address or the password is wrong.");
        assert_eq!((error.status(), error.kind()), (UNAUTHORIZED, "wrong-credentials"));
    }
}
