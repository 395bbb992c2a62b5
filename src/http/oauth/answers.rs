//! What endpoints of OAuth answer with.

use poem::Response;
use poem::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use poem::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::http::problem::ApiError;
use crate::oauth::{ErrorCode, OAuthError};

/// How clients with a secret authenticate.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"mindflow\"");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Why an endpoint does not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// Told as RFC 6749, section 5.2, says.
    OAuth(OAuthError),
    /// The same, with how to authenticate.
    Challenge(OAuthError, String),
    /// Told as the rest of the server tells errors.
    Api(ApiError),
}

impl<E: Into<OAuthError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::OAuth(error.into())
    }
}

impl Failure {
    /// The answer; what is this server's own fault is logged.
    pub(super) fn into_response(self) -> Result<Response, ApiError> {
        match self {
            Self::OAuth(error) => Ok(error_response(&error)),
            Self::Challenge(error, challenge) => {
                let mut response = error_response(&error);
                if let Ok(challenge) = HeaderValue::try_from(challenge) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                Ok(response)
            }
            Self::Api(error) => Err(error),
        }
    }
}

/// `{"error": …, "error_description": …}` with the status of its code.
pub fn error_response(error: &OAuthError) -> Response {
    if let Some(cause) = &error.cause {
        tracing::error!(error = &**cause as &dyn std::error::Error, "a request to the authorization server failed");
    }
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({ "error": error.code.as_str(), "error_description": error.description });
    let mut response = json_response(status, &body);
    if error.code == ErrorCode::InvalidClient {
        // Every 401 says how to do better (RFC 9110, section 15.5.2), however the client tried (RFC 6749, section 5.2).
        response.headers_mut().insert(WWW_AUTHENTICATE, BASIC);
    }
    if error.code == ErrorCode::TemporarilyUnavailable {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A refusal of the server around the protocols, such as 405, 413 and 429, for programs that only know theirs.
pub(super) fn for_programs(error: ApiError) -> ApiError {
    let code = match error.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => ErrorCode::TemporarilyUnavailable,
        status if status.is_server_error() => ErrorCode::ServerError,
        _ => ErrorCode::InvalidRequest,
    };
    let told = OAuthError::new(code, error.to_string());
    error.in_oauth(&told)
}

/// For who shows no token: that is no error yet (RFC 6750, section 3.1).
pub(super) fn token_needed(challenge: HeaderValue) -> Response {
    let mut response = json_response(StatusCode::UNAUTHORIZED, &json!({}));
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// A JSON answer that nobody may keep (RFC 6749, section 5.1).
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(CACHE_CONTROL, NO_STORE)
        .header(PRAGMA, HeaderValue::from_static("no-cache"))
        .body(serde_json::to_vec(body).unwrap_or_default())
}

/// 303: the browser asks for `location` with `GET`, whatever it did before, and never sends a form's fields on.
pub fn see_other(location: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(LOCATION, location)
        .header(CACHE_CONTROL, NO_STORE)
        .finish()
}
