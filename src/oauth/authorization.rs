//! Authorization requests (RFC 6749, section 4.1.1; RFC 7636; RFC 8707; OpenID Connect Core, section 3.1.2): which are
//! good, and where their answers go. Nothing here reads or writes anything.
//!
//! A request is judged in two steps. [`Target::find`] decides where an answer may go at all; what it refuses is shown to
//! the person and sent nowhere. [`AuthorizationRequest::read`] decides the rest; what it refuses the client is told.

use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::parameters::{Parameters, encode, invalid};
use super::resource::Resources;
use super::scope::{OAuthScope, OAuthScopes};

/// The characters of a challenge made with S256: a SHA-256 in base64url (RFC 7636, section 4.2).
const CHALLENGE_LENGTH: usize = 43;

/// Where the answer to a request goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Who asks.
    pub client: Arc<Client>,
    /// One of the client's redirect URIs, as the request wrote it.
    pub redirect_uri: String,
    /// What the client wants back, byte by byte.
    pub state: Option<Vec<u8>>,
}

/// Which pages a request wants to be shown or not (OpenID Connect Core, section 3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "words of the protocol, of which any may stand beside others")]
pub struct Prompt {
    /// None at all: what needs one is an error.
    pub none: bool,
    /// The sign-in, even if somebody is signed in.
    pub login: bool,
    /// The consent, even if it was given before.
    pub consent: bool,
    /// The choice of the account.
    pub select_account: bool,
    /// The making of an account (Initiating User Registration via OpenID Connect 1.0).
    pub create: bool,
}

/// A good request.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Where its answer goes.
    pub target: Target,
    /// PKCE, S256.
    pub challenge: String,
    /// What the client wants to be allowed, as far as it may ask for it.
    pub scopes: OAuthScopes,
    /// On what.
    pub resources: Resources,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Which pages are wanted.
    pub prompt: Prompt,
    /// How long ago the person may have signed in.
    pub max_age: Option<Duration>,
    /// Who probably signs in.
    pub login_hint: Option<String>,
    /// An ID token of who is to sign in, not yet looked at.
    pub id_token_hint: Option<String>,
}

impl Target {
    /// Finds out where answers go. A redirect URI may be left out if the client has just one, unless it asks who signs in
    /// (OpenID Connect Core, section 3.1.2.1).
    ///
    /// # Errors
    ///
    /// `invalid_request`, for the person's eyes only: the redirect URI is none of the client's.
    pub fn find(client: &Arc<Client>, asked: &Parameters) -> Result<Self, OAuthError> {
        let redirect_uri = match (asked.one("redirect_uri")?, client.metadata.redirect_uris.as_slice()) {
            (Some(uri), _) if client.allows_redirect(uri) => uri.to_owned(),
            (Some(_), _) => return Err(invalid("`redirect_uri` is not registered for this application")),
            (None, [only]) if !asks_who(asked) => only.clone(),
            (None, _) => return Err(invalid("`redirect_uri` is missing")),
        };
        // A `state` that comes twice is the next step's to refuse, then without any.
        let state = asked.bytes("state").ok().flatten().map(<[u8]>::to_vec);
        Ok(Self { client: Arc::clone(client), redirect_uri, state })
    }

    /// The URL that brings a code to the client (RFC 6749, section 4.1.2; RFC 9207, section 2).
    pub fn success(&self, code: &str, issuer: &str) -> String {
        self.answer(&[("code", code)], issuer)
    }

    /// The URL that brings an error to the client (RFC 6749, section 4.1.2.1; RFC 9207, section 2).
    pub fn failure(&self, error: &OAuthError, issuer: &str) -> String {
        self.answer(&[("error", error.code.as_str()), ("error_description", &error.description)], issuer)
    }

    fn answer(&self, what: &[(&str, &str)], issuer: &str) -> String {
        let mut url = self.redirect_uri.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        let what = what.iter().map(|(name, value)| (*name, value.as_bytes()));
        for (name, value) in what.chain(state).chain([("iss", issuer.as_bytes())]) {
            // The URI's own query stays as it is (RFC 6749, section 3.1.2).
            match url.find('?') {
                None => url.push('?'),
                Some(_) if url.ends_with(['?', '&']) => {}
                Some(_) => url.push('&'),
            }
            url.push_str(name);
            url.push('=');
            encode(value, &mut url);
        }
        url
    }
}

/// Whether it is a request of OpenID Connect.
fn asks_who(asked: &Parameters) -> bool {
    let scope = asked.one("scope").ok().flatten().unwrap_or_default();
    OAuthScopes::parse_known(scope).has(OAuthScope::OpenId)
}

