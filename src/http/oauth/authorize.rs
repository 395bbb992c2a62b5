//! `/oauth/authorize`: an application asks, a person signs in and allows, the application gets a code.
//!
//! The request stays in the URL's query from the first page to the last, and is judged anew each time.

use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use poem::http::StatusCode;

use super::answers::see_other;
use super::call::{Call, Pairs};
use super::door::{Door, STEPS, Shown};
use super::forms::{Visitor, is_from_here};
use super::pages::consent::{Consent, optional};
use super::pages::{self, notice};
use super::{Answer, Services, untrusted};
use crate::accounts::{Browser, Role};
use crate::ids::UserId;
use crate::oauth::authorization::{AuthorizationRequest, Target};
use crate::oauth::client::Client;
use crate::oauth::codes::Approved;
use crate::oauth::consents::{Memory, Question};
use crate::oauth::parameters::Parameters;
use crate::oauth::redirect::RedirectKind;
use crate::oauth::{ErrorCode, OAuthError, OAuthScope, OAuthScopes};

/// A request under way.
struct Visit<'a> {
    services: &'a Services,
    call: &'a Call,
    visitor: &'a Visitor,
    asked: &'a Parameters,
}

/// Answers a request that came as a link.
pub(super) async fn show(services: &Services, call: Call) -> Answer {
    let asked = Parameters::parse(&call.raw_query);
    let shown = async {
        let visitor = Visitor::find(&call, services).await?;
        Visit { services, call: &call, visitor: &visitor, asked: &asked }.lead().await
    };
    Ok(shown.await.unwrap_or_else(|error| pages::failure(&error)))
}

/// Takes a form of the pages; without `step` it is a request that came as a form (RFC 6749, section 3.1).
pub(super) async fn submit(services: &Services, call: Call) -> Answer {
    let taken = async {
        let (visitor, form) = (Visitor::find(&call, services).await?, call.form()?);
        let Some(step) = form.one("step")? else { return take_request(services, &call, &visitor).await };
        let asked = Parameters::parse(&call.raw_query);
        Visit { services, call: &call, visitor: &visitor, asked: &asked }.take(step, &form).await
    };
    Ok(taken.await.unwrap_or_else(|error| pages::failure(&error)))
}

async fn take_request(services: &Services, call: &Call, visitor: &Visitor) -> Shown {
    let body = String::from_utf8_lossy(&call.body);
    let asked = Parameters::parse(&format!("{}&{body}", call.raw_query));
    let visit = Visit { services, call, visitor, asked: &asked };
    // Browsers keep the cookie back from forms of other sites, but not from the link that this one becomes.
    if !is_from_here(call, services) && visit.judge().await.is_ok() {
        return Ok(see_other(&visit.url(&asked)));
    }
    visit.lead().await
}

/// What becomes of a request that is not good: a page about it, or the way back to the client.
type Judged = Result<AuthorizationRequest, Box<Response>>;

