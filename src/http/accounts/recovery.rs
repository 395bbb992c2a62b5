//! `/api/auth/verify-email` and `/api/auth/password/…`: what goes by e-mail.

use std::sync::Arc;

use poem_openapi::payload::Json as Body;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::origin::RequestOrigin;
use super::{Done, Tag};
use crate::accounts::Accounts;
use crate::http::auth::Writer;
use crate::http::fields::NewPassword;
use crate::http::problem::ApiError;

/// The operations around links that are sent by e-mail.
pub struct RecoveryApi {
    accounts: Arc<Accounts>,
}

/// The secret of a link.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct VerifyEmail {
    /// What follows `token=` in the link.
    #[oai(validator(min_length = 1, max_length = 128))]
    token: String,
}

/// Whose password was forgotten.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ForgotPassword {
    /// The e-mail address, in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 254))]
    email: String,
}

/// The secret of a link, and a new password.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ResetPassword {
    /// What follows `token=` in the link.
    #[oai(validator(min_length = 1, max_length = 128))]
    token: String,
    /// 12 or more characters, or 8 to 11 that are not easily guessed.
    new_password: NewPassword,
}

#[derive(ApiResponse)]
enum Accepted {
    /// A mail is under way, if there is anything to send.
    #[oai(status = 202)]
    Accepted,
}

impl RecoveryApi {
    /// Answers from `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

#[OpenApi(prefix_path = "/api/auth", tag = "Tag::Accounts")]
impl RecoveryApi {
    /// Verify an e-mail address
    ///
    /// Takes the secret of the link that was sent at registration as proof that the address is the account's. It is good
    /// once, for a day.
    #[oai(path = "/verify-email", method = "post", operation_id = "verify_email")]
    async fn verify_email(&self, body: Body<VerifyEmail>, origin: RequestOrigin) -> Result<Done, ApiError> {
        self.accounts.verify_email(&body.token, &origin.0).await?;
        Ok(Done::Done)
    }

    /// Ask for another link to verify my address
    ///
    /// Sends the mail of the registration again. Earlier links stay good until they end; of too many, no further is sent.
    ///
    /// - 409: The address is verified already.
    /// - 503: This server cannot send e-mail.
    #[oai(path = "/verify-email/send", method = "post", operation_id = "send_verification")]
    async fn send_verification(&self, caller: Writer, origin: RequestOrigin) -> Result<Accepted, ApiError> {
        self.accounts.send_verification(&caller, &origin.0).await?;
        Ok(Accepted::Accepted)
    }

    /// Ask for a link to choose a new password
    ///
    /// Sends a mail with a link that is good once, for an hour, if there is such an account. The answer is the same, and
    /// takes the same time, if there is none.
    ///
    /// - 503: This server cannot send e-mail.
    #[expect(clippy::unused_async, reason = "operations are async")]
    #[oai(path = "/password/forgot", method = "post", operation_id = "forgot_password")]
    async fn forgot_password(&self, body: Body<ForgotPassword>, origin: RequestOrigin) -> Result<Accepted, ApiError> {
        self.accounts.forgot_password(&body.email, &origin.0)?;
        Ok(Accepted::Accepted)
    }

    /// Choose a new password
    ///
    /// Takes the secret of the link of `/api/auth/password/forgot`. Ends everything that acts for the account: all
    /// sessions, connected apps and personal access tokens.
    #[oai(path = "/password/reset", method = "post", operation_id = "reset_password")]
    async fn reset_password(&self, body: Body<ResetPassword>, origin: RequestOrigin) -> Result<Done, ApiError> {
        self.accounts.reset_password(&body.token, &body.new_password.0, &origin.0).await?;
        Ok(Done::Done)
    }
}

/// A secret as it looks; it opens nothing.
const TOKEN: &str = "example-kq3mYx1tZ5aVhJc9RfLuEiPsw0gNw8dO2bS7";

impl Example for VerifyEmail {
    fn example() -> Self {
        Self { token: TOKEN.to_owned() }
    }
}

impl Example for ForgotPassword {
    fn example() -> Self {
        Self { email: "ada@example.org".to_owned() }
    }
}

impl Example for ResetPassword {
    fn example() -> Self {
        Self { token: TOKEN.to_owned(), new_password: NewPassword("staple of the same horse".to_owned()) }
    }
}
