//! Mail that waits to be sent, or could not be.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A mail to keep until it is sent.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// Its id.
    pub id: Uuid,
    /// Whom it is to; it goes with them.
    pub user_id: Option<UserId>,
    /// What it is about: `reset_password`.
    pub kind: &'static str,
    /// Address and message, sealed.
    pub sealed: Vec<u8>,
    /// Its link is good until then.
    pub expires_at: Option<Timestamp>,
    /// Now.
    pub created_at: Timestamp,
}

/// A mail as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MailRecord {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: String,
    /// Address and message, sealed.
    pub sealed: Vec<u8>,
    /// How many attempts to send it were begun.
    pub attempts: i64,
    /// When it is tried next, in microseconds since the epoch.
    pub next_at: i64,
    /// Until when its link is good, in microseconds since the epoch.
    pub expires_at: Option<i64>,
    /// When it was given up, in microseconds since the epoch.
    pub died_at: Option<i64>,
    /// Why it was not sent yet.
    pub last_error: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
}

/// How much mail there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct MailCount {
    /// Waits.
    pub waiting: i64,
    /// Was given up.
    pub dead: i64,
    /// Since when the oldest waits, in microseconds since the epoch.
    pub oldest_at: Option<i64>,
}

/// An attempt to send a mail: an older one has a lesser number.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The mail.
    pub id: Uuid,
    /// The how manieth it is.
    pub number: i64,
}

/// Every column, by name.
macro_rules! returning_mail {
    ($statement:literal) => {
        concat!($statement, " id, kind, sealed, attempts, next_at, expires_at, died_at, last_error, created_at")
    };
}

/// `$1` to `$6`: the columns; `$6` is the first attempt's moment, too.
const INSERT_MAIL: Sql = Sql::same(
    "INSERT INTO mails (id, user_id, kind, sealed, expires_at, created_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
);
/// `$1` now, `$2` how many, `$3` when others may try. SQLite has one writer; on PostgreSQL rows that another instance is
/// about to take are passed over.
const CLAIM_MAILS: Sql = Sql {
    sqlite: returning_mail!(
        "UPDATE mails SET attempts = attempts + 1, next_at = $3
          WHERE id IN (SELECT id FROM mails WHERE died_at IS NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2)
         RETURNING"
    ),
    postgres: returning_mail!(
        "UPDATE mails SET attempts = attempts + 1, next_at = $3
          WHERE id IN (SELECT id FROM mails WHERE died_at IS NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2
                          FOR UPDATE SKIP LOCKED)
         RETURNING"
    ),
};
const FIND_NEXT_MAIL: Sql = Sql::same("SELECT min(next_at) FROM mails WHERE died_at IS NULL");
/// `$1` id, `$2` number of the attempt.
const DELETE_SENT_MAIL: Sql = Sql::same("DELETE FROM mails WHERE id = $1 AND attempts = $2 AND died_at IS NULL");
/// `$1` id, `$2` number of the attempt, `$3` when it is tried again, `$4` why.
const DELAY_MAIL: Sql =
    Sql::same("UPDATE mails SET next_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2 AND died_at IS NULL");
/// `$1` id, `$2` number of the attempt, `$3` now, `$4` why.
const BURY_MAIL: Sql =
    Sql::same("UPDATE mails SET died_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2 AND died_at IS NULL");
/// `$1` how many. Those that were given up first, each the oldest first.
const LIST_MAILS: Sql = Sql::same(concat!(
    returning_mail!("SELECT"),
    " FROM mails ORDER BY (CASE WHEN died_at IS NULL THEN 1 ELSE 0 END), created_at, id LIMIT $1"
));
const COUNT_MAILS: Sql = Sql::same(
    "SELECT count(*) - count(died_at) AS waiting, count(died_at) AS dead,
            min(CASE WHEN died_at IS NULL THEN created_at END) AS oldest_at
       FROM mails",
);
/// `$1` id, `$2` now. What waits is tried at once; what was given up, too, unless its link has expired.
const RETRY_MAIL: Sql = Sql::same(
    "UPDATE mails SET died_at = NULL, attempts = 0, next_at = $2
      WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2)",
);
/// `$1` now.
const RETRY_DEAD_MAILS: Sql = Sql::same(
    "UPDATE mails SET died_at = NULL, attempts = 0, next_at = $1
      WHERE died_at IS NOT NULL AND (expires_at IS NULL OR expires_at > $1)",
);
/// `$1` id.
const DISCARD_MAIL: Sql = Sql::same("DELETE FROM mails WHERE id = $1");
/// `$1` a moment.
const DISCARD_DEAD_MAILS: Sql = Sql::same("DELETE FROM mails WHERE died_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_MAIL", INSERT_MAIL),
    ("CLAIM_MAILS", CLAIM_MAILS),
    ("FIND_NEXT_MAIL", FIND_NEXT_MAIL),
    ("DELETE_SENT_MAIL", DELETE_SENT_MAIL),
    ("DELAY_MAIL", DELAY_MAIL),
    ("BURY_MAIL", BURY_MAIL),
    ("LIST_MAILS", LIST_MAILS),
    ("COUNT_MAILS", COUNT_MAILS),
    ("RETRY_MAIL", RETRY_MAIL),
    ("RETRY_DEAD_MAILS", RETRY_DEAD_MAILS),
    ("DISCARD_MAIL", DISCARD_MAIL),
    ("DISCARD_DEAD_MAILS", DISCARD_DEAD_MAILS),
];

