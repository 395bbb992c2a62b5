//! `/oauth/upstream/{provider}`: signing in through an account elsewhere.
//!
//! The way out, the way back, and the page on which somebody proves that an account here is theirs before the one
//! elsewhere is linked to it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::Response;
use poem::http::StatusCode;
use poem::http::header::COOKIE;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::answers::see_other;
use super::call::{Call, Pairs};
use super::door::{Door, Shown};
use super::forms::Visitor;
use super::pages::fields::Faults;
use super::pages::link::{LinkPage, refused};
use super::pages::{self, set_cookie};
use super::{Answer, Services, door, identities, untrusted};
use crate::accounts::email::key_of;
use crate::accounts::identities::{Foreign, Welcome};
use crate::accounts::secrets::hash_secret;
use crate::accounts::{AccountError, Proven};
use crate::clock::Timestamp;
use crate::oauth::authorization::Target;
use crate::oauth::parameters::Parameters;
use crate::oauth::upstream::{Arrival, Comeback, Intent, LIFE, UpstreamError};
use crate::oauth::{ErrorCode, OAuthError};

/// The way out.
pub(super) const PATH: &str = "/oauth/upstream/{provider}";
/// The way back.
pub(super) const CALLBACK_PATH: &str = "/oauth/upstream/{provider}/callback";
/// Where somebody proves that an account is theirs.
pub(super) const LINK_PATH: &str = "/oauth/upstream/{provider}/link";

/// The parameter with which somebody is to prove anew there who they are.
pub(super) const ANEW: &str = "anew";
/// What the tickets of the linking page are sealed for.
const PURPOSE: &str = "link an identity";
/// How long that page is good.
const LINK_LIFE: Duration = Duration::from_mins(10);
/// The step of its form.
const STEP: &str = "link";
/// The way from these pages to the server's root.
const ROOT: &str = "../../../";

/// Somebody who came back, until they proved that an account here is theirs.
#[derive(Serialize, Deserialize)]
struct Ticket {
    provider: String,
    subject: String,
    email: Option<String>,
    /// The account's address, whose password is asked for; `None` links to whoever is signed in.
    account: Option<String>,
    /// Who was signed in when the page was shown, if a click of theirs is enough.
    user: Option<Uuid>,
    return_to: String,
    cookie: [u8; 32],
    expires_at: i64,
}

/// Sends somebody to the provider.
pub(super) async fn depart(services: &Services, call: Call) -> Answer {
    let provider = call.parameter.as_deref().unwrap_or_default();
    let wanted = call.query.one("return_to")?.unwrap_or_default();
    let intent = match (call.query.has("link"), call.query.has(ANEW)) {
        (true, _) => Intent::Link,
        (false, true) => Intent::SignInAnew,
        (false, false) => Intent::SignIn,
    };
    let departed = services.upstreams.depart(provider, return_to(wanted).to_owned(), intent).await;
    Ok(match departed {
        Ok(departure) => set_cookie(see_other(&departure.location), &remember(&departure.cookie, services)),
        Err(error) => failure(&error, services, provider),
    })
}

/// Receives somebody from the provider.
pub(super) async fn arrive(services: &Services, call: Call) -> Answer {
    let provider = call.parameter.as_deref().unwrap_or_default();
    let back = Comeback {
        code: said(&call, "code"),
        state: said(&call, "state"),
        issuer: said(&call, "iss"),
        error: said(&call, "error"),
    };
    let cookie = remembered(&call, services).unwrap_or_default();
    let shown = match services.upstreams.arrive(provider, &cookie, back).await {
        Ok(arrival) => receive(services, &call, arrival).await.unwrap_or_else(|error| pages::failure(&error)),
        Err(error) => failure(&error, services, provider),
    };
    // Good once, whatever came of it.
    Ok(set_cookie(shown, &forget(services)))
}

/// What the provider says under a name; what it says twice is nothing (RFC 6749, section 3.1).
fn said<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.query.one(name).ok().flatten()
}

