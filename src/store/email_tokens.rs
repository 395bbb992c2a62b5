//! One-time secrets that were sent by e-mail.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A secret as stored: all but the secret.
#[derive(Clone, Debug)]
pub struct EmailTokenRecord {
    /// Its SHA-256.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user_id: UserId,
    /// `verify` or `reset`.
    pub purpose: &'static str,
    /// The address it was sent to, in lower case.
    pub email_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whom a secret is good for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EmailTokenHolder {
    /// Whose it is.
    pub user_id: Uuid,
    /// The address it was sent to, in lower case.
    pub email_key: String,
}

/// `$1` to `$6`: the columns in order.
const INSERT_EMAIL_TOKEN: Sql = Sql::same(
    "INSERT INTO email_tokens (token_hash, user_id, purpose, email_key, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6)",
);
/// `$1` hash, `$2` purpose, `$3` now.
const FIND_EMAIL_TOKEN: Sql =
    Sql::same("SELECT user_id, email_key FROM email_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3");
/// `$1` hash, `$2` purpose, `$3` now. Of two at the same time one finds no row.
const SPEND_EMAIL_TOKEN: Sql =
    Sql::same("DELETE FROM email_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3");
/// `$1` user, `$2` purpose, `$3` a moment.
const COUNT_EMAIL_TOKENS: Sql =
    Sql::same("SELECT count(*) FROM email_tokens WHERE user_id = $1 AND purpose = $2 AND created_at > $3");
/// `$1` user, `$2` purpose.
const DELETE_EMAIL_TOKENS: Sql = Sql::same("DELETE FROM email_tokens WHERE user_id = $1 AND purpose = $2");
/// `$1` now.
const DELETE_EXPIRED_EMAIL_TOKENS: Sql = Sql::same("DELETE FROM email_tokens WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_EMAIL_TOKEN", INSERT_EMAIL_TOKEN),
    ("FIND_EMAIL_TOKEN", FIND_EMAIL_TOKEN),
    ("SPEND_EMAIL_TOKEN", SPEND_EMAIL_TOKEN),
    ("COUNT_EMAIL_TOKENS", COUNT_EMAIL_TOKENS),
    ("DELETE_EMAIL_TOKENS", DELETE_EMAIL_TOKENS),
    ("DELETE_EXPIRED_EMAIL_TOKENS", DELETE_EXPIRED_EMAIL_TOKENS),
];

impl Store {
    /// Whom the secret with this hash is good for, if it is (still).
    pub async fn find_email_token(
        &self,
        hash: [u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> StoreResult<Option<EmailTokenHolder>> {
        let sql = FIND_EMAIL_TOKEN.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_as(sql).bind(hash.as_slice()).bind(purpose).bind(now.as_micros());
            query.fetch_optional(db).await
        })?)
    }
}

impl Tx<'_> {
    /// Adds a secret.
    pub async fn insert_email_token(&mut self, token: &EmailTokenRecord) -> StoreResult<()> {
        let sql = INSERT_EMAIL_TOKEN.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(token.token_hash.as_slice())
                .bind(token.user_id.0)
                .bind(token.purpose)
                .bind(&token.email_key)
                .bind(token.created_at.as_micros())
                .bind(token.expires_at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Uses a secret up; says whether it was good.
    pub async fn spend_email_token(&mut self, hash: [u8; 32], purpose: &str, now: Timestamp) -> StoreResult<bool> {
        let sql = SPEND_EMAIL_TOKEN.on(self.dialect());
        let spent = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hash.as_slice()).bind(purpose).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(spent > 0)
    }

    /// How many secrets for one purpose this user was sent after `since` and did not use.
    pub async fn count_email_tokens(&mut self, user: UserId, purpose: &str, since: Timestamp) -> StoreResult<i64> {
        let sql = COUNT_EMAIL_TOKENS.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query_scalar(sql).bind(user.0).bind(purpose).bind(since.as_micros()).fetch_one(db).await
        })?)
    }

    /// Forgets all of a user's secrets for one purpose.
    pub async fn delete_email_tokens(&mut self, user: UserId, purpose: &str) -> StoreResult<()> {
        let sql = DELETE_EMAIL_TOKENS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(user.0).bind(purpose).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Forgets the secrets whose time is over.
    pub async fn delete_expired_email_tokens(&mut self, now: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_EMAIL_TOKENS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