impl Prompt {
    fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        for word in text.split_ascii_whitespace() {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                "create" => prompt.create = true,
                // To leave it out would be to show pages, or none, against the client's wish.
                _ => return Err(invalid("`prompt` holds a word that this server does not know")),
            }
        }
        let alone = Self { none: true, ..Self::default() };
        if prompt.none && (prompt != alone || text.split_ascii_whitespace().count() > 1) {
            return Err(invalid("`prompt` cannot be none and something else"));
        }
        Ok(prompt)
    }
}

impl AuthorizationRequest {
    /// Judges everything but the target.
    ///
    /// # Errors
    ///
    /// What the client is to be told.
    pub fn read(target: Target, asked: &Parameters, issuer: &str) -> Result<Self, OAuthError> {
        asked.check_single()?;
        check_support(&target.client, asked)?;
        let prompt = Prompt::parse(asked.one("prompt")?.unwrap_or_default())?;
        let challenge = challenge(asked)?;
        let scopes = scopes(&target.client, asked.one("scope")?)?;
        let resources = Resources::from_urls(asked.all("resource")?, issuer).ok_or_else(|| {
            OAuthError::new(ErrorCode::InvalidTarget, format!("`resource` can be {issuer}/api or {issuer}/mcp"))
        })?;
        let max_age = asked.one("max_age")?.map(seconds).transpose()?;
        let text = |name| Ok::<_, OAuthError>(asked.one(name)?.map(str::to_owned));
        let (nonce, login_hint, id_token_hint) = (text("nonce")?, text("login_hint")?, text("id_token_hint")?);
        Ok(Self { target, challenge, scopes, resources, nonce, prompt, max_age, login_hint, id_token_hint })
    }
}

/// Refuses what this server does not do.
fn check_support(client: &Client, asked: &Parameters) -> Result<(), OAuthError> {
    let unsupported = |code, name: &str| Err(OAuthError::new(code, format!("`{name}` is not supported")));
    if asked.bytes("request")?.is_some() {
        return unsupported(ErrorCode::RequestNotSupported, "request");
    }
    if asked.bytes("request_uri")?.is_some() {
        return unsupported(ErrorCode::RequestUriNotSupported, "request_uri");
    }
    if asked.bytes("registration")?.is_some() {
        return unsupported(ErrorCode::RegistrationNotSupported, "registration");
    }
    match asked.one("response_type")? {
        Some("code") => {}
        Some(_) => {
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "`response_type` can only be code"));
        }
        None => return Err(invalid("`response_type` is missing")),
    }
    if !matches!(asked.one("response_mode")?, None | Some("query")) {
        return Err(invalid("`response_mode` can only be query"));
    }
    if client.may_use("authorization_code") {
        Ok(())
    } else {
        let description = "the application is not registered for authorization codes";
        Err(OAuthError::new(ErrorCode::UnauthorizedClient, description))
    }
}

/// The challenge, which every client must send (OAuth 2.1, section 7.5.1); without a method it would be `plain`.
fn challenge(asked: &Parameters) -> Result<String, OAuthError> {
    let Some(challenge) = asked.one("code_challenge")? else {
        return Err(invalid("`code_challenge` is missing (PKCE with S256 is required)"));
    };
    match asked.one("code_challenge_method")? {
        Some("S256") => {}
        Some(_) => return Err(invalid("`code_challenge_method` can only be S256")),
        None => return Err(invalid("`code_challenge_method` is missing; it can only be S256")),
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if challenge.len() != CHALLENGE_LENGTH || !challenge.bytes().all(allowed) {
        return Err(invalid("`code_challenge` must be 43 characters of base64url"));
    }
    Ok(challenge.to_owned())
}

/// What the client asks for as far as it may; without a wish it may see (RFC 6749, section 3.3).
fn scopes(client: &Client, asked: Option<&str>) -> Result<OAuthScopes, OAuthError> {
    let asked = asked.map_or_else(|| OAuthScopes::from_iter([OAuthScope::Read]), OAuthScopes::parse_known);
    // Every client stays signed in, whether it says so or not.
    let mut may = client.scopes.union(OAuthScopes::from_iter([OAuthScope::OfflineAccess]));
    if client.is_self_registered() {
        may = may.without(OAuthScope::Admin);
    }
    let scopes = asked.intersect(may);
    if scopes.without(OAuthScope::OfflineAccess).is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "`scope` names nothing that this application may ask for",
        ));
    }
    Ok(scopes)
}

fn seconds(text: &str) -> Result<Duration, OAuthError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits { text.parse::<u32>().ok() } else { None };
    let seconds = seconds.ok_or_else(|| invalid("`max_age` must be a number of seconds"))?;
    Ok(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests;
