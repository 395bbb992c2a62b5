//! What is in order and yet probably a slip: told of a script that is proposed, and of what stays in use.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::LivePolicies;
use crate::background::Stop;
use crate::policies::lints::{Warning, lint};
use crate::policies::script::ScriptPolicy;
use crate::policies::shipped::is_shipped;
use crate::scoring::Policy;

/// How long nothing new may come into use before it is looked at: who tries something out saves often, and to look
/// costs some tenths of a second.
const STAYS: Duration = Duration::from_millis(500);
/// Of so many texts it is remembered what was found.
const MOST_KNOWN: usize = 200;

/// The hash of a script's text.
type Key = [u8; 32];

/// What was found so far.
#[derive(Default)]
pub(super) struct Warnings(Mutex<Found>);

#[derive(Default)]
struct Found {
    by_text: HashMap<Key, Vec<Warning>>,
    /// Of each policy the text whose warnings are in the log.
    logged: HashMap<String, Key>,
}

impl LivePolicies {
    /// What is probably a slip in a script that passed the check. Blocking, for some tenths of a second.
    pub fn slips(&self, file: &Path, source: &str) -> Vec<Warning> {
        self.warnings.find(file, source, || lint(file, source, self.shipped.windows()).unwrap_or_default())
    }

    /// Looks at what is in use and was not looked at before, and logs what is found. Blocking, for some tenths of a second
    /// for each.
    pub fn look_for_slips(&self) {
        let table = self.table.load_full();
        let live = table.values().filter_map(|entry| entry.live.as_deref());
        // Our tests looked at what is shipped.
        for policy in live.filter(|live| !is_shipped(live.source())) {
            let slips = self.slips(policy.file(), policy.source());
            if self.warnings.is_logged(policy) {
                continue;
            }
            for Warning { file, line, column, message, .. } in &slips {
                let file = file.display();
                tracing::warn!(policy.name = policy.name(), %file, line, column, reason = message, "probably a slip in a policy");
            }
        }
    }

    /// Does so whenever something new has stayed in use for a while, until it is time to stop.
    pub async fn keep_looking_for_slips(self: Arc<Self>, mut stop: Stop) {
        let mut changes = self.changes();
        changes.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return,
                _ = changes.changed() => {}
            }
            // An error would mean that nobody is left who could change anything; `self` is.
            while let Ok(Ok(())) = tokio::time::timeout(STAYS, changes.changed()).await {
                if stop.is_asked() {
                    return;
                }
            }
            let live = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || live.look_for_slips()).await.is_err() {
                tracing::error!("policies could not be looked at for slips");
            }
        }
    }
}

impl Warnings {
    /// What was found in a policy in use; nothing while nobody has looked yet.
    pub(super) fn of(&self, policy: &ScriptPolicy) -> Vec<Warning> {
        let known = self.found().by_text.get(&key(policy.source())).cloned();
        placed(known.unwrap_or_default(), policy.file())
    }

    fn find(&self, file: &Path, source: &str, look: impl FnOnce() -> Vec<Warning>) -> Vec<Warning> {
        let key = key(source);
        if let Some(known) = self.found().by_text.get(&key) {
            return placed(known.clone(), file);
        }
        let warnings = look();
        let mut found = self.found();
        if found.by_text.len() >= MOST_KNOWN {
            found.by_text.clear();
        }
        found.by_text.insert(key, warnings.clone());
        warnings
    }

    /// Whether the log has the warnings of this text; from now on it has.
    fn is_logged(&self, policy: &ScriptPolicy) -> bool {
        let key = key(policy.source());
        self.found().logged.insert(policy.name().to_owned(), key) == Some(key)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        // A panic elsewhere leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same text may stand in several files.
fn placed(warnings: Vec<Warning>, file: &Path) -> Vec<Warning> {
    warnings.into_iter().map(|warning| Warning { file: file.to_owned(), ..warning }).collect()
}

/// By the text: a version's name is too short to stand for it.
fn key(source: &str) -> Key {
    Sha256::digest(source.strip_prefix('\u{feff}').unwrap_or(source)).into()
}
