//! Compression: large texts are sent as gzip to clients that ask for it; nobody else pays.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use poem::Response;
use poem::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use poem::http::{HeaderMap, HeaderValue};

use super::problem::ApiError;

/// Smaller bodies are sent as they are: compressing costs more than it saves.
const MIN_BYTES: usize = 1400;

/// Whether the client takes gzip (RFC 9110, section 12.5.3).
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
            matches!(name.trim(), "gzip" | "*") && !refused
        })
}

/// Compresses the answer if it is a text of some size.
pub(super) async fn compress(mut response: Response) -> Response {
    let headers = response.headers();
    if !is_text(headers) || headers.contains_key(CONTENT_ENCODING) || is_to_be_left_alone(headers) {
        return response;
    }
    let Ok(bytes) = response.take_body().into_bytes().await else {
        return ApiError::internal_untold().to_response(None);
    };
    let mut packed = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    let worth_it = bytes.len() >= MIN_BYTES && packed.write_all(&bytes).is_ok();
    match packed.finish() {
        Ok(packed) if worth_it => {
            let headers = response.headers_mut();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
            headers.remove(CONTENT_LENGTH);
            response.set_body(packed);
        }
        _ => response.set_body(bytes),
    }
    response
}

/// Whether the answer must come as it is (RFC 9111, section 5.2.2.6), such as a file, of which parts can be asked for.
fn is_to_be_left_alone(headers: &HeaderMap) -> bool {
    headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains("no-transform"))
}

/// Streams of events are left alone: they never end.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    matches!(kind, "text/html" | "text/css" | "text/javascript" | "text/csv" | "text/calendar" | "application/yaml")
        || kind == "application/json"
        || kind.ends_with("+json")
}
