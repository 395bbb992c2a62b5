//! "Continue with …": signing in through an account elsewhere, as a client of OAuth (RFC 6749) and OpenID Connect.
//!
//! The code flow with PKCE (RFC 7636), `state` and `nonce`. What must be the same when the person comes back is sealed into
//! a cookie of their browser, so the answer counts only in the browser that asked (RFC 9700, section 4.7), only at the
//! provider that was asked (section 4.4; each has a redirect URI of its own, and `iss` of RFC 9207 is compared), and
//! only for ten minutes. What a provider says is taken from its own endpoints over TLS.

mod github;
mod oidc;
mod provider;
mod wire;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::accounts::identities::Foreign;
use crate::accounts::secrets::{RandomError, random_secret};
use crate::clock::{Clock, Timestamp};
use crate::secret_key::SecretKey;

pub use provider::{Kind, Provider};
use wire::Wire;
pub use wire::WireError;

/// What the cookie is sealed for.
const PURPOSE: &str = "sign-in through another provider";
/// How long somebody may take at the provider.
pub const LIFE: Duration = Duration::from_mins(10);
/// How long what a provider says of itself is kept.
const DISCOVERY_LIFE: Duration = Duration::from_hours(1);
/// The longest sealed cookie, in bytes: browsers keep 4,096 with name and attributes.
const MOST_SEALED: usize = 3_800;

/// The providers of this server.
pub struct Upstreams {
    providers: Vec<Provider>,
    /// `None` without providers: a machine without certificate authorities can serve everything else.
    wire: Option<Wire>,
    clock: Clock,
    secret: SecretKey,
    server: String,
    discovered: Mutex<HashMap<&'static str, (Endpoints, Timestamp)>>,
}

/// One way to sign in, for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Button<'a> {
    /// The provider's id, as in `/oauth/upstream/{id}`.
    pub id: &'static str,
    /// Its name, such as `Google`.
    pub name: &'a str,
}

/// Why somebody goes to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// To sign in.
    SignIn,
    /// The same, but whoever the provider knows already is not enough: an application wants them to prove it now.
    SignInAnew,
    /// To be able to sign in that way later; they are signed in already.
    Link,
}

/// Where somebody is sent, and what their browser must show when it comes back.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The provider's page.
    pub location: String,
    /// The cookie's value.
    pub cookie: String,
}

/// What the provider sent back with the browser.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comeback<'a> {
    /// The code.
    pub code: Option<&'a str>,
    /// What was given on the way.
    pub state: Option<&'a str>,
    /// Who answers (RFC 9207).
    pub issuer: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
}

/// Somebody who came back.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who they are there.
    pub foreign: Foreign,
    /// Where they wanted to go: a path of this server with its query.
    pub return_to: String,
    /// Why they went.
    pub intent: Intent,
}

