//! The refresh tokens of grants.

use uuid::Uuid;

use super::sessions::SpentRefresh;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::GrantId;

/// A refresh token with its grant and its owner's standing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GrantRefreshRecord {
    /// The grant that it belongs to.
    pub grant_id: Uuid,
    /// Who allowed the grant.
    pub user_id: Uuid,
    /// Whom.
    pub client_ref: Uuid,
    /// What was allowed, separated by blanks.
    pub scopes: String,
    /// Where, separated by blanks.
    pub resources: String,
    /// When the grant was made, in microseconds since the epoch.
    pub granted_at: i64,
    /// When the grant was used last, in microseconds since the epoch.
    pub last_used_at: i64,
    /// When the grant ends, in microseconds since the epoch.
    pub expires_at: i64,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// When the token was given, in microseconds since the epoch.
    pub created_at: i64,
    /// When it was used, in microseconds since the epoch.
    pub used_at: Option<i64>,
    /// What it was answered with, sealed.
    pub answer: Option<Vec<u8>>,
    /// When the token that replaced it was used.
    pub successor_used_at: Option<i64>,
}

/// `$1` hash, `$2` grant, `$3` now.
const INSERT_GRANT_REFRESH: Sql =
    Sql::same("INSERT INTO oauth_refresh_tokens (token_hash, grant_id, created_at) VALUES ($1, $2, $3)");
/// `$1` hash.
const FIND_GRANT_REFRESH: Sql = Sql::same(
    "SELECT t.grant_id, g.user_id, g.client_ref, g.scopes, g.resources, g.created_at AS granted_at, g.last_used_at,
            g.expires_at, u.role, u.status, t.created_at, t.used_at, t.answer,
            (SELECT n.used_at FROM oauth_refresh_tokens n WHERE n.token_hash = t.successor_hash) AS successor_used_at
       FROM oauth_refresh_tokens t JOIN oauth_grants g ON g.id = t.grant_id JOIN users u ON u.id = g.user_id
      WHERE t.token_hash = $1",
);
/// `$1` hash, `$2` now, `$3` successor, `$4` sealed answer. Of two at the same time one finds no row.
const SPEND_GRANT_REFRESH: Sql = Sql::same(
    "UPDATE oauth_refresh_tokens SET used_at = $2, successor_hash = $3, answer = $4
      WHERE token_hash = $1 AND used_at IS NULL",
);
/// `$1` grant, `$2` the hash whose answer stays. An answer is given again only until its successor is used.
const CLEAR_OLD_ANSWERS: Sql = Sql::same(
    "UPDATE oauth_refresh_tokens SET answer = NULL WHERE grant_id = $1 AND answer IS NOT NULL AND token_hash <> $2",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_GRANT_REFRESH", INSERT_GRANT_REFRESH),
    ("FIND_GRANT_REFRESH", FIND_GRANT_REFRESH),
    ("SPEND_GRANT_REFRESH", SPEND_GRANT_REFRESH),
    ("CLEAR_OLD_ANSWERS", CLEAR_OLD_ANSWERS),
];

impl Store {
    /// The refresh token with this hash.
    pub async fn find_grant_refresh(&self, hash: [u8; 32]) -> StoreResult<Option<GrantRefreshRecord>> {
        let sql = FIND_GRANT_REFRESH.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a refresh token to a grant.
    pub async fn insert_grant_refresh(&mut self, hash: [u8; 32], grant: GrantId, now: Timestamp) -> StoreResult<()> {
        let sql = INSERT_GRANT_REFRESH.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(hash.as_slice()).bind(grant.0).bind(now.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// The refresh token with this hash, as it is within this transaction.
    pub async fn find_grant_refresh(&mut self, hash: [u8; 32]) -> StoreResult<Option<GrantRefreshRecord>> {
        let sql = FIND_GRANT_REFRESH.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }

    /// Marks a refresh token as used, unless it is already; says whether this call did.
    pub async fn spend_grant_refresh(&mut self, grant: GrantId, spent: &SpentRefresh) -> StoreResult<bool> {
        let sql = SPEND_GRANT_REFRESH.on(self.dialect());
        let done = on_database!(self, |db| {
            sqlx::query(sql)
                .bind(spent.token_hash.as_slice())
                .bind(spent.now.as_micros())
                .bind(spent.successor_hash.as_slice())
                .bind(spent.answer.as_slice())
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        if done == 0 {
            return Ok(false);
        }
        let sql = CLEAR_OLD_ANSWERS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(grant.0).bind(spent.token_hash.as_slice()).execute(db).await.map(drop)
        })?;
        Ok(true)
    }
}
