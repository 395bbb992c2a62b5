//! The whole database, read in one snapshot: the rows of every table as lines of JSON, alike from both databases.

use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sqlx::{
    AssertSqlSafe, ColumnIndex, ConnectOptions as _, Connection as _, Decode, PgConnection, Postgres, Row, Sqlite,
    SqliteConnection, Transaction, Type,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::migrations::MigrationError;
use super::tables::{Column, Kind, Table};
use super::{Dialect, Pools, Sql, Store, StoreError, StoreResult, on_database};

/// How many bytes of lines are gathered before they are handed on; one row more may be in it.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// A limit for what people ask must not end a backup of everything.
pub(super) const TAKE_ANY_TIME: Sql = Sql {
    // SQLite knows no such limit.
    sqlite: "SELECT 1",
    postgres: "SET LOCAL statement_timeout = 0",
};
/// Nor may it be ended because it waits for a slow disk.
pub(super) const MAY_WAIT: Sql =
    Sql { sqlite: "SELECT 1", postgres: "SET LOCAL idle_in_transaction_session_timeout = 0" };
/// The migrations that the schema has.
const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
/// A name under which another connection, such as that of `pg_dump`, reads the same snapshot.
const EXPORT_SNAPSHOT: Sql = Sql {
    // SQLite has none.
    sqlite: "SELECT ''",
    postgres: "SELECT pg_export_snapshot()",
};
/// How many other connections of this program there are.
const COUNT_SERVERS: Sql = Sql {
    // SQLite is asked by its locks.
    sqlite: "SELECT 0",
    postgres: "
        SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'mindflow'
    ",
};
/// `$1` the new file.
const COPY_FILE: Sql = Sql {
    sqlite: "VACUUM INTO $1",
    // PostgreSQL is copied by `pg_dump`.
    postgres: "SELECT $1::text",
};

/// `$1` the last key that was read, `$2` how many.
const LIST_FILES: &str =
    "SELECT object_key, size_bytes, sha256 FROM attachments WHERE object_key > $1 ORDER BY object_key LIMIT $2";
/// `$1` the key.
const IS_FILE_NAMED: &str = "SELECT COUNT(*) FROM attachments WHERE object_key = $1";
/// The migration that made the table of files.
const FILES_SINCE: i64 = 8;
/// How many files are read of at a time.
const FILES_AT_ONCE: i64 = 500;

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_FILES", Sql::same(LIST_FILES)),
    ("IS_FILE_NAMED", Sql::same(IS_FILE_NAMED)),
    ("TAKE_ANY_TIME", TAKE_ANY_TIME),
    ("MAY_WAIT", MAY_WAIT),
    ("APPLIED", Sql::same(APPLIED)),
    ("EXPORT_SNAPSHOT", EXPORT_SNAPSHOT),
    ("COUNT_SERVERS", COUNT_SERVERS),
    ("COPY_FILE", COPY_FILE),
];

/// Some rows of a table: a JSON array of values each, in the order of the table's columns, each followed by a line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Whose rows.
    pub table: &'static str,
    /// How many.
    pub rows: u64,
    /// The lines.
    pub lines: Vec<u8>,
}

/// A transaction over everything.
pub(super) enum Whole {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one body on the connection of a [`Whole`].
macro_rules! on_whole {
    ($whole:expr, |$db:ident| $body:expr) => {
        match $whole {
            $crate::store::dump::Whole::Sqlite(transaction) => {
                let $db = &mut **transaction;
                $body
            }
            $crate::store::dump::Whole::Postgres(transaction) => {
                let $db = &mut **transaction;
                $body
            }
        }
    };
}
pub(super) use on_whole;

/// A file of somebody's, as its row speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FileRow {
    /// Where it is among the objects.
    pub object_key: String,
    /// How many bytes it has.
    pub size_bytes: i64,
    /// SHA-256 of its bytes.
    pub sha256: Vec<u8>,
}

