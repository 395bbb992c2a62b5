//! Retries: the first answer to a request is kept with its effect and given again.
//!
//! The receipt is written in the transaction of the change itself. So there is no moment, not even for a `kill -9`, at
//! which the change is done and the answer forgotten, or the other way round.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// An answer as it left: what a retry gets again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to the answer's meaning.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What identifies a request that may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryKey {
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub fingerprint: [u8; 32],
}

/// The keys of requests that run in this process right now.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashSet<(UserId, String)>>>);

/// Frees the key when the request ends, however it ends.
#[derive(Debug)]
pub struct RunningKey {
    keys: Running,
    key: (UserId, String),
}

impl Running {
    /// Takes the key; `None` while another request holds it.
    pub fn enter(&self, user: UserId, key: &str) -> Option<RunningKey> {
        let key = (user, key.to_owned());
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        entered.then(|| RunningKey { keys: self.clone(), key })
    }
}

impl Drop for RunningKey {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
