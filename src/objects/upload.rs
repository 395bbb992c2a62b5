//! How an object comes to be: in parts, and visible only when all of them are safe.

use std::fmt;
use std::mem;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::runtime::Handle;

use super::error::ObjectsError;

/// The size of a part, in bytes: the least that S3 takes, so an object there may have 50 GB (10,000 parts).
pub const PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts that are under way at a time; with the one that is being filled, what an upload holds in memory.
const PARTS_AT_ONCE: usize = 2;

/// An object on its way into the store. Dropped before [`Self::finish`], it leaves nothing.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    part_bytes: usize,
    size_bytes: u64,
    stage: Stage,
}

enum Stage {
    /// So little that it can be stored in one step.
    Small(Vec<u8>),
    /// In parts.
    Parts(Box<WriteMultipart>),
    /// Done with, for better or worse.
    Over,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, path: Path, part_bytes: usize) -> Self {
        Self { store, path, part_bytes, size_bytes: 0, stage: Stage::Small(Vec::new()) }
    }

    /// How many bytes were written so far.
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes the next bytes; waits while too many are under way.
    ///
    /// # Errors
    ///
    /// What is wrong with the store; the upload is over then.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectsError> {
        let written = self.write_all(bytes).await;
        if written.is_err() {
            self.give_up().await;
        }
        written
    }

    async fn write_all(&mut self, bytes: &[u8]) -> Result<(), ObjectsError> {
        for piece in bytes.chunks(self.part_bytes) {
            if let Stage::Small(held) = &mut self.stage {
                if held.len() + piece.len() <= self.part_bytes {
                    held.extend_from_slice(piece);
                    self.size_bytes += piece.len() as u64;
                    continue;
                }
                let held = mem::take(held);
                let upload = self.store.put_multipart(&self.path).await?;
                let mut parts = Box::new(WriteMultipart::new_with_chunk_size(upload, self.part_bytes));
                parts.write(&held);
                self.stage = Stage::Parts(parts);
            }
            let Stage::Parts(parts) = &mut self.stage else { return Err(over()) };
            parts.wait_for_capacity(PARTS_AT_ONCE).await?;
            parts.write(piece);
            self.size_bytes += piece.len() as u64;
        }
        Ok(())
    }

    /// Makes the object visible, in the place of what was there before, and says how many bytes it has. From now on it is
    /// safe.
    ///
    /// # Errors
    ///
    /// What is wrong with the store; nothing was stored then.
    pub async fn finish(mut self) -> Result<u64, ObjectsError> {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Small(bytes) => self.store.put(&self.path, bytes.into()).await.map(drop)?,
            Stage::Parts(parts) => parts.finish().await.map(drop)?,
            Stage::Over => return Err(over()),
        }
        Ok(self.size_bytes)
    }

    /// Throws away what was written.
    pub async fn abort(mut self) {
        self.give_up().await;
    }

    async fn give_up(&mut self) {
        if let Stage::Parts(parts) = mem::replace(&mut self.stage, Stage::Over) {
            clean_up(*parts).await;
        }
    }
}

/// Its handler was dropped: the client went away, or the server stops.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Stage::Parts(parts) = mem::replace(&mut self.stage, Stage::Over)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(clean_up(*parts));
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

async fn clean_up(parts: WriteMultipart) {
    if let Err(error) = parts.abort().await {
        tracing::debug!(error = &error as &dyn std::error::Error, "parts of an upload stay behind for now");
    }
}

fn over() -> ObjectsError {
    ObjectsError::Source(std::io::Error::other("this upload is over"))
}
