//! `/api/auth/passkeys`: keys on people's own devices with which they sign in.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json as Body, Response};
use poem_openapi::types::{Example, Password};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::origin::RequestOrigin;
use super::views::{PasskeyPageView, PasskeyView, SignedInView};
use super::{Done, Tag, counted, default_limit, paging};
use crate::accounts::Accounts;
use crate::accounts::passkeys::registration::{NewPasskey, Proof};
use crate::accounts::passkeys::sign_in::ShownPasskey;
use crate::accounts::passkeys::{Asking, Begun, Owner};
use crate::http::auth::{Reader, Writer};
use crate::http::fields::{JsonObject, PasskeyName};
use crate::http::payload::Json;
use crate::http::problem::ApiError;
use crate::ids::PasskeyId;

/// The operations of passkeys.
pub struct PasskeysApi {
    accounts: Arc<Accounts>,
}

#[derive(ApiResponse)]
enum PasskeyAdded {
    /// The new passkey.
    #[oai(status = 201)]
    Passkey(Json<PasskeyView>, #[oai(header = "Location")] String),
}

/// A question that a browser is to answer.
#[derive(Object, Serialize)]
#[oai(rename = "PasskeyQuestion", example)]
struct QuestionView {
    /// Comes back with the answer, once.
    ceremony: String,
    /// For the browser: what `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` reads.
    options: JsonObject,
    /// For how long the answer is taken, in seconds.
    expires_in: u64,
}

/// What proves once more who somebody is whose sign-in is older than ten minutes.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct BeginPasskey {
    /// The password.
    #[oai(nullable, validator(min_length = 1, max_length = 256))]
    password: Option<Password>,
    /// A code of the authenticator or a recovery code, where a second factor is on.
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    code: Option<String>,
}

/// A passkey that a browser made.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct AddPasskey {
    /// The `ceremony` of the question.
    #[oai(validator(min_length = 1, max_length = 65_536))]
    ceremony: String,
    /// The browser's answer: `toJSON()` of what `navigator.credentials.create()` gave.
    credential: JsonObject,
    /// What to call it.
    #[oai(nullable)]
    name: Option<PasskeyName>,
}

/// Another name.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct RenamePasskey {
    /// What to call it.
    name: PasskeyName,
}

/// Who is to sign in.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct BeginPasskeySignIn {
    /// The address of the only account that may sign in; any without it.
    #[oai(nullable, validator(min_length = 1, max_length = 254))]
    email: Option<String>,
}

/// A passkey that a browser brought back.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct PasskeyLogin {
    /// The `ceremony` of the question.
    #[oai(validator(min_length = 1, max_length = 65_536))]
    ceremony: String,
    /// The browser's answer: `toJSON()` of what `navigator.credentials.get()` gave.
    credential: JsonObject,
}

impl PasskeysApi {
    /// Answers from `accounts`.
    pub const fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

#[OpenApi(prefix_path = "/api/auth", tag = "Tag::Accounts")]
impl PasskeysApi {
    /// List my passkeys
    ///
    /// The keys with which the caller can sign in without a password, newest first.
    #[oai(path = "/passkeys", method = "get", operation_id = "list_passkeys")]
    async fn list_passkeys(
        &self,
        caller: Reader,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")), default = "default_limit")] limit: Query<u32>,
        #[oai(validator(min_length = 1, max_length = 512))] cursor: Query<Option<String>>,
    ) -> Result<Response<Json<PasskeyPageView>>, ApiError> {
        let page = self.accounts.list_passkeys(&caller, &paging(&limit, cursor)).await?;
        Ok(counted(page.total, Json(page.into())))
    }

    /// Begin to add a passkey
    ///
    /// Gives what a browser needs to make one; `POST /api/auth/passkeys` takes its answer, within five minutes, once, from
    /// the same session. Who signed in more than ten minutes ago gives the password again, and a code where a second
    /// factor is on.
    ///
    /// - 401: A code of the second factor is needed or wrong.
    /// - 403: The sign-in is too old and no password came, or it is wrong, or the credential does not allow this.
    /// - 409: The server cannot have passkeys, or there are too many.
    #[oai(path = "/passkeys/registration", method = "post", operation_id = "begin_passkey")]
    async fn begin_passkey(
        &self,
        caller: Writer,
        body: Body<Option<BeginPasskey>>,
        origin: RequestOrigin,
    ) -> Result<Json<QuestionView>, ApiError> {
        let BeginPasskey { password, code } = body.0.unwrap_or(BeginPasskey { password: None, code: None });
        let proof = Proof { password: password.as_deref().map(String::as_str), code: code.as_deref() };
        let begun = self.accounts.begin_passkey(Owner::Caller(&caller), proof, &origin.0).await?;
        Ok(Json(begun.into()))
    }

    /// Add a passkey
    ///
    /// Keeps the passkey that a browser made. Whoever holds it can sign in with it from then on; a mail says so.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    /// - 409: The server cannot have passkeys, there are too many, or this one belongs to an account already.
    #[oai(path = "/passkeys", method = "post", operation_id = "add_passkey")]
    async fn add_passkey(
        &self,
        caller: Writer,
        body: Body<AddPasskey>,
        origin: RequestOrigin,
    ) -> Result<PasskeyAdded, ApiError> {
        let name = body.name.as_ref().map(|name| name.0.as_str());
        let new = NewPasskey { ceremony: &body.ceremony, credential: &body.credential.0, name };
        let passkey = self.accounts.add_passkey(Owner::Caller(&caller), new, &origin.0).await?;
        let location = format!("/api/auth/passkeys/{}", passkey.id);
        Ok(PasskeyAdded::Passkey(Json(passkey.into()), location))
    }

