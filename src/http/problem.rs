//! Errors as clients see them: problem documents (RFC 9457).

use std::error::Error as StdError;
use std::fmt;

use poem::error::ResponseError;
use poem::http::header::{CONTENT_TYPE, RETRY_AFTER};
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use serde::Serialize;

pub use crate::fault::Fault;
use crate::oauth::OAuthError;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error that a client is told about.
///
/// It becomes an `application/problem+json` answer; the error layer adds the `request_id`. What an error document can
/// hold is the same for every operation, so it adds nothing to an operation's own responses in the OpenAPI document.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Option<String>,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    oauth: Option<OAuthMembers>,
}

/// What programs look for at the endpoints of OAuth (RFC 6749, section 5.2).
#[derive(Clone, Debug, Serialize)]
struct OAuthMembers {
    error: &'static str,
    error_description: String,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    oauth: Option<&'a OAuthMembers>,
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
}

impl ApiError {
    /// An error whose `type` is `urn:mindflow:problem:<kind>`; `title` is the same for every occurrence of the kind.
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self(Box::new(Inner {
            status,
            kind,
            title,
            detail: None,
            faults: Vec::new(),
            headers: Vec::new(),
            oauth: None,
        }))
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Tells it in the words of OAuth, too. The answer is plain JSON then: not all programs read these words in another type.
    #[must_use]
    pub(super) fn in_oauth(mut self, error: &OAuthError) -> Self {
        let members = OAuthMembers { error: error.code.as_str(), error_description: error.description.clone() };
        self.0.oauth = Some(members);
        self
    }

    /// Adds one fault of the request.
    #[must_use]
    pub fn fault(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.faults.push(Fault::new(field, message));
        self
    }

    /// Adds a header to the answer; a name or value that no header can have is left out.
    #[must_use]
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        if let (Ok(name), Ok(value)) = (name.try_into(), value.try_into()) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// 422: the request can be read but breaks these rules.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [only] if only.field.is_empty() => format!("The body {}.", only.message),
            [only] => format!("`{}` {}.", only.field, only.message),
            _ => format!("{} faults were found in the request.", faults.len()),
        };
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", "The request breaks a rule");
        error.0.faults = faults;
        error.detail(detail)
    }

    /// 422 without a fault: nothing (more) is wrong with what is left of a refused request. Only the contract layer,
    /// which has it rehearsed, sees this.
    pub(crate) fn rehearsed() -> Self {
        Self::invalid(Vec::new())
    }

    /// 404: there is no such `what`, or the caller may not know of it.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found").detail(format!("There is no such {what}."))
    }

    /// 500: logs `cause` with all its sources and tells the client nothing of them.
    pub fn internal(cause: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error = %Chain(cause), "a request failed");
        Self::internal_untold()
    }

    /// 500 without a cause to log, because it was logged where it happened.
    pub(crate) fn internal_untold() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "Something went wrong on the server")
            .detail("The failure was logged under this request's id.")
    }

    /// 503 with `Retry-After: 1`: the store is away or busy. Logs `cause`, tells nothing of it.
    pub fn unavailable(cause: &(dyn StdError + 'static)) -> Self {
        tracing::warn!(error = %Chain(cause), "the store is unavailable");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is unavailable at the moment")
            .detail("The database cannot be used at the moment; try again soon.")
            .header(RETRY_AFTER, "1")
    }

    /// What is the same for every occurrence of the kind.
    pub(crate) const fn title(&self) -> &'static str {
        self.0.title
    }

    /// Writes the headers that the answer has besides.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0.headers {
            headers.append(name.clone(), value.clone());
        }
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The kind: the last part of the problem's `type`.
    pub const fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// The faults of the request, when the kind is about input.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// The document, naming the request when its id is known.
    pub(crate) fn document(&self, request_id: Option<&str>) -> String {
        let inner = &*self.0;
        let document = Document {
            oauth: inner.oauth.as_ref(),
            kind: format!("urn:mindflow:problem:{}", inner.kind),
            title: inner.title,
            status: inner.status.as_u16(),
            detail: inner.detail.as_deref(),
            request_id,
            errors: &inner.faults,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// The answer, naming the request when its id is known.
    pub(crate) fn to_response(&self, request_id: Option<&str>) -> Response {
        let (inner, body) = (&*self.0, self.document(request_id));
        let kind = if inner.oauth.is_some() { "application/json" } else { PROBLEM_JSON };
        let mut response = Response::builder().status(inner.status).header(CONTENT_TYPE, kind).body(body);
        self.write_headers(response.headers_mut());
        response
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.detail.as_deref().unwrap_or(self.0.title))
    }
}

impl StdError for ApiError {}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        self.0.status
    }

    fn as_response(&self) -> Response {
        self.to_response(None)
    }
}

/// The error itself travels in the answer's extensions, where the error layer finds it and adds the request's id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.to_response(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl ApiResponse for ApiError {
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(_registry: &mut Registry) {}
}

/// An error and its sources on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_holds_every_fault_and_the_request_id() {
        let error = ApiError::invalid(vec![
            Fault::new("/priority", "must be between 1 and 5"),
            Fault::new("?limit", "must be an integer"),
        ]);

        let body = error.to_response(Some("abc")).into_body().into_string().await.unwrap();

        insta::assert_snapshot!(body, @r#"{"type":"urn:mindflow:problem:invalid-input","title":"The request breaks a rule","status":422,"detail":"2 faults were found in the request.","request_id":"abc","errors":[{"field":"/priority","message":"must be between 1 and 5"},{"field":"?limit","message":"must be an integer"}]}"#);
    }

    #[tokio::test]
    async fn an_internal_error_tells_nothing_of_its_cause() {
        let error = ApiError::internal(&std::io::Error::other("password=hunter2"));

        let error = poem::Error::from(error);

        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(error.downcast_ref::<ApiError>().is_some());
        let response = error.into_response();
        assert!(!response.into_body().into_string().await.unwrap().contains("hunter2"));
    }
}
