//! `POST /oauth/token`: codes, refresh tokens and devices become tokens (RFC 6749, section 3.2).

use poem::http::StatusCode;

use super::answers::{Failure, json_response};
use super::call::{Call, Pairs};
use super::credentials;
use super::{Answer, Services};
use crate::http::limits::{Class, Subject};
use crate::oauth::client::Client;
use crate::oauth::devices::{DEVICE_CODE, Poll};
use crate::oauth::exchange::Exchange;
use crate::oauth::grants::TokenAnswer;
use crate::oauth::refresh::Refresh;
use crate::oauth::{ErrorCode, OAuthError, Resources};

/// The path.
pub const PATH: &str = "/oauth/token";

/// What is presented for tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GrantType {
    Code,
    Refresh,
    Device,
}

impl GrantType {
    /// The word for metrics.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
            Self::Refresh => "refresh_token",
            Self::Device => "device_code",
        }
    }

    /// Passwords (`password`), clients without people (`client_credentials`) and answers in the front channel
    /// (`implicit`) are none of them (OAuth 2.1, section 10).
    fn parse(text: &str) -> Result<Self, OAuthError> {
        match text {
            "authorization_code" => Ok(Self::Code),
            "refresh_token" => Ok(Self::Refresh),
            DEVICE_CODE => Ok(Self::Device),
            _ => Err(OAuthError::new(
                ErrorCode::UnsupportedGrantType,
                "only authorization_code, refresh_token and device_code are supported",
            )),
        }
    }
}

/// Gives tokens to a client.
pub async fn token(services: &Services, call: Call) -> Answer {
    let mut named = "other";
    let answer = answer(services, &call, &mut named).await;
    let outcome = match &answer {
        Ok(_) => "granted",
        Err(Failure::OAuth(error) | Failure::Challenge(error, _)) => error.code.as_str(),
        Err(Failure::Api(_)) => "refused",
    };
    services.metrics.granted(named, outcome);
    answer
}

/// Says in `named` which grant type was asked for, as soon as that is known.
async fn answer(services: &Services, call: &Call, named: &mut &'static str) -> Answer {
    let form = call.client_form()?;
    let grant_type = GrantType::parse(form.required("grant_type")?)?;
    *named = grant_type.as_str();
    let client = match credentials::authenticate(services, call, &form, PATH).await {
        Ok(client) => client,
        Err(error) => {
            note_stranger(services, call, &form, error.code).await?;
            return Err(error.into());
        }
    };
    services.limits.count(Class::Client, Subject::Client(client.id.0)).await.map_err(Failure::Api)?;
    let answer = give(services, call, &form, grant_type, &client).await?;
    if let Err(error) = services.clients.touch(&client).await {
        // The tokens are given; that the client is in use can be noted another time.
        tracing::warn!(%error, "the use of a client was not noted");
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// Has the owner of a code or token know that somebody brought it who is not the client they say they are.
async fn note_stranger(services: &Services, call: &Call, form: &Pairs, code: ErrorCode) -> Result<(), OAuthError> {
    let brought = form.one("refresh_token")?.or(form.one("code")?);
    match brought {
        Some(secret) if code == ErrorCode::InvalidClient => services.grants.note_stranger(secret, &call.origin).await,
        _ => Ok(()),
    }
}

async fn give(
    services: &Services,
    call: &Call,
    form: &Pairs,
    grant_type: GrantType,
    client: &Client,
) -> Result<TokenAnswer, OAuthError> {
    let (resources, origin) = (resources_of(form, &services.issuer)?, &call.origin);
    match grant_type {
        GrantType::Code => {
            let code = form.required("code")?;
            let (redirect_uri, verifier) = (form.one("redirect_uri")?, form.one("code_verifier")?);
            services.grants.exchange(Exchange { client, code, redirect_uri, verifier, resources, origin }).await
        }
        GrantType::Refresh => {
            let (token, scope) = (form.required("refresh_token")?, form.one("scope")?);
            services.grants.refresh(Refresh { client, token, scope, resources, origin }).await
        }
        GrantType::Device => {
            let device_code = form.required("device_code")?;
            services.grants.poll_device(Poll { client, device_code, resources, origin }).await
        }
    }
}

/// The resources that a request names; `None` when it names none (RFC 8707, section 2).
pub(super) fn resources_of(form: &Pairs, issuer: &str) -> Result<Option<Resources>, OAuthError> {
    let mut named = form.all("resource").peekable();
    if named.peek().is_none() {
        return Ok(None);
    }
    let resources = Resources::from_urls(named, issuer);
    let unknown = || OAuthError::new(ErrorCode::InvalidTarget, "the resource is none of this server's");
    resources.map(Some).ok_or_else(unknown)
}
