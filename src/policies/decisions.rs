//! What people were recommended, by which version of which policy, and what became of it.
//!
//! - [`recording`]: a sample of what is shown is queued off the way of requests, and written by a task of its own.
//! - [`kept`]: the form in which it is kept, enough to rank the same tasks again; [`masking`]: what is hidden of it.
//! - [`reading`]: who sees what of it, and the outcomes by version.
//! - [`replaying`]: what another version would have put first.
//! - [`learning`]: values of parameters that agree better with what people did, as a draft; [`objective`] says what better is.

mod defaults;
pub mod kept;
pub mod learning;
pub mod masking;
pub mod objective;
pub mod reading;
pub mod recording;
pub mod replaying;
mod tuning;

use std::sync::Arc;
use std::time::Duration;

use crate::background::{DutyError, Turn};
use crate::clock::{Clock, Timestamp};
use crate::ids::{UserId, first_uuid};
use crate::policies::versions::Versions;
use crate::secret_key::SecretKey;
use crate::store::{Store, StoreError, StoreResult};

use masking::Mask;
use recording::Recorder;

/// How long after a recommendation something may become of it.
pub const WINDOW: Duration = Duration::from_hours(24);
/// Rows that are changed in one transaction, so that nobody waits for it long.
const ROWS_AT_ONCE: i64 = 2_000;
const DAY: Duration = Duration::from_hours(24);

/// The service over recommendations that were shown.
pub struct Decisions {
    store: Store,
    clock: Clock,
    versions: Arc<Versions>,
    recorder: Recorder,
    mask: Mask,
    days: u32,
}

/// What the configuration says.
#[derive(Clone, Copy, Debug)]
pub struct DecisionSettings {
    /// The part of what is shown that is kept, from 0 to 1.
    pub sample: f32,
    /// For how many days.
    pub days: u32,
}

impl Decisions {
    /// The service; `recorder` writes to the same store.
    pub fn new(
        (store, clock): (Store, Clock),
        versions: Arc<Versions>,
        recorder: Recorder,
        secret: SecretKey,
        days: u32,
    ) -> Self {
        Self { store, clock, versions, recorder, mask: Mask::new(secret), days }
    }

    /// Writes what waits to be written.
    pub async fn flush(&self) {
        self.recorder.flush().await;
    }

    /// Writes what waits to be written, and notes what became of somebody's recommendations so far, or of everybody's.
    ///
    /// # Errors
    ///
    /// What keeps the store from writing.
    async fn catch_up(&self, user: Option<UserId>) -> StoreResult<()> {
        self.recorder.flush().await;
        let now = self.clock.now();
        let settle = || {
            self.store.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { tx.settle_decisions(user, (now, window()), ROWS_AT_ONCE).await })
            })
        };
        while is_full(settle().await?) {}
        Ok(())
    }

    /// Notes what became of recommendations: a turn of the duty.
    ///
    /// # Errors
    ///
    /// What keeps the duty from being done.
    pub async fn settle(&self, turn: &Turn) -> Result<(), DutyError> {
        let now = turn.now();
        let settle = || {
            turn.write(move |tx| {
                Box::pin(async move { tx.settle_decisions(None, (now, window()), ROWS_AT_ONCE).await })
            })
        };
        while is_full(settle().await?) {}
        Ok(())
    }

    /// Deletes what is old enough: a turn of the duty.
    ///
    /// # Errors
    ///
    /// What keeps the duty from being done.
    pub async fn retain(&self, turn: &Turn) -> Result<(), DutyError> {
        let before = first_uuid(turn.now().minus(DAY * self.days));
        let delete = || turn.write(move |tx| Box::pin(tx.delete_old_decisions(before, ROWS_AT_ONCE)));
        while delete().await? > 0 {}
        Ok(())
    }
}

fn window() -> i64 {
    i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX)
}

fn is_full(rows: u64) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= ROWS_AT_ONCE)
}

/// A moment of a row.
fn moment_of(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}
