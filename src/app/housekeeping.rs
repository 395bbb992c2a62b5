//! Housekeeping: what has expired is forgotten, once in a while.
//!
//! Deleting what is expired is the same whoever does it and however often, so several instances need not agree.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Timestamp};
use crate::http::limits::Limits;
use crate::store::{Store, StoreError, StoreResult};

/// How often.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// How long attempts to sign in that belong to nobody are kept.
const ATTEMPTS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The task that keeps house; it ends when this is dropped.
pub(super) struct Housekeeping(JoinHandle<()>);

impl Housekeeping {
    pub(super) fn start(store: Store, clock: Clock, limits: Arc<Limits>) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                limits.forget_the_idle();
                if let Err(error) = forget_the_expired(&store, clock.now()).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "housekeeping failed; it is tried again");
                }
            }
        }))
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn forget_the_expired(store: &Store, now: Timestamp) -> StoreResult<()> {
    store.delete_expired_changes(now).await?;
    store
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                tx.delete_expired_sessions(now).await?;
                tx.delete_expired_invites(now).await?;
                tx.delete_old_attempts(now.minus(ATTEMPTS_KEPT)).await
            })
        })
        .await
}