impl Visit<'_> {
    /// Leads to the next page, or to the client.
    async fn lead(&self) -> Shown {
        let request = match self.judge().await {
            Ok(request) => request,
            Err(answer) => return Ok(*answer),
        };
        let Some(browser) = self.signed_in(&request) else {
            let hint = request.login_hint.as_deref().or(self.visitor.browser.as_ref().map(|own| own.email.as_str()));
            let hint = hint.unwrap_or_default();
            return match request.prompt {
                prompt if prompt.none => {
                    Ok(self.refuse(&request.target, ErrorCode::LoginRequired, "nobody is signed in"))
                }
                prompt if prompt.create => self.door(&request).ask_new(hint),
                _ => self.door(&request).ask(hint),
            };
        };
        let scopes = within_role(request.scopes, browser.role);
        if scopes.is_empty() {
            let text = "`scope` names nothing that this person may allow";
            return Ok(self.refuse(&request.target, ErrorCode::InvalidScope, text));
        }
        let question = question(&request, browser, scopes);
        // What only looks ahead must not do anything either (Fetch metadata: `prefetch`, `prefetch;prerender`).
        let looking = self.call.head || self.call.header("sec-purpose").is_some();
        let again = request.prompt.consent || request.prompt.select_account || looking;
        if !again && !is_native(&request) && self.services.consents.has(&question).await? {
            return self.approve(&request, browser, scopes).await;
        }
        if request.prompt.none {
            return Ok(self.refuse(&request.target, ErrorCode::ConsentRequired, "this was not allowed before"));
        }
        self.ask_consent(&request, browser, scopes)
    }

    /// Takes a form.
    async fn take(&self, step: &str, form: &Pairs) -> Shown {
        let request = match self.judge().await {
            Ok(request) => request,
            Err(answer) => return Ok(*answer),
        };
        // What was asked is what is allowed: the form belongs to this very request.
        let subject = if STEPS.contains(&step) { String::new() } else { self.asked.to_query() };
        if let Err(reason) = self.visitor.check(self.call, form, (step, &subject), self.services) {
            return Ok(untrusted(reason, &self.url(self.asked), "../"));
        }
        match step {
            step if STEPS.contains(&step) => self.door(&request).take(step, form).await,
            "consent" => self.take_consent(&request, form).await,
            _ => Err(OAuthError::new(ErrorCode::InvalidRequest, "there is no such step")),
        }
    }

    async fn take_consent(&self, request: &AuthorizationRequest, form: &Pairs) -> Shown {
        let Some(browser) = self.signed_in(request) else { return Ok(see_other(&self.url(self.asked))) };
        let scopes = within_role(request.scopes, browser.role);
        let question = question(request, browser, scopes);
        match form.one("decision")? {
            Some("allow") => {}
            Some("deny") => {
                self.services.consents.deny(&question, &self.call.origin).await?;
                return Ok(self.refuse(&request.target, ErrorCode::AccessDenied, "the person said no"));
            }
            _ => return Err(OAuthError::new(ErrorCode::InvalidRequest, "`decision` can be allow or deny")),
        }
        let allowed = chosen(scopes, form);
        let memory = if is_native(request) { Memory::None } else { Memory::Kept };
        self.services.consents.allow(&question, allowed, memory, &self.call.origin).await?;
        self.approve(request, browser, allowed).await
    }

    /// Judges the request.
    async fn judge(&self) -> Judged {
        let target = self.target().await.map_err(|error| Box::new(pages::failure(&error)))?;
        AuthorizationRequest::read(target.clone(), self.asked, &self.services.issuer)
            .and_then(|request| self.check_hint(request))
            .map_err(|error| Box::new(self.bounce(&target, &error)))
    }

    /// A hint of who is meant must be an ID token that this server gave this client, however long ago.
    fn check_hint(&self, request: AuthorizationRequest) -> Result<AuthorizationRequest, OAuthError> {
        if request.id_token_hint.is_some() && self.meant(&request).is_none() {
            let text = "`id_token_hint` is no ID token of this server for this application";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, text));
        }
        Ok(request)
    }

    /// Who the request is about, if it says so.
    fn meant(&self, request: &AuthorizationRequest) -> Option<UserId> {
        self.services.tokens.subject_of_hint(request.id_token_hint.as_deref()?, &request.target.client.client_id)
    }

    async fn target(&self) -> Result<Target, OAuthError> {
        let missing = || OAuthError::new(ErrorCode::InvalidRequest, "`client_id` is missing");
        let client = self.services.clients.find(self.asked.one("client_id")?.ok_or_else(missing)?).await?;
        Target::find(&client, self.asked)
    }

    /// Tells the client what is wrong. Of clients that nobody vouched for it is shown first, unless somebody is signed in
    /// or no page is wanted: else a link to this server would be a link to wherever they please (RFC 9700, section 4.11.2).
    fn bounce(&self, target: &Target, error: &OAuthError) -> Response {
        let url = target.failure(error, &self.services.issuer);
        let silent = self.asked.one("prompt").ok().flatten() == Some("none");
        if silent || self.visitor.browser.is_some() || !target.client.is_self_registered() {
            return see_other(&url);
        }
        let place = RedirectKind::parse(&target.redirect_uri).map(RedirectKind::place).unwrap_or_default();
        let text = format!("Return to {place}");
        notice::error(error, Some((&text, &url))).answer(StatusCode::BAD_REQUEST, &[])
    }

    fn refuse(&self, target: &Target, code: ErrorCode, description: &str) -> Response {
        see_other(&target.failure(&OAuthError::new(code, description), &self.services.issuer))
    }

    /// Who is signed in, unless they are to sign in anew, or somebody else is meant (OpenID Connect Core, section 3.1.2.2).
    fn signed_in(&self, request: &AuthorizationRequest) -> Option<&Browser> {
        let browser = self.visitor.browser.as_ref()?;
        if request.id_token_hint.is_some() && self.meant(request) != Some(browser.user_id) {
            return None;
        }
        let fresh =
            request.max_age.is_none_or(|age: Duration| self.services.clock.now() <= browser.authenticated_at.plus(age));
        (fresh && !request.prompt.login && !request.prompt.create).then_some(browser)
    }

    /// Sends the code to the client.
    async fn approve(&self, request: &AuthorizationRequest, browser: &Browser, scopes: OAuthScopes) -> Shown {
        let approved = Approved {
            client: Arc::clone(&request.target.client),
            user_id: browser.user_id,
            session_id: Some(browser.session_id),
            redirect_uri: request.target.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            scopes,
            resources: request.resources,
            nonce: request.nonce.clone(),
            authenticated_at: browser.authenticated_at,
            methods: browser.methods.clone(),
        };
        match self.services.grants.issue_code(approved).await {
            Ok(code) => Ok(see_other(&request.target.success(&code, &self.services.issuer))),
            Err(error) if error.cause.is_none() => Ok(self.refuse(&request.target, error.code, &error.description)),
            Err(error) => Err(error),
        }
    }

    fn ask_consent(&self, request: &AuthorizationRequest, browser: &Browser, scopes: OAuthScopes) -> Shown {
        let client = &request.target.client;
        let token = self.visitor.token("consent", &self.asked.to_query(), self.services)?;
        let consent = Consent {
            client,
            browser,
            scopes,
            resources: request.resources,
            redirect_uri: Some(&request.target.redirect_uri),
            user_code: None,
            action: &relative(self.asked),
            token: &token,
            other_account: &relative(&self.asked.with("prompt", Some("login")).with("login_hint", None)),
            root: "../",
        };
        Ok(consent.page().answer_to(self.visitor, StatusCode::OK, &[&request.target.redirect_uri], self.services))
    }

    /// The way in, with this request behind it.
    fn door<'b>(&'b self, request: &'b AuthorizationRequest) -> Door<'b> {
        let prompting = |prompt| relative(&self.asked.with("prompt", Some(prompt)));
        Door {
            services: self.services,
            call: self.call,
            visitor: self.visitor,
            action: relative(self.asked),
            next: self.url(&satisfied(self.asked)),
            sign_in: prompting("login"),
            sign_up: prompting("create"),
            client: Some(&request.target.client.name),
            destinations: vec![&request.target.redirect_uri],
            root: "../",
        }
    }

    fn url(&self, asked: &Parameters) -> String {
        format!("{}/oauth/authorize?{}", self.services.issuer, asked.to_query())
    }
}

