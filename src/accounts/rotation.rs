//! Refresh tokens that are replaced at each use, and those that come again.
//!
//! Parallel requests and lost answers are no theft: for a minute, while its successor is unused, a used token is answered
//! as before. Its answer is kept sealed under the token itself, so that the database alone gives nobody a token. When it
//! comes later, somebody else has it (RFC 9700, section 4.14.2).

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::secrets::{RandomError, hash_secret, open, seal};
use crate::clock::Timestamp;
use crate::store::sessions::SpentRefresh;

/// How long a used refresh token is answered as before.
pub const GRACE: Duration = Duration::from_mins(1);

/// What is known of a refresh token that was used.
#[derive(Clone, Copy, Debug)]
pub struct UsedRefresh<'a> {
    /// When it was used, in microseconds since the epoch.
    pub used_at: Option<i64>,
    /// When the one that replaced it was used.
    pub successor_used_at: Option<i64>,
    /// What its use was answered with, sealed.
    pub answer: Option<&'a [u8]>,
}

/// What it means that a used token comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again<T> {
    /// Nothing: the same answer belongs to it.
    Accident(T),
    /// Somebody else has it: everything of its family must end.
    Theft {
        /// How long ago it was used.
        seconds_since_use: i64,
    },
    /// The kept answer cannot be read, which only a damaged database shows.
    Unreadable,
}

/// What the use of `token`, answered with `answer` and replaced by `successor`, leaves behind.
pub fn spent<T: Serialize>(
    token: &str,
    successor: &str,
    answer: &T,
    now: Timestamp,
) -> Result<SpentRefresh, RandomError> {
    let text = serde_json::to_string(answer).unwrap_or_default();
    Ok(SpentRefresh {
        token_hash: hash_secret(token),
        successor_hash: hash_secret(successor),
        answer: seal(token, &text)?,
        now,
    })
}

impl UsedRefresh<'_> {
    /// Judges that `token`, which was used, came again at `now`.
    pub fn again<T: DeserializeOwned>(&self, token: &str, now: Timestamp) -> Again<T> {
        let used_at = self.used_at.map_or(Timestamp::MIN, Timestamp::from_micros);
        if now > used_at.plus(GRACE) || self.successor_used_at.is_some() {
            return Again::Theft { seconds_since_use: now.as_seconds() - used_at.as_seconds() };
        }
        let text = self.answer.and_then(|sealed| open(token, sealed));
        text.and_then(|text| serde_json::from_str(&text).ok()).map_or(Again::Unreadable, Again::Accident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USED: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn again(used: &UsedRefresh<'_>, token: &str, seconds: u64) -> Again<String> {
        used.again(token, USED.plus(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_used_token_is_answered_as_before_for_a_minute_while_its_successor_is_unused() {
        let spent = spent("old", "new", &"answer", USED).unwrap();
        let fresh = UsedRefresh {
            used_at: Some(USED.as_micros()),
            successor_used_at: None,
            answer: Some(spent.answer.as_slice()),
        };
        let passed_on = UsedRefresh { successor_used_at: Some(USED.as_micros()), ..fresh };

        assert_eq!(again(&fresh, "old", 60), Again::Accident("answer".to_owned()));
        assert_eq!(again(&fresh, "old", 61), Again::Theft { seconds_since_use: 61 });
        assert_eq!(again(&passed_on, "old", 1), Again::Theft { seconds_since_use: 1 });
        assert_eq!(again(&fresh, "odl", 1), Again::Unreadable);
        assert_eq!(again(&UsedRefresh { answer: None, ..fresh }, "old", 1), Again::Unreadable);
        assert_eq!((spent.token_hash, spent.successor_hash), (hash_secret("old"), hash_secret("new")));
    }
}
