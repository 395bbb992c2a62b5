//! `GET` and `POST /oauth/userinfo`: what a person lets a client know of them (OpenID Connect Core, section 5.3).

use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderValue, StatusCode};

use super::answers::{Failure, json_response, token_needed};
use super::call::Call;
use super::credentials;
use super::{Answer, Services};
use crate::accounts::GuardError;
use crate::oauth::{ErrorCode, OAuthError};

/// The path.
pub const PATH: &str = "/oauth/userinfo";

/// For who shows no token.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"MindFlow\", scope=\"openid\"");

/// Tells the claims that the access token allows. The token is taken from the header alone.
pub async fn userinfo(services: &Services, call: Call) -> Answer {
    let in_body = call.form().is_ok_and(|form| form.has("access_token"));
    if call.headers.contains_key(AUTHORIZATION) && (in_body || call.query.has("access_token")) {
        let text = "the access token must come in one way only, in the header Authorization";
        return Err(challenged(OAuthError::new(ErrorCode::InvalidRequest, text)));
    }
    let Some(token) = credentials::bearer(&call) else {
        return Ok(token_needed(CHALLENGE));
    };
    let request_id = call.origin.request_id.as_deref().unwrap_or_default();
    let (caller, scopes) = match services.guard.identify_client(token, request_id).await {
        Ok(found) => found,
        Err(GuardError::Invalid(reason)) => {
            let error = OAuthError::new(ErrorCode::InvalidToken, format!("the access token {reason}"));
            return Err(challenged(error));
        }
        Err(error @ GuardError::LookUp(_)) => {
            return Err(OAuthError::unavailable(error).into());
        }
    };
    match services.grants.userinfo(caller.user_id, scopes).await {
        Ok(info) => Ok(json_response(StatusCode::OK, &info)),
        Err(error) if matches!(error.code, ErrorCode::InsufficientScope | ErrorCode::InvalidToken) => {
            Err(challenged(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The error with its challenge (RFC 6750, section 3).
fn challenged(error: OAuthError) -> Failure {
    let (code, description) = (error.code.as_str(), error.description.as_str());
    let challenge =
        format!("Bearer realm=\"MindFlow\", error=\"{code}\", error_description=\"{description}\", scope=\"openid\"");
    Failure::Challenge(error, challenge)
}
