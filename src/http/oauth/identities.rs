//! `/oauth/identities`: the accounts elsewhere and the passkeys with which somebody signs in, to add and to remove some.
//!
//! Linking goes the way of every sign-in through a provider ([`super::upstream`]), which asks once more when it comes back.

use poem::Response;
use poem::http::StatusCode;
use url::Url;
use uuid::Uuid;

use super::answers::see_other;
use super::call::{Call, Pairs};
use super::door::{Door, STEPS, Shown};
use super::forms::Visitor;
use super::pages::fields::Faults;
use super::pages::passkeys::{Asks, Passkeys};
use super::pages::{self, identities};
use super::{Answer, Services, passkeys, untrusted};
use crate::accounts::{AccountError, Browser};
use crate::ids::IdentityId;
use crate::oauth::{ErrorCode, OAuthError};

/// The path.
pub(super) const PATH: &str = "/oauth/identities";
/// The step of its forms.
const STEP: &str = "unlink";
/// What somebody is told who has no other way in.
pub(super) const ONLY_WAY: &str = "This is your only way to sign in. Choose a password first.";

/// Somebody on the page.
pub(super) struct Visit<'a> {
    pub(super) services: &'a Services,
    pub(super) call: &'a Call,
    pub(super) visitor: &'a Visitor,
}

/// Shows what is linked.
pub(super) async fn show(services: &Services, call: Call) -> Answer {
    let shown = async {
        let visitor = Visitor::find(&call, services).await?;
        Visit { services, call: &call, visitor: &visitor }.lead().await
    };
    Ok(shown.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Takes a form: of the way in, or one that unlinks.
pub(super) async fn submit(services: &Services, call: Call) -> Answer {
    let taken = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        Visit { services, call: &call, visitor: &visitor }.take(&form).await
    };
    Ok(taken.await.unwrap_or_else(|error| pages::failure(&error)))
}

impl Visit<'_> {
    async fn lead(&self) -> Shown {
        match &self.visitor.browser {
            Some(browser) => self.list(browser, &Faults::default(), StatusCode::OK).await,
            None if self.call.query.one("prompt")? == Some("create") => self.door().ask_new(""),
            None => self.door().ask(""),
        }
    }

    async fn take(&self, form: &Pairs) -> Shown {
        let step = form.one("step")?.unwrap_or_default();
        if let Err(reason) = self.visitor.check(self.call, form, (step, ""), self.services) {
            return Ok(untrusted(reason, &self.url(), "../"));
        }
        match (step, &self.visitor.browser) {
            (step, _) if STEPS.contains(&step) => self.door().take(step, form).await,
            (STEP, Some(browser)) => self.unlink(browser, form).await,
            (step, Some(browser)) if passkeys::STEPS.contains(&step) => {
                self.take_passkey_step(step, browser, form).await
            }
            (step, None) if step == STEP || passkeys::STEPS.contains(&step) => Ok(see_other(&self.url())),
            _ => Err(OAuthError::new(ErrorCode::InvalidRequest, "there is no such step")),
        }
    }

    async fn unlink(&self, browser: &Browser, form: &Pairs) -> Shown {
        let id = form.one("identity")?.and_then(|text| text.parse::<Uuid>().ok()).unwrap_or_default();
        let unlinked = self.services.accounts.unlink_in_browser(browser, IdentityId(id), &self.call.origin).await;
        match unlinked {
            // One that is gone is not there any more, which is what was wanted.
            Ok(()) | Err(AccountError::NotFound(_)) => Ok(see_other(&self.url())),
            Err(AccountError::LastWayIn) => {
                let faults = Faults::of(ONLY_WAY);
                self.list(browser, &faults, StatusCode::CONFLICT).await
            }
            Err(error) => Err(pages::account_failure(error)),
        }
    }

    /// Shows the ways in.
    pub(super) async fn list(
        &self,
        browser: &Browser,
        faults: &Faults,
        status: StatusCode,
    ) -> Result<Response, OAuthError> {
        let linked = self.services.accounts.identities_of(browser.user_id).await.map_err(pages::account_failure)?;
        let own = self.services.accounts.passkeys_of(browser.user_id).await.map_err(pages::account_failure)?;
        let token = self.visitor.token(STEP, "", self.services)?;
        let made = |step: &str| self.visitor.token(step, "", self.services);
        let tokens = [made("add-passkey")?, made("rename-passkey")?, made("remove-passkey")?];
        let [add, rename, remove] = &tokens;
        let host = Url::parse(&self.services.issuer).ok();
        let passkeys = Passkeys {
            own: &own,
            possible: self.services.accounts.takes_passkeys(),
            host: host.as_ref().and_then(Url::host_str).unwrap_or_default(),
            tokens: [add, rename, remove],
            asks: self.asks(browser).await?,
            faults,
        };
        let page = identities::Identities {
            email: &browser.email,
            linked: &linked,
            providers: &self.services.upstreams.buttons(),
            return_to: PATH,
            token: &token,
            faults,
            only_way: status == StatusCode::CONFLICT && faults.is(ONLY_WAY),
            passkeys,
        };
        Ok(faults.paced(page.page().answer_to(self.visitor, status, &[], self.services)))
    }

    fn door(&self) -> Door<'_> {
        Door {
            services: self.services,
            call: self.call,
            visitor: self.visitor,
            action: "identities".to_owned(),
            next: self.url(),
            sign_in: "identities".to_owned(),
            sign_up: "identities?prompt=create".to_owned(),
            client: None,
            destinations: Vec::new(),
            root: "../",
        }
    }

    /// What proves once more who somebody is, before they add a passkey.
    async fn asks(&self, browser: &Browser) -> Result<Asks, OAuthError> {
        let accounts = &self.services.accounts;
        if accounts.is_fresh(browser.authenticated_at) {
            return Ok(Asks::Nothing);
        }
        let code = accounts.second_factor_needed(browser.user_id).await.map_err(pages::account_failure)?;
        Ok(if code { Asks::PasswordAndCode } else { Asks::Password })
    }

    pub(super) fn url(&self) -> String {
        format!("{}{PATH}", self.services.issuer)
    }
}