impl Store {
    /// Takes mail that is due, for attempts that others leave alone until `until`.
    pub async fn claim_mails(&self, now: Timestamp, most: i64, until: Timestamp) -> StoreResult<Vec<MailRecord>> {
        let sql = CLAIM_MAILS.on(self.dialect());
        let work = self.write(move |tx| {
            Box::pin(async move {
                Ok::<Vec<MailRecord>, super::StoreError>(on_database!(tx, |db| {
                    sqlx::query_as(sql).bind(now.as_micros()).bind(most).bind(until.as_micros()).fetch_all(db).await
                })?)
            })
        });
        work.await
    }

    /// When mail is to be tried next.
    pub async fn find_next_mail(&self) -> StoreResult<Option<Timestamp>> {
        let sql = FIND_NEXT_MAIL.on(self.dialect());
        let at: Option<i64> = on_database!(self.reader, |db| sqlx::query_scalar(sql).fetch_one(db).await)?;
        Ok(at.map(Timestamp::from_micros))
    }

    /// What waits or was given up, at most `most` of it.
    pub async fn list_mails(&self, most: i64) -> StoreResult<Vec<MailRecord>> {
        let sql = LIST_MAILS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(most).fetch_all(db).await)?)
    }

    /// How much there is.
    pub async fn count_mails(&self) -> StoreResult<MailCount> {
        let sql = COUNT_MAILS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a mail.
    pub async fn insert_mail(&mut self, mail: &NewMail) -> StoreResult<()> {
        let sql = INSERT_MAIL.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(mail.id)
                .bind(mail.user_id.map(|id| id.0))
                .bind(mail.kind)
                .bind(mail.sealed.as_slice())
                .bind(mail.expires_at.map(Timestamp::as_micros))
                .bind(mail.created_at.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Forgets a mail that was sent; says whether the attempt was still the latest.
    pub async fn delete_sent_mail(&mut self, attempt: Attempt) -> StoreResult<bool> {
        let sql = DELETE_SENT_MAIL.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(attempt.id).bind(attempt.number).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Puts a mail off.
    pub async fn delay_mail(&mut self, attempt: Attempt, next_at: Timestamp, error: &str) -> StoreResult<()> {
        self.set_mail(DELAY_MAIL, attempt, next_at, error).await
    }

    /// Gives a mail up.
    pub async fn bury_mail(&mut self, attempt: Attempt, now: Timestamp, error: &str) -> StoreResult<()> {
        self.set_mail(BURY_MAIL, attempt, now, error).await
    }

    async fn set_mail(&mut self, statement: Sql, attempt: Attempt, at: Timestamp, error: &str) -> StoreResult<()> {
        let sql = statement.on(self.dialect());
        on_database!(self, |db| {
            let query = sqlx::query(sql).bind(attempt.id).bind(attempt.number).bind(at.as_micros());
            query.bind(error).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Lets a mail be tried anew; says whether there is one whose link is still good.
    pub async fn retry_mail(&mut self, id: Uuid, now: Timestamp) -> StoreResult<bool> {
        let sql = RETRY_MAIL.on(self.dialect());
        let found = on_database!(self, |db| {
            sqlx::query(sql).bind(id).bind(now.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(found > 0)
    }

    /// Lets all be tried anew that were given up and whose link, if any, is still good; says how many.
    pub async fn retry_dead_mails(&mut self, now: Timestamp) -> StoreResult<u64> {
        self.change_mails(RETRY_DEAD_MAILS, now).await
    }

    /// Throws a mail away; says whether there was one.
    pub async fn discard_mail(&mut self, id: Uuid) -> StoreResult<bool> {
        let sql = DISCARD_MAIL.on(self.dialect());
        let gone =
            on_database!(self, |db| sqlx::query(sql).bind(id).execute(db).await.map(|done| done.rows_affected()))?;
        Ok(gone > 0)
    }

    /// Throws away what was given up at `before` or earlier; says how many.
    pub async fn discard_dead_mails(&mut self, before: Timestamp) -> StoreResult<u64> {
        self.change_mails(DISCARD_DEAD_MAILS, before).await
    }

    async fn change_mails(&mut self, statement: Sql, at: Timestamp) -> StoreResult<u64> {
        let sql = statement.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(at.as_micros()).execute(db).await.map(|done| done.rows_affected())
        })?)
    }
}
