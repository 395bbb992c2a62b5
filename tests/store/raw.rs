//! A look at the database past the store, as an operator's own tool would take it.

use mindflow::store::Sql;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::support::databases::{Db, TestDatabase};

pub(crate) enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Writes a body once for both pools.
macro_rules! on_pool {
    ($raw:expr, |$pool:ident| $body:expr) => {
        match $raw {
            $crate::raw::Raw::Sqlite($pool) => $body,
            $crate::raw::Raw::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on_pool;

impl Raw {
    pub(crate) async fn open(db: &TestDatabase) -> Self {
        match db.kind {
            Db::Sqlite => Self::Sqlite(SqlitePool::connect(db.url()).await.unwrap()),
            Db::Postgres => Self::Postgres(PgPool::connect(db.url()).await.unwrap()),
        }
    }

    #[track_caller]
    pub(crate) fn run(&self, statement: &str) -> impl Future<Output = u64> {
        let caller = std::panic::Location::caller();
        let statement = statement.to_owned();
        async move {
            let done = on_pool!(self, |pool| sqlx::query(AssertSqlSafe(statement.as_str()))
                .execute(pool)
                .await
                .map(|done| done.rows_affected()));
            done.unwrap_or_else(|error| panic!("{caller}: {error}\n{statement}"))
        }
    }

    pub(crate) async fn number(&self, statement: &str) -> i64 {
        on_pool!(self, |pool| sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await.unwrap())
    }

    pub(crate) async fn texts(&self, sqlite: &'static str, postgres: &'static str) -> Vec<String> {
        let sql = Sql { sqlite, postgres };
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql.sqlite).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql.postgres).fetch_all(pool).await.unwrap(),
        }
    }

    /// Every table, the record of migrations aside.
    pub(crate) async fn tables(&self) -> Vec<String> {
        self.texts(
            r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
                 AND name <> '_sqlx_migrations' ORDER BY name",
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'
              ORDER BY tablename",
        )
        .await
    }

    /// Everything there is, with how it was made.
    pub(crate) async fn schema(&self) -> Vec<String> {
        self.texts(
            "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY type, name",
            "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
               FROM information_schema.columns WHERE table_schema = 'public'
              UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
              UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                         WHERE connamespace = 'public'::regnamespace
              ORDER BY 1",
        )
        .await
    }
}
