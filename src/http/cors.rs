//! Cross-origin requests (Fetch standard, section 3.2): which web pages may call the API.

use poem::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode};
use poem::{Request, Response};

use super::problem::ApiError;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, \
     MCP-Protocol-Version, Mcp-Method, Mcp-Name, Origin, X-Request-ID, X-Requested-With",
);
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "Allow, Content-Disposition, ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, Undo-Token, WWW-Authenticate, \
     X-Request-ID, X-Total-Count",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// The origins that may call.
#[derive(Clone, Debug)]
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    any: bool,
}

/// Web pages of chats, which show credentials of their own: they may call beside the origins of the configuration.
pub const CHATS: [&str; 3] = ["https://chatgpt.com", "https://chat.openai.com", "https://claude.ai"];

/// An origin that may call, and how the answer says so.
#[derive(Clone, Debug)]
pub(super) struct Allowed(HeaderValue);

impl Cors {
    /// Takes the origins of the configuration; `*` is every origin, without credentials.
    pub(super) fn new(origins: &[String]) -> Self {
        let any = origins.iter().any(|origin| origin == "*");
        Self { any, origins: origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect() }
    }

    /// Whether the request comes from a page that may call.
    pub(super) fn allowed(&self, request: &Request) -> Option<Allowed> {
        let origin = request.headers().get(ORIGIN)?;
        if self.any {
            return Some(Allowed(HeaderValue::from_static("*")));
        }
        let is_chat = CHATS.iter().any(|chat| origin == chat);
        (is_chat || self.origins.contains(origin)).then(|| Allowed(origin.clone()))
    }

    /// Says who may read the answer; caches must know that this differs by origin.
    pub(super) fn write(&self, allowed: Option<&Allowed>, response: &mut Response) {
        if response.extensions().get::<Closed>().is_some() {
            return;
        }
        let headers = response.headers_mut();
        if !self.any {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(Allowed(origin)) = allowed else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
        if self.origins.contains(origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// Whether a browser asks before it sends the real request.
pub(super) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets pages of every origin read the answer, without credentials of the browser's.
pub(super) fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
}

/// Lets pages of every origin read why they were refused.
pub(super) fn open_error(error: ApiError) -> ApiError {
    error
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
        .header(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS)
}

/// The answer to a page that asks whether it may send a request without credentials of the browser's: with whatever headers
/// it likes, such as those that protocols above OAuth send everywhere.
pub(super) fn open_preflight(request: &Request) -> Response {
    let mut response = preflight();
    if let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

/// Marks an answer that no page of another origin may read, whatever the configuration says.
#[derive(Clone, Copy, Debug)]
struct Closed;

/// Keeps the answer from the pages of every other origin.
pub(super) fn close(response: &mut Response) {
    response.extensions_mut().insert(Closed);
}

/// The answer to such a question; without the headers of [`Cors::write`] it means no.
pub(super) fn preflight() -> Response {
    Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
        .header(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS)
        .header(ACCESS_CONTROL_MAX_AGE, MAX_AGE)
        .finish()
}
