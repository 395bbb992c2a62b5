//! Reversible migrations, embedded in the binary: the same numbers and names for both databases.

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};

use super::{PoolLimits, Pools, Store, StoreError, StoreResult};

pub(super) static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The migration that made the table of tasks.
pub(super) const TASKS: i64 = 2;
/// The migration that stands for words folded as they are now; no SQL could fold them.
pub(super) const SEARCH_WORDS: i64 = 4;

/// Where sqlx keeps which migrations were applied.
const HISTORY: &str = "_sqlx_migrations";

/// Why the schema could not be brought to a state.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A newer program has used this database.
    #[error("the database is newer than this program: it has migration {found}, and this program knows up to {known}")]
    Newer {
        /// The migration that the database has.
        found: i64,
        /// The last one that the program has.
        known: i64,
    },
    /// The schema lacks migrations, and nobody allowed this program to apply them.
    #[error(
        "the schema lacks migration {0}, and `storage.migrate_on_start` is false; `mindflow migrate up` applies what is \
         missing"
    )]
    Lacking(i64),
    /// An applied migration's text is not the one that the program has.
    #[error("migration {0} was applied with another text than this program has")]
    Altered(i64),
    /// There are tables, but no record of how they came to be.
    #[error("the database has tables but no record of migrations; `mindflow migrate adopt` takes over a matching one")]
    Unrecorded,
    /// The tables differ from what the migrations make.
    #[error("the database cannot be adopted: {0}")]
    Different(String),
    /// The target of `down` does not exist.
    #[error("there is no migration {0}")]
    NoSuchMigration(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A migration failed; it was rolled back, and the schema is as it was before it.
    #[error("the migration failed and was rolled back")]
    Failed(#[source] MigrateError),
}

/// One migration and whether it is applied.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// What to do with the schema.
#[derive(Clone, Copy)]
enum Way {
    Up,
    DownTo(i64),
    Record,
}

/// Runs migrations on a connection that is closed when they fail: PostgreSQL's lock for migrations belongs to it, and in
/// the pool it would keep everybody from trying again.
macro_rules! carry_out {
    ($migrator:ident, $pool:expr, $way:expr, $prepare:expr, $restore:expr) => {{
        let mut connection = $pool.acquire().await?;
        sqlx::query($prepare).execute(&mut *connection).await?;
        let done = match $way {
            Way::Up => $migrator.run(&mut *connection).await,
            Way::DownTo(target) => $migrator.undo(&mut *connection, target).await,
            Way::Record => $migrator.skip(&mut *connection, None).await,
        };
        if done.is_err() {
            // Whether it closes well does not matter any more.
            let _ = connection.close().await;
        } else {
            sqlx::query($restore).execute(&mut *connection).await?;
        }
        done
    }};
}

impl Store {
    /// Applies every migration that is missing; returns how many were.
    pub async fn migrate_up(&self) -> Result<usize, MigrationError> {
        // The tables first: another server that migrates just now has then recorded whatever is seen of its work.
        let has_tables = self.tables().await?.iter().any(|table| table != HISTORY);
        let applied = self.known_applied().await?;
        let before = applied.len();
        if before == 0 && has_tables {
            return Err(MigrationError::Unrecorded);
        }
        // Before it is recorded, so that a start that is cut short does it again.
        if applied.contains(&TASKS) && !applied.contains(&SEARCH_WORDS) {
            self.fold_words_anew().await?;
        }
        let mut seen = before;
        loop {
            let Err(error) = self.carry_out(Way::Up).await else { return Ok(ups(self.migrator()).count() - before) };
            // SQLite has no lock for migrations. Whoever comes second fails, and finds the rest done or still to do.
            let now = self.known_applied().await?.len();
            if now <= seen {
                return Err(self.explain(error));
            }
            seen = now;
        }
    }

    /// Looks whether the database has every migration of this program, and changes nothing.
    ///
    /// Returns the migrations that it has beyond those: a newer program made them, so that they work under this one.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Lacking`] names the first that is missing.
    pub async fn expect_schema(&self) -> Result<Vec<i64>, MigrationError> {
        let mut applied = self.applied().await?;
        let lacking = ups(self.migrator()).map(|migration| migration.version).find(|known| !applied.contains(known));
        if let Some(version) = lacking {
            return Err(MigrationError::Lacking(version));
        }
        let known = last_known(self.migrator());
        applied.retain(|version| *version > known);
        Ok(applied)
    }

    /// Takes back every migration above `target` (0: all of them), newest first.
    pub async fn migrate_down(&self, target: i64) -> Result<(), MigrationError> {
        if target != 0 && !self.migrator().version_exists(target) {
            return Err(MigrationError::NoSuchMigration(target));
        }
        self.known_applied().await?;
        self.carry_out(Way::DownTo(target)).await.map_err(|error| self.explain(error))
    }

    /// Every migration of this program and whether the database has it.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, MigrationError> {
        let applied = self.known_applied().await?;
        let status = ups(self.migrator()).map(|migration| MigrationStatus {
            version: migration.version,
            name: migration.description.replace(' ', "_"),
            applied: applied.contains(&migration.version),
        });
        Ok(status.collect())
    }

    /// Records every migration as applied on a database that has the schema but no record of how it came to be.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Different`] when a table or column is missing; nothing is recorded then.
    pub async fn adopt(&self) -> Result<(), MigrationError> {
        if !self.known_applied().await?.is_empty() {
            return Ok(());
        }
        let scratch = Self::connect("sqlite::memory:", &PoolLimits { connections: 1, ..PoolLimits::default() }).await?;
        scratch.migrate_up().await.map_err(|error| MigrationError::Different(error.to_string()))?;
        let found = self.columns().await?;
        let expected = scratch.columns().await?;
        let lacking = expected.iter().filter(|column| self.must_have(column) && !found.contains(column));
        let lacking = lacking.map(String::as_str).collect::<Vec<_>>().join(", ");
        if !lacking.is_empty() {
            return Err(MigrationError::Different(format!("it lacks {lacking}")));
        }
        self.fold_words_anew().await?;
        self.carry_out(Way::Record).await.map_err(|error| self.explain(error))
    }

    async fn carry_out(&self, way: Way) -> Result<(), MigrateError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => carry_out!(SQLITE, writer.pool(), way, NOTHING, NOTHING),
            Pools::Postgres(pool) => carry_out!(POSTGRES, pool, way, TAKE_YOUR_TIME, AS_BEFORE),
        }
    }

    /// Every `table.column` of the schema, the record of migrations aside.
    pub async fn columns(&self) -> StoreResult<Vec<String>> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => sqlx::query_scalar(SQLITE_COLUMNS).fetch_all(writer.pool()).await?,
            Pools::Postgres(pool) => sqlx::query_scalar(POSTGRES_COLUMNS).fetch_all(pool).await?,
        })
    }

    /// What only SQLite has (its row numbers and search tables) is not asked of PostgreSQL.
    fn must_have(&self, column: &str) -> bool {
        let sqlite_only = column.starts_with("tasks_search") || column == "tasks.seq";
        !(sqlite_only && matches!(self.pools, Pools::Postgres(_)))
    }

    const fn migrator(&self) -> &'static Migrator {
        match &self.pools {
            Pools::Sqlite { .. } => &SQLITE,
            Pools::Postgres(_) => &POSTGRES,
        }
    }

    /// The applied migrations; an error when one of them is unknown to this program.
    pub(super) async fn known_applied(&self) -> Result<Vec<i64>, MigrationError> {
        let applied = self.applied().await?;
        let known = last_known(self.migrator());
        match applied.iter().find(|version| **version > known) {
            Some(found) => Err(MigrationError::Newer { found: *found, known }),
            None => Ok(applied),
        }
    }

    async fn applied(&self) -> StoreResult<Vec<i64>> {
        if !self.tables().await?.iter().any(|table| table == HISTORY) {
            return Ok(Vec::new());
        }
        let applied = match &self.pools {
            Pools::Sqlite { writer, .. } => writer.pool().acquire().await?.list_applied_migrations(HISTORY).await,
            Pools::Postgres(pool) => pool.acquire().await?.list_applied_migrations(HISTORY).await,
        };
        let applied = applied.map_err(|error| StoreError::Statement(sqlx::Error::Migrate(Box::new(error))))?;
        Ok(applied.into_iter().map(|migration| migration.version).collect())
    }

    /// Whether there are tables that this program has no record of.
    pub(super) async fn is_unrecorded(&self) -> StoreResult<bool> {
        Ok(self.tables().await?.iter().any(|table| table != HISTORY))
    }

    async fn tables(&self) -> StoreResult<Vec<String>> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => sqlx::query_scalar(SQLITE_TABLES).fetch_all(writer.pool()).await?,
            Pools::Postgres(pool) => sqlx::query_scalar(POSTGRES_TABLES).fetch_all(pool).await?,
        })
    }

    pub(super) fn explain(&self, error: MigrateError) -> MigrationError {
        match error {
            MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
                MigrationError::Newer { found, known: last_known(self.migrator()) }
            }
            MigrateError::VersionMismatch(version) => MigrationError::Altered(version),
            MigrateError::Execute(error) => StoreError::from(error).into(),
            other => MigrationError::Failed(other),
        }
    }
}

/// The last migration that this program has; both databases have the same.
pub fn newest() -> i64 {
    last_known(&SQLITE)
}

fn ups(migrator: &'static Migrator) -> impl Iterator<Item = &'static Migration> {
    migrator.iter().filter(|migration| migration.migration_type.is_up_migration())
}

fn last_known(migrator: &'static Migrator) -> i64 {
    ups(migrator).map(|migration| migration.version).max().unwrap_or(0)
}

/// A migration may rebuild large tables, which the limit of other statements must not end.
const TAKE_YOUR_TIME: &str = "SET statement_timeout = 0";
const AS_BEFORE: &str = "RESET statement_timeout";
const NOTHING: &str = "SELECT 1";
const SQLITE_TABLES: &str = r"
    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
";
const POSTGRES_TABLES: &str = "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = current_schema()";
const SQLITE_COLUMNS: &str = r"
    SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name <> '_sqlx_migrations'
     ORDER BY 1
";
const POSTGRES_COLUMNS: &str = "
    SELECT table_name::text || '.' || column_name::text FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
     ORDER BY 1
";
