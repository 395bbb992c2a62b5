//! The error layer: whatever goes wrong becomes a problem document that names the request.

use std::any::Any;

use poem::http::header::{ALLOW, WWW_AUTHENTICATE};
use poem::http::{HeaderValue, StatusCode, Uri, Version};
use poem::{Error, Request, Response};

use super::problem::ApiError;
use super::serve::NoHost;
use super::serve::refusal::too_large;
use crate::observe::reports::PANIC_TARGET;

/// The longest path and query, in bytes: what servers at least should take (RFC 9110, section 4.1).
const MAX_TARGET: usize = 8192;

/// The answer to an error that climbed out of a handler or of poem itself.
///
/// The texts of poem's own errors show Rust types and repeat values, so only their status is told.
pub(super) fn to_response(error: &Error, request_id: &str) -> Response {
    match error.downcast_ref::<ApiError>() {
        Some(error) => challenged(error.to_response(Some(request_id))),
        None => foreign(error).to_response(Some(request_id)),
    }
}

/// Adds the request's id to an answer that a handler made from an [`ApiError`] by itself.
pub(super) fn complete(response: Response, request_id: &str) -> Response {
    match response.extensions().get::<ApiError>() {
        Some(error) => challenged(error.to_response(Some(request_id))),
        None => response,
    }
}

/// The answer after a panic, which the panic hook has reported with its place.
pub(super) fn after_panic(panic: &(dyn Any + Send), request_id: &str) -> Response {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(target: PANIC_TARGET, panic = message.unwrap_or("(no text)"), "a handler panicked");
    ApiError::internal_untold().to_response(Some(request_id))
}

/// 414 for a request target that is longer than any sensible one; it would only fill logs and caches.
pub(super) fn check_target(target: &Uri) -> Result<(), ApiError> {
    let length = target.path_and_query().map_or(0, |target| target.as_str().len());
    if length <= MAX_TARGET {
        return Ok(());
    }
    let error = ApiError::new(StatusCode::URI_TOO_LONG, "target-too-long", "The path and query are too long");
    Err(error.detail(format!("At most {MAX_TARGET} bytes are taken.")))
}

/// 431 for a head of HTTP/2 that is larger than any sensible one; of HTTP/1.1 the connection itself sees to it.
///
/// 400 for one of HTTP/1.1 without a host.
pub(super) fn check_head(request: &Request, max_bytes: usize) -> Result<(), ApiError> {
    if request.data::<NoHost>().is_some() {
        let error = ApiError::new(StatusCode::BAD_REQUEST, "malformed-request", "The request cannot be read");
        return Err(error.detail("A request of HTTP/1.1 must have exactly one header `Host`."));
    }
    if request.version() != Version::HTTP_2 {
        return Ok(());
    }
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes <= max_bytes { Ok(()) } else { Err(too_large(max_bytes)) }
}

/// 404: no route leads there.
pub(super) fn no_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not-found", "Not found").detail("Nothing is served under this path.")
}

/// 405 with the methods the path has.
pub(super) fn no_method(allowed: &str) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not take this method")
        .detail(format!("Allowed here: {allowed}."))
        .header(ALLOW, allowed)
}

/// Every 401 says how to authenticate (RFC 9110, section 15.5.2).
fn challenged(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED && !response.headers().contains_key(WWW_AUTHENTICATE) {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"MindFlow\""));
    }
    response
}

/// What is told about an error that is not ours: those that the contract layer leaves over.
fn foreign(error: &Error) -> ApiError {
    let status = error.status();
    if status.is_server_error() {
        return ApiError::internal(error);
    }
    tracing::warn!(http.status = status.as_u16(), error = %error, "a request passed the contract but not the handler");
    match status {
        StatusCode::NOT_FOUND => no_route(),
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(status, "body-too-large", "The body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(status, "unsupported-media-type", "The body's type is not supported")
        }
        StatusCode::UNAUTHORIZED => ApiError::new(status, "unauthorized", "Authentication is needed")
            .header(WWW_AUTHENTICATE, "Bearer realm=\"MindFlow\""),
        StatusCode::FORBIDDEN => ApiError::new(status, "forbidden", "This is not allowed"),
        StatusCode::BAD_REQUEST => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", "The request breaks a rule")
                .detail("The request holds a value that is not allowed.")
        }
        other => ApiError::new(other, "refused", "The request was refused"),
    }
}
