//! What is in order and yet probably a slip in what is in use: looked for when it has come into use.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::calendar::Windows;
use crate::policies::lints::{Warning, lint};
use crate::policies::script::ScriptPolicy;
use crate::policies::shipped::is_shipped;
use crate::scoring::Policy;

/// The warnings of each policy in use: its name, the version, what was found.
#[derive(Default)]
pub(super) struct Warnings(Mutex<HashMap<String, (String, Vec<Warning>)>>);

impl Warnings {
    /// Looks at those that were not looked at before, and logs what is found. Takes some ten milliseconds for each of them.
    pub(super) fn look<'a>(&self, policies: impl Iterator<Item = &'a ScriptPolicy>, windows: Windows) {
        for policy in policies {
            // Our tests looked at what is shipped.
            if is_shipped(policy.source()) || self.read(policy).is_some() {
                continue;
            }
            let warnings = lint(policy.file(), policy.source(), windows).unwrap_or_default();
            for Warning { file, line, column, message, .. } in &warnings {
                let file = file.display();
                tracing::warn!(policy.name = policy.name(), %file, line, column, reason = message, "probably a slip in a policy");
            }
            let version = policy.version().to_owned();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(policy.name().to_owned(), (version, warnings));
        }
    }

    /// What was found in a policy in use; nothing while nobody has looked yet.
    pub(super) fn of(&self, policy: &ScriptPolicy) -> Vec<Warning> {
        self.read(policy).unwrap_or_default()
    }

    fn read(&self, policy: &ScriptPolicy) -> Option<Vec<Warning>> {
        // A panic elsewhere leaves whole entries behind.
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, warnings) = known.get(policy.name())?;
        (version == policy.version()).then(|| warnings.clone())
    }
}
