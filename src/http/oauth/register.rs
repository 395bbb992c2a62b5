//! `/oauth/register`: clients that register themselves (RFC 7591) and manage that (RFC 7592).

use poem::Response;
use poem::http::header::CACHE_CONTROL;
use poem::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::answers::{Failure, json_response, token_needed};
use super::call::Call;
use super::credentials::bearer;
use super::{Answer, Services};
use crate::oauth::{ErrorCode, OAuthError};

/// For who manages a client without showing its registration token.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"MindFlow\"");

/// `POST /oauth/register`.
pub(super) async fn register(services: &Services, call: Call) -> Answer {
    // Where nobody can register, it does not matter with what.
    let described = if services.clients.takes_registrations() { description(&call)? } else { Map::new() };
    match services.clients.register(&described, &call.origin).await {
        Ok(registered) => Ok(json_response(StatusCode::CREATED, &registered.body)),
        Err(error) if error.code == ErrorCode::AccessDenied => Ok(forbidden(&error)),
        Err(error) => Err(error.into()),
    }
}

/// `GET /oauth/register/{client_id}`.
pub(super) async fn read(services: &Services, call: Call) -> Answer {
    let Some(token) = bearer(&call) else { return Ok(token_needed(CHALLENGE)) };
    let registered = services.clients.registration(name(&call), Some(token)).await.map_err(challenged)?;
    Ok(json_response(StatusCode::OK, &registered.body))
}

/// `PUT /oauth/register/{client_id}`.
pub(super) async fn replace(services: &Services, call: Call) -> Answer {
    let Some(token) = bearer(&call) else { return Ok(token_needed(CHALLENGE)) };
    let (name, token) = (name(&call), Some(token));
    // Who may not manage the client is not told what is wrong with the description.
    services.clients.registration(name, token).await.map_err(challenged)?;
    let described = description(&call)?;
    let updated = services.clients.update_registration(name, token, &described, &call.origin).await;
    Ok(json_response(StatusCode::OK, &updated.map_err(challenged)?.body))
}

/// `DELETE /oauth/register/{client_id}`.
pub(super) async fn remove(services: &Services, call: Call) -> Answer {
    let Some(token) = bearer(&call) else { return Ok(token_needed(CHALLENGE)) };
    services.clients.unregister(name(&call), Some(token), &call.origin).await.map_err(challenged)?;
    Ok(Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .finish())
}

/// Nothing is wrong with the request, but nobody may make it (RFC 9110, section 15.5.4).
fn forbidden(error: &OAuthError) -> Response {
    let body = json!({ "error": error.code.as_str(), "error_description": error.description });
    json_response(StatusCode::FORBIDDEN, &body)
}

fn name(call: &Call) -> &str {
    call.parameter.as_deref().unwrap_or_default()
}

fn description(call: &Call) -> Result<Map<String, Value>, OAuthError> {
    let refused = |text: &str| OAuthError::new(ErrorCode::InvalidClientMetadata, text);
    let kind = call.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(refused("the body must be JSON: Content-Type application/json"));
    }
    serde_json::from_slice(&call.body).map_err(|_| refused("the body must be a JSON object"))
}

/// A registration token that is not right is refused as every bearer token is (RFC 7592, section 2; RFC 6750, section 3).
fn challenged(error: OAuthError) -> Failure {
    if error.code == ErrorCode::InvalidToken {
        return Failure::Challenge(error, "Bearer realm=\"MindFlow\", error=\"invalid_token\"".to_owned());
    }
    error.into()
}