    /// Rename a passkey
    ///
    /// Gives it another name, for its owner's eyes.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    #[oai(path = "/passkeys/:passkey_id", method = "patch", operation_id = "rename_passkey")]
    async fn rename_passkey(
        &self,
        caller: Writer,
        passkey_id: Path<Uuid>,
        body: Body<RenamePasskey>,
        origin: RequestOrigin,
    ) -> Result<Json<PasskeyView>, ApiError> {
        let (owner, id) = (Owner::Caller(&caller), PasskeyId(passkey_id.0));
        Ok(Json(self.accounts.rename_passkey(owner, id, &body.name.0, &origin.0).await?.into()))
    }

    /// Remove a passkey
    ///
    /// Nobody can sign in with it any more; a mail says so.
    ///
    /// - 403: A personal access token or a connected app cannot do this.
    /// - 409: It is the only way to sign in; set a password first, by `/api/auth/password/forgot`.
    #[oai(path = "/passkeys/:passkey_id", method = "delete", operation_id = "delete_passkey")]
    async fn delete_passkey(
        &self,
        caller: Writer,
        passkey_id: Path<Uuid>,
        origin: RequestOrigin,
    ) -> Result<Done, ApiError> {
        self.accounts.remove_passkey(Owner::Caller(&caller), PasskeyId(passkey_id.0), &origin.0).await?;
        Ok(Done::Done)
    }

    /// Begin to sign in with a passkey
    ///
    /// Gives what a browser needs to ask for one: any that was made for this server, also where the person says no
    /// address. The question is the same for every address, whether there is an account or not.
    ///
    /// - 409: The server cannot have passkeys.
    #[expect(clippy::unused_async, reason = "operations are async")]
    #[oai(path = "/passkeys/sign-in/options", method = "post", operation_id = "begin_passkey_sign_in")]
    async fn begin_passkey_sign_in(
        &self,
        body: Body<Option<BeginPasskeySignIn>>,
    ) -> Result<Json<QuestionView>, ApiError> {
        let email = body.0.and_then(|body| body.email);
        Ok(Json(self.accounts.begin_passkey_sign_in(Asking::Anybody, email.as_deref())?.into()))
    }

    /// Sign in with a passkey
    ///
    /// Begins a session, as `POST /api/auth/login` does. The passkey stands for the password and the second factor: the
    /// device has made sure of its owner. What is wrong with one that is refused is not told.
    ///
    /// - 401: Nobody can sign in with this passkey.
    /// - 409: The server cannot have passkeys.
    #[oai(path = "/passkeys/sign-in", method = "post", operation_id = "login_with_passkey")]
    async fn login_with_passkey(
        &self,
        body: Body<PasskeyLogin>,
        origin: RequestOrigin,
    ) -> Result<Json<SignedInView>, ApiError> {
        let shown = ShownPasskey { ceremony: &body.ceremony, credential: &body.credential.0 };
        Ok(Json(self.accounts.login_with_passkey(shown, &origin.0).await?.into()))
    }
}

impl From<Begun> for QuestionView {
    fn from(begun: Begun) -> Self {
        let Begun { ceremony, options, expires_in } = begun;
        Self { ceremony, options: JsonObject(options), expires_in }
    }
}

/// A ceremony as it looks; it opens nothing.
const CEREMONY: &str = "example-dGhlIHN0YXRlIG9mIGEgY2VyZW1vbnk";

impl Example for QuestionView {
    fn example() -> Self {
        let options = json!({
            "challenge": "7Zm1zq2T0J3bO5cJ0mVtq8yUu6Z3cQ2mB1n4s5k6w7E",
            "rpId": "mindflow.example.org",
            "allowCredentials": [],
            "userVerification": "required",
            "timeout": 300_000
        });
        Self { ceremony: CEREMONY.to_owned(), options: JsonObject(options), expires_in: 300 }
    }
}

impl Example for BeginPasskey {
    fn example() -> Self {
        Self { password: Some(Password("correct horse battery".to_owned())), code: None }
    }
}

impl Example for AddPasskey {
    fn example() -> Self {
        let credential = json!({
            "id": "gM7Uu0b1kE2r",
            "rawId": "gM7Uu0b1kE2r",
            "type": "public-key",
            "response": { "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ" }
        });
        Self {
            ceremony: CEREMONY.to_owned(),
            credential: JsonObject(credential),
            name: Some(PasskeyName("Ada’s phone".to_owned())),
        }
    }
}

impl Example for RenamePasskey {
    fn example() -> Self {
        Self { name: PasskeyName("Ada’s laptop".to_owned()) }
    }
}

impl Example for BeginPasskeySignIn {
    fn example() -> Self {
        Self { email: Some("ada@example.org".to_owned()) }
    }
}

impl Example for PasskeyLogin {
    fn example() -> Self {
        let credential = json!({
            "id": "gM7Uu0b1kE2r",
            "rawId": "gM7Uu0b1kE2r",
            "type": "public-key",
            "response": {
                "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
                "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
                "signature": "MEUCIQDexample",
                "userHandle": "AZqk8p1AfD6PIWsdVOegww"
            }
        });
        Self { ceremony: CEREMONY.to_owned(), credential: JsonObject(credential) }
    }
}
