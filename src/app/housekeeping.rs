//! Housekeeping: what has expired is forgotten, once in a while.
//!
//! Deleting what is expired is the same whoever does it and however often, so several instances need not agree.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::http::limits::Limits;
use crate::store::Store;

/// How often.
const EVERY: Duration = Duration::from_mins(10);

/// The task that keeps house; it ends when this is dropped.
pub(super) struct Housekeeping(JoinHandle<()>);

impl Housekeeping {
    pub(super) fn start(store: Store, accounts: Arc<Accounts>, clock: Clock, limits: Arc<Limits>) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                limits.forget_the_idle();
                let forgotten = tokio::join!(store.delete_expired_changes(clock.now()), accounts.forget_expired());
                if forgotten.0.is_err() || forgotten.1.is_err() {
                    tracing::warn!(outcome = ?forgotten, "housekeeping failed; it is tried again");
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