/// Why nobody arrived.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// There is no such provider here.
    #[error("this server knows no provider of that name")]
    Unknown,
    /// The browser did not begin this, or too long ago, or began another meanwhile.
    #[error("this sign-in was not begun in this browser, or too long ago")]
    NotBegun,
    /// The person or the provider said no.
    #[error("the provider did not sign you in")]
    Denied,
    /// What is to be remembered does not fit into a cookie.
    #[error("the request is too long to be continued after signing in elsewhere")]
    TooLong,
    /// The provider's answer does not fit together.
    #[error("the answer of the provider cannot be trusted: {0}")]
    Untrusted(&'static str),
    /// The provider cannot be asked, or refuses.
    #[error("the provider cannot be asked")]
    Wire(#[from] WireError),
    /// The machine has no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Where a provider is asked what.
#[derive(Clone, Debug)]
struct Endpoints {
    issuer: String,
    authorization: Url,
    token: Url,
    userinfo: Option<Url>,
    /// Whether answers name who gives them.
    names_issuer: bool,
    /// Whether the secret goes into the body.
    secret_in_body: bool,
}

/// What must be the same when the person comes back.
#[derive(Serialize, Deserialize)]
struct Journey {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    return_to: String,
    intent: Intent,
    expires_at: i64,
}

impl Upstreams {
    /// Knows these providers.
    ///
    /// # Errors
    ///
    /// [`WireError`] when the system has no roots to trust.
    pub fn new(
        providers: Vec<Provider>,
        server: impl Into<String>,
        secret: SecretKey,
        clock: Clock,
    ) -> Result<Self, WireError> {
        let discovered = Mutex::new(HashMap::new());
        let wire = if providers.is_empty() { None } else { Some(Wire::new()?) };
        Ok(Self { providers, wire, clock, secret, server: server.into(), discovered })
    }

    /// The ways to sign in that a page can offer.
    pub fn buttons(&self) -> Vec<Button<'_>> {
        self.providers.iter().map(|provider| Button { id: provider.id, name: &provider.name }).collect()
    }

    /// The name of a provider.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.find(id).ok().map(|provider| provider.name.as_str())
    }

    /// Sends somebody to a provider; they are to come back to `return_to`, a path of this server with its query.
    pub async fn depart(&self, id: &str, return_to: String, intent: Intent) -> Result<Departure, UpstreamError> {
        let provider = self.find(id)?;
        let endpoints = self.endpoints(provider).await?;
        let (state, nonce) = (random_secret("")?, random_secret("")?);
        let verifier = PkceCodeVerifier::new(random_secret("")?);
        let client = provider.client(&endpoints, &self.callback(provider))?;
        let request = client
            .authorize_url(|| CsrfToken::new(state.clone()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(provider.scopes().iter().map(|scope| Scope::new((*scope).to_owned())));
        let request = match provider.kind {
            Kind::Oidc { .. } if intent == Intent::SignInAnew => {
                request.add_extra_param("nonce", nonce.clone()).add_extra_param("prompt", "login")
            }
            Kind::Oidc { .. } => request.add_extra_param("nonce", nonce.clone()),
            Kind::GitHub { .. } => request,
        };
        let journey = Journey {
            provider: provider.id.to_owned(),
            state,
            nonce,
            verifier: verifier.into_secret(),
            return_to,
            intent,
            expires_at: self.clock.now().plus(LIFE).as_micros(),
        };
        let sealed = self.secret.seal(PURPOSE, &serde_json::to_vec(&journey).unwrap_or_default())?;
        let cookie = URL_SAFE_NO_PAD.encode(sealed);
        if cookie.len() > MOST_SEALED {
            return Err(UpstreamError::TooLong);
        }
        Ok(Departure { location: request.url().0.into(), cookie })
    }

    /// Receives somebody who was sent to the provider `id` and shows `cookie`.
    pub async fn arrive(&self, id: &str, cookie: &str, back: Comeback<'_>) -> Result<Arrival, UpstreamError> {
        let provider = self.find(id)?;
        let journey = self.open(cookie).filter(|journey| journey.provider == provider.id);
        let journey = journey.ok_or(UpstreamError::NotBegun)?;
        let state = back.state.unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(journey.state.as_bytes())) {
            return Err(UpstreamError::NotBegun);
        }
        let endpoints = self.endpoints(provider).await?;
        match back.issuer {
            Some(issuer) if issuer != endpoints.issuer => {
                return Err(UpstreamError::Untrusted("another issuer answered"));
            }
            None if endpoints.names_issuer => return Err(UpstreamError::Untrusted("it does not name its issuer")),
            _ => {}
        }
        let (Some(code), None) = (back.code, back.error) else { return Err(UpstreamError::Denied) };
        let client = provider.client(&endpoints, &self.callback(provider))?;
        let wire = self.wire()?;
        let tokens = wire.redeem(&client, code, journey.verifier).await?;
        let foreign = match &provider.kind {
            Kind::Oidc { .. } => {
                let expected = oidc::Expected {
                    issuer: &endpoints.issuer,
                    client_id: &provider.client_id,
                    nonce: &journey.nonce,
                    now: self.clock.now(),
                };
                oidc::identify(wire, &tokens, endpoints.userinfo.as_ref(), &expected).await?
            }
            Kind::GitHub { api, .. } => github::identify(wire, &tokens, api).await?,
        };
        let foreign = Foreign { provider: provider.id, provider_name: provider.name.clone(), ..foreign };
        Ok(Arrival { foreign, return_to: journey.return_to, intent: journey.intent })
    }

    fn find(&self, id: &str) -> Result<&Provider, UpstreamError> {
        self.providers.iter().find(|provider| provider.id == id).ok_or(UpstreamError::Unknown)
    }

    fn wire(&self) -> Result<&Wire, UpstreamError> {
        self.wire.as_ref().ok_or(UpstreamError::Unknown)
    }

    fn open(&self, cookie: &str) -> Option<Journey> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let journey: Journey = serde_json::from_slice(&self.secret.open(PURPOSE, &sealed)?).ok()?;
        (self.clock.now().as_micros() < journey.expires_at).then_some(journey)
    }

    /// Where the provider sends people back to.
    fn callback(&self, provider: &Provider) -> String {
        format!("{}/oauth/upstream/{}/callback", self.server, provider.id)
    }

    async fn endpoints(&self, provider: &Provider) -> Result<Endpoints, UpstreamError> {
        let issuer = match &provider.kind {
            Kind::GitHub { site, .. } => return Ok(github::endpoints(site)?),
            Kind::Oidc { issuer } => issuer,
        };
        let now = self.clock.now();
        let kept = self.discovered.lock().unwrap_or_else(PoisonError::into_inner).get(provider.id).cloned();
        if let Some((endpoints, since)) = kept
            && now < since.plus(DISCOVERY_LIFE)
        {
            return Ok(endpoints);
        }
        let endpoints = oidc::discover(self.wire()?, issuer).await?;
        let mut discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        discovered.insert(provider.id, (endpoints.clone(), now));
        Ok(endpoints)
    }
}
