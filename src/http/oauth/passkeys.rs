//! Passkeys in the browser: the question for the sign-in page's script, and the steps of the page with somebody's ways to
//! sign in.

use poem::http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::answers::{json_response, see_other};
use super::call::{Call, Pairs};
use super::door::{Shown, told};
use super::forms::{Visitor, is_from_here};
use super::identities::{ONLY_WAY, Visit};
use super::pages::fields::Faults;
use super::pages::passkeys::Scripted;
use super::{Answer, Services, pages};
use crate::accounts::passkeys::registration::{NewPasskey, Proof};
use crate::accounts::passkeys::{Asking, Owner};
use crate::accounts::{AccountError, Browser};
use crate::fault::Fault;
use crate::ids::PasskeyId;
use crate::oauth::{ErrorCode, OAuthError};

/// Where the script of the sign-in page gets a question for the browser.
pub(super) const QUESTION_PATH: &str = "/oauth/passkeys/question";
/// The steps of the page: asking for a passkey, keeping it, renaming and removing one.
pub(super) const STEPS: [&str; 4] = ["add-passkey", "keep-passkey", "rename-passkey", "remove-passkey"];

/// Gives the sign-in page's script a question for this browser. It costs nothing and says nothing about anybody.
pub(super) async fn question(services: &Services, call: Call) -> Answer {
    let visitor = Visitor::find(&call, services).await?;
    if !is_from_here(&call, services) {
        let error = OAuthError::new(ErrorCode::AccessDenied, "only the pages of this server ask here");
        return Ok(json_response(StatusCode::FORBIDDEN, &json!({ "error": error.code.as_str() })));
    }
    let begun = services.accounts.begin_passkey_sign_in(Asking::Browser(&visitor.cookie), None);
    match begun {
        Ok(begun) => {
            let body = json!({ "ceremony": begun.ceremony, "options": begun.options, "expires_in": begun.expires_in });
            Ok(json_response(StatusCode::OK, &body))
        }
        Err(AccountError::NoPasskeys(error)) => {
            let body = json!({ "error": "no-passkeys", "error_description": error.to_string() });
            Ok(json_response(StatusCode::CONFLICT, &body))
        }
        Err(error) => Err(pages::account_failure(error).into()),
    }
}

/// How browsers write where this server is: what passkeys are bound to.
pub(super) fn origin_of(services: &Services) -> String {
    Url::parse(&services.issuer).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The credential in a form, as the script wrote it.
pub(super) fn credential_of(form: &Pairs) -> Result<Value, OAuthError> {
    Ok(serde_json::from_str(form.one("credential")?.unwrap_or_default()).unwrap_or_default())
}

impl Visit<'_> {
    /// Takes a form of one of the [`STEPS`] from somebody who is signed in.
    pub(super) async fn take_passkey_step(&self, step: &str, browser: &Browser, form: &Pairs) -> Shown {
        let done = match step {
            "add-passkey" => return self.begin_passkey(browser, form).await,
            "keep-passkey" => self.keep_passkey(browser, form).await?,
            "rename-passkey" => {
                let name = form.one("name")?.unwrap_or_default();
                let accounts = &self.services.accounts;
                let renamed = accounts.rename_passkey(Owner::Browser(browser), id_of(form)?, name, &self.call.origin);
                renamed.await.map(drop)
            }
            _ => {
                let accounts = &self.services.accounts;
                accounts.remove_passkey(Owner::Browser(browser), id_of(form)?, &self.call.origin).await
            }
        };
        match done {
            // One that is gone is not there any more, which is what was wanted.
            Ok(()) | Err(AccountError::NotFound(_)) => Ok(see_other(&self.url())),
            Err(error) => self.tell(browser, error).await,
        }
    }

    async fn begin_passkey(&self, browser: &Browser, form: &Pairs) -> Shown {
        let name = form.one("name")?.unwrap_or_default();
        let proof = Proof { password: form.one("password")?, code: form.one("code")? };
        let accounts = &self.services.accounts;
        match accounts.begin_passkey(Owner::Browser(browser), proof, &self.call.origin).await {
            Ok(begun) => {
                let token = self.visitor.token("keep-passkey", "", self.services)?;
                let (server, origin) = (self.services.issuer.as_str(), origin_of(self.services));
                let page = Scripted { token: &token, server, origin: &origin };
                let page = page.create(name, &begun.ceremony, &begun.options);
                Ok(page.answer_to(self.visitor, StatusCode::OK, &[], self.services))
            }
            Err(error) => self.tell(browser, error).await,
        }
    }

    async fn keep_passkey(&self, browser: &Browser, form: &Pairs) -> Result<Result<(), AccountError>, OAuthError> {
        let credential = credential_of(form)?;
        let name = form.one("name")?.filter(|name| !name.trim().is_empty());
        let new = NewPasskey { ceremony: form.one("ceremony")?.unwrap_or_default(), credential: &credential, name };
        let added = self.services.accounts.add_passkey(Owner::Browser(browser), new, &self.call.origin).await;
        Ok(added.map(drop))
    }

    /// Shows the page again, with what was wrong.
    async fn tell(&self, browser: &Browser, error: AccountError) -> Shown {
        let (status, faults) = match error {
            AccountError::LastWayIn => (StatusCode::CONFLICT, Faults::of(ONLY_WAY)),
            error => told_of(error)?,
        };
        self.list(browser, &faults, status).await
    }
}

fn id_of(form: &Pairs) -> Result<PasskeyId, OAuthError> {
    let id = form.one("passkey")?.and_then(|text| text.parse::<Uuid>().ok());
    Ok(PasskeyId(id.unwrap_or_default()))
}

/// What somebody is told whose passkey is not added or renamed.
fn told_of(error: AccountError) -> Result<(StatusCode, Faults), OAuthError> {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let at = |field: &'static str, text: &str| (refused, Faults::at(field, text));
    Ok(match error {
        AccountError::ProofNeeded | AccountError::WrongPassword => at("password", "The password is missing or wrong."),
        AccountError::SecondFactorNeeded | AccountError::WrongCode => {
            at("code", "The code is missing, wrong, or was used already.")
        }
        AccountError::Invalid(faults) => match faults.as_slice() {
            [Fault { field, message, .. }] if field == "/name" => at("name", &format!("The name {message}.")),
            _ => (refused, Faults::of("Your device made something that is no passkey. Please try again.")),
        },
        AccountError::CeremonyOver => (refused, Faults::of("That took too long. Please try again.")),
        AccountError::PasskeyTaken => (StatusCode::CONFLICT, Faults::of("This passkey is known already.")),
        AccountError::TooManyPasskeys => {
            (StatusCode::CONFLICT, Faults::of("There are too many passkeys. Remove one first."))
        }
        AccountError::NoPasskeys(_) => (StatusCode::CONFLICT, Faults::of("This server cannot have passkeys.")),
        error => return told(error),
    })
}
