//! Sign-ins and their refresh tokens.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{SessionId, UserId};

/// A sign-in as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRecord {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub last_seen_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: i64,
    /// Of a browser: SHA-256 of its cookie.
    pub cookie_hash: Option<Vec<u8>>,
    /// Of a browser: when its user last proved who they are, in microseconds since the epoch.
    pub authenticated_at: Option<i64>,
    /// Of a browser: how they did (RFC 8176), separated by blanks.
    pub methods: Option<String>,
}

/// A browser that somebody is signed in with, and who that is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BrowserRecord {
    /// The session.
    pub id: Uuid,
    /// Its user.
    pub user_id: Uuid,
    /// When it began, in microseconds since the epoch.
    pub created_at: i64,
    /// When it was used last, in microseconds since the epoch.
    pub last_seen_at: i64,
    /// When it ends, in microseconds since the epoch.
    pub expires_at: i64,
    /// When its user last proved who they are, in microseconds since the epoch.
    pub authenticated_at: Option<i64>,
    /// How they did.
    pub methods: Option<String>,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub full_name: Option<String>,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
}

/// A refresh token with its session and its owner's standing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RefreshRecord {
    /// The session that it belongs to.
    pub session_id: Uuid,
    /// Its owner.
    pub user_id: Uuid,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// When the session ends, in microseconds since the epoch.
    pub expires_at: i64,
    /// When it was used, in microseconds since the epoch.
    pub used_at: Option<i64>,
    /// What it was answered with, sealed.
    pub answer: Option<Vec<u8>>,
    /// When the token that replaced it was used.
    pub successor_used_at: Option<i64>,
}

/// What the use of a refresh token leaves behind.
#[derive(Clone, Debug)]
pub struct SpentRefresh {
    /// The token's hash.
    pub token_hash: [u8; 32],
    /// The hash of the one that replaces it.
    pub successor_hash: [u8; 32],
    /// The answer, sealed with the token.
    pub answer: Vec<u8>,
    /// When.
    pub now: Timestamp,
}

/// `$1` to `$10`: the columns in order.
const INSERT_SESSION: Sql = Sql::same(
    "INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at, cookie_hash,
                           authenticated_at, methods)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
/// `$1` user, `$2` now, `$3` and `$4` the last row that was seen, `$5` how many. Newest first.
const LIST_SESSIONS: Sql = Sql::same(
    "SELECT id, user_id, user_agent, address, created_at, last_seen_at, expires_at, cookie_hash, authenticated_at, methods
       FROM sessions
      WHERE user_id = $1 AND expires_at > $2 AND (created_at, id) < ($3, $4)
      ORDER BY created_at DESC, id DESC
      LIMIT $5",
);
/// `$1` user, `$2` now.
const COUNT_SESSIONS: Sql = Sql::same("SELECT count(*) FROM sessions WHERE user_id = $1 AND expires_at > $2");
/// `$1` session, `$2` user.
const FIND_SESSION_PROOF: Sql =
    Sql::same("SELECT COALESCE(authenticated_at, created_at) FROM sessions WHERE id = $1 AND user_id = $2");
/// `$1` session, `$2` user.
const DELETE_SESSION: Sql = Sql::same("DELETE FROM sessions WHERE id = $1 AND user_id = $2");
/// `$1` user, `$2` the session that stays.
const DELETE_OTHER_SESSIONS: Sql = Sql::same("DELETE FROM sessions WHERE user_id = $1 AND id <> $2");
/// `$1` now.
const DELETE_EXPIRED_SESSIONS: Sql = Sql::same("DELETE FROM sessions WHERE expires_at <= $1");
/// `$1` session, `$2` user, `$3` now. Never back in time.
const TOUCH_SESSION: Sql =
    Sql::same("UPDATE sessions SET last_seen_at = $3 WHERE id = $1 AND user_id = $2 AND last_seen_at < $3");
/// `$1` cookie's hash.
const FIND_BROWSER: Sql = Sql::same(
    "SELECT s.id, s.user_id, s.created_at, s.last_seen_at, s.expires_at, s.authenticated_at, s.methods, u.email,
            u.full_name, u.role, u.status
       FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.cookie_hash = $1",
);
/// `$1` cookie's hash.
const DELETE_BROWSER: Sql = Sql::same("DELETE FROM sessions WHERE cookie_hash = $1");
/// `$1` session, `$2` user, `$3` now, `$4` when it ends. Never back in time.
const EXTEND_BROWSER: Sql = Sql::same(
    "UPDATE sessions SET last_seen_at = $3, expires_at = $4 WHERE id = $1 AND user_id = $2 AND last_seen_at < $3",
);
/// `$1` hash, `$2` session, `$3` now.
const INSERT_REFRESH: Sql =
    Sql::same("INSERT INTO refresh_tokens (token_hash, session_id, created_at) VALUES ($1, $2, $3)");
