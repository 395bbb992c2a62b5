//! People: one row each, to which everything of theirs refers.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A person as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UserRecord {
    /// Their id.
    pub id: Uuid,
    /// The address as it was given.
    pub email: String,
    /// The address in lower case.
    pub email_key: String,
    /// PHC string.
    pub password_hash: String,
    /// What they are called.
    pub full_name: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// JSON; `None` leaves them to the policy.
    pub windows: Option<String>,
    /// `None` is the server's default.
    pub policy: Option<String>,
    /// JSON: what they set of the parameters of policies.
    pub policy_params: Option<String>,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// Counts every change of the user's data.
    pub data_version: i64,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub updated_at: i64,
    /// When the address was proved, in microseconds since the epoch.
    pub email_verified_at: Option<i64>,
    /// How often they want to read what there is to do: `off`, `daily` or `weekly`.
    pub digest: String,
    /// When they are to be told next, in microseconds since the epoch.
    pub digest_at: Option<i64>,
}

/// What a person can choose of their row.
#[derive(Clone, Debug)]
pub struct ProfileRecord {
    /// What they are called.
    pub full_name: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// JSON.
    pub windows: Option<String>,
    /// The policy's name.
    pub policy: Option<String>,
    /// JSON: what they set of the parameters of policies.
    pub policy_params: Option<String>,
    /// `off`, `daily` or `weekly`.
    pub digest: &'static str,
    /// When they are to be told next.
    pub digest_at: Option<i64>,
}

/// `$1` to `$14`: the columns in order.
const INSERT_USER: Sql = Sql::same(
    "INSERT INTO users (id, email, email_key, password_hash, full_name, time_zone, windows, policy, role, status,
                        data_version, created_at, updated_at, email_verified_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
);
/// What [`UserRecord`] reads, by name: a column that a newer program adds would make prepared statements of `*` fail.
macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, email_key, password_hash, full_name, time_zone, windows, policy, policy_params, role,
                    status, data_version, created_at, updated_at, email_verified_at, digest, digest_at FROM users ",
            $rest
        )
    };
}

/// `$1` id.
const FIND_USER: Sql = Sql::same(select_user!("WHERE id = $1"));
/// `$1` id. On PostgreSQL the row stays as it is until the transaction ends; SQLite has one writer anyway.
const LOCK_USER: Sql =
    Sql { sqlite: select_user!("WHERE id = $1"), postgres: select_user!("WHERE id = $1 FOR UPDATE") };
/// `$1` address in lower case.
const FIND_USER_BY_EMAIL: Sql = Sql::same(select_user!("WHERE email_key = $1"));
/// Oldest first.
const LIST_USERS: Sql = Sql::same(select_user!("ORDER BY created_at, id"));
/// `$1` now, `$2` how many.
const LIST_DUE_DIGESTS: Sql = Sql::same(select_user!("WHERE digest_at <= $1 ORDER BY digest_at, id LIMIT $2"));
const ANY_USER: Sql = Sql::same("SELECT 1 FROM users LIMIT 1");
/// `$1` id, `$2` name, `$3` zone, `$4` windows, `$5` policy, `$6` now, `$7` and `$8` the mail of the morning,
/// `$9` what is set of policies. One row: the number of the change.
const UPDATE_PROFILE: Sql = Sql::same(
    "UPDATE users
        SET full_name = $2, time_zone = $3, windows = $4, policy = $5, updated_at = $6, data_version = data_version + 1,
            digest = $7, digest_at = $8, policy_params = $9
      WHERE id = $1 RETURNING data_version",
);
/// `$1` id, `$2` hash, `$3` now.
const SET_PASSWORD: Sql = Sql::same("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1");
/// `$1` id, `$2` role, `$3` now.
const SET_ROLE: Sql = Sql::same("UPDATE users SET role = $2, updated_at = $3 WHERE id = $1");
/// `$1` id, `$2` status, `$3` now.
const SET_STATUS: Sql = Sql::same("UPDATE users SET status = $2, updated_at = $3 WHERE id = $1");
/// `$1` id, `$2` now.
const VERIFY_EMAIL: Sql =
    Sql::same("UPDATE users SET email_verified_at = $2, updated_at = $2 WHERE id = $1 AND email_verified_at IS NULL");
/// `$1` id. Everything that refers to the row goes with it.
const DELETE_USER: Sql = Sql::same("DELETE FROM users WHERE id = $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_USER", INSERT_USER),
    ("FIND_USER", FIND_USER),
    ("LOCK_USER", LOCK_USER),
    ("FIND_USER_BY_EMAIL", FIND_USER_BY_EMAIL),
    ("LIST_USERS", LIST_USERS),
    ("LIST_DUE_DIGESTS", LIST_DUE_DIGESTS),
    ("ANY_USER", ANY_USER),
    ("UPDATE_PROFILE", UPDATE_PROFILE),
    ("SET_PASSWORD", SET_PASSWORD),
    ("SET_ROLE", SET_ROLE),
    ("SET_STATUS", SET_STATUS),
    ("VERIFY_EMAIL", VERIFY_EMAIL),
    ("DELETE_USER", DELETE_USER),
];

