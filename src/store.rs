//! The only user of sqlx: SQLite and PostgreSQL behind one [`Store`].
//!
//! A read is a method of [`Store`] and runs on a pool. A change is a method of [`Tx`] and runs inside [`Store::write`]:
//! everything that the closure does becomes durable together, or not at all. Each method's body is written once; the
//! macro `on_database!` repeats it for both drivers. Statements are constants in the `$1` style that both understand;
//! where the dialects part, a [`Sql`] holds both texts and says why.
//!
//! - Times are BIGINT microseconds since 1970, ids are UUIDs (16 bytes), JSON is TEXT: exact and alike in both.
//! - Every statement about a user's data names the user in its WHERE clause.
//! - On SQLite one connection writes; changes that wait for it are gathered into one commit ([`writer`]).

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, SqliteConnection, SqlitePool};

use crate::ids::UserId;

pub mod accounts;
mod attachments;
pub mod audit;
pub mod callers;
mod changes;
pub mod digests;
pub mod dump;
pub mod duties;
pub mod email_tokens;
mod endings;
mod error;
mod events;
mod file;
mod groups;
pub mod identities;
pub mod inspect;
pub mod invites;
pub mod load;
pub mod mails;
pub mod migrations;
pub mod oauth_clients;
pub mod oauth_codes;
pub mod oauth_consents;
pub mod oauth_devices;
pub mod oauth_grants;
pub mod oauth_keys;
pub mod oauth_refresh_tokens;
mod observed;
pub mod passkeys;
pub mod policy_candidates;
pub mod policy_decisions;
pub mod policy_versions;
mod reach;
pub mod samples;
pub mod scratch;
mod search_words;
pub mod second_factors;
pub mod sessions;
mod statements;
pub mod tables;
mod task_lists;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
mod transfer;
mod wakes;
pub mod writer;

pub use changes::{NewUndo, UndoRow};
pub use endings::Ended;
pub use error::{StoreError, StoreResult};
pub use events::EventsRow;
use file::DatabaseFile;
pub(crate) use observed::Observed;
use reach::Reach;
pub use statements::{ALL_STATEMENTS, Sql};
pub use transfer::Exported;
pub use wakes::Wake;
use wakes::Wakes;
use writer::Writer;

use crate::observe::metrics::DatabaseMetrics;
use crate::observe::telemetry::DatabaseSpan;

/// Runs one body against whichever database is behind a [`Store`]: `on_database!(self.reader, |db| …)`.
macro_rules! on_database {
    ($store:ident.reader, |$db:ident| $body:expr) => {
        match &$store.pools {
            $crate::store::Pools::Sqlite { reader, .. } => {
                let $db = $crate::store::Observed::new(reader, $store);
                $body
            }
            $crate::store::Pools::Postgres(pool) => {
                let $db = $crate::store::Observed::new(pool, $store);
                $body
            }
        }
    };
    ($tx:ident, |$db:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(connection) => {
                let $db = &mut **connection;
                $body
            }
            $crate::store::Tx::Postgres(connection) => {
                let $db = &mut **connection;
                $body
            }
        }
    };
}
pub(crate) use on_database;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

/// What connections to PostgreSQL are called there, so that operators know whose they are.
pub(crate) const PROGRAM: &str = "mindflow";

/// How many connections to keep and how long to wait for one.
#[derive(Clone, Debug)]
pub struct PoolLimits {
    /// Connections that read (on PostgreSQL: all connections).
    pub connections: u32,
    /// How long a request waits for a free connection, or for another program's lock on a SQLite file, before it is told
    /// to come back.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may work on one statement; zero is no limit.
    pub statement_timeout: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { connections: 8, acquire_timeout: Duration::from_secs(3), statement_timeout: Duration::from_secs(30) }
    }
}

/// The database, shared by cloning.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pools: Pools,
    pub(crate) metrics: DatabaseMetrics,
    wakes: Wakes,
    reach: Reach,
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite { reader: SqlitePool, writer: Writer, file: Option<Arc<DatabaseFile>> },
    Postgres(PgPool),
}

