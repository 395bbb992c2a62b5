//! A database for a moment, to try something in.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use super::{PoolLimits, Store, StoreError, StoreResult};

/// A schema of a PostgreSQL database that is nobody else's, until it is removed.
#[derive(Debug)]
pub struct ScratchSchema {
    url: String,
    name: String,
}

impl ScratchSchema {
    /// Makes an empty schema in the database that `url` names, which stays as it is otherwise.
    pub async fn make(url: &str) -> StoreResult<Self> {
        let name = format!("mindflow_verify_{}", Uuid::now_v7().simple());
        let schema = Self { url: url.to_owned(), name };
        schema.run(format!("CREATE SCHEMA {}", schema.name)).await?;
        Ok(schema)
    }

    /// A store in which this schema is the only one.
    pub async fn store(&self, limits: &PoolLimits) -> StoreResult<Store> {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        Store::connect(&format!("{}{separator}options[search_path]={}", self.url, self.name), limits).await
    }

    /// Removes it with everything in it.
    pub async fn remove(self) -> StoreResult<()> {
        self.run(format!("DROP SCHEMA {} CASCADE", self.name)).await
    }

    async fn run(&self, statement: String) -> StoreResult<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}

impl Store {
    /// Whether a URL names a file of SQLite.
    pub fn is_sqlite(url: &str) -> bool {
        url.starts_with("sqlite:")
    }

    /// A new SQLite file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot be made.
    pub async fn scratch_file(path: &Path) -> Result<Self, StoreError> {
        Self::connect_file(path, &PoolLimits { connections: 1, ..PoolLimits::default() }).await
    }
}
