//! Personal access tokens.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{TokenId, UserId};

/// A personal access token as stored: all but the token.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TokenRecord {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Separated by blanks.
    pub scopes: String,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
    /// Microseconds since the epoch.
    pub last_used_at: Option<i64>,
    /// Microseconds since the epoch.
    pub created_at: i64,
}

/// `$1` to `$8`: the columns in order.
const INSERT_TOKEN: Sql = Sql::same(
    "INSERT INTO personal_tokens (id, user_id, name, token_hash, scopes, expires_at, last_used_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
/// `$1` user, `$2` and `$3` the last row that was seen, `$4` how many. Newest first.
const LIST_TOKENS: Sql = Sql::same(
    "SELECT id, user_id, name, token_hash, scopes, expires_at, last_used_at, created_at FROM personal_tokens
      WHERE user_id = $1 AND (created_at, id) < ($2, $3)
      ORDER BY created_at DESC, id DESC
      LIMIT $4",
);
/// `$1` user.
const COUNT_TOKENS: Sql = Sql::same("SELECT count(*) FROM personal_tokens WHERE user_id = $1");
/// `$1` token, `$2` user.
const DELETE_TOKEN: Sql = Sql::same("DELETE FROM personal_tokens WHERE id = $1 AND user_id = $2");
/// `$1` token, `$2` user, `$3` now. Never back in time.
const TOUCH_TOKEN: Sql = Sql::same(
    "UPDATE personal_tokens SET last_used_at = $3
      WHERE id = $1 AND user_id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_TOKEN", INSERT_TOKEN),
    ("LIST_TOKENS", LIST_TOKENS),
    ("COUNT_TOKENS", COUNT_TOKENS),
    ("DELETE_TOKEN", DELETE_TOKEN),
    ("TOUCH_TOKEN", TOUCH_TOKEN),
];

impl Store {
    /// A user's tokens, newest first.
    pub async fn list_tokens(&self, user: UserId, slice: Slice) -> StoreResult<Vec<TokenRecord>> {
        let sql = LIST_TOKENS.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many tokens a user has.
    pub async fn count_tokens(&self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_TOKENS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a token.
    pub async fn insert_token(&mut self, token: &TokenRecord) -> StoreResult<()> {
        let sql = INSERT_TOKEN.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(token.id)
                .bind(token.user_id)
                .bind(&token.name)
                .bind(&token.token_hash)
                .bind(&token.scopes)
                .bind(token.expires_at)
                .bind(token.last_used_at)
                .bind(token.created_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Removes a token of this user; says whether there was one.
    pub async fn delete_token(&mut self, id: TokenId, user: UserId) -> StoreResult<bool> {
        let sql = DELETE_TOKEN.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Notes that a token was used; says whether it still exists and was not noted later.
    pub async fn touch_token(&mut self, id: TokenId, user: UserId, now: Timestamp) -> StoreResult<bool> {
        let sql = TOUCH_TOKEN.on(self.dialect());
        let touched = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(id.0).bind(user.0).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(touched > 0)
    }
}