/// Takes the form of the linking page.
pub(super) async fn link(services: &Services, call: Call) -> Answer {
    let taken = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        if let Err(reason) = visitor.check(&call, &form, (STEP, ""), services) {
            return Ok(untrusted(reason, &services.issuer, ROOT));
        }
        let sealed = form.one("ticket")?.unwrap_or_default();
        let Some(ticket) = open(sealed, &visitor, services) else {
            let error = UpstreamError::NotBegun;
            return Ok(failure(&error, services, call.parameter.as_deref().unwrap_or_default()));
        };
        Linking { services, call: &call, visitor: &visitor, ticket, sealed }.take(&form).await
    };
    Ok(taken.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Lets in who is known or new, and asks who is not certain.
async fn receive(services: &Services, call: &Call, arrival: Arrival) -> Shown {
    let visitor = Visitor::find(call, services).await?;
    let foreign = &arrival.foreign;
    if arrival.intent == Intent::Link
        && let Some(browser) = &visitor.browser
    {
        let user = Some(browser.user_id.0);
        return ask_to_link(services, call, &visitor, ticket(&arrival, None, user, &visitor, services)).await;
    }
    match services.accounts.welcome(foreign, &call.origin).await {
        Ok(Welcome::Proven(proven)) => enter(services, call, &visitor, &arrival.return_to, *proven).await,
        Ok(Welcome::MustLink { email }) => {
            let own = visitor.browser.as_ref().filter(|browser| key_of(&browser.email) == key_of(&email));
            let user = own.map(|browser| browser.user_id.0);
            ask_to_link(services, call, &visitor, ticket(&arrival, Some(email), user, &visitor, services)).await
        }
        Err(error) => not_received(error, foreign),
    }
}

/// Lets somebody in, after their second factor where they have one.
async fn enter(services: &Services, call: &Call, visitor: &Visitor, return_to: &str, proven: Proven) -> Shown {
    let redirect = redirect_of(return_to, services).await;
    let page = format!("{ROOT}{}", return_to.trim_start_matches('/'));
    let door = Door {
        services,
        call,
        visitor,
        action: page.clone(),
        next: format!("{}{return_to}", services.issuer),
        sign_in: page.clone(),
        sign_up: page,
        client: None,
        destinations: redirect.iter().map(String::as_str).collect(),
        root: ROOT,
    };
    door.enter(proven).await
}

async fn ask_to_link(services: &Services, call: &Call, visitor: &Visitor, ticket: Ticket) -> Shown {
    let plain = serde_json::to_vec(&ticket).map_err(OAuthError::internal)?;
    let sealed = URL_SAFE_NO_PAD.encode(services.secret.seal(PURPOSE, &plain)?);
    let linking = Linking { services, call, visitor, ticket, sealed: &sealed };
    linking.show(&Faults::default(), StatusCode::OK, false).await
}

/// The linking page, shown or sent.
struct Linking<'a> {
    services: &'a Services,
    call: &'a Call,
    visitor: &'a Visitor,
    ticket: Ticket,
    sealed: &'a str,
}

