//! The last version of each policy that was in order, kept in the data folder for the next start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{is_name, read_limited};

/// A folder of texts, one for each policy.
#[derive(Clone, Debug)]
pub(super) struct LastGood(PathBuf);

impl LastGood {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Where a policy's text is kept.
    pub(super) fn file(&self, policy: &str) -> PathBuf {
        self.0.join(format!("{policy}.rhai"))
    }

    /// The text that was kept, if there is one.
    pub(super) fn read(&self, policy: &str) -> Option<(PathBuf, String)> {
        let file = self.file(policy);
        let text = is_name(policy).then(|| read_limited(&file).ok()).flatten()?;
        Some((file, text))
    }

    /// Keeps a text, whole or not at all: a power cut leaves the one before. Instances may share the folder.
    pub(super) fn keep(&self, policy: &str, text: &str) {
        if let Err(error) = self.try_keep(policy, text) {
            let folder = self.0.display();
            tracing::warn!(policy.name = policy, %folder, %error, "the policy in use could not be kept for the next start");
        }
    }

    fn try_keep(&self, policy: &str, text: &str) -> io::Result<()> {
        if self.read(policy).is_some_and(|(_, kept)| kept == text) {
            return Ok(());
        }
        fs::create_dir_all(&self.0)?;
        let new = self.0.join(format!("{policy}.{}.new", std::process::id()));
        fs::write(&new, text)?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, self.file(policy))
    }
}
