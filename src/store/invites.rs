//! One-time codes to register with.

use super::{Sql, StoreResult, Tx, on_database};
use crate::clock::Timestamp;

/// `$1` hash, `$2` now, `$3` end.
const INSERT_INVITE: Sql = Sql::same("INSERT INTO invites (code_hash, created_at, expires_at) VALUES ($1, $2, $3)");
/// `$1` hash, `$2` now. Of two at the same time one finds no row.
const SPEND_INVITE: Sql = Sql::same("DELETE FROM invites WHERE code_hash = $1 AND expires_at > $2");
/// `$1` now.
const DELETE_EXPIRED_INVITES: Sql = Sql::same("DELETE FROM invites WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_INVITE", INSERT_INVITE),
    ("SPEND_INVITE", SPEND_INVITE),
    ("DELETE_EXPIRED_INVITES", DELETE_EXPIRED_INVITES),
];

impl Tx<'_> {
    /// Adds a code that is good until `expires_at`.
    pub async fn insert_invite(&mut self, hash: [u8; 32], now: Timestamp, expires_at: Timestamp) -> StoreResult<()> {
        let sql = INSERT_INVITE.on(self.dialect());
        on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hash.as_slice()).bind(now.as_micros()).bind(expires_at.as_micros());
            query.execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Uses a code up; says whether it was good.
    pub async fn spend_invite(&mut self, hash: [u8; 32], now: Timestamp) -> StoreResult<bool> {
        let sql = SPEND_INVITE.on(self.dialect());
        let spent = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hash.as_slice()).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(spent > 0)
    }

    /// Forgets the codes whose time is over.
    pub async fn delete_expired_invites(&mut self, now: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_INVITES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
