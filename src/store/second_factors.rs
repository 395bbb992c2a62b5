//! Second factors: the secrets of one-time passwords, and recovery codes.

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A second factor as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SecondFactorRecord {
    /// The shared secret, sealed.
    pub sealed_secret: Vec<u8>,
    /// When a first code was right, in microseconds since the epoch; `None` until then.
    pub confirmed_at: Option<i64>,
    /// The newest time step that was used.
    pub last_step: Option<i64>,
}

/// `$1` user, `$2` sealed secret, `$3` now. One that is confirmed stays as it is.
const BEGIN_SECOND_FACTOR: Sql = Sql::same(
    "INSERT INTO second_factors (user_id, sealed_secret, created_at) VALUES ($1, $2, $3)
     ON CONFLICT (user_id) DO UPDATE
        SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = NULL
      WHERE second_factors.confirmed_at IS NULL",
);
/// `$1` user.
const FIND_SECOND_FACTOR: Sql =
    Sql::same("SELECT sealed_secret, confirmed_at, last_step FROM second_factors WHERE user_id = $1");
/// `$1` user, `$2` now.
const CONFIRM_SECOND_FACTOR: Sql =
    Sql::same("UPDATE second_factors SET confirmed_at = $2 WHERE user_id = $1 AND confirmed_at IS NULL");
/// `$1` user, `$2` step. Of two with the same step one finds no row.
const SPEND_STEP: Sql =
    Sql::same("UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND (last_step IS NULL OR last_step < $2)");
/// `$1` user.
const DELETE_SECOND_FACTOR: Sql = Sql::same("DELETE FROM second_factors WHERE user_id = $1");
/// `$1` user, `$2` hash.
const INSERT_RECOVERY_CODE: Sql = Sql::same("INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)");
/// `$1` user, `$2` hash, `$3` now. Of two at the same time one finds no row.
const SPEND_RECOVERY_CODE: Sql =
    Sql::same("UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL");
/// `$1` user.
const COUNT_RECOVERY_CODES: Sql =
    Sql::same("SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL");
/// `$1` user.
const DELETE_RECOVERY_CODES: Sql = Sql::same("DELETE FROM recovery_codes WHERE user_id = $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("BEGIN_SECOND_FACTOR", BEGIN_SECOND_FACTOR),
    ("FIND_SECOND_FACTOR", FIND_SECOND_FACTOR),
    ("CONFIRM_SECOND_FACTOR", CONFIRM_SECOND_FACTOR),
    ("SPEND_STEP", SPEND_STEP),
    ("DELETE_SECOND_FACTOR", DELETE_SECOND_FACTOR),
    ("INSERT_RECOVERY_CODE", INSERT_RECOVERY_CODE),
    ("SPEND_RECOVERY_CODE", SPEND_RECOVERY_CODE),
    ("COUNT_RECOVERY_CODES", COUNT_RECOVERY_CODES),
    ("DELETE_RECOVERY_CODES", DELETE_RECOVERY_CODES),
];

impl Store {
    /// This user's second factor.
    pub async fn find_second_factor(&self, user: UserId) -> StoreResult<Option<SecondFactorRecord>> {
        let sql = FIND_SECOND_FACTOR.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(user.0).fetch_optional(db).await)?)
    }

    /// How many unused recovery codes this user has.
    pub async fn count_recovery_codes(&self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_RECOVERY_CODES.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Keeps a secret that is to be confirmed; says whether there was room: a confirmed one stays.
    pub async fn begin_second_factor(&mut self, user: UserId, sealed: &[u8], now: Timestamp) -> StoreResult<bool> {
        let sql = BEGIN_SECOND_FACTOR.on(self.dialect());
        let begun = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(user.0).bind(sealed).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(begun > 0)
    }

    /// This user's second factor, as it is within this transaction.
    pub async fn find_second_factor(&mut self, user: UserId) -> StoreResult<Option<SecondFactorRecord>> {
        let sql = FIND_SECOND_FACTOR.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(user.0).fetch_optional(db).await)?)
    }

    /// Puts the factor in force; says whether this call did.
    pub async fn confirm_second_factor(&mut self, user: UserId, now: Timestamp) -> StoreResult<bool> {
        let sql = CONFIRM_SECOND_FACTOR.on(self.dialect());
        let confirmed = on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(now.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(confirmed > 0)
    }

    /// Uses a time step up; says whether neither it nor a later one was used before.
    pub async fn spend_step(&mut self, user: UserId, step: i64) -> StoreResult<bool> {
        let sql = SPEND_STEP.on(self.dialect());
        let spent = on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(step).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(spent > 0)
    }

    /// Forgets this user's factor and recovery codes; says whether there was a factor.
    pub async fn delete_second_factor(&mut self, user: UserId) -> StoreResult<bool> {
        self.delete_recovery_codes(user).await?;
        let sql = DELETE_SECOND_FACTOR.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Replaces this user's recovery codes.
    pub async fn replace_recovery_codes(&mut self, user: UserId, hashes: &[[u8; 32]]) -> StoreResult<()> {
        self.delete_recovery_codes(user).await?;
        let sql = INSERT_RECOVERY_CODE.on(self.dialect());
        for hash in hashes {
            on_database!(self, |db| sqlx::query(sql).bind(user.0).bind(hash.as_slice()).execute(db).await.map(drop))?;
        }
        Ok(())
    }

    /// Uses a recovery code up; says whether it was good.
    pub async fn spend_recovery_code(&mut self, user: UserId, hash: [u8; 32], now: Timestamp) -> StoreResult<bool> {
        let sql = SPEND_RECOVERY_CODE.on(self.dialect());
        let spent = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(user.0).bind(hash.as_slice()).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(spent > 0)
    }

    async fn delete_recovery_codes(&mut self, user: UserId) -> StoreResult<()> {
        let sql = DELETE_RECOVERY_CODES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(user.0).execute(db).await.map(drop))?;
        Ok(())
    }
}
