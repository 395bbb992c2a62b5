//! Identifiers: UUIDv7 (RFC 9562, section 5.7), one type per kind of thing so that they cannot be mixed up.

use std::fmt;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::clock::Timestamp;

/// Counts within a millisecond, so that what one transaction makes keeps its order.
static COUNTER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Makes a UUIDv7 whose time part is `now`, so that ids sort by creation: also those of one moment, in one process.
/// A clock that is set back does not turn the order: the time part then stays at the latest moment seen.
pub fn new_uuid(now: Timestamp) -> Uuid {
    let micros = now.as_micros().rem_euclid(1_000_000);
    let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
    let nanos = u32::try_from(micros * 1_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(&COUNTER, seconds, nanos))
}

/// Less than every UUIDv7 that is made at `moment` or later, and greater than those of earlier milliseconds.
pub fn first_uuid(moment: Timestamp) -> Uuid {
    let millis = u128::try_from(moment.as_micros() / 1_000).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new id whose time part is `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(new_uuid(now))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

id_types! {
    /// A person with an account.
    UserId,
    /// A task.
    TaskId,
    /// A project, the folder of some tasks.
    ProjectId,
    /// A label, a word that marks tasks.
    LabelId,
    /// A file of a task.
    AttachmentId,
    /// A sign-in: one family of access and refresh tokens.
    SessionId,
    /// A personal access token.
    TokenId,
    /// What a person allowed a client: one family of tokens.
    GrantId,
    /// The row of a client; what the protocol calls `client_id` is a text of its own.
    ClientRef,
    /// An account elsewhere through which a person signs in.
    IdentityId,
    /// A passkey with which a person signs in.
    PasskeyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_keep_their_order() {
        let now = Timestamp::from_micros(1_790_000_000_123_456);
        let ids: Vec<_> = (0..1000).map(|_| TaskId::new(now)).collect();

        assert!(ids.is_sorted());
    }
}
