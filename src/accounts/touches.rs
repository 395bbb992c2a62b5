//! Notes when a session, token or grant was last used: at most once a minute each, and never while a request waits.

use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::audit::AuditEntry;
use super::{Caller, Credential};
use crate::clock::Timestamp;
use crate::store::{Store, StoreResult};

/// A use within this time of the one that was noted is not noted.
const INTERVAL: Duration = Duration::from_mins(1);
/// A use within this time of the one that was noted gets no row in the audit log.
const LOGGED: Duration = Duration::from_hours(24);
/// Notes that may wait; further ones are dropped, a later use is noted instead.
const QUEUED: usize = 256;

struct Touch {
    caller: Caller,
    before: Option<Timestamp>,
    at: Timestamp,
}

/// The way to the task that writes the notes; it ends when this is dropped.
pub(super) struct Touches {
    queue: mpsc::Sender<Touch>,
    noted: Cache<Uuid, Timestamp>,
}

impl Touches {
    pub(super) fn start(store: Store) -> Self {
        let (queue, touches) = mpsc::channel(QUEUED);
        tokio::spawn(write_down(touches, store));
        Self { queue, noted: Cache::new(4096) }
    }

    /// Notes that `caller` came at `at`, unless that was noted just now; `before` is what the store had.
    pub(super) fn note(&self, caller: &Caller, before: Option<Timestamp>, at: Timestamp) {
        let id = match caller.credential {
            Credential::Session(id) => id.0,
            Credential::PersonalToken(id) => id.0,
            Credential::Grant(id) => id.0,
            Credential::Shell => return,
        };
        let recent = |then: Timestamp| at < then.plus(INTERVAL);
        if before.is_some_and(recent) || self.noted.get(&id).is_some_and(recent) {
            return;
        }
        let touch = Touch { caller: caller.clone(), before, at };
        if self.queue.try_send(touch).is_ok() {
            self.noted.insert(id, at);
        }
    }
}

async fn write_down(mut touches: mpsc::Receiver<Touch>, store: Store) {
    while let Some(touch) = touches.recv().await {
        if let Err(error) = write(touch, &store).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the use of a credential was not noted");
        }
    }
}

async fn write(touch: Touch, store: &Store) -> StoreResult<()> {
    let Touch { caller, before, at } = touch;
    let user = caller.user_id;
    let is_logged = before.is_none_or(|before| at >= before.plus(LOGGED));
    store
        .write(move |tx| {
            Box::pin(async move {
                match caller.credential {
                    Credential::Session(id) => tx.touch_session(id, user, at).await,
                    Credential::PersonalToken(id) => {
                        if tx.touch_token(id, user, at).await? && is_logged {
                            tx.insert_audit(&AuditEntry::by(&caller, "token.used", at).on(id.0)).await?;
                        }
                        Ok(())
                    }
                    Credential::Grant(id) => {
                        if tx.touch_grant(id, user, at).await? && is_logged {
                            tx.insert_audit(&AuditEntry::by(&caller, "grant.used", at).on(id.0)).await?;
                        }
                        Ok(())
                    }
                    Credential::Shell => Ok(()),
                }
            })
        })
        .await
}
