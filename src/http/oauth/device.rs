//! `/device`: where people allow a device or program that shows them a code (RFC 8628, section 3.3).
//!
//! Codes are looked up only for people who are signed in, and a code that came in the link must be confirmed, too: else
//! somebody could be led to connect a device of somebody else (section 5.4).

use poem::Response;
use poem::http::StatusCode;

use super::answers::see_other;
use super::authorize::{chosen, within_role};
use super::call::{Call, Pairs};
use super::door::{Door, STEPS, Shown};
use super::forms::Visitor;
use super::pages::consent::Consent;
use super::pages::fields::Faults;
use super::pages::{self, device};
use super::{Answer, Services, untrusted};
use crate::accounts::Browser;
use crate::oauth::client::Client;
use crate::oauth::devices::{DEVICE_PAGE, Decision, PendingDevice, Verdict};
use crate::oauth::parameters::Parameters;
use crate::oauth::{ErrorCode, OAuthError};

/// Somebody with a code.
struct Visit<'a> {
    services: &'a Services,
    call: &'a Call,
    visitor: &'a Visitor,
    asked: Parameters,
}

/// Asks for the code, or what to do about it.
pub(super) async fn show(services: &Services, call: Call) -> Answer {
    let shown = async {
        let visitor = Visitor::find(&call, services).await?;
        Visit::new(services, &call, &visitor).lead().await
    };
    Ok(shown.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Takes a form.
pub(super) async fn submit(services: &Services, call: Call) -> Answer {
    let taken = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        Visit::new(services, &call, &visitor).take(&form).await
    };
    Ok(taken.await.unwrap_or_else(|error| pages::failure(&error)))
}

impl<'a> Visit<'a> {
    fn new(services: &'a Services, call: &'a Call, visitor: &'a Visitor) -> Self {
        Self { services, call, visitor, asked: Parameters::parse(&call.raw_query) }
    }

    async fn lead(&self) -> Shown {
        let Some(browser) = self.signed_in()? else {
            let create = self.asked.one("prompt")? == Some("create");
            return if create { self.door().ask_new("") } else { self.door().ask("") };
        };
        let Some(code) = self.code()? else { return Ok(enter_code("", &Faults::default())) };
        match self.find(code, browser).await {
            Ok((device, client)) => self.ask(code, &device, &client, browser),
            Err(error) => told(code, error),
        }
    }

    async fn take(&self, form: &Pairs) -> Shown {
        let step = form.one("step")?.unwrap_or_default();
        let code = self.code()?.unwrap_or_default();
        let subject = if STEPS.contains(&step) { "" } else { code };
        if let Err(reason) = self.visitor.check(self.call, form, (step, subject), self.services) {
            return Ok(untrusted(reason, &self.url(&self.asked), ""));
        }
        match step {
            step if STEPS.contains(&step) => self.door().take(step, form).await,
            "consent" => self.decide(code, form).await,
            _ => Err(OAuthError::new(ErrorCode::InvalidRequest, "there is no such step")),
        }
    }

    async fn decide(&self, code: &str, form: &Pairs) -> Shown {
        let Some(browser) = self.signed_in()? else { return Ok(see_other(&self.url(&self.asked))) };
        let (device, client) = match self.find(code, browser).await {
            Ok(found) => found,
            Err(error) => return told(code, error),
        };
        let verdict = match form.one("decision")? {
            Some("allow") => Verdict::Allow(chosen(within_role(device.scopes, browser.role), form)),
            Some("deny") => Verdict::Deny,
            _ => return Err(OAuthError::new(ErrorCode::InvalidRequest, "`decision` can be allow or deny")),
        };
        let decision = Decision {
            client: &client,
            verdict,
            user_id: browser.user_id,
            session_id: Some(browser.session_id),
            authenticated_at: browser.authenticated_at,
            methods: browser.methods.clone(),
        };
        match self.services.grants.decide_device(code, decision, &self.call.origin).await {
            Ok(()) if verdict == Verdict::Deny => Ok(device::refused(&client.name).answer(StatusCode::OK, &[])),
            Ok(()) => Ok(device::connected(&client.name).answer(StatusCode::OK, &[])),
            Err(error) => told(code, error),
        }
    }

    fn ask(&self, code: &str, device: &PendingDevice, client: &Client, browser: &Browser) -> Shown {
        let token = self.visitor.token("consent", code, self.services)?;
        let consent = Consent {
            client,
            browser,
            scopes: within_role(device.scopes, browser.role),
            resources: device.resources,
            redirect_uri: None,
            user_code: Some(&as_shown(code)),
            action: &relative(&self.asked),
            token: &token,
            other_account: &relative(&self.asked.with("prompt", Some("login"))),
            root: "",
        };
        Ok(consent.page().answer_to(self.visitor, StatusCode::OK, &[], self.services))
    }

    async fn find(&self, code: &str, browser: &Browser) -> Result<(PendingDevice, std::sync::Arc<Client>), OAuthError> {
        let device = self.services.grants.find_device(code, &browser.user_id.to_string()).await?;
        let client = self.services.clients.find(&device.client_id).await?;
        Ok((device, client))
    }

    fn signed_in(&self) -> Result<Option<&Browser>, OAuthError> {
        let anew = matches!(self.asked.one("prompt")?, Some("login" | "create"));
        Ok(self.visitor.browser.as_ref().filter(|_| !anew))
    }

    fn code(&self) -> Result<Option<&str>, OAuthError> {
        Ok(self.asked.one("user_code")?.map(str::trim).filter(|code| !code.is_empty()))
    }

    fn door(&self) -> Door<'_> {
        Door {
            services: self.services,
            call: self.call,
            visitor: self.visitor,
            action: relative(&self.asked),
            next: self.url(&self.asked.with("prompt", None)),
            sign_in: relative(&self.asked.with("prompt", Some("login"))),
            sign_up: relative(&self.asked.with("prompt", Some("create"))),
            client: None,
            destinations: Vec::new(),
            root: "",
        }
    }

    fn url(&self, asked: &Parameters) -> String {
        let query = asked.to_query();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{DEVICE_PAGE}{mark}{query}", self.services.issuer)
    }
}

/// The code as the device shows it, however it was typed.
fn as_shown(code: &str) -> String {
    let letters: Vec<char> = code.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

fn relative(asked: &Parameters) -> String {
    format!("device?{}", asked.to_query())
}

fn enter_code(code: &str, faults: &Faults) -> Response {
    let status = if faults.any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    device::enter_code(code, faults).answer(status, &[])
}

/// What somebody with a code that is not good is told.
fn told(code: &str, error: OAuthError) -> Shown {
    let text = match error.code {
        ErrorCode::InvalidGrant | ErrorCode::InvalidClient => "No device waits with this code. Look at it once more.",
        ErrorCode::ExpiredToken => "This code is too old. Begin anew on your device.",
        ErrorCode::SlowDown => "There were too many wrong codes. Wait some minutes, then try again.",
        _ => return Err(error),
    };
    Ok(enter_code(code, &Faults::of(text)))
}