impl Linking<'_> {
    async fn take(&self, form: &Pairs) -> Shown {
        let (accounts, foreign) = (&self.services.accounts, self.foreign());
        let signed_in = self.visitor.browser.as_ref().filter(|browser| self.ticket.user == Some(browser.user_id.0));
        if let Some(browser) = signed_in {
            return match accounts.link_identity(browser.user_id, &foreign, &self.call.origin).await {
                Ok(()) => Ok(see_other(&self.next())),
                Err(error) => not_received(error, &foreign),
            };
        }
        let Some(email) = &self.ticket.account else {
            return Ok(failure(&UpstreamError::NotBegun, self.services, &self.ticket.provider));
        };
        let password = form.one("password")?.unwrap_or_default();
        let proven = match accounts.prove_password(email, password, &self.call.origin).await {
            Ok(proven) => accounts.prove_second_factor(proven, form.one("code")?, &self.call.origin).await,
            Err(error) => Err(error),
        };
        let proven = match proven {
            Ok(proven) => proven,
            Err(AccountError::SecondFactorNeeded) => {
                let faults = Faults::of("Enter the password again, with a code of your authenticator.");
                return self.show(&faults, StatusCode::UNPROCESSABLE_ENTITY, true).await;
            }
            Err(error) => {
                let with_code = matches!(error, AccountError::WrongCode);
                let (status, faults) = door::told(error)?;
                return self.show(&faults, status, with_code).await;
            }
        };
        match accounts.link_identity(proven.user_id(), &foreign, &self.call.origin).await {
            Ok(()) => self.admit(proven).await,
            Err(error) => not_received(error, &foreign),
        }
    }

    async fn admit(&self, proven: Proven) -> Shown {
        let door = Door {
            services: self.services,
            call: self.call,
            visitor: self.visitor,
            action: String::new(),
            next: self.next(),
            sign_in: String::new(),
            sign_up: String::new(),
            client: None,
            destinations: Vec::new(),
            root: ROOT,
        };
        door.admit(proven).await
    }

    async fn show(&self, faults: &Faults, status: StatusCode, with_code: bool) -> Shown {
        let token = self.visitor.token(STEP, "", self.services)?;
        let account = match (&self.ticket.account, &self.visitor.browser) {
            (Some(account), _) => account.as_str(),
            (None, Some(browser)) => browser.email.as_str(),
            (None, None) => "",
        };
        let page = LinkPage {
            provider: self.services.upstreams.name(&self.ticket.provider).unwrap_or_default(),
            foreign_email: self.ticket.email.as_deref(),
            account,
            asks_password: self.ticket.user.is_none(),
            asks_code: with_code,
            token: &token,
            ticket: self.sealed,
            faults,
            root: ROOT,
        };
        let redirect = redirect_of(&self.ticket.return_to, self.services).await;
        let destinations: Vec<&str> = redirect.iter().map(String::as_str).collect();
        Ok(faults.paced(page.page().answer_to(self.visitor, status, &destinations, self.services)))
    }

    fn foreign(&self) -> Foreign {
        let known = self.services.upstreams.buttons().into_iter().find(|button| button.id == self.ticket.provider);
        Foreign {
            provider: known.map_or("", |button| button.id),
            provider_name: known.map_or(String::new(), |button| button.name.to_owned()),
            subject: self.ticket.subject.clone(),
            email: self.ticket.email.clone(),
            email_verified: false,
            full_name: None,
        }
    }

    fn next(&self) -> String {
        format!("{}{}", self.services.issuer, self.ticket.return_to)
    }
}

fn ticket(
    arrival: &Arrival,
    account: Option<String>,
    user: Option<Uuid>,
    visitor: &Visitor,
    services: &Services,
) -> Ticket {
    Ticket {
        provider: arrival.foreign.provider.to_owned(),
        subject: arrival.foreign.subject.clone(),
        email: arrival.foreign.email.clone(),
        account,
        user,
        return_to: arrival.return_to.clone(),
        cookie: hash_secret(&visitor.cookie),
        expires_at: services.clock.now().plus(LINK_LIFE).as_micros(),
    }
}

fn open(sealed: &str, visitor: &Visitor, services: &Services) -> Option<Ticket> {
    let plain = services.secret.open(PURPOSE, &URL_SAFE_NO_PAD.decode(sealed).ok()?)?;
    let ticket: Ticket = serde_json::from_slice(&plain).ok()?;
    let good = ticket.cookie == hash_secret(&visitor.cookie)
        && services.clock.now() < Timestamp::from_micros(ticket.expires_at);
    good.then_some(ticket)
}

/// Where somebody may want to go afterwards: pages of this server that wait for a sign-in, and nowhere else.
fn return_to(wanted: &str) -> &str {
    let known = ["/oauth/authorize?", "/device?"].iter().any(|start| wanted.starts_with(start))
        || ["/device", identities::PATH].contains(&wanted);
    if known && !wanted.contains(['\\', '\r', '\n']) { wanted } else { "/" }
}

