//! Files that came into force: each is to become a version, also one that was replaced at once.

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
    /// The files that came into force since this was last asked, in their order.
    pub fn take_saved(&self) -> Vec<Saved> {
        std::mem::take(&mut *self.saved())
    }

    /// Puts back what could not be kept.
    pub fn put_back_saved(&self, mut saved: Vec<Saved>) {
        let mut held = self.saved();
        saved.append(&mut held);
        *held = saved;
    }

    pub(super) fn note_saved(&self, policy: &str, version: &str, text: &str) {
        let mut saved = self.saved();
        if saved.len() >= MOST_SAVED {
            saved.remove(0);
        }
        saved.push(Saved { policy: policy.to_owned(), version: version.to_owned(), text: Arc::from(text) });
    }

    fn saved(&self) -> MutexGuard<'_, Vec<Saved>> {
        // A panic elsewhere leaves whole entries behind.
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
