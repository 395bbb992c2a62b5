//! Opaque cursors: a place in a list, bound to the question that made it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest cursor that is looked at.
pub const CURSOR_MAX: usize = 512;

/// Rows on a page when the client does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// The most rows on a page.
pub const LIMIT_MAX: u32 = 1000;

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
    /// How many rows the whole list has.
    pub total: u64,
}

impl<T> Page<T> {
    /// The same page with every row made into something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor, total: self.total }
    }
}

/// Why a cursor was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// No server of this kind made it.
    #[error("is not a cursor of this list; leave it out to begin at the first page")]
    Unknown,
    /// It was made by a request with other parameters.
    #[error("belongs to a request with other parameters; repeat those, or leave the cursor out")]
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct Cursor<P> {
    #[serde(rename = "q")]
    question: String,
    #[serde(rename = "p")]
    position: P,
}

/// Makes a cursor for `position` in the answer to `question` (all parameters but `limit` and `cursor`).
pub fn encode<P: Serialize>(question: &str, position: &P) -> String {
    let cursor = Cursor { question: fingerprint(question), position };
    // Only maps with other keys than text cannot be written as JSON.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// Reads a cursor that [`encode`] made for the same question.
pub fn decode<P: DeserializeOwned>(question: &str, cursor: &str) -> Result<P, CursorError> {
    if cursor.len() > CURSOR_MAX {
        return Err(CursorError::Unknown);
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError::Unknown)?;
    let cursor: Cursor<P> = serde_json::from_slice(&json).map_err(|_| CursorError::Unknown)?;
    if cursor.question == fingerprint(question) { Ok(cursor.position) } else { Err(CursorError::Foreign) }
}

fn fingerprint(question: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(question)[..9])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_to_no_other_question() {
        let cursor = encode("sort=priority", &(7_i64, "a"));

        assert_eq!(decode::<(i64, String)>("sort=priority", &cursor), Ok((7, "a".to_owned())));
        assert_eq!(decode::<(i64, String)>("sort=due_date", &cursor), Err(CursorError::Foreign));
        for made_up in ["", "x", "e30", &"A".repeat(600), "💥"] {
            assert_eq!(decode::<(i64, String)>("sort=priority", made_up), Err(CursorError::Unknown), "{made_up}");
        }
    }
}