/// One transaction under way: what is done through it is kept together or not at all.
#[derive(Debug)]
pub enum Tx<'c> {
    /// On SQLite's one writing connection.
    Sqlite(&'c mut SqliteConnection),
    /// On a connection of PostgreSQL's pool.
    Postgres(&'c mut PgConnection),
}

impl Tx<'_> {
    /// Which database this runs on.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Store {
    /// Opens the database that `url` names (`sqlite://…` or `postgres://…`), creating a SQLite file that is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Url`] for a URL of another kind; otherwise whatever keeps the database from opening.
    pub async fn connect(url: &str, limits: &PoolLimits) -> StoreResult<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(url, limits).await;
        }
        if url.starts_with("sqlite:") {
            return Self::connect_sqlite(url.parse().map_err(StoreError::Url)?, limits).await;
        }
        Err(StoreError::Url(sqlx::Error::Configuration("must start with `sqlite:` or `postgres:`".into())))
    }

    /// Opens a SQLite file, creating it when it is missing.
    pub async fn connect_file(path: &Path, limits: &PoolLimits) -> StoreResult<Self> {
        Self::connect_sqlite(SqliteConnectOptions::new().filename(path), limits).await
    }

    async fn connect_sqlite(options: SqliteConnectOptions, limits: &PoolLimits) -> StoreResult<Self> {
        // WAL lets readers go on while the writer commits; FULL makes an acknowledged commit survive a power cut.
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(limits.acquire_timeout)
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        // There is no connection to lose on the way to a file, so none is tested before use.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(limits.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(limits.connections)
            .acquire_timeout(limits.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // A reader that made a file anew where the database was would find nothing in it.
            .connect_lazy_with(options.clone().create_if_missing(false).pragma("query_only", "on"));
        let file = DatabaseFile::note(options.get_filename()).map(Arc::new);
        let metrics = DatabaseMetrics::default();
        let writer = Writer::start(writer, metrics.clone());
        Ok(Self {
            pools: Pools::Sqlite { reader, writer, file },
            metrics,
            wakes: Wakes::local(),
            reach: Reach::default(),
        })
    }

    async fn connect_postgres(url: &str, limits: &PoolLimits) -> StoreResult<Self> {
        let options: PgConnectOptions = url.parse().map_err(StoreError::Url)?;
        // Who sets it in the URL knows better.
        let chosen = url.contains("statement_timeout");
        let limit = (!chosen).then(|| ("statement_timeout", limits.statement_timeout.as_millis().to_string()));
        let options = options.options(limit).application_name(PROGRAM).disable_statement_logging();
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(limits.connections)
            .acquire_timeout(limits.acquire_timeout)
            .connect_with(options.clone())
            .await;
        match pool {
            Ok(pool) => Ok(Self {
                wakes: Wakes::told_over(&pool),
                reach: Reach::of(options),
                pools: Pools::Postgres(pool),
                metrics: DatabaseMetrics::default(),
            }),
            Err(sqlx::Error::PoolTimedOut) => Err(why_not(&options, limits.acquire_timeout).await.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Which database this is.
    pub const fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs `work` in one transaction; its changes are durable when this returns `Ok`, and gone when it returns `Err`.
    ///
    /// # Errors
    ///
    /// What `work` returns, or a [`StoreError`] when the database could not keep the changes.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + StdError + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (started, span) = (Instant::now(), DatabaseSpan::begin("database transaction"));
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => writer.run(work).await,
            Pools::Postgres(pool) => in_transaction(pool, &self.reach, work).await,
        };
        drop(span);
        self.metrics.transaction(started.elapsed());
        done.inspect_err(|error| observed::count_fault(self, error))
    }

    /// [`Self::write`] of what those should know who listen for news of `user`: they are woken when it is done.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub async fn write_of<T, E, F>(&self, user: UserId, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + StdError + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let done = self.write(work).await?;
        self.wake(user);
        Ok(done)
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    ///
    /// [`StoreError::Moved`] when a SQLite file is not any more where it was opened: the server could still write to it,
    /// but nobody would find what it writes.
    pub async fn ping(&self) -> StoreResult<()> {
        if let Pools::Sqlite { file: Some(file), .. } = &self.pools {
            file.check().await?;
        }
        on_database!(self.reader, |db| sqlx::query("SELECT 1").execute(db).await.map(|_| ()))?;
        Ok(())
    }

    /// Waits for what is under way, then closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { reader, writer, .. } => {
                reader.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn in_transaction<T, E, F>(pool: &PgPool, reach: &Reach, work: F) -> Result<T, E>
where
    E: From<StoreError>,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>>,
{
    // On the heap: every future of a change holds this one, and what it waits for is large.
    let mut transaction = reach.wait(Box::pin(pool.begin())).await.map_err(StoreError::from)?;
    let done = work(&mut Tx::Postgres(&mut transaction)).await?;
    reach.judge(transaction.commit().await).map_err(StoreError::from)?;
    Ok(done)
}

/// Why PostgreSQL cannot be reached: a pool only tells that its time was up.
async fn why_not(options: &PgConnectOptions, patience: Duration) -> sqlx::Error {
    match tokio::time::timeout(patience, PgConnection::connect_with(options)).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}