/// All tables as they stood at one moment; others write meanwhile.
pub struct Snapshot {
    whole: Whole,
    /// The last migration that the schema has.
    pub version: i64,
}

impl Store {
    /// Begins to read everything as it is now; `None` when the database is empty.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Newer`] when a newer program has used the database.
    pub async fn snapshot(&self) -> Result<Option<Snapshot>, MigrationError> {
        if self.known_applied().await?.is_empty() {
            return Ok(None);
        }
        let mut whole = match &self.pools {
            // The first question begins it. With the write-ahead log, it holds nobody up.
            Pools::Sqlite { reader, .. } => Whole::Sqlite(reader.begin_with("BEGIN").await.map_err(StoreError::from)?),
            Pools::Postgres(pool) => Whole::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(StoreError::from)?,
            ),
        };
        whole.take_any_time().await?;
        let version = whole.version().await?;
        Ok(Some(Snapshot { whole, version }))
    }

    /// Whether the database that `url` names is there at all; asking makes none.
    pub fn is_there(url: &str) -> StoreResult<bool> {
        if !url.starts_with("sqlite:") {
            return Ok(true);
        }
        let options: SqliteConnectOptions = url.parse().map_err(StoreError::Url)?;
        Ok(options.get_filename().exists())
    }

    /// Whether a server seems to have the database open.
    ///
    /// SQLite tells by its locks: whoever has a file with a write-ahead log open keeps others from having it alone.
    /// PostgreSQL tells by the name that this program gives its connections.
    pub async fn seems_served(url: &str) -> StoreResult<bool> {
        if url.starts_with("sqlite:") {
            return Ok(Self::is_there(url)? && is_locked(url).await?);
        }
        let mut connection = PgConnection::connect(url).await?;
        let others: i64 = sqlx::query_scalar(COUNT_SERVERS.postgres).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(others > 0)
    }

    /// Whether a file of somebody's is still spoken of.
    pub async fn is_file_named(&self, object_key: &str) -> StoreResult<bool> {
        let found: i64 =
            on_database!(self.reader, |db| sqlx::query_scalar(IS_FILE_NAMED).bind(object_key).fetch_one(db).await?);
        Ok(found > 0)
    }

    /// Writes a copy of a SQLite database to a new file, as it is at one moment; does nothing on PostgreSQL.
    pub async fn copy_file(&self, to: &Path) -> StoreResult<()> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            sqlx::query(COPY_FILE.sqlite).bind(to.to_string_lossy()).execute(writer.pool()).await?;
        }
        Ok(())
    }
}

/// Whether another connection has the file open.
async fn is_locked(url: &str) -> StoreResult<bool> {
    let options: SqliteConnectOptions = url.parse().map_err(StoreError::Url)?;
    let options = options
        .create_if_missing(false)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(std::time::Duration::from_millis(100))
        .disable_statement_logging();
    let asked: Result<(), sqlx::Error> = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        connection.begin_with("BEGIN IMMEDIATE").await?.rollback().await?;
        connection.close().await
    }
    .await;
    match asked.map_err(StoreError::from) {
        Ok(()) => Ok(false),
        Err(StoreError::Unavailable(sqlx::Error::Database(_))) => Ok(true),
        Err(error) => Err(error),
    }
}

impl Snapshot {
    /// Hands the rows of a table to `chunks`, some at a time; waits while nobody takes them. Returns how many there are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Dropped`] when nobody takes them any more.
    pub async fn read<T: From<Chunk>>(&mut self, table: &'static Table, chunks: &mpsc::Sender<T>) -> StoreResult<u64> {
        self.whole.read(table, self.version, chunks).await
    }

    /// The next files of people after the one with the key `after`, by their keys; none at the end.
    pub async fn files_after(&mut self, after: &str) -> StoreResult<Vec<FileRow>> {
        if self.version < FILES_SINCE {
            return Ok(Vec::new());
        }
        Ok(on_whole!(&mut self.whole, |db| {
            sqlx::query_as(LIST_FILES).bind(after).bind(FILES_AT_ONCE).fetch_all(db).await?
        }))
    }

