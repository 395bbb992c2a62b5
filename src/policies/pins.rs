//! Versions that somebody activated, which hold in the place of a file while that file stays as it was.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::compile::version_of;
use super::folder::Source;

/// An activated version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The hash of its text.
    pub version: String,
    /// Its text.
    pub source: Arc<str>,
    /// The version of the policy's file when it was activated; `None` when there was no file.
    pub file_version: Option<String>,
}

/// Activated versions by the names of their policies.
pub type Pins = BTreeMap<String, Pin>;

impl Pin {
    /// Whether the policy's file is as it was when this was activated.
    pub(super) fn holds(&self, source: Option<&Source>) -> bool {
        self.file_version == source.map(file_version)
    }

    /// What faults of its text are told of: it lies in no file.
    pub(super) fn place(&self, policy: &str) -> PathBuf {
        PathBuf::from(format!("{policy}@{}", self.version))
    }
}

/// The version of a file's content, in order or not. One that cannot be read has a version of its own.
pub(super) fn file_version(source: &Source) -> String {
    match &source.text {
        Ok(text) => version_of(text),
        Err(_) => "unreadable".to_owned(),
    }
}
