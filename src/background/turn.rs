//! An instance's turn at a duty.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{DutyError, LEASE};
use crate::clock::{Clock, Timestamp};
use crate::store::duties::Hold;
use crate::store::{Store, StoreResult, Tx};

/// A turn: what is changed through it is changed only while this instance has the duty.
#[derive(Debug)]
pub struct Turn {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) hold: Hold,
    /// When it was taken: what is due later than this may have been missed by the work.
    pub(super) began: Timestamp,
    /// How often the duty failed before.
    pub(super) failures: i64,
    pub(super) every: Duration,
    pub(super) finished: AtomicBool,
}

impl Turn {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The database, to read from.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `work` in one transaction, which fails when another instance took the duty over.
    pub async fn write<T, F>(&self, work: F) -> Result<T, DutyError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, StoreResult<T>> + Send + 'static,
    {
        let (hold, lease_until) = (self.hold, self.now().plus(LEASE));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.hold_duty(hold, lease_until).await? {
                        return Err(DutyError::Lost);
                    }
                    Ok(work(tx).await?)
                })
            })
            .await
    }

    /// The same, and the duty is done with it.
    pub async fn finish<F>(&self, work: F) -> Result<(), DutyError>
    where
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, StoreResult<()>> + Send + 'static,
    {
        let (hold, now) = (self.hold, self.now());
        let due_at = self.began.plus(self.every);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // First, so that the row is held while the work is done.
                    if !tx.finish_duty(hold, due_at, now).await? {
                        return Err(DutyError::Lost);
                    }
                    Ok(work(tx).await?)
                })
            })
            .await?;
        self.finished.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }
}
