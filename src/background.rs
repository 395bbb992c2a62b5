//! Work that comes round, and that one instance does for all: expiry, keys, digests.
//!
//! - [`Duty`]: a piece of such work; [`Turn`]: an instance's turn at it, through which alone it changes anything.
//! - `attend`: waits until a duty is due, takes it, does it, says how it went.
//! - [`standing`]: which duties fail or are late, for operators.
//!
//! Who does it is settled in the database: taking a duty is one statement, which succeeds while it is due and nobody has
//! it, and gives a lease of [`LEASE`]. The lease is renewed while the work runs. When an instance dies, its lease ends and
//! another takes over. Each transaction of a turn begins by holding the duty's row: when another instance took it, the
//! transaction fails, whatever the first one believes. The last transaction holds the mark that it is done, too. So what
//! a duty does in the database happens once, and together with its mark.
//!
//! Moments come from the [`Clock`] of each instance. They may differ by less than the lease; more does not do work twice
//! either, but lets it change hands sooner than needed.

mod attend;
mod standing;
#[cfg(test)]
mod tests;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::clock::Clock;
use crate::observe::metrics::BackgroundMetrics;
use crate::store::{Store, StoreError};

pub use standing::{Attention, standing};
pub use turn::Turn;

/// How long an instance has a duty before it must renew its hold.
pub const LEASE: Duration = Duration::from_mins(1);
/// How long a stop waits for work that is about to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Work that comes round.
#[async_trait]
pub trait Duty: Send + Sync {
    /// Its name, in the database and in metrics: it never changes.
    fn name(&self) -> &'static str;

    /// How long after one run began the next is due; at once when it took longer.
    fn every(&self) -> Duration;

    /// Does it. Changes go through [`Turn::write`], the last of them best through [`Turn::finish`]. When the lease is lost,
    /// this is dropped at an `.await`.
    ///
    /// # Errors
    ///
    /// What went wrong; it is tried again after a while.
    async fn run(&self, turn: &Turn) -> Result<(), DutyError>;
}

/// Why a duty was not done.
#[derive(Debug, thiserror::Error)]
pub enum DutyError {
    /// Another instance has it now.
    #[error("another instance took over")]
    Lost,
    /// The database.
    #[error("the database did not do it")]
    Store(#[from] StoreError),
    /// It panicked.
    #[error("the work ended unexpectedly")]
    Panicked,
    /// What it works with; the text may be kept in the database, so it names nobody.
    #[error("{0}")]
    Failed(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Says when to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until it is time to stop.
    pub async fn asked(&mut self) {
        // An error means that nobody is left to say so.
        let _ = self.0.wait_for(|asked| *asked).await;
    }

    /// Whether it is.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// Everything that this instance does by itself. Dropped, it ends at once, and its leases end by time.
pub struct Background {
    store: Store,
    instance: Uuid,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What work of this instance alone is: it ends soon after it is asked to.
pub type Own = Box<dyn Fn(Stop) -> BoxFuture<'static, ()> + Send + Sync>;

impl Background {
    /// Starts to take part in `duties`, and to do its `own` work.
    pub fn start(store: &Store, clock: &Clock, duties: Vec<Arc<dyn Duty>>, own: Vec<Own>) -> Self {
        Self::start_counting(store, clock, duties, own, BackgroundMetrics::default())
    }

    /// The same, counted in `metrics`.
    pub fn start_counting(
        store: &Store,
        clock: &Clock,
        duties: Vec<Arc<dyn Duty>>,
        own: Vec<Own>,
        metrics: BackgroundMetrics,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let instance = Uuid::now_v7();
        let keeper = attend::Keeper { store: store.clone(), clock: clock.clone(), instance, metrics };
        let shared =
            duties.into_iter().map(|duty| tokio::spawn(attend::attend(keeper.clone(), duty, Stop(stopping.clone()))));
        let mut tasks: Vec<_> = shared.collect();
        tasks.extend(own.into_iter().map(|work| tokio::spawn(attend::go_on(work, Stop(stopping.clone())))));
        Self { store: store.clone(), instance, stop, tasks }
    }

    /// Stops, and lets other instances take over at once what is left.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let tasks = std::mem::take(&mut self.tasks);
        let aborts: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(PATIENCE, futures_util::future::join_all(tasks)).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        if let Err(error) = self.store.release_duties(self.instance).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "background work is taken over when its lease ends"
            );
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
