//! What happened to a user's data: written with the change, read by those who listen, forgotten after a while.

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// `$1` user, `$2` how many numbers more. The row is locked by the change that goes on.
const TAKE_NUMBERS: Sql = Sql::same("UPDATE users SET data_version = data_version + $2 WHERE id = $1");

/// `$1` user, `$2` number of the last event, `$3` how many, `$4` content, `$5` now.
const INSERT_EVENTS: Sql =
    Sql::same("INSERT INTO events (user_id, version, size, content, created_at) VALUES ($1, $2, $3, $4, $5)");

/// `$1` user, `$2` a number, `$3` how many rows: those with events after the number, in order.
const LIST_EVENTS: Sql = Sql::same(
    "SELECT version, size, content, created_at FROM events WHERE user_id = $1 AND version > $2 ORDER BY version LIMIT $3",
);

/// `$1` a moment: rows from before it.
const DELETE_OLD_EVENTS: Sql = Sql::same("DELETE FROM events WHERE created_at < $1");

/// The statements of this file.
pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("TAKE_NUMBERS", TAKE_NUMBERS),
    ("INSERT_EVENTS", INSERT_EVENTS),
    ("LIST_EVENTS", LIST_EVENTS),
    ("DELETE_OLD_EVENTS", DELETE_OLD_EVENTS),
];

/// The events of one change, as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EventsRow {
    /// The number of the last one.
    pub version: i64,
    /// How many numbers the change took; at least one, also when nothing happened.
    pub size: i64,
    /// JSON.
    pub content: String,
    /// When, in microseconds since the epoch.
    pub created_at: i64,
}

impl Tx<'_> {
    /// Takes `more` numbers beyond the one that the change has, for its further events.
    pub async fn take_numbers(&mut self, user: UserId, more: i64) -> StoreResult<()> {
        let sql = TAKE_NUMBERS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(user.0).bind(more).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Keeps what happened in a change.
    pub async fn insert_events(&mut self, user: UserId, row: &EventsRow) -> StoreResult<()> {
        let sql = INSERT_EVENTS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(user.0)
                .bind(row.version)
                .bind(row.size)
                .bind(&row.content)
                .bind(row.created_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

impl Tx<'_> {
    /// Forgets what happened before a moment.
    pub async fn delete_old_events(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_OLD_EVENTS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}

impl Store {
    /// The user's changes with events after number `after`, in order, `limit` rows at most.
    pub async fn list_events(&self, user: UserId, after: i64, limit: i64) -> StoreResult<Vec<EventsRow>> {
        let sql = LIST_EVENTS.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_as(sql).bind(user.0).bind(after).bind(limit).fetch_all(db).await
        })?)
    }
}
