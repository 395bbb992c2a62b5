//! Passkeys, and the ceremonies that were answered.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{PasskeyId, UserId};

/// A passkey as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PasskeyRecord {
    /// Its id here.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// Its id in the authenticator.
    pub credential_id: Vec<u8>,
    /// The host it was made for.
    pub rp_id: String,
    /// JSON: the public key and what goes with it.
    pub credential: String,
    /// What its owner calls it.
    pub name: String,
    /// The newest counter that a sign-in brought; 0 when none did.
    pub sign_count: i64,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub last_used_at: Option<i64>,
}

/// What a sign-in changes of a passkey.
#[derive(Clone, Debug)]
pub struct PasskeyUse {
    /// The counter that it brought.
    pub sign_count: i64,
    /// The passkey as it is from now on, in JSON.
    pub credential: String,
    /// When.
    pub at: Timestamp,
}

/// `$1` to `$9`: the columns in order.
const INSERT_PASSKEY: Sql = Sql::same(
    "INSERT INTO passkeys (id, user_id, credential_id, rp_id, credential, name, sign_count, created_at, last_used_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
/// `$1` user, `$2` its id in the authenticator.
const FIND_PASSKEY: Sql = Sql::same(
    "SELECT id, user_id, credential_id, rp_id, credential, name, sign_count, created_at, last_used_at FROM passkeys
      WHERE user_id = $1 AND credential_id = $2",
);
/// `$1` user, `$2` and `$3` the last row that was seen, `$4` how many. Newest first.
const LIST_PASSKEYS: Sql = Sql::same(
    "SELECT id, user_id, credential_id, rp_id, credential, name, sign_count, created_at, last_used_at FROM passkeys
      WHERE user_id = $1 AND (created_at, id) < ($2, $3)
      ORDER BY created_at DESC, id DESC
      LIMIT $4",
);
/// `$1` user.
const COUNT_PASSKEYS: Sql = Sql::same("SELECT count(*) FROM passkeys WHERE user_id = $1");
/// `$1` user, `$2` host.
const COUNT_PASSKEYS_FOR: Sql = Sql::same("SELECT count(*) FROM passkeys WHERE user_id = $1 AND rp_id = $2");
/// `$1` passkey, `$2` user, `$3` name. At most one row: the changed passkey.
const RENAME_PASSKEY: Sql = Sql::same(
    "UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2
     RETURNING id, user_id, credential_id, rp_id, credential, name, sign_count, created_at, last_used_at",
);
/// `$1` passkey, `$2` user, `$3` counter, `$4` JSON, `$5` now. Of two with the same counter one finds no row; passkeys
/// without a counter bring 0 each time.
const USE_PASSKEY: Sql = Sql::same(
    "UPDATE passkeys SET sign_count = $3, credential = $4, last_used_at = $5
      WHERE id = $1 AND user_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))",
);
/// `$1` passkey, `$2` user.
const DELETE_PASSKEY: Sql = Sql::same("DELETE FROM passkeys WHERE id = $1 AND user_id = $2");
/// `$1` user.
const DELETE_PASSKEYS: Sql = Sql::same("DELETE FROM passkeys WHERE user_id = $1");
/// `$1` ceremony, `$2` its end.
const SPEND_CEREMONY: Sql = Sql::same("INSERT INTO passkey_ceremonies (id, expires_at) VALUES ($1, $2)");
/// `$1` now.
const DELETE_EXPIRED_CEREMONIES: Sql = Sql::same("DELETE FROM passkey_ceremonies WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_PASSKEY", INSERT_PASSKEY),
    ("FIND_PASSKEY", FIND_PASSKEY),
    ("LIST_PASSKEYS", LIST_PASSKEYS),
    ("COUNT_PASSKEYS", COUNT_PASSKEYS),
    ("COUNT_PASSKEYS_FOR", COUNT_PASSKEYS_FOR),
    ("RENAME_PASSKEY", RENAME_PASSKEY),
    ("USE_PASSKEY", USE_PASSKEY),
    ("DELETE_PASSKEY", DELETE_PASSKEY),
    ("DELETE_PASSKEYS", DELETE_PASSKEYS),
    ("SPEND_CEREMONY", SPEND_CEREMONY),
    ("DELETE_EXPIRED_CEREMONIES", DELETE_EXPIRED_CEREMONIES),
];

impl Store {
    /// This user's passkey with this id in the authenticator.
    pub async fn find_passkey(&self, user: UserId, credential_id: &[u8]) -> StoreResult<Option<PasskeyRecord>> {
        let sql = FIND_PASSKEY.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(credential_id).fetch_optional(db).await
        })?)
    }

    /// A user's passkeys, newest first.
    pub async fn list_passkeys(&self, user: UserId, slice: Slice) -> StoreResult<Vec<PasskeyRecord>> {
        let sql = LIST_PASSKEYS.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many passkeys a user has.
    pub async fn count_passkeys(&self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_PASSKEYS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Keeps a passkey; [`super::StoreError::Taken`] when somebody has it already.
    pub async fn insert_passkey(&mut self, passkey: &PasskeyRecord) -> StoreResult<()> {
        let sql = INSERT_PASSKEY.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(passkey.id)
                .bind(passkey.user_id)
                .bind(&passkey.credential_id)
                .bind(&passkey.rp_id)
                .bind(&passkey.credential)
                .bind(&passkey.name)
                .bind(passkey.sign_count)
                .bind(passkey.created_at)
                .bind(passkey.last_used_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// How many passkeys a user has, within this transaction.
    pub async fn count_passkeys(&mut self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_PASSKEYS.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }

    /// How many of them work on a host.
    pub async fn count_passkeys_for(&mut self, user: UserId, rp_id: &str) -> StoreResult<i64> {
        let sql = COUNT_PASSKEYS_FOR.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_scalar(sql).bind(user.0).bind(rp_id).fetch_one(db).await)?)
    }

    /// Gives one of a user's passkeys another name; gives the passkey if there is such a one.
    pub async fn rename_passkey(
        &mut self,
        id: PasskeyId,
        user: UserId,
        name: &str,
    ) -> StoreResult<Option<PasskeyRecord>> {
        let sql = RENAME_PASSKEY.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query_as(sql).bind(id.0).bind(user.0).bind(name).fetch_optional(db).await
        })?)
    }

    /// Notes that a passkey was used; says whether it is still there and its counter has not come before.
    pub async fn use_passkey(&mut self, id: PasskeyId, user: UserId, usage: &PasskeyUse) -> StoreResult<bool> {
        let sql = USE_PASSKEY.on(self.dialect());
        let noted = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(id.0).bind(user.0).bind(usage.sign_count);
            let query = query.bind(&usage.credential).bind(usage.at.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(noted > 0)
    }

    /// Forgets one of a user's passkeys; says whether there was one.
    pub async fn delete_passkey(&mut self, id: PasskeyId, user: UserId) -> StoreResult<bool> {
        let sql = DELETE_PASSKEY.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Forgets all of a user's passkeys; says how many there were.
    pub async fn delete_passkeys(&mut self, user: UserId) -> StoreResult<u64> {
        let sql = DELETE_PASSKEYS.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Uses a ceremony up; [`super::StoreError::Taken`] when it was before.
    pub async fn spend_ceremony(&mut self, id: [u8; 32], expires_at: Timestamp) -> StoreResult<()> {
        let sql = SPEND_CEREMONY.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(id.as_slice()).bind(expires_at.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Forgets the answered ceremonies whose time is over anyway.
    pub async fn delete_expired_ceremonies(&mut self, now: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_CEREMONIES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
