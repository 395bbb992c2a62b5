//! SQLite's one writer: changes that wait for it share a commit.
//!
//! A commit costs a flush to the disk (synchronous=FULL), whatever is in it. So while one commit runs, the changes that
//! arrive queue up, and the next commit takes them all. Each runs in a savepoint of its own: one that fails is rolled
//! back alone, and nobody hears of success before the common commit is on the disk.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use super::{StoreError, StoreResult, Tx};
use crate::observe::metrics::DatabaseMetrics;

/// How many changes one commit takes; more would make the first wait for the last.
const GATHERED: usize = 64;
/// How many changes may wait before further ones are told that the database is busy.
const QUEUED: usize = 1024;

/// The way to the writing connection, shared by cloning.
#[derive(Clone, Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    pool: SqlitePool,
}

/// A change in the queue, its types erased.
trait Job: Send {
    /// Does the work in the open savepoint; says whether to keep it.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Verdict>;
    /// Tells the waiting caller, once it is certain.
    fn finish(self: Box<Self>, committed: StoreResult<()>);
    /// Whether the caller has gone before the work began.
    fn is_abandoned(&self) -> bool;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    RollBack,
}

struct Change<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Change<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Verdict> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return Verdict::RollBack };
            let mut tx = Tx::Sqlite(connection);
            // A panic in one change must not end the writer for everybody.
            let outcome = AssertUnwindSafe(async { work(&mut tx).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Dropped.into()));
            let verdict = if outcome.is_ok() { Verdict::Keep } else { Verdict::RollBack };
            self.outcome = Some(outcome);
            verdict
        })
    }

    fn finish(self: Box<Self>, committed: StoreResult<()>) {
        let outcome = match (self.outcome, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(StoreError::Dropped.into()),
        };
        // The caller may have gone; the change stands all the same.
        let _ = self.caller.send(outcome);
    }

    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }
}

impl Writer {
    /// Starts the writer over a pool of one connection; it ends when the last clone is dropped.
    pub(super) fn start(pool: SqlitePool, metrics: DatabaseMetrics) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUED);
        tokio::spawn(work_off(queue, pool.clone(), metrics));
        Self { jobs, pool }
    }

    /// How many changes wait for their turn.
    pub(super) fn queued(&self) -> usize {
        self.jobs.max_capacity().saturating_sub(self.jobs.capacity())
    }

    /// Queues a change and waits until it is durable or refused.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let change = Change { work: Some(work), outcome: None, caller };
        self.jobs.try_send(Box::new(change)).map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Dropped.into()))
    }

    /// The pool of the one connection, for migrations.
    pub(super) const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn work_off(mut queue: mpsc::Receiver<Box<dyn Job>>, pool: SqlitePool, metrics: DatabaseMetrics) {
    let mut batch = Vec::with_capacity(GATHERED);
    while queue.recv_many(&mut batch, GATHERED).await > 0 {
        batch.retain(|job| !job.is_abandoned());
        if batch.is_empty() {
            continue;
        }
        let started = Instant::now();
        let done = commit_together(&mut batch, &pool).await;
        metrics.commit(if done.is_ok() { batch.len() } else { 0 }, started.elapsed());
        match done {
            Ok(()) => batch.drain(..).for_each(|job| job.finish(Ok(()))),
            Err(error) => refuse(&mut batch, error),
        }
    }
}

/// Runs all jobs in one transaction. An error means that none of them was kept.
async fn commit_together(batch: &mut [Box<dyn Job>], pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let done = in_one_transaction(batch, &mut connection).await;
    if done.is_err() {
        // A full or failing disk makes SQLite end the whole transaction by itself. sqlx then believes for ever that one is
        // open, and nothing can begin; so the next batch gets a new connection.
        let _ = connection.close().await;
    }
    done
}

async fn in_one_transaction(batch: &mut [Box<dyn Job>], connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let alone = batch.len() == 1;
    for job in batch {
        if alone {
            if job.run(&mut transaction).await == Verdict::RollBack {
                return transaction.rollback().await;
            }
        } else {
            let mut savepoint = transaction.begin().await?;
            match job.run(&mut savepoint).await {
                Verdict::Keep => savepoint.commit().await?,
                Verdict::RollBack => savepoint.rollback().await?,
            }
        }
    }
    transaction.commit().await
}

/// Tells every caller of a batch that nothing was kept and that they may try again; the first learns the cause.
fn refuse(batch: &mut Vec<Box<dyn Job>>, error: sqlx::Error) {
    tracing::error!(error = &error as &dyn std::error::Error, changes = batch.len(), "a commit failed");
    let mut cause = Some(error);
    for job in batch.drain(..) {
        // The statements are the writer's own, so that they fail says something of the database alone.
        job.finish(Err(StoreError::Unavailable(cause.take().unwrap_or(sqlx::Error::BeginFailed))));
    }
}
