//! What accompanies every change: the user's version, the undo token, the receipt for a retry.

use super::{Sql, Store, StoreError, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::tasks::change::Channel;
use crate::tasks::receipts::{Answer, RetryKey};

/// `$1` user. Locks the user's row until the end of the transaction, so that changes of one user come one by one.
const BUMP_DATA_VERSION: &str =
    "UPDATE users SET data_version = data_version + 1 WHERE id = $1 AND status = 'active' RETURNING data_version";

/// `$1` SHA-256 of the token, `$2` user, `$3` action, `$4` snapshot, `$5` now, `$6` expiry, `$7` channel, `$8` which of the
/// user's changes it is.
const INSERT_UNDO: &str = "
    INSERT INTO undo_tokens (token_hash, user_id, action, snapshot, created_at, expires_at, via, number)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
";

/// `$1` user, `$2` SHA-256 of the token.
const FIND_UNDO: &str = "
    SELECT token_hash, action, snapshot, expires_at, used_at FROM undo_tokens WHERE user_id = $1 AND token_hash = $2
";

/// `$1` user, `$2` a moment. The latest change since then that came through MCP and was not taken back; what takes changes
/// back is not counted.
const FIND_LATEST_UNDO: &str = "
    SELECT token_hash, action, snapshot, expires_at, used_at FROM undo_tokens
     WHERE user_id = $1 AND via = 'mcp' AND created_at >= $2 AND used_at IS NULL AND action <> 'change.undone'
     ORDER BY number DESC LIMIT 1
";

/// `$1` user, `$2` SHA-256 of the token, `$3` now.
const SPEND_UNDO: &str = "
    UPDATE undo_tokens SET used_at = $3 WHERE user_id = $1 AND token_hash = $2 AND used_at IS NULL
";

/// `$1` user, `$2` key, `$3` now.
const FIND_RECEIPT: &str =
    "SELECT fingerprint, answer FROM receipts WHERE user_id = $1 AND key = $2 AND expires_at > $3";

/// `$1` user, `$2` key, `$3` fingerprint, `$4` answer, `$5` now, `$6` expiry. An expired receipt gives way.
const INSERT_RECEIPT: &str = "
    INSERT INTO receipts (user_id, key, fingerprint, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at,
           expires_at = excluded.expires_at
";

/// `$1` now.
const DELETE_EXPIRED_UNDO: &str = "DELETE FROM undo_tokens WHERE expires_at <= $1";
/// `$1` now.
const DELETE_EXPIRED_RECEIPTS: &str = "DELETE FROM receipts WHERE expires_at <= $1";

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("BUMP_DATA_VERSION", Sql::same(BUMP_DATA_VERSION)),
    ("INSERT_UNDO", Sql::same(INSERT_UNDO)),
    ("FIND_UNDO", Sql::same(FIND_UNDO)),
    ("FIND_LATEST_UNDO", Sql::same(FIND_LATEST_UNDO)),
    ("SPEND_UNDO", Sql::same(SPEND_UNDO)),
    ("FIND_RECEIPT", Sql::same(FIND_RECEIPT)),
    ("INSERT_RECEIPT", Sql::same(INSERT_RECEIPT)),
    ("DELETE_EXPIRED_UNDO", Sql::same(DELETE_EXPIRED_UNDO)),
    ("DELETE_EXPIRED_RECEIPTS", Sql::same(DELETE_EXPIRED_RECEIPTS)),
];

/// An undo token as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UndoRow {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// What it would undo, such as `task.deleted`.
    pub action: String,
    /// What was there before, as JSON.
    pub snapshot: String,
    /// From when on it is too old, in microseconds.
    pub expires_at: i64,
    /// When it was used.
    pub used_at: Option<i64>,
}

/// An undo token to keep.
#[derive(Clone, Debug)]
pub struct NewUndo {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What it would undo.
    pub action: &'static str,
    /// What was there before, as JSON.
    pub snapshot: String,
    /// When it was made, and from when on it is too old.
    pub life: (Timestamp, Timestamp),
    /// How the change came, and which of the user's changes it is.
    pub origin: (Channel, i64),
}