    /// The name under which `pg_dump` reads the same snapshot, while this one lasts; `None` on SQLite.
    pub async fn export(&mut self) -> StoreResult<Option<String>> {
        let statement = EXPORT_SNAPSHOT.on(self.whole.dialect());
        let name: String = on_whole!(&mut self.whole, |db| sqlx::query_scalar(statement).fetch_one(db).await?);
        Ok(Some(name).filter(|name| !name.is_empty()))
    }

    /// Which database this is of.
    pub const fn dialect(&self) -> Dialect {
        self.whole.dialect()
    }

    /// Ends it.
    pub async fn close(self) -> StoreResult<()> {
        match self.whole {
            Whole::Sqlite(transaction) => transaction.rollback().await?,
            Whole::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }
}

impl Whole {
    pub(super) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) async fn take_any_time(&mut self) -> StoreResult<()> {
        for statement in [TAKE_ANY_TIME, MAY_WAIT] {
            let statement = statement.on(self.dialect());
            on_whole!(self, |db| sqlx::query(statement).execute(db).await.map(drop))?;
        }
        Ok(())
    }

    /// The last migration that the schema has.
    async fn version(&mut self) -> StoreResult<i64> {
        let applied: Vec<i64> = on_whole!(self, |db| sqlx::query_scalar(APPLIED).fetch_all(db).await?);
        Ok(applied.into_iter().max().unwrap_or(0))
    }

    pub(super) async fn read<T: From<Chunk>>(
        &mut self,
        table: &'static Table,
        version: i64,
        chunks: &mpsc::Sender<T>,
    ) -> StoreResult<u64> {
        let columns: Vec<&Column> = table.columns_at(version).collect();
        let mut total = 0;
        let empty = || Chunk { table: table.name, rows: 0, lines: Vec::new() };
        let mut chunk = empty();
        on_whole!(self, |db| {
            let mut rows = sqlx::query(AssertSqlSafe(table.select(version))).fetch(db);
            while let Some(row) = rows.try_next().await? {
                write_line(&row, &columns, &mut chunk.lines)?;
                (chunk.rows, total) = (chunk.rows + 1, total + 1);
                if chunk.lines.len() >= CHUNK_BYTES {
                    let full = std::mem::replace(&mut chunk, empty());
                    chunks.send(full.into()).await.map_err(|_| StoreError::Dropped)?;
                }
            }
        });
        if chunk.rows > 0 {
            chunks.send(chunk.into()).await.map_err(|_| StoreError::Dropped)?;
        }
        Ok(total)
    }
}

/// Writes a row as a line of JSON: the same for the same values, whichever database holds them.
fn write_line<R>(row: &R, columns: &[&Column], out: &mut Vec<u8>) -> Result<(), sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> Uuid: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
{
    for (place, column) in columns.iter().enumerate() {
        out.push(if place == 0 { b'[' } else { b',' });
        let written = match column.kind {
            Kind::Id => row.try_get::<Option<Uuid>, _>(place)?.map(|id| write_json(out, id.as_hyphenated())),
            Kind::Bytes => row.try_get::<Option<&[u8]>, _>(place)?.map(|bytes| {
                write_hex(bytes, out);
                Ok(())
            }),
            Kind::Text => row.try_get::<Option<&str>, _>(place)?.map(|text| write_json(out, text)),
            Kind::Int => row.try_get::<Option<i64>, _>(place)?.map(|number| write_json(out, &number)),
            Kind::Flag => row.try_get::<Option<bool>, _>(place)?.map(|flag| write_json(out, &flag)),
        };
        match written {
            Some(written) => written?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b"]\n");
    Ok(())
}

fn write_json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) -> Result<(), sqlx::Error> {
    serde_json::to_writer(out, value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in bytes {
        out.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
    }
    out.push(b'"');
}
