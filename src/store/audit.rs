//! The audit log: who did what, written in the transaction that did it.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{UserId, new_uuid};

/// One row to write. `accounts::audit` makes it from a caller.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Whose data it is about; `None` for attempts that belong to nobody.
    pub user_id: Option<UserId>,
    /// How they came: `session`, `personal_token`, `shell` or `anonymous`.
    pub actor: &'static str,
    /// With which session or token.
    pub credential_id: Option<Uuid>,
    /// What was done: entity and participle, such as `task.created`.
    pub action: &'static str,
    /// To what kind of thing.
    pub entity: &'static str,
    /// To which.
    pub entity_id: Option<Uuid>,
    /// What else is worth knowing; never a secret, never a task's text.
    pub details: Option<serde_json::Value>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One row as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditRecord {
    /// Its id.
    pub id: Uuid,
    /// How they came.
    pub actor: String,
    /// With which session or token.
    pub credential_id: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub entity: String,
    /// To which.
    pub entity_id: Option<Uuid>,
    /// JSON.
    pub details: Option<String>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
}

/// A part of a list that goes from newest to oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Moment and id of the row before the first; `None` begins with the newest.
    pub before: Option<(Timestamp, Uuid)>,
    /// The most rows.
    pub limit: i64,
}

impl Slice {
    /// What is greater than the moment and id of the first row.
    pub(super) fn bounds(self) -> (i64, Uuid) {
        self.before.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id))
    }
}

/// `$1` to `$11`: the columns in order.
const INSERT_AUDIT: Sql = Sql::same(
    "INSERT INTO audit_log (id, user_id, actor, credential_id, action, entity, entity_id, details, request_id, address,
                            created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);
/// `$1` user, `$2` and `$3` the last row that was seen, `$4` how many. Newest first.
const LIST_AUDIT: Sql = Sql::same(
    "SELECT id, actor, credential_id, action, entity, entity_id, details, request_id, address, created_at
       FROM audit_log
      WHERE user_id = $1 AND (created_at, id) < ($2, $3)
      ORDER BY created_at DESC, id DESC
      LIMIT $4",
);
/// `$1` user.
const COUNT_AUDIT: Sql = Sql::same("SELECT count(*) FROM audit_log WHERE user_id = $1");
/// `$1` a moment. What the server's shell did with policies belongs to nobody either, but is no attempt.
const DELETE_OLD_ATTEMPTS: Sql =
    Sql::same("DELETE FROM audit_log WHERE user_id IS NULL AND created_at < $1 AND entity <> 'policy'");
/// `$1` an id, `$2` how many. Ids begin with the moment at which they were made, so no other index is needed.
const DELETE_OLD_AUDIT: Sql =
    Sql::same("DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE id < $1 ORDER BY id LIMIT $2)");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_AUDIT", INSERT_AUDIT),
    ("LIST_AUDIT", LIST_AUDIT),
    ("COUNT_AUDIT", COUNT_AUDIT),
    ("DELETE_OLD_ATTEMPTS", DELETE_OLD_ATTEMPTS),
    ("DELETE_OLD_AUDIT", DELETE_OLD_AUDIT),
];

impl Store {
    /// A user's rows, newest first.
    pub async fn list_audit(&self, user: UserId, slice: Slice) -> StoreResult<Vec<AuditRecord>> {
        let sql = LIST_AUDIT.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many rows a user has.
    pub async fn count_audit(&self, user: UserId) -> StoreResult<i64> {
        let sql = COUNT_AUDIT.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a row to the log.
    pub async fn insert_audit(&mut self, entry: &AuditEntry) -> StoreResult<()> {
        let sql = INSERT_AUDIT.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(new_uuid(entry.at))
                .bind(entry.user_id.map(|id| id.0))
                .bind(entry.actor)
                .bind(entry.credential_id)
                .bind(entry.action)
                .bind(entry.entity)
                .bind(entry.entity_id)
                .bind(entry.details.as_ref().map(ToString::to_string))
                .bind(&entry.request_id)
                .bind(&entry.address)
                .bind(entry.at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Forgets the attempts that belong to nobody and are older than `before`.
    pub async fn delete_old_attempts(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_OLD_ATTEMPTS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Deletes at most `most` rows with lesser ids than `before`, the oldest first; says how many.
    pub async fn delete_old_audit(&mut self, before: Uuid, most: i64) -> StoreResult<u64> {
        let sql = DELETE_OLD_AUDIT.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(before).bind(most).execute(db).await.map(|done| done.rows_affected())
        })?)
    }
}
