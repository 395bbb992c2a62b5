//! The way of objects that nobody needs any more.
//!
//! An attachment that was taken away, by itself or with its task, can be brought back for a day. Then its row goes, and its
//! object; the files of a person who left go at the next round. The list of what is to go is in the database, so any
//! instance may do it, and doing it twice is no fault.

use std::error::Error;
use std::future::ready;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::Attachments;
use crate::store::{StoreError, StoreResult};

/// How long what was taken away can be brought back: longer than any undo token lives.
const KEPT: Duration = Duration::from_hours(25);
/// When a removal is tried again that did not work out.
const RETRY: Duration = Duration::from_mins(10);
/// How many rows and objects go at a time.
const AT_ONCE: u32 = 200;
/// How many requests to the object store run side by side.
const SIDE_BY_SIDE: usize = 8;
/// How many times so many in one round; the rest waits for the next.
const ROUNDS: usize = 50;
/// When what a killed process left in a folder is old enough to be nobody's.
const STALE: Duration = Duration::from_hours(26);

impl Attachments {
    /// Removes what nobody needs any more; says how many objects went.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked. An object that cannot be removed now is logged and tried again later.
    pub async fn sweep(&self) -> StoreResult<usize> {
        let before = self.0.clock.now().minus(KEPT);
        for _ in 0..ROUNDS {
            let purge = self.0.store.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { tx.purge_attachments(before, AT_ONCE).await })
            });
            if purge.await? < AT_ONCE as usize {
                break;
            }
        }
        let mut removed = 0;
        for _ in 0..ROUNDS {
            let taken = self.remove_due().await?;
            removed += taken;
            if taken < AT_ONCE as usize {
                break;
            }
        }
        Ok(removed)
    }

    /// Removes what uploads left in a folder whose process was killed; says how many files.
    pub async fn remove_leftovers(&self) -> u64 {
        let before = self.0.clock.now().minus(STALE.max(self.0.settings.upload_timeout * 2));
        match self.0.objects.remove_leftovers(before).await {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "leftovers in the object store stay for now");
                0
            }
        }
    }

    /// One handful of objects that are to go.
    async fn remove_due(&self) -> StoreResult<usize> {
        let now = self.0.clock.now();
        let keys = self.0.store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { tx.take_removals(now, now.plus(RETRY), AT_ONCE).await })
        });
        let keys = keys.await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let gone: Vec<String> = stream::iter(keys)
            .map(|key| self.delete(key))
            .buffer_unordered(SIDE_BY_SIDE)
            .filter_map(ready)
            .collect()
            .await;
        self.forget(gone).await
    }

    /// Removes the object of an upload that came to nothing, unless it became an attachment after all.
    pub(super) async fn give_up(&self, key: &str) {
        if let Err(error) = self.try_to_give_up(key.to_owned()).await {
            tracing::debug!(error = &error as &dyn Error, "what an upload left is removed later");
        }
    }

    async fn try_to_give_up(&self, key: String) -> StoreResult<()> {
        let doomed = key.clone();
        let given_up =
            self.0.store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.give_up_upload(&doomed).await }));
        if given_up.await?
            && let Some(gone) = self.delete(key).await
        {
            self.forget(vec![gone]).await?;
        }
        Ok(())
    }

    /// Removes one object; its key when it is gone.
    async fn delete(&self, key: String) -> Option<String> {
        match self.0.objects.delete(&key).await {
            Ok(()) => Some(key),
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "an object could not be removed; it is tried again");
                None
            }
        }
    }

    async fn forget(&self, keys: Vec<String>) -> StoreResult<usize> {
        let count = keys.len();
        let forgotten =
            self.0.store.write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.forget_removals(&keys).await }));
        forgotten.await?;
        Ok(count)
    }
}
