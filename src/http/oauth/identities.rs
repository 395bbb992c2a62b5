//! `/oauth/identities`: the accounts elsewhere through which somebody signs in, to link another or to unlink one.
//!
//! Linking goes the way of every sign-in through a provider ([`super::upstream`]), which asks once more when it comes back.

use poem::Response;
use poem::http::StatusCode;
use uuid::Uuid;

use super::answers::see_other;
use super::call::{Call, Pairs};
use super::door::{Door, STEPS, Shown};
use super::forms::Visitor;
use super::pages::fields::Faults;
use super::pages::{self, identities};
use super::{Answer, Services, untrusted};
use crate::accounts::{AccountError, Browser};
use crate::ids::IdentityId;
use crate::oauth::{ErrorCode, OAuthError};

/// The path.
pub(super) const PATH: &str = "/oauth/identities";
/// The step of its forms.
const STEP: &str = "unlink";

/// Somebody on the page.
struct Visit<'a> {
    services: &'a Services,
    call: &'a Call,
    visitor: &'a Visitor,
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
            (STEP, None) => Ok(see_other(&self.url())),
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
                let faults = Faults::of("This is your only way to sign in. Choose a password first.");
                self.list(browser, &faults, StatusCode::CONFLICT).await
            }
            Err(error) => Err(pages::account_failure(error)),
        }
    }

    async fn list(&self, browser: &Browser, faults: &Faults, status: StatusCode) -> Result<Response, OAuthError> {
        let linked = self.services.accounts.identities_of(browser.user_id).await.map_err(pages::account_failure)?;
        let token = self.visitor.token(STEP, "", self.services)?;
        let page = identities::Identities {
            email: &browser.email,
            linked: &linked,
            providers: &self.services.upstreams.buttons(),
            return_to: PATH,
            token: &token,
            faults,
        };
        Ok(page.page().answer_to(self.visitor, status, &[], self.services))
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

    fn url(&self) -> String {
        format!("{}{PATH}", self.services.issuer)
    }
}
