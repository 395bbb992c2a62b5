//! The whole database, written in one transaction: whatever was there goes, and what comes is there whole or not at all.

use sqlx::AssertSqlSafe;
use sqlx::migrate::MigrateError;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::dump::{Chunk, Whole, on_whole};
use super::migrations::{MigrationError, POSTGRES, SEARCH_WORDS, SQLITE, TASKS};
use super::tables::{TABLES, Table, kept_at};
use super::{Pools, Sql, Store, StoreError, StoreResult, Tx};

/// How long a server that is in the way is waited for.
const WAIT_FOR_LOCKS: Sql = Sql {
    // SQLite waits as its connection says.
    sqlite: "SELECT 1",
    postgres: "SET LOCAL lock_timeout = '15s'",
};
/// The foreign keys: of which table, how they are called, what they say, each as it is written in a statement.
const FOREIGN_KEYS: Sql = Sql {
    // SQLite is told not to look at them until the end.
    sqlite: "SELECT '', '', '' WHERE false",
    postgres: "
        SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
         WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
         ORDER BY 1, 2
    ",
};
/// Has to be said outside of transactions.
const FORGET_KEYS: Sql = Sql {
    sqlite: "PRAGMA foreign_keys = off",
    // There they are taken away and made again.
    postgres: "SELECT 1",
};
const MIND_KEYS: Sql = Sql { sqlite: "PRAGMA foreign_keys = on", postgres: "SELECT 1" };
/// The tables with a row that refers to none.
const DANGLING: Sql = Sql {
    sqlite: r#"SELECT DISTINCT "table" FROM pragma_foreign_key_check"#,
    // There, making the keys again shows it.
    postgres: "SELECT '' WHERE false",
};

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("WAIT_FOR_LOCKS", WAIT_FOR_LOCKS),
    ("FOREIGN_KEYS", FOREIGN_KEYS),
    ("FORGET_KEYS", FORGET_KEYS),
    ("MIND_KEYS", MIND_KEYS),
    ("DANGLING", DANGLING),
];

/// A foreign key, as it is written in statements.
#[derive(sqlx::FromRow)]
struct ForeignKey(String, String, String);

/// Everything anew, under way: nobody sees any of it before [`Self::keep`], and dropping it leaves all as it was.
pub struct Loading {
    whole: Whole,
    store: Store,
    version: i64,
    keys: Vec<ForeignKey>,
}

impl Store {
    /// The tables that hold what people or operators brought, if any do; what a first start makes does not count.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Unrecorded`] when the tables are another program's, [`MigrationError::Newer`] when they are of a
    /// newer one.
    pub async fn occupied(&self) -> Result<Vec<&'static str>, MigrationError> {
        let applied = self.known_applied().await?;
        let Some(version) = applied.into_iter().max() else {
            return if self.is_unrecorded().await? { Err(MigrationError::Unrecorded) } else { Ok(Vec::new()) };
        };
        let mut found = Vec::new();
        for table in kept_at(version).filter(|table| !table.fresh) {
            let statement = AssertSqlSafe(table.any());
            let any: bool = super::on_database!(self.reader, |db| sqlx::query_scalar(statement).fetch_one(db).await)
                .map_err(StoreError::from)?;
            if any {
                found.push(table.name);
            }
        }
        Ok(found)
    }

    /// Begins to replace everything: all is taken away, and the schema made as it was after the migration `version`.
    pub async fn load(&self, version: i64) -> Result<Loading, MigrationError> {
        // Tables of another program stay as they are.
        self.occupied().await?;
        let mut whole = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let pool = writer.pool();
                sqlx::query(FORGET_KEYS.sqlite).execute(pool).await.map_err(StoreError::from)?;
                Whole::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::from)?)
            }
            Pools::Postgres(pool) => Whole::Postgres(pool.begin().await.map_err(StoreError::from)?),
        };
        whole.take_any_time().await?;
        let wait = WAIT_FOR_LOCKS.on(whole.dialect());
        on_whole!(&mut whole, |db| sqlx::query(wait).execute(db).await.map(drop)).map_err(StoreError::from)?;
        whole.migrate(Way::Down).await.map_err(|error| self.explain(error))?;
        whole.migrate(Way::UpTo(version)).await.map_err(|error| self.explain(error))?;
        let keys = whole.take_keys_away().await?;
        Ok(Loading { whole, store: self.clone(), version, keys })
    }
}

