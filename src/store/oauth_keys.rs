//! The signing keys of access tokens, sealed.

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;

/// A key as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRecord {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// What it signs with, as JWS calls it: `RS256`.
    pub alg: String,
    /// `next`, `active` or `retired`.
    pub state: String,
    /// The private key, sealed under the server's secret.
    pub sealed: Vec<u8>,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// When it began to sign, in microseconds since the epoch.
    pub activated_at: Option<i64>,
    /// When it signed no more, in microseconds since the epoch.
    pub retired_at: Option<i64>,
}

/// Oldest first; never more than a handful.
const LIST_KEYS: Sql = Sql::same(
    "SELECT kid, alg, state, sealed, created_at, activated_at, retired_at FROM oauth_keys ORDER BY created_at, kid",
);
/// `$1` to `$7`: the columns in order. Of two that are active, or next, the second is left out.
const INSERT_KEY: Sql = Sql::same(
    "INSERT INTO oauth_keys (kid, alg, state, sealed, created_at, activated_at, retired_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING",
);
/// `$1` name, `$2` now. Of two at the same time one finds no row.
const RETIRE_KEY: Sql =
    Sql::same("UPDATE oauth_keys SET state = 'retired', retired_at = $2 WHERE kid = $1 AND state = 'active'");
/// `$1` name, `$2` now. Of two at the same time one finds no row.
const ACTIVATE_KEY: Sql =
    Sql::same("UPDATE oauth_keys SET state = 'active', activated_at = $2 WHERE kid = $1 AND state = 'next'");
/// `$1` a moment.
const DELETE_RETIRED_KEYS: Sql = Sql::same("DELETE FROM oauth_keys WHERE state = 'retired' AND retired_at <= $1");
/// All of them.
const DELETE_KEYS: Sql = Sql::same("DELETE FROM oauth_keys");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_KEYS", LIST_KEYS),
    ("INSERT_KEY", INSERT_KEY),
    ("RETIRE_KEY", RETIRE_KEY),
    ("ACTIVATE_KEY", ACTIVATE_KEY),
    ("DELETE_RETIRED_KEYS", DELETE_RETIRED_KEYS),
    ("DELETE_KEYS", DELETE_KEYS),
];

impl Store {
    /// Every key, the oldest first.
    pub async fn list_keys(&self) -> StoreResult<Vec<KeyRecord>> {
        let sql = LIST_KEYS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).fetch_all(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a key, unless there is one of that name, or already one in the state `next` or `active`; says whether it did.
    pub async fn insert_key(&mut self, key: &KeyRecord) -> StoreResult<bool> {
        let sql = INSERT_KEY.on(self.dialect());
        let added = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(&key.kid).bind(&key.alg).bind(&key.state).bind(&key.sealed);
            let query = query.bind(key.created_at).bind(key.activated_at).bind(key.retired_at);
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(added > 0)
    }

    /// Lets the active key sign no more; says whether it did until now.
    pub async fn retire_key(&mut self, kid: &str, now: Timestamp) -> StoreResult<bool> {
        self.move_key(RETIRE_KEY, kid, now).await
    }

    /// Lets the next key sign; says whether it was the next one.
    pub async fn activate_key(&mut self, kid: &str, now: Timestamp) -> StoreResult<bool> {
        self.move_key(ACTIVATE_KEY, kid, now).await
    }

    async fn move_key(&mut self, sql: Sql, kid: &str, now: Timestamp) -> StoreResult<bool> {
        let sql = sql.on(self.dialect());
        let moved = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(kid).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(moved > 0)
    }

    /// Forgets the keys that were retired before a moment, or at it.
    pub async fn delete_retired_keys(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_RETIRED_KEYS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Forgets every key.
    pub async fn delete_keys(&mut self) -> StoreResult<()> {
        let sql = DELETE_KEYS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).execute(db).await.map(drop))?;
        Ok(())
    }
}