/// Where an application behind the door is told, if one is.
async fn redirect_of(return_to: &str, services: &Services) -> Option<String> {
    let asked = Parameters::parse(return_to.strip_prefix("/oauth/authorize?")?);
    let client = services.clients.find(asked.one("client_id").ok()??).await.ok()?;
    Target::find(&client, &asked).ok().map(|target| target.redirect_uri)
}

/// Why somebody who is who they are elsewhere does not come in here.
fn not_received(error: AccountError, foreign: &Foreign) -> Shown {
    let name = &foreign.provider_name;
    let text = match error {
        AccountError::EmailTaken => format!(
            "There is an account with this e-mail address already, and {name} does not say that the address is yours. \
             Sign in with your password."
        ),
        AccountError::AddressNeeded => format!("{name} does not tell your e-mail address, which an account needs."),
        AccountError::RegistrationClosed => "This server’s operator makes the accounts here.".to_owned(),
        AccountError::InviteNeeded => {
            "A new account needs an invitation here: create it with your e-mail address and a password.".to_owned()
        }
        AccountError::IdentityTaken => format!("This {name} account is linked to an account here already."),
        AccountError::TooManyIdentities => "This account is linked to many others already.".to_owned(),
        AccountError::WrongCredentials => format!("Nobody can sign in here with this {name} account."),
        error => return Err(pages::account_failure(error)),
    };
    Ok(refused(&text, ROOT).answer(StatusCode::FORBIDDEN, &[]))
}

/// The page about a journey that led nowhere.
fn failure(error: &UpstreamError, services: &Services, provider: &str) -> Response {
    let name = services.upstreams.name(provider).unwrap_or("The provider");
    let (status, text) = match error {
        UpstreamError::Unknown => (StatusCode::NOT_FOUND, "This server knows no such provider.".to_owned()),
        UpstreamError::NotBegun => (
            StatusCode::BAD_REQUEST,
            "This sign-in was not begun in this browser, or too long ago. Please begin again.".to_owned(),
        ),
        UpstreamError::Denied => (StatusCode::BAD_REQUEST, format!("{name} did not sign you in.")),
        UpstreamError::TooLong => {
            (StatusCode::BAD_REQUEST, "The application’s request is too long to sign in this way.".to_owned())
        }
        UpstreamError::Untrusted(_) | UpstreamError::Wire(_) => {
            tracing::warn!(error = error as &dyn std::error::Error, provider, "signing in elsewhere failed");
            (StatusCode::BAD_GATEWAY, format!("{name} could not be asked who you are. Please try again."))
        }
        UpstreamError::Random(_) => {
            return pages::failure(&OAuthError::new(ErrorCode::ServerError, "no randomness"));
        }
    };
    refused(&text, ROOT).answer(status, &[])
}

/// The cookie's name; see `cookies` for the prefix.
fn name(services: &Services) -> &'static str {
    if services.issuer.starts_with("https:") { "__Host-mindflow-upstream" } else { "mindflow-upstream" }
}

fn remembered(call: &Call, services: &Services) -> Option<String> {
    let name = name(services);
    let lines = call.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}

fn remember(value: &str, services: &Services) -> String {
    cookie(value, LIFE.as_secs(), services)
}

fn forget(services: &Services) -> String {
    cookie("", 0, services)
}

fn cookie(value: &str, seconds: u64, services: &Services) -> String {
    let secure = if services.issuer.starts_with("https:") { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age={seconds}", name(services))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere_afterwards() {
        for good in ["/oauth/authorize?client_id=x", "/device", "/device?user_code=A", "/oauth/identities"] {
            assert_eq!(return_to(good), good);
        }
        for bad in ["", "//evil.example", "https://evil.example", "/oauth/authorize", "/devices", "/\\evil", "/api"] {
            assert_eq!(return_to(bad), "/", "{bad}");
        }
    }
}
