//! The request's id: the client's own when it is plausible, else a new UUIDv7.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::Clock;
use crate::ids;

/// The header of the request's id, in and out.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over.
const MAX_LENGTH: usize = 128;

/// The request's id, in the extensions of every request that reaches a handler (`Data<&RequestId>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

/// The id of a request with these headers.
pub(super) fn of(headers: &HeaderMap, clock: &Clock) -> Arc<str> {
    let own = headers
        .get(&X_REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic));
    match own.and_then(|id| std::str::from_utf8(id).ok()) {
        Some(id) => id.into(),
        None => ids::new_uuid(clock.now()).hyphenated().encode_lower(&mut [0; 36]).to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(value: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(&X_REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
        of(&headers, &Clock::system()).to_string()
    }

    #[test]
    fn a_plausible_id_is_kept() {
        assert_eq!(id_for(b"abc-123"), "abc-123");
        assert_eq!(id_for(&[b'x'; 128]), "x".repeat(128));
    }

    #[test]
    fn any_other_is_replaced() {
        for value in [b"".as_slice(), b"a b", &[b'x'; 129], "ü".as_bytes()] {
            assert_eq!(id_for(value).len(), 36, "{value:?}");
        }
    }
}
