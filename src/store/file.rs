//! The file of a SQLite database, which somebody may move or delete while the server has it open.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::{StoreError, StoreResult};

/// Where the file was when it was opened, and which one it was.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
}

impl DatabaseFile {
    /// Notes an open file; `None` for a database that has none.
    pub(super) fn note(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self { path: std::path::absolute(path).ok()?, identity: identity(&metadata) })
    }

    /// Whether it is still there, and still the same.
    pub(super) async fn check(&self) -> StoreResult<()> {
        match tokio::fs::metadata(&self.path).await {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            _ => Err(StoreError::Moved),
        }
    }
}

/// Device and number of the file; another file of the same name has another.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere an open file can be neither moved nor deleted.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Identity {}
