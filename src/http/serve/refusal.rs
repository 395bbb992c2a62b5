//! Answers to requests that no handler ever sees: their head cannot be read, comes too slowly, or there is no place for them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use poem::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use poem::http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::stream::Ended;
use crate::http::access_log;
use crate::http::headers::Safety;
use crate::http::problem::{ApiError, PROBLEM_JSON};

/// How long a client may take to fetch such an answer, and how much of what it still sends is thrown away meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
const MOST_BYTES: usize = 256 * 1024;

/// What is told about an end, if it is worth a word.
pub(super) fn about(ended: Ended, header_timeout: Duration, max_header_bytes: usize) -> Option<ApiError> {
    let status = match ended {
        Ended::Idle | Ended::Stalled => return None,
        Ended::SlowHead => StatusCode::REQUEST_TIMEOUT,
        Ended::Refused(status) => status,
    };
    Some(match status {
        StatusCode::REQUEST_TIMEOUT => {
            let seconds = header_timeout.as_secs();
            ApiError::new(status, "head-too-slow", "The request's head did not come in time")
                .detail(format!("The request's line and headers must arrive within {seconds} seconds."))
        }
        StatusCode::URI_TOO_LONG => ApiError::new(status, "target-too-long", "The path and query are too long")
            .detail("The request's line is longer than anything this server takes."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => too_large(max_header_bytes),
        _ => ApiError::new(StatusCode::BAD_REQUEST, "malformed-request", "The request cannot be read")
            .detail("What was sent is not a request of HTTP/1.1, or of HTTP/2 with prior knowledge."),
    })
}

/// 431 for a head that is larger than any sensible one.
pub(in crate::http) fn too_large(max_header_bytes: usize) -> ApiError {
    let title = "The request's headers are too large";
    ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", title)
        .detail(format!("At most {max_header_bytes} bytes, and 100 headers, are taken."))
}

/// 503 for a connection beyond the most there may be.
pub(super) fn no_place() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-connections", "There are too many connections")
        .detail("The server has as many connections as it may have; try again soon.")
        .header("retry-after", "1")
}

/// Sends an answer over a connection on which nothing else will be said, and closes it so that the client can read it.
pub(super) async fn send(mut stream: TcpStream, peer: SocketAddr, error: &ApiError, safety: &Safety) {
    let request_id = Uuid::now_v7().hyphenated().to_string();
    tracing::info!(
        target: access_log::TARGET,
        {
            request.id = request_id,
            client.address = %peer.ip().to_canonical(),
            http.status = error.status().as_u16(),
            kind = error.kind()
        },
        "refused"
    );
    let text = written(error, safety, &request_id);
    let all = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // Who closes while the client still sends makes its system throw the answer away.
        let (mut thrown, mut buffer) = (0, [0; 4096]);
        while thrown < MOST_BYTES {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => thrown += read,
            }
        }
        std::io::Result::Ok(())
    };
    // Whoever does not listen is not told.
    let _ = timeout(PATIENCE, all).await;
}

fn written(error: &ApiError, safety: &Safety, request_id: &str) -> String {
    let body = error.document(Some(request_id));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    error.write_headers(&mut headers);
    safety.complete(&mut headers, request_id);
    let status = error.status();
    let mut text = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    text.push_str("\r\n");
    text.push_str(&body);
    text
}
