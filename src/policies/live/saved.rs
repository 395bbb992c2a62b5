//! Files that came into force: each is to become a version, also one that was replaced at once.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::LivePolicies;

/// Of so many it is remembered that they came into force; what nobody asks for is forgotten, the oldest first.
const MOST_SAVED: usize = 1_000;

/// A file that came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The policy.
    pub policy: String,
    /// Its version.
    pub version: String,
    /// Its text.
    pub text: Arc<str>,
}

impl LivePolicies {
    /// Of the files that came into force and were not forgotten yet, the first.
    pub fn first_saved(&self) -> Option<Saved> {
        self.saved().front().cloned()
    }

    /// Forgets the first, if it is this one: it was noted.
    pub fn forget_saved(&self, noted: &Saved) {
        let mut saved = self.saved();
        if saved.front() == Some(noted) {
            saved.pop_front();
        }
    }

    pub(super) fn note_saved(&self, policy: &str, version: &str, text: &str) {
        let mut saved = self.saved();
        if saved.len() >= MOST_SAVED {
            saved.pop_front();
        }
        saved.push_back(Saved { policy: policy.to_owned(), version: version.to_owned(), text: Arc::from(text) });
    }

    fn saved(&self) -> MutexGuard<'_, VecDeque<Saved>> {
        // A panic elsewhere leaves whole entries behind.
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