fn receipt((fingerprint, answer): (Vec<u8>, String)) -> StoreResult<(Vec<u8>, Answer)> {
    let answer = serde_json::from_str(&answer).map_err(|_| StoreError::corrupt("answer", "a receipt"))?;
    Ok((fingerprint, answer))
}

impl Store {
    /// The answer that was given to this user's key before, with the fingerprint of the request.
    pub async fn find_receipt(
        &self,
        user: UserId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Vec<u8>, Answer)>> {
        let row: Option<(Vec<u8>, String)> = on_database!(self.reader, |db| {
            sqlx::query_as(FIND_RECEIPT).bind(user.0).bind(key).bind(now.as_micros()).fetch_optional(db).await?
        });
        row.map(receipt).transpose()
    }
}

impl Tx<'_> {
    /// Counts a change of the user's data and makes other changes of the same user wait; `None` when the user is gone.
    pub async fn bump_data_version(&mut self, user: UserId) -> StoreResult<Option<i64>> {
        Ok(on_database!(self, |db| sqlx::query_scalar(BUMP_DATA_VERSION).bind(user.0).fetch_optional(db).await?))
    }

    /// Keeps what a change replaced.
    pub async fn insert_undo(&mut self, user: UserId, undo: &NewUndo) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(INSERT_UNDO)
                .bind(&undo.token_hash[..])
                .bind(user.0)
                .bind(undo.action)
                .bind(&undo.snapshot)
                .bind(undo.life.0.as_micros())
                .bind(undo.life.1.as_micros())
                .bind(undo.origin.0.as_str())
                .bind(undo.origin.1)
                .execute(db)
                .await?;
        });
        Ok(())
    }

    /// The user's undo token, used or not.
    pub async fn find_undo(&mut self, user: UserId, token_hash: &[u8; 32]) -> StoreResult<Option<UndoRow>> {
        Ok(on_database!(self, |db| {
            sqlx::query_as(FIND_UNDO).bind(user.0).bind(&token_hash[..]).fetch_optional(db).await?
        }))
    }

    /// The undo token of the user's latest change since `since` that came through MCP and is still there to be undone.
    pub async fn find_latest_undo(&mut self, user: UserId, since: Timestamp) -> StoreResult<Option<UndoRow>> {
        Ok(on_database!(self, |db| {
            sqlx::query_as(FIND_LATEST_UNDO).bind(user.0).bind(since.as_micros()).fetch_optional(db).await?
        }))
    }

    /// Marks an undo token as used.
    pub async fn spend_undo(&mut self, user: UserId, token_hash: &[u8], now: Timestamp) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(SPEND_UNDO).bind(user.0).bind(token_hash).bind(now.as_micros()).execute(db).await?;
        });
        Ok(())
    }

    /// The answer that was given to this user's key before, with the fingerprint of the request.
    pub async fn find_receipt(
        &mut self,
        user: UserId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<(Vec<u8>, Answer)>> {
        let row: Option<(Vec<u8>, String)> = on_database!(self, |db| {
            sqlx::query_as(FIND_RECEIPT).bind(user.0).bind(key).bind(now.as_micros()).fetch_optional(db).await?
        });
        row.map(receipt).transpose()
    }

    /// Keeps an answer for retries.
    pub async fn insert_receipt(
        &mut self,
        user: UserId,
        retry: &RetryKey,
        answer: &Answer,
        life: (Timestamp, Timestamp),
    ) -> StoreResult<()> {
        let answer = serde_json::json!(answer).to_string();
        on_database!(self, |db| {
            sqlx::query(INSERT_RECEIPT)
                .bind(user.0)
                .bind(&retry.key)
                .bind(&retry.fingerprint[..])
                .bind(answer)
                .bind(life.0.as_micros())
                .bind(life.1.as_micros())
                .execute(db)
                .await?;
        });
        Ok(())
    }
}

impl Tx<'_> {
    /// Forgets undo tokens that had expired by `then`.
    pub async fn delete_expired_undo(&mut self, then: Timestamp) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(DELETE_EXPIRED_UNDO).bind(then.as_micros()).execute(db).await?;
        });
        Ok(())
    }

    /// Forgets receipts that have expired.
    pub async fn delete_expired_receipts(&mut self, now: Timestamp) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(DELETE_EXPIRED_RECEIPTS).bind(now.as_micros()).execute(db).await?;
        });
        Ok(())
    }
}