impl Loading {
    /// Writes rows, as [`super::dump::Snapshot::read`] gives them.
    pub async fn insert(&mut self, table: &'static Table, lines: &[u8]) -> StoreResult<()> {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        let mut list = Vec::with_capacity(lines.len() + 2);
        list.push(b'[');
        list.extend(lines.iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }));
        list.push(b']');
        let list = String::from_utf8(list).map_err(|_| StoreError::corrupt("row", table.name))?;
        let statement = AssertSqlSafe(table.insert(self.version, self.whole.dialect()));
        on_whole!(&mut self.whole, |db| sqlx::query(statement).bind(list).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Reads what was written, as [`super::dump::Snapshot::read`] does.
    pub async fn read<T: From<Chunk>>(&mut self, table: &'static Table, chunks: &mpsc::Sender<T>) -> StoreResult<u64> {
        self.whole.read(table, self.version, chunks).await
    }

    /// Completes it and keeps it: references are checked, and the schema brought up to this program's.
    pub async fn keep(mut self) -> Result<(), MigrationError> {
        self.count_on().await?;
        self.whole.bring_keys_back(&self.keys).await?;
        if self.version >= TASKS && self.version < SEARCH_WORDS {
            self.whole.fold_words().await?;
        }
        self.whole.migrate(Way::Up).await.map_err(|error| self.store.explain(error))?;
        match self.whole {
            Whole::Sqlite(transaction) => transaction.commit().await.map_err(StoreError::from)?,
            Whole::Postgres(transaction) => transaction.commit().await.map_err(StoreError::from)?,
        }
        if let Pools::Sqlite { writer, .. } = &self.store.pools {
            sqlx::query(MIND_KEYS.sqlite).execute(writer.pool()).await.map_err(StoreError::from)?;
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn give_up(self) -> StoreResult<()> {
        match self.whole {
            Whole::Sqlite(transaction) => transaction.rollback().await?,
            Whole::Postgres(transaction) => transaction.rollback().await?,
        }
        if let Pools::Sqlite { writer, .. } = &self.store.pools {
            sqlx::query(MIND_KEYS.sqlite).execute(writer.pool()).await?;
        }
        Ok(())
    }

    /// Lets sequences go on after the last number; SQLite's do so by themselves.
    async fn count_on(&mut self) -> StoreResult<()> {
        let Whole::Postgres(transaction) = &mut self.whole else { return Ok(()) };
        for statement in TABLES.iter().filter(|table| table.is_at(self.version)).filter_map(Table::count_on) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut **transaction).await?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Way {
    Down,
    UpTo(i64),
    Up,
}

impl Whole {
    /// Runs migrations inside of the transaction.
    async fn migrate(&mut self, way: Way) -> Result<(), MigrateError> {
        let migrator = match self {
            Self::Sqlite(_) => &SQLITE,
            Self::Postgres(_) => &POSTGRES,
        };
        on_whole!(self, |db| match way {
            Way::Down => migrator.undo(&mut *db, 0).await,
            Way::UpTo(version) => migrator.run_to(version, &mut *db).await,
            Way::Up => migrator.run(&mut *db).await,
        })
    }

    /// Rows come in the order of the archive, where one may refer to a later one.
    async fn take_keys_away(&mut self) -> StoreResult<Vec<ForeignKey>> {
        let statement = FOREIGN_KEYS.on(self.dialect());
        let keys: Vec<ForeignKey> = on_whole!(self, |db| sqlx::query_as(statement).fetch_all(db).await?);
        for ForeignKey(table, name, _) in &keys {
            let statement = AssertSqlSafe(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
            on_whole!(self, |db| sqlx::query(statement).execute(db).await.map(drop))?;
        }
        Ok(keys)
    }

    async fn bring_keys_back(&mut self, keys: &[ForeignKey]) -> StoreResult<()> {
        for ForeignKey(table, name, says) in keys {
            let statement = AssertSqlSafe(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {says}"));
            on_whole!(self, |db| sqlx::query(statement).execute(db).await.map(drop))?;
        }
        let statement = DANGLING.on(self.dialect());
        let dangling: Vec<String> = on_whole!(self, |db| sqlx::query_scalar(statement).fetch_all(db).await?);
        match dangling.into_iter().next() {
            Some(table) => Err(StoreError::corrupt("reference of", table)),
            None => Ok(()),
        }
    }

    /// What the migration that is recorded next stands for.
    async fn fold_words(&mut self) -> StoreResult<()> {
        let mut after = Some(Uuid::nil());
        while let Some(place) = after {
            after = match self {
                Self::Sqlite(transaction) => Tx::Sqlite(transaction).fold_words_after(place).await?,
                Self::Postgres(transaction) => Tx::Postgres(transaction).fold_words_after(place).await?,
            };
        }
        Ok(())
    }
}

/// Every statement that is made from the list of tables, by table, for the test that prepares them.
pub fn generated(store: &Store, version: i64) -> Vec<(&'static str, String)> {
    let kept = TABLES.iter().filter(|table| table.is_at(version));
    kept.flat_map(|table| {
        let all = [Some(table.select(version)), Some(table.any()), Some(table.insert(version, store.dialect()))];
        all.into_iter().flatten().map(|statement| (table.name, statement))
    })
    .collect()
}