/// `$1` hash.
const FIND_REFRESH: Sql = Sql::same(
    "SELECT t.session_id, s.user_id, u.role, u.status, s.expires_at, t.used_at, t.answer,
            (SELECT n.used_at FROM refresh_tokens n WHERE n.token_hash = t.successor_hash) AS successor_used_at
       FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
      WHERE t.token_hash = $1",
);
/// `$1` hash, `$2` now, `$3` successor, `$4` sealed answer. Of two at the same time one finds no row.
const SPEND_REFRESH: Sql = Sql::same(
    "UPDATE refresh_tokens SET used_at = $2, successor_hash = $3, answer = $4 WHERE token_hash = $1 AND used_at IS NULL",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_SESSION", INSERT_SESSION),
    ("LIST_SESSIONS", LIST_SESSIONS),
    ("COUNT_SESSIONS", COUNT_SESSIONS),
    ("FIND_SESSION_PROOF", FIND_SESSION_PROOF),
    ("DELETE_SESSION", DELETE_SESSION),
    ("DELETE_OTHER_SESSIONS", DELETE_OTHER_SESSIONS),
    ("DELETE_EXPIRED_SESSIONS", DELETE_EXPIRED_SESSIONS),
    ("TOUCH_SESSION", TOUCH_SESSION),
    ("FIND_BROWSER", FIND_BROWSER),
    ("DELETE_BROWSER", DELETE_BROWSER),
    ("EXTEND_BROWSER", EXTEND_BROWSER),
    ("INSERT_REFRESH", INSERT_REFRESH),
    ("FIND_REFRESH", FIND_REFRESH),
    ("SPEND_REFRESH", SPEND_REFRESH),
];

impl Store {
    /// A user's living sessions, newest first.
    pub async fn list_sessions(&self, user: UserId, now: Timestamp, slice: Slice) -> StoreResult<Vec<SessionRecord>> {
        let sql = LIST_SESSIONS.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_as(sql).bind(user.0).bind(now.as_micros());
            query.bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many living sessions a user has.
    pub async fn count_sessions(&self, user: UserId, now: Timestamp) -> StoreResult<i64> {
        let sql = COUNT_SESSIONS.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(sql).bind(user.0).bind(now.as_micros()).fetch_one(db).await
        })?)
    }

    /// The browser whose cookie has this hash.
    pub async fn find_browser(&self, cookie_hash: [u8; 32]) -> StoreResult<Option<BrowserRecord>> {
        let sql = FIND_BROWSER.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(cookie_hash.as_slice()).fetch_optional(db).await)?)
    }

    /// The refresh token with this hash.
    pub async fn find_refresh(&self, hash: [u8; 32]) -> StoreResult<Option<RefreshRecord>> {
        let sql = FIND_REFRESH.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a sign-in.
    pub async fn insert_session(&mut self, session: &SessionRecord) -> StoreResult<()> {
        let sql = INSERT_SESSION.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(session.id)
                .bind(session.user_id)
                .bind(&session.user_agent)
                .bind(&session.address)
                .bind(session.created_at)
                .bind(session.last_seen_at)
                .bind(session.expires_at)
                .bind(&session.cookie_hash)
                .bind(session.authenticated_at)
                .bind(&session.methods)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Ends a session of this user; says whether there was one.
    pub async fn delete_session(&mut self, id: SessionId, user: UserId) -> StoreResult<bool> {
        let sql = DELETE_SESSION.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// When the user of this session proved who they are, in microseconds since the epoch; `None` when it has ended.
    pub async fn find_session_proof(&mut self, id: SessionId, user: UserId) -> StoreResult<Option<i64>> {
        let sql = FIND_SESSION_PROOF.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_scalar(sql).bind(id.0).bind(user.0).fetch_optional(db).await)?)
    }

    /// Ends all sessions of this user but one; without one to keep, all of them.
    pub async fn delete_other_sessions(&mut self, user: UserId, kept: Option<SessionId>) -> StoreResult<u64> {
        let sql = DELETE_OTHER_SESSIONS.on(self.dialect());
        let kept = kept.map_or_else(Uuid::nil, |id| id.0);
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(kept).execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Forgets the sessions whose time is over.
    pub async fn delete_expired_sessions(&mut self, now: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_SESSIONS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Notes that a session was used.
    pub async fn touch_session(&mut self, id: SessionId, user: UserId, now: Timestamp) -> StoreResult<()> {
        let sql = TOUCH_SESSION.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(user.0).bind(now.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Notes that a browser was used, which lets its session go on until `expires_at`.
    pub async fn extend_browser(
        &mut self,
        id: SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<()> {
        let sql = EXTEND_BROWSER.on(self.dialect());
        on_database!(self, |db| {
            let query = sqlx::query(sql).bind(id.0).bind(user.0).bind(now.as_micros());
            query.bind(expires_at.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Ends the session of the browser whose cookie has this hash; says whether there was one.
    pub async fn delete_browser(&mut self, cookie_hash: [u8; 32]) -> StoreResult<bool> {
        let sql = DELETE_BROWSER.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(cookie_hash.as_slice()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Adds a refresh token to a session.
    pub async fn insert_refresh(&mut self, hash: [u8; 32], session: SessionId, now: Timestamp) -> StoreResult<()> {
        let sql = INSERT_REFRESH.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(hash.as_slice()).bind(session.0).bind(now.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// The refresh token with this hash, as it is within this transaction.
    pub async fn find_refresh(&mut self, hash: [u8; 32]) -> StoreResult<Option<RefreshRecord>> {
        let sql = FIND_REFRESH.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }

    /// Marks a refresh token as used, unless it is already; says whether this call did.
    pub async fn spend_refresh(&mut self, spent: &SpentRefresh) -> StoreResult<bool> {
        let sql = SPEND_REFRESH.on(self.dialect());
        let done = on_database!(self, |db| {
            sqlx::query(sql)
                .bind(spent.token_hash.as_slice())
                .bind(spent.now.as_micros())
                .bind(spent.successor_hash.as_slice())
                .bind(spent.answer.as_slice())
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }
}
