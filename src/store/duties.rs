//! Work that comes round: who does it now, and when it is due.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;

/// A duty as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DutyRecord {
    /// Its name.
    pub name: String,
    /// When it is due next, in microseconds since the epoch.
    pub due_at: i64,
    /// The instance that does it now.
    pub holder: Option<Uuid>,
    /// When another instance may take it, in microseconds since the epoch.
    pub lease_until: Option<i64>,
    /// How often it was taken.
    pub runs: i64,
    /// How often it failed since it last succeeded.
    pub failures: i64,
    /// When it last succeeded, in microseconds since the epoch.
    pub last_success_at: Option<i64>,
    /// Why it last failed, unless it succeeded since.
    pub last_error: Option<String>,
}

/// Who wants to take a duty, and when.
#[derive(Clone, Copy, Debug)]
pub struct Taking {
    /// The duty's name.
    pub name: &'static str,
    /// The instance.
    pub holder: Uuid,
    /// Now.
    pub now: Timestamp,
    /// Until when the instance will have it.
    pub lease_until: Timestamp,
    /// A moment that is further away than any that was written by a clock like this one: a clock that was set back must
    /// not keep everybody waiting.
    pub beyond: Timestamp,
}

/// That an instance has a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The duty's name.
    pub name: &'static str,
    /// The instance.
    pub holder: Uuid,
    /// The how manieth run it is; a later one has a greater number.
    pub run: i64,
}

/// What comes of taking a duty.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
struct TakenRecord {
    runs: i64,
    failures: i64,
}