impl Store {
    /// People who are to be told what there is to do, those who wait longest first.
    pub async fn list_due_digests(&self, now: Timestamp, most: i64) -> StoreResult<Vec<UserRecord>> {
        let sql = LIST_DUE_DIGESTS.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(now.as_micros()).bind(most).fetch_all(db).await
        })?)
    }

    /// The person with this id.
    pub async fn find_user(&self, id: UserId) -> StoreResult<Option<UserRecord>> {
        let sql = FIND_USER.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(id.0).fetch_optional(db).await)?)
    }

    /// The person with this address in lower case.
    pub async fn find_user_by_email(&self, email_key: &str) -> StoreResult<Option<UserRecord>> {
        let sql = FIND_USER_BY_EMAIL.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(email_key).fetch_optional(db).await)?)
    }

    /// Everybody, oldest account first: for operators only.
    pub async fn list_users(&self) -> StoreResult<Vec<UserRecord>> {
        let sql = LIST_USERS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).fetch_all(db).await)?)
    }

    /// Whether there is an account at all.
    pub async fn has_users(&self) -> StoreResult<bool> {
        let sql = ANY_USER.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query(sql).fetch_optional(db).await.map(|row| row.is_some()))?)
    }
}

impl Tx<'_> {
    /// Adds a person; [`super::StoreError::Taken`] when the address is.
    pub async fn insert_user(&mut self, user: &UserRecord) -> StoreResult<()> {
        let sql = INSERT_USER.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(user.id)
                .bind(&user.email)
                .bind(&user.email_key)
                .bind(&user.password_hash)
                .bind(&user.full_name)
                .bind(&user.time_zone)
                .bind(&user.windows)
                .bind(&user.policy)
                .bind(&user.role)
                .bind(&user.status)
                .bind(user.data_version)
                .bind(user.created_at)
                .bind(user.updated_at)
                .bind(user.email_verified_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// The person with this id, whose row nobody else changes before this transaction ends.
    pub async fn lock_user(&mut self, id: UserId) -> StoreResult<Option<UserRecord>> {
        let sql = LOCK_USER.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(id.0).fetch_optional(db).await)?)
    }

    /// Replaces what a person can choose, and counts it as a change of their data; gives its number.
    pub async fn update_profile(&mut self, id: UserId, profile: &ProfileRecord, now: Timestamp) -> StoreResult<i64> {
        let sql = UPDATE_PROFILE.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query_scalar(sql)
                .bind(id.0)
                .bind(&profile.full_name)
                .bind(&profile.time_zone)
                .bind(&profile.windows)
                .bind(&profile.policy)
                .bind(now.as_micros())
                .bind(profile.digest)
                .bind(profile.digest_at)
                .bind(&profile.policy_params)
                .fetch_one(db)
                .await
        })?)
    }

    /// Replaces the password's hash.
    pub async fn set_password(&mut self, id: UserId, hash: &str, now: Timestamp) -> StoreResult<()> {
        self.set_user_text(SET_PASSWORD, id, hash, now).await
    }

    /// Notes that the address was proved; says whether it was not before.
    pub async fn verify_email(&mut self, id: UserId, now: Timestamp) -> StoreResult<bool> {
        let sql = VERIFY_EMAIL.on(self.dialect());
        let verified = on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(now.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(verified > 0)
    }

    /// Makes somebody an operator (`admin`), or a `user` again.
    pub async fn set_role(&mut self, id: UserId, role: &str, now: Timestamp) -> StoreResult<()> {
        self.set_user_text(SET_ROLE, id, role, now).await
    }

    /// Makes an account `active` or `disabled`.
    pub async fn set_status(&mut self, id: UserId, status: &str, now: Timestamp) -> StoreResult<()> {
        self.set_user_text(SET_STATUS, id, status, now).await
    }

    async fn set_user_text(&mut self, statement: Sql, id: UserId, text: &str, now: Timestamp) -> StoreResult<()> {
        let sql = statement.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(text).bind(now.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Removes a person and every row of theirs, and has their files removed.
    pub async fn delete_user(&mut self, id: UserId) -> StoreResult<()> {
        self.doom_objects_of_user(id).await?;
        let sql = DELETE_USER.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(id.0).execute(db).await.map(drop))?;
        Ok(())
    }
}
