//! The mails of the morning: who is due, and of which mornings somebody was told.

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// `$1` user, `$2` when it was due, `$3` when it is due next. Of two who do it one finds the row.
const MOVE_DIGEST: Sql = Sql::same("UPDATE users SET digest_at = $3 WHERE id = $1 AND digest_at = $2");
/// `$1` user, `$2` now.
const END_DIGEST: Sql =
    Sql::same("UPDATE users SET digest = 'off', digest_at = NULL, updated_at = $2 WHERE id = $1 AND digest <> 'off'");
/// `$1` user, `$2` day, `$3` now.
const INSERT_DIGEST: Sql = Sql::same(
    "INSERT INTO digests (user_id, local_date, created_at) VALUES ($1, $2, $3) ON CONFLICT (user_id, local_date) DO NOTHING",
);
/// `$1` user.
const FIND_LAST_DIGEST: Sql = Sql::same("SELECT max(created_at) FROM digests WHERE user_id = $1");
/// `$1` a moment.
const DELETE_OLD_DIGESTS: Sql = Sql::same("DELETE FROM digests WHERE created_at <= $1");
/// `$1` user, `$2` a moment, `$3` how many. The latest first.
const LIST_COMPLETED_SINCE: Sql = Sql::same(
    "SELECT title FROM tasks
      WHERE user_id = $1 AND deleted_at IS NULL AND completed_at > $2
      ORDER BY completed_at DESC, id LIMIT $3",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("MOVE_DIGEST", MOVE_DIGEST),
    ("END_DIGEST", END_DIGEST),
    ("INSERT_DIGEST", INSERT_DIGEST),
    ("FIND_LAST_DIGEST", FIND_LAST_DIGEST),
    ("DELETE_OLD_DIGESTS", DELETE_OLD_DIGESTS),
    ("LIST_COMPLETED_SINCE", LIST_COMPLETED_SINCE),
];

impl Store {
    /// When this user was last told.
    pub async fn find_last_digest(&self, user: UserId) -> StoreResult<Option<Timestamp>> {
        let sql = FIND_LAST_DIGEST.on(self.dialect());
        let at: Option<i64> = on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(user.0).fetch_one(db).await)?;
        Ok(at.map(Timestamp::from_micros))
    }

    /// The titles of what this user completed after `since`, at most `most`.
    pub async fn list_completed_since(&self, user: UserId, since: Timestamp, most: i64) -> StoreResult<Vec<String>> {
        let sql = LIST_COMPLETED_SINCE.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(sql).bind(user.0).bind(since.as_micros()).bind(most).fetch_all(db).await
        })?)
    }
}

impl Tx<'_> {
    /// Notes when a user is to be told next; says whether nobody else did so since they were due at `due_at`.
    pub async fn move_digest(&mut self, user: UserId, due_at: i64, next: Option<Timestamp>) -> StoreResult<bool> {
        let sql = MOVE_DIGEST.on(self.dialect());
        let moved = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(user.0).bind(due_at).bind(next.map(Timestamp::as_micros));
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(moved > 0)
    }

    /// Notes that a user is told of a day; says whether they were not before.
    pub async fn insert_digest(&mut self, user: UserId, day: &str, now: Timestamp) -> StoreResult<bool> {
        let sql = INSERT_DIGEST.on(self.dialect());
        let made = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(user.0).bind(day).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(made > 0)
    }

    /// Ends a user's mails of the morning; says whether they got any.
    pub async fn end_digest(&mut self, user: UserId, now: Timestamp) -> StoreResult<bool> {
        let sql = END_DIGEST.on(self.dialect());
        let ended = on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(now.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(ended > 0)
    }

    /// Forgets of which mornings somebody was told at `before` or earlier.
    pub async fn delete_old_digests(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_OLD_DIGESTS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
