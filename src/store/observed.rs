//! Statements that read, timed and counted on their way to the pool.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use sqlx::{Database, Describe, Either, Error, Execute, Executor, Pool, SqlStr};

use super::reach::Reach;
use super::{Dialect, Pools, Store, StoreError};
use crate::observe::metrics::{DatabaseMetrics, PoolReading};
use crate::observe::telemetry::DatabaseSpan;

/// A pool whose statements are timed, with the wait for a connection.
pub(crate) struct Observed<'p, DB: Database> {
    pool: &'p Pool<DB>,
    store: &'p Store,
}

impl<'p, DB: Database> Observed<'p, DB> {
    pub(crate) const fn new(pool: &'p Pool<DB>, store: &'p Store) -> Self {
        Self { pool, store }
    }
}

impl<DB: Database> Clone for Observed<'_, DB> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<DB: Database> Copy for Observed<'_, DB> {}

impl<DB: Database> fmt::Debug for Observed<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed")
    }
}

impl<'p, DB: Database> Executor<'p> for Observed<'p, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<DB::QueryResult, DB::Row>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let timed = Timed::begin(&self.store.metrics);
        let found = match self.store.reach.check() {
            Ok(()) => self.pool.fetch_many(query),
            Err(away) => Box::pin(stream::once(async { Err(away) })),
        };
        Box::pin(Rows { found, timed, reach: &self.store.reach })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let timed = Timed::begin(&self.store.metrics);
        let found = self.store.reach.wait(self.pool.fetch_optional(query));
        Box::pin(async move { found.await.inspect_err(|error| timed.failed(error)) })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}

/// Transactions are begun on the pool itself.
impl<DB: Database> Deref for Observed<'_, DB> {
    type Target = Pool<DB>;

    fn deref(&self) -> &Pool<DB> {
        self.pool
    }
}

/// Counts the time of a statement when it is over, however it ends.
pub(super) struct Timed<'p> {
    metrics: &'p DatabaseMetrics,
    started: Instant,
    _span: Option<DatabaseSpan>,
}

impl<'p> Timed<'p> {
    pub(super) fn begin(metrics: &'p DatabaseMetrics) -> Self {
        Self { metrics, started: Instant::now(), _span: DatabaseSpan::begin("database read") }
    }

    pub(super) fn failed(&self, error: &Error) {
        self.metrics.error(kind_of(error));
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.metrics.statement(self.started.elapsed());
    }
}

/// The rows of a statement that is timed.
struct Rows<'e, 'p, T> {
    found: BoxStream<'e, Result<T, Error>>,
    timed: Timed<'p>,
    reach: &'p Reach,
}

impl<T> Stream for Rows<'_, '_, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.found.poll_next_unpin(context);
        if let Poll::Ready(Some(Err(error))) = &next {
            self.timed.failed(error);
            if StoreError::is_passing(error) {
                self.reach.suspect();
            }
        }
        next
    }
}

impl Store {
    /// What the database's metrics are counted in.
    pub const fn metrics(&self) -> &DatabaseMetrics {
        &self.metrics
    }

    /// How the connections are used at this moment.
    pub fn pools(&self) -> Vec<PoolReading> {
        match &self.pools {
            Pools::Sqlite { reader, writer, .. } => {
                let queued = Some(writer.queued());
                vec![reading("reader", reader), PoolReading { queued, ..reading("writer", writer.pool()) }]
            }
            Pools::Postgres(pool) => vec![reading("all", pool)],
        }
    }
}

fn reading<DB: Database>(name: &'static str, pool: &Pool<DB>) -> PoolReading {
    let most = pool.options().get_max_connections();
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    PoolReading { pool: name, open: pool.size(), idle, most, queued: None }
}

/// Counts the fault of the database behind an error of a change, of whatever layer, if there is one.
pub(super) fn count_fault(store: &Store, error: &(dyn StdError + 'static)) {
    let mut cause = Some(error);
    let mut fault = None;
    while let (Some(error), None) = (cause, fault) {
        fault = error.downcast_ref::<Error>();
        cause = error.source();
    }
    match (fault, store.dialect()) {
        (None, _) => {}
        // The writer has a connection of its own and no other reason to say so.
        (Some(Error::PoolTimedOut), Dialect::Sqlite) => store.metrics.error("queue_full"),
        (Some(error), _) => store.metrics.error(kind_of(error)),
    }
}

/// The word for a fault among those of [`DatabaseMetrics::error`].
fn kind_of(error: &Error) -> &'static str {
    match error {
        Error::PoolTimedOut => "pool_timeout",
        _ if StoreError::is_passing(error) => "unavailable",
        _ => "statement",
    }
}
