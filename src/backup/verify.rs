//! Whether an archive can be restored: by doing so, in a database of its own that goes again.

use std::sync::Arc;

use super::place::ScratchFile;
use super::restore::{Force, Inspected, Restored, Target};
use super::{BackupError, Progress};
use crate::store::scratch::ScratchSchema;
use crate::store::{PoolLimits, Store};

/// Where to try it.
#[derive(Clone, Debug)]
pub enum Scratch {
    /// In a SQLite file of its own.
    File,
    /// In a schema of its own of this PostgreSQL database.
    Schema(String),
}

/// Restores an archive into a scratch database, its attachments aside, whose checksums were looked at already. Restoring
/// reads every table again and compares numbers and digests of rows.
///
/// # Errors
///
/// [`BackupError`] says why the archive could not be restored.
pub async fn verify(
    inspected: &Inspected,
    scratch: &Scratch,
    progress: Arc<dyn Progress>,
) -> Result<Restored, BackupError> {
    match scratch {
        Scratch::File => {
            let file = ScratchFile::new(".verify.db");
            let store = Store::scratch_file(file.path()).await?;
            let restored = into(inspected, &store, progress).await;
            store.close().await;
            restored
        }
        Scratch::Schema(url) => {
            let schema = ScratchSchema::make(url).await?;
            let limits = PoolLimits { connections: 2, ..PoolLimits::default() };
            let restored = match schema.store(&limits).await {
                Ok(store) => {
                    let restored = into(inspected, &store, progress).await;
                    store.close().await;
                    restored
                }
                Err(error) => Err(error.into()),
            };
            let removed = schema.remove().await;
            let restored = restored?;
            removed?;
            Ok(restored)
        }
    }
}

async fn into(inspected: &Inspected, store: &Store, progress: Arc<dyn Progress>) -> Result<Restored, BackupError> {
    inspected.restore(&Target { store, attachments: None, force: Force::Never, progress }).await
}