/// The page with these parameters, from its own folder.
fn relative(asked: &Parameters) -> String {
    format!("authorize?{}", asked.to_query())
}

/// The request once somebody has signed in for it: what asked for that is done.
fn satisfied(asked: &Parameters) -> Parameters {
    let prompt = asked.one("prompt").ok().flatten().unwrap_or_default().split_ascii_whitespace();
    let left: Vec<&str> = prompt.filter(|word| !["login", "create", "select_account"].contains(word)).collect();
    let left = left.join(" ");
    asked.with("prompt", (!left.is_empty()).then_some(&left)).with("max_age", None)
}

/// Programs on a person's own device that cannot prove who they are: each time is the first (RFC 8252, section 8.6).
fn is_native(request: &AuthorizationRequest) -> bool {
    let on_device = RedirectKind::parse(&request.target.redirect_uri).map_or(true, RedirectKind::is_native);
    on_device && request.target.client.is_public()
}

/// What this person may allow of what was asked for.
pub(super) fn within_role(scopes: OAuthScopes, role: Role) -> OAuthScopes {
    if role == Role::Admin { scopes } else { scopes.without(OAuthScope::Admin) }
}

/// What was left ticked, and what cannot be unticked.
pub(super) fn chosen(scopes: OAuthScopes, form: &Pairs) -> OAuthScopes {
    let ticked: OAuthScopes = form.all("scope").filter_map(OAuthScope::parse).collect();
    scopes.iter().filter(|scope| ticked.has(*scope) || !optional(scopes).has(*scope)).collect()
}

fn question<'a>(request: &'a AuthorizationRequest, browser: &Browser, scopes: OAuthScopes) -> Question<'a> {
    let client: &Client = &request.target.client;
    let (user_id, session_id) = (browser.user_id, browser.session_id);
    Question { user_id, session_id, client, scopes, resources: request.resources }
}
