//! `/api/auth/two-factor`: codes of an authenticator beside the password.

use std::sync::Arc;

use poem_openapi::payload::Json as Body;
use poem_openapi::types::{Example, Password};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::origin::RequestOrigin;
use super::{Done, Tag};
use crate::accounts::Accounts;
use crate::http::auth::{Reader, Writer};
use crate::http::payload::Json;
use crate::http::problem::ApiError;

/// The operations of the second factor.
pub struct SecondFactorApi {
    accounts: Arc<Accounts>,
}

/// Whether signing in needs a code.
#[derive(Object, Serialize)]
#[oai(rename = "TwoFactor", example)]
struct TwoFactorView {
    /// Whether it does.
    enabled: bool,
    /// Since when; `null` when it does not.
    enabled_at: Option<chrono::DateTime<chrono::Utc>>,
    /// How many recovery codes are left.
    recovery_codes_left: u64,
}

/// What an authenticator is set up with; shown once.
#[derive(Object, Serialize)]
#[oai(rename = "TwoFactorEnrolment", example)]
struct EnrolmentView {
    /// The shared secret in base 32, for typing.
    secret: String,
    /// The same as a link, for a QR code.
    otpauth_url: String,
}

/// Recovery codes; shown once, each good once.
#[derive(Object, Serialize)]
#[oai(rename = "NewRecoveryCodes", example)]
struct RecoveryCodesView {
    /// The codes.
    #[oai(validator(min_items = 10, max_items = 10))]
    recovery_codes: Vec<String>,
}

/// What the authenticator shows.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct ConfirmTwoFactor {
    /// Six digits.
    #[oai(validator(min_length = 6, max_length = 16))]
    code: String,
}

/// Who takes the second factor away.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct DeleteTwoFactor {
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: Password,
    /// A code of the authenticator, or a recovery code.
    #[oai(validator(min_length = 1, max_length = 64))]
    code: String,
}

/// Who replaces the recovery codes.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct RenewRecoveryCodes {
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: Password,
}

impl SecondFactorApi {
    /// Answers from `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

#[OpenApi(prefix_path = "/api/auth", tag = "Tag::Accounts")]
impl SecondFactorApi {
    /// Get my second factor
    ///
    /// Whether signing in needs a code of an authenticator, and how many recovery codes are left.
    #[oai(path = "/two-factor", method = "get", operation_id = "get_two_factor")]
    async fn get_two_factor(&self, caller: Reader) -> Result<Json<TwoFactorView>, ApiError> {
        let factor = self.accounts.get_second_factor(&caller).await?;
        Ok(Json(TwoFactorView {
            enabled: factor.enabled_at.is_some(),
            enabled_at: factor.enabled_at.map(crate::clock::Timestamp::to_utc),
            recovery_codes_left: factor.recovery_codes_left,
        }))
    }

    /// Begin to set a second factor up
    ///
    /// Makes a secret for an authenticator (TOTP, RFC 6238: SHA-1, 6 digits, 30 seconds). Signing in needs no code until a
    /// first one was confirmed; beginning again replaces the secret.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    /// - 409: There is a second factor already.
    #[oai(path = "/two-factor", method = "post", operation_id = "begin_two_factor")]
    async fn begin_two_factor(&self, caller: Writer, origin: RequestOrigin) -> Result<Json<EnrolmentView>, ApiError> {
        let enrolment = self.accounts.begin_second_factor(&caller, &origin.0).await?;
        let (secret, otpauth_url) = (enrolment.secret.to_string(), enrolment.otpauth_url.to_string());
        Ok(Json(EnrolmentView { secret, otpauth_url }))
    }

    /// Confirm my second factor
    ///
    /// Takes the code that the authenticator shows; from then on, signing in needs one. Each code is good once. The ten
    /// recovery codes in the answer are never shown again; each stands in for a code, once.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    /// - 404: No second factor was begun.
    /// - 409: There is a second factor already.
    #[oai(path = "/two-factor/confirm", method = "post", operation_id = "confirm_two_factor")]
    async fn confirm_two_factor(
        &self,
        caller: Writer,
        body: Body<ConfirmTwoFactor>,
        origin: RequestOrigin,
    ) -> Result<Json<RecoveryCodesView>, ApiError> {
        let recovery_codes = self.accounts.confirm_second_factor(&caller, &body.code, &origin.0).await?;
        Ok(Json(RecoveryCodesView { recovery_codes }))
    }

    /// Take my second factor away
    ///
    /// Signing in needs no code any more.
    ///
    /// - 401: The code is wrong.
    /// - 403: The password is wrong, or the credential does not allow this.
    /// - 404: There is no second factor.
    #[oai(path = "/two-factor", method = "delete", operation_id = "delete_two_factor")]
    async fn delete_two_factor(
        &self,
        caller: Writer,
        body: Body<DeleteTwoFactor>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        self.accounts.delete_second_factor(&caller, &body.password, &body.code, &origin.0).await?;
        Ok(Done::Done)
    }

    /// Replace my recovery codes
    ///
    /// Gives ten new ones; the old ones are worth nothing from then on.
    ///
    /// - 403: The password is wrong, or the credential does not allow this.
    /// - 404: There is no second factor.
    #[oai(path = "/two-factor/recovery-codes", method = "post", operation_id = "renew_recovery_codes")]
    async fn renew_recovery_codes(
        &self,
        caller: Writer,
        body: Body<RenewRecoveryCodes>,
        origin: RequestOrigin,
    ) -> Result<Json<RecoveryCodesView>, ApiError> {
        let recovery_codes = self.accounts.renew_recovery_codes(&caller, &body.password, &origin.0).await?;
        Ok(Json(RecoveryCodesView { recovery_codes }))
    }
}

impl Example for TwoFactorView {
    fn example() -> Self {
        let enabled_at = chrono::DateTime::from_timestamp(1_795_244_400, 0);
        Self { enabled: true, enabled_at, recovery_codes_left: 10 }
    }
}

impl Example for EnrolmentView {
    fn example() -> Self {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned();
        let otpauth_url = format!("otpauth://totp/MindFlow:ada%40example.org?secret={secret}&issuer=MindFlow");
        Self { secret, otpauth_url }
    }
}

impl Example for RecoveryCodesView {
    fn example() -> Self {
        Self { recovery_codes: (0..10).map(|n| format!("example{n}-4f7k-9w2m")).collect() }
    }
}

impl Example for ConfirmTwoFactor {
    fn example() -> Self {
        Self { code: "123456".to_owned() }
    }
}

impl Example for DeleteTwoFactor {
    fn example() -> Self {
        Self { password: Password("correct horse battery".to_owned()), code: "123456".to_owned() }
    }
}

impl Example for RenewRecoveryCodes {
    fn example() -> Self {
        Self { password: Password("correct horse battery".to_owned()) }
    }
}