/// `$1` name.
const FIND_DUTY: Sql = Sql::same(
    "SELECT name, due_at, holder, lease_until, runs, failures, last_success_at, last_error FROM duties WHERE name = $1",
);
const LIST_DUTIES: Sql = Sql::same(
    "SELECT name, due_at, holder, lease_until, runs, failures, last_success_at, last_error FROM duties ORDER BY name",
);
/// `$1` name, `$2` when it is due.
const INSERT_DUTY: Sql = Sql::same("INSERT INTO duties (name, due_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
/// `$1` name, `$2` holder, `$3` now, `$4` end of the lease, `$5` a moment beyond all. Of several at the same time one finds
/// the row: PostgreSQL lets the others wait for its lock and look again.
const TAKE_DUTY: Sql = Sql::same(
    "UPDATE duties SET holder = $2, lease_until = $4, runs = runs + 1
      WHERE name = $1 AND (due_at <= $3 OR due_at > $5)
        AND (lease_until IS NULL OR lease_until <= $3 OR lease_until > $5)
     RETURNING runs, failures",
);
/// `$1` name, `$2` holder, `$3` run, `$4` end of the lease.
const HOLD_DUTY: Sql = Sql::same("UPDATE duties SET lease_until = $4 WHERE name = $1 AND holder = $2 AND runs = $3");
/// `$1` name, `$2` holder, `$3` run, `$4` when it is due next, `$5` now.
const FINISH_DUTY: Sql = Sql::same(
    "UPDATE duties
        SET due_at = $4, last_success_at = $5, holder = NULL, lease_until = NULL, failures = 0, last_error = NULL
      WHERE name = $1 AND holder = $2 AND runs = $3",
);
/// `$1` name, `$2` holder, `$3` run, `$4` when it is tried again, `$5` why it failed.
const FAIL_DUTY: Sql = Sql::same(
    "UPDATE duties
        SET due_at = $4, last_error = $5, holder = NULL, lease_until = NULL, failures = failures + 1
      WHERE name = $1 AND holder = $2 AND runs = $3",
);
/// `$1` holder. What it has not finished is still due.
const RELEASE_DUTIES: Sql = Sql::same("UPDATE duties SET holder = NULL, lease_until = NULL WHERE holder = $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("FIND_DUTY", FIND_DUTY),
    ("LIST_DUTIES", LIST_DUTIES),
    ("INSERT_DUTY", INSERT_DUTY),
    ("TAKE_DUTY", TAKE_DUTY),
    ("HOLD_DUTY", HOLD_DUTY),
    ("FINISH_DUTY", FINISH_DUTY),
    ("FAIL_DUTY", FAIL_DUTY),
    ("RELEASE_DUTIES", RELEASE_DUTIES),
];

impl Store {
    /// The duty of this name.
    pub async fn find_duty(&self, name: &str) -> StoreResult<Option<DutyRecord>> {
        let sql = FIND_DUTY.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(name).fetch_optional(db).await)?)
    }

    /// Every duty that an instance ever had, by name.
    pub async fn list_duties(&self) -> StoreResult<Vec<DutyRecord>> {
        let sql = LIST_DUTIES.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).fetch_all(db).await)?)
    }

    /// Makes a duty known, unless it is.
    pub async fn insert_duty(&self, name: &'static str, due_at: Timestamp) -> StoreResult<()> {
        let sql = INSERT_DUTY.on(self.dialect());
        let work = self.write(move |tx| {
            Box::pin(async move {
                on_database!(tx, |db| sqlx::query(sql)
                    .bind(name)
                    .bind(due_at.as_micros())
                    .execute(db)
                    .await
                    .map(drop))?;
                Ok::<_, super::StoreError>(())
            })
        });
        work.await
    }

    /// Takes a duty that is due and that nobody has; gives the hold on it, and how often it failed before.
    pub async fn take_duty(&self, taking: Taking) -> StoreResult<Option<(Hold, i64)>> {
        let sql = TAKE_DUTY.on(self.dialect());
        let Taking { name, holder, now, lease_until, beyond } = taking;
        let work = self.write(move |tx| {
            Box::pin(async move {
                let taken: Option<TakenRecord> = on_database!(tx, |db| {
                    let query = sqlx::query_as(sql).bind(name).bind(holder).bind(now.as_micros());
                    query.bind(lease_until.as_micros()).bind(beyond.as_micros()).fetch_optional(db).await
                })?;
                Ok::<_, super::StoreError>(taken)
            })
        });
        Ok(work.await?.map(|taken| (Hold { name, holder, run: taken.runs }, taken.failures)))
    }

    /// Gives up everything that an instance has.
    pub async fn release_duties(&self, holder: Uuid) -> StoreResult<()> {
        let sql = RELEASE_DUTIES.on(self.dialect());
        let work = self.write(move |tx| {
            Box::pin(async move {
                on_database!(tx, |db| sqlx::query(sql).bind(holder).execute(db).await.map(drop))?;
                Ok::<_, super::StoreError>(())
            })
        });
        work.await
    }
}

impl Tx<'_> {
    /// Holds on to a duty until `lease_until`; says whether the instance still has it. Until the transaction ends, nobody
    /// can take it.
    pub async fn hold_duty(&mut self, hold: Hold, lease_until: Timestamp) -> StoreResult<bool> {
        let sql = HOLD_DUTY.on(self.dialect());
        let rows = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hold.name).bind(hold.holder).bind(hold.run);
            query.bind(lease_until.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(rows > 0)
    }

    /// Notes that a duty is done; says whether the instance still had it.
    pub async fn finish_duty(&mut self, hold: Hold, due_at: Timestamp, now: Timestamp) -> StoreResult<bool> {
        let sql = FINISH_DUTY.on(self.dialect());
        let done = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hold.name).bind(hold.holder).bind(hold.run);
            query.bind(due_at.as_micros()).bind(now.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// Notes that a duty failed, and when it is tried again.
    pub async fn fail_duty(&mut self, hold: Hold, due_at: Timestamp, error: &str) -> StoreResult<()> {
        let sql = FAIL_DUTY.on(self.dialect());
        on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hold.name).bind(hold.holder).bind(hold.run);
            query.bind(due_at.as_micros()).bind(error).execute(db).await.map(drop)
        })?;
        Ok(())
    }
}
