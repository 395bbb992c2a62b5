//! Accounts elsewhere through which people sign in.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{IdentityId, UserId};

/// An account elsewhere as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct IdentityRecord {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// Where: `google`, `github` or `oidc`.
    pub provider: String,
    /// The person's id there, which never changes.
    pub subject: String,
    /// The address there, as it was last seen.
    pub email: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub last_used_at: Option<i64>,
}

/// `$1` to `$7`: the columns in order.
const INSERT_IDENTITY: Sql = Sql::same(
    "INSERT INTO identities (id, user_id, provider, subject, email, created_at, last_used_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
/// `$1` provider, `$2` subject.
const FIND_IDENTITY: Sql = Sql::same(
    "SELECT id, user_id, provider, subject, email, created_at, last_used_at FROM identities
      WHERE provider = $1 AND subject = $2",
);
/// `$1` user, `$2` and `$3` the last row that was seen, `$4` how many. Newest first.
const LIST_IDENTITIES: Sql = Sql::same(
    "SELECT id, user_id, provider, subject, email, created_at, last_used_at FROM identities
      WHERE user_id = $1 AND (created_at, id) < ($2, $3)
      ORDER BY created_at DESC, id DESC
      LIMIT $4",
);
/// `$1` user.
const COUNT_IDENTITIES: Sql = Sql::same("SELECT count(*) FROM identities WHERE user_id = $1");
/// `$1` identity, `$2` user, `$3` now, `$4` address.
const TOUCH_IDENTITY: Sql =
    Sql::same("UPDATE identities SET last_used_at = $3, email = $4 WHERE id = $1 AND user_id = $2");
/// `$1` identity, `$2` user.
const DELETE_IDENTITY: Sql = Sql::same("DELETE FROM identities WHERE id = $1 AND user_id = $2 RETURNING provider");
/// `$1` user, `$2` the moment before which they were linked.
const DELETE_IDENTITIES: Sql = Sql::same("DELETE FROM identities WHERE user_id = $1 AND created_at < $2");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_IDENTITY", INSERT_IDENTITY),
    ("FIND_IDENTITY", FIND_IDENTITY),
    ("LIST_IDENTITIES", LIST_IDENTITIES),
    ("COUNT_IDENTITIES", COUNT_IDENTITIES),
    ("TOUCH_IDENTITY", TOUCH_IDENTITY),
    ("DELETE_IDENTITY", DELETE_IDENTITY),
    ("DELETE_IDENTITIES", DELETE_IDENTITIES),
];

impl Store {
    /// The identity that a person has at a provider.
    pub async fn find_identity(&self, provider: &str, subject: &str) -> StoreResult<Option<IdentityRecord>> {
        let sql = FIND_IDENTITY.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(provider).bind(subject).fetch_optional(db).await)?)
    }

    /// A user's identities, newest first.
    pub async fn list_identities(&self, user: UserId, slice: Slice) -> StoreResult<Vec<IdentityRecord>> {
        let sql = LIST_IDENTITIES.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many identities a user has.
    pub async fn count_identities(&self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_IDENTITIES.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Links an identity; [`super::StoreError::Taken`] when it is linked already, to whomever.
    pub async fn insert_identity(&mut self, identity: &IdentityRecord) -> StoreResult<()> {
        let sql = INSERT_IDENTITY.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(identity.id)
                .bind(identity.user_id)
                .bind(&identity.provider)
                .bind(&identity.subject)
                .bind(&identity.email)
                .bind(identity.created_at)
                .bind(identity.last_used_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// How many identities a user has, within this transaction.
    pub async fn count_identities(&mut self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_IDENTITIES.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }

    /// Notes that an identity was used, and the address it has now; says whether it is still linked.
    pub async fn touch_identity(
        &mut self,
        id: IdentityId,
        user: UserId,
        now: Timestamp,
        email: Option<&str>,
    ) -> StoreResult<bool> {
        let sql = TOUCH_IDENTITY.on(self.dialect());
        let touched = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(id.0).bind(user.0).bind(now.as_micros()).bind(email);
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(touched > 0)
    }

    /// Unlinks one of a user's identities; says at which provider, if there was one.
    pub async fn delete_identity(&mut self, id: IdentityId, user: UserId) -> StoreResult<Option<String>> {
        let sql = DELETE_IDENTITY.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_scalar(sql).bind(id.0).bind(user.0).fetch_optional(db).await)?)
    }

    /// Unlinks those of a user's identities that were linked before a moment; says how many there were.
    pub async fn delete_identities(&mut self, user: UserId, before: Timestamp) -> StoreResult<u64> {
        let sql = DELETE_IDENTITIES.on(self.dialect());
        Ok(on_database!(self, |db| {
            let query = sqlx::query(sql).bind(user.0).bind(before.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?)
    }
}
