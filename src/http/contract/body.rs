//! Bodies: their type, their size, counted as they come, and what they hold.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use poem::Request;
use poem::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING,
};
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json;
use super::operation::BodyRule;
use crate::http::changes::{Fingerprint, IDEMPOTENCY_KEY};
use crate::http::drain::discard;
use crate::http::payload::JSON;
use crate::http::problem::{ApiError, Fault};

/// The media type of a JSON merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// What a client may send.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// How many bytes, at most.
    pub max_bytes: usize,
    /// How long it may take.
    pub patience: Duration,
}

/// Reads the body that `rule` asks for and puts it back, so that the handler can parse it.
pub(super) async fn read(
    request: &mut Request,
    rule: &BodyRule,
    limits: BodyLimits,
) -> Result<Option<json::Parsed>, ApiError> {
    let declared = declared_length(request.headers());
    let expected = rule.required || declared != Some(0);
    if expected {
        check_type(request.headers(), rule, declared)?;
    }
    let bytes = collect_within(request, limits).await?;
    sign(request, if rule.taken { &bytes } else { &[] });
    if bytes.is_empty() && !rule.required {
        // poem-openapi asks for the type even where the body may be missing.
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        return Ok(None);
    }
    if bytes.is_empty() {
        return Err(unreadable("the body is empty"));
    }
    let parsed = json::parse(&bytes).map_err(|fault| unreadable(&fault))?;
    let bytes = if parsed.rewritten { Bytes::from(parsed.value.to_string()) } else { bytes };
    request.set_body(bytes);
    Ok(Some(parsed))
}

/// Takes a body out of its request, whatever it is.
///
/// # Errors
///
/// 413 and 408.
pub(in crate::http) async fn collect_within(request: &mut Request, limits: BodyLimits) -> Result<Bytes, ApiError> {
    let BodyLimits { max_bytes, patience } = limits;
    if declared_length(request.headers()).is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large(max_bytes));
    }
    let collected = tokio::time::timeout(patience, collect(request, max_bytes)).await;
    collected.map_err(|_| too_slow(patience))?
}

/// Takes the fingerprint of a request that may be repeated: its key stands for this method, path and body alone.
pub(super) fn sign(request: &mut Request, body: &[u8]) {
    if !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return;
    }
    let mut hash = Sha256::new();
    for part in [request.method().as_str().as_bytes(), request.uri().path().as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    request.set_data(Fingerprint(hash.finalize().into()));
}

/// How long the body says it is; `None` when it comes in chunks.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    match headers.get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok(),
        None => Some(0),
    }
}

fn check_type(headers: &HeaderMap, rule: &BodyRule, declared: Option<u64>) -> Result<(), ApiError> {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported(rule, "Compressed bodies are not read; send it without `Content-Encoding`.")
            .header(ACCEPT_ENCODING, "identity"));
    }
    match headers.get(CONTENT_TYPE) {
        Some(value) if value.to_str().is_ok_and(|text| is_json(text, rule)) => Ok(()),
        // A body that may be missing, of a length that HTTP/2 need not declare.
        None if !rule.required && declared.is_none() => Ok(()),
        Some(_) => Err(unsupported(rule, "The body must be JSON, in UTF-8.")),
        None => Err(unsupported(rule, "`Content-Type` is missing; the body must be JSON.")),
    }
}

/// Whether a `Content-Type` is JSON in UTF-8; a merge patch where the operation is one.
fn is_json(text: &str, rule: &BodyRule) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let known = kind.eq_ignore_ascii_case(JSON) || (rule.merge_patch && kind.eq_ignore_ascii_case(MERGE_PATCH));
    known
        && parts.filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                let charset = value.trim().trim_matches('"');
                charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}

/// Takes the body piece by piece and stops at the first byte too many.
async fn collect(request: &mut Request, max_bytes: usize) -> Result<Bytes, ApiError> {
    let mut stream = request.take_body().into_bytes_stream();
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(piece) = stream.try_next().await.map_err(|_| unreadable("it ended before its time"))? {
        if first.len() + more.len() + piece.len() > max_bytes {
            discard(stream).await;
            return Err(too_large(max_bytes));
        }
        if first.is_empty() && more.is_empty() {
            first = piece;
        } else {
            more.extend_from_slice(&std::mem::take(&mut first));
            more.extend_from_slice(&piece);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

/// Adds a fault for each text with the NUL character.
pub fn find_nul(value: &Value, pointer: &str, limit: usize, found: &mut Vec<Fault>) {
    match value {
        Value::String(text) if text.contains('\0') && found.len() < limit => {
            found.push(Fault::new(pointer, "must not contain the NUL character"));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, &format!("{pointer}/{index}"), limit, found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                find_nul(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), limit, found);
            }
        }
        _ => {}
    }
}

fn unreadable(fault: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "malformed-body", "The body cannot be read")
        .detail(format!("The body is not valid JSON: {fault}."))
}

fn too_large(max_bytes: usize) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
        .detail(format!("At most {max_bytes} bytes are taken."))
}

/// 408: the rest of the body may still come, so nothing else can be asked on this connection.
pub(in crate::http) fn too_slow(patience: Duration) -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body did not come in time")
        .detail(format!("The body must arrive within {} seconds.", patience.as_secs()))
        .header(CONNECTION, "close")
}

fn unsupported(rule: &BodyRule, detail: &str) -> ApiError {
    let (header, types) = if rule.merge_patch {
        (HeaderName::from_static("accept-patch"), "application/json, application/merge-patch+json")
    } else {
        (ACCEPT, JSON)
    };
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body's type is not supported")
        .detail(detail)
        .header(header, types)
}
