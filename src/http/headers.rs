//! Headers of every answer: its request, and what browsers must not do with it.

use poem::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use poem::http::{HeaderMap, HeaderName, HeaderValue};

use super::request_id::X_REQUEST_ID;

static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Nothing may be loaded, framed or submitted from an API answer that a browser shows.
const API_CONTENT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
const SENSORS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
);

/// A year, for all names below this one; browsers forget it only when it is over.
const ALWAYS_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// The headers that depend on how the server is reached.
#[derive(Clone, Debug)]
pub(super) struct Safety {
    transport: Option<HeaderValue>,
}

impl Safety {
    /// Over TLS, browsers are told to stay with it; without, they would not listen (RFC 6797, section 7.2), and who tries the
    /// server on this machine should not lose `http://localhost`.
    pub(super) fn of(public_url: &str) -> Self {
        Self { transport: public_url.starts_with("https://").then_some(ALWAYS_TLS) }
    }

    /// Adds the headers that an answer does not have yet.
    pub(super) fn complete(&self, headers: &mut HeaderMap, request_id: &str) {
        complete(headers, request_id);
        if let Some(transport) = &self.transport {
            headers.insert(STRICT_TRANSPORT_SECURITY, transport.clone());
        }
    }
}

fn complete(headers: &mut HeaderMap, request_id: &str) {
    headers.reserve(16);
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID.clone(), id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !names_frames(headers) {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.insert(PERMISSIONS_POLICY.clone(), SENSORS);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(API_CONTENT);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Whether the answer says who may frame it, which the older header could not.
fn names_frames(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content.contains("frame-ancestors") && !content.contains("frame-ancestors 'none'")
}
