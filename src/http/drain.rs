//! Bodies nobody wants: they are read and thrown away before the answer.
//!
//! Closing a connection while the client still sends resets it, and the client never sees why it was refused.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use poem::Request;
use poem::http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};

/// How much is thrown away at most, and for how long; who sends more is cut off.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Throws the request's body away. A client that waits for `100 Continue` has not sent it and need not.
pub(super) async fn drain(request: &mut Request) {
    let headers = request.headers();
    let has_body =
        headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_body && !headers.contains_key(EXPECT) {
        discard(request.take_body().into_bytes_stream()).await;
    }
}

/// Throws away what a body still holds.
pub(super) async fn discard<E>(body: impl Stream<Item = Result<Bytes, E>>) {
    let mut body = std::pin::pin!(body);
    let all = async {
        let mut seen = 0;
        while let Some(Ok(piece)) = body.next().await {
            seen += piece.len();
            if seen > MAX_BYTES {
                break;
            }
        }
    };
    // Patience only bounds the courtesy; the answer is the same either way.
    let _ = tokio::time::timeout(PATIENCE, all).await;
}
