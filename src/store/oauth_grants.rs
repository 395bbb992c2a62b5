//! Grants: what people allowed clients, each one family of tokens.

use uuid::Uuid;

use super::audit::Slice;
use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, GrantId, UserId};

/// A grant as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GrantRecord {
    /// Its id.
    pub id: Uuid,
    /// Who allowed it.
    pub user_id: Uuid,
    /// Whom.
    pub client_ref: Uuid,
    /// The browser's sign-in under which it was made.
    pub session_id: Option<Uuid>,
    /// Separated by blanks.
    pub scopes: String,
    /// Separated by blanks.
    pub resources: String,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub last_used_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: i64,
}

/// A grant with its owner's standing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LivingGrant {
    /// The grant.
    #[sqlx(flatten)]
    pub grant: GrantRecord,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
}

/// Which grants live: those that have not ended at `now` and were used after `idle_since`.
#[derive(Clone, Copy, Debug)]
pub struct Living {
    /// The time.
    pub now: Timestamp,
    /// The moment after which it must have been used.
    pub idle_since: Timestamp,
}

/// A client that a user connected, with all that it was allowed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AppRecord {
    /// The client's row.
    pub client_ref: Uuid,
    /// Its name in the protocol.
    pub client_id: String,
    /// `static`, `registered` or `document`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// JSON.
    pub metadata: String,
    /// Of all grants, separated by blanks; words may come twice.
    pub scopes: String,
    /// Of all grants, separated by blanks; words may come twice.
    pub resources: String,
    /// How many grants.
    pub grants: i64,
    /// When the first of them was made, in microseconds since the epoch.
    pub created_at: i64,
    /// When one of them was used last, in microseconds since the epoch.
    pub last_used_at: i64,
}

/// `$1` to `$9`: the columns in order.
const INSERT_GRANT: Sql = Sql::same(
    "INSERT INTO oauth_grants (id, user_id, client_ref, session_id, scopes, resources, created_at, last_used_at,
                               expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
/// `$1` grant.
const FIND_GRANT: Sql = Sql::same(
    "SELECT g.id, g.user_id, g.client_ref, g.session_id, g.scopes, g.resources, g.created_at, g.last_used_at,
            g.expires_at, u.role, u.status
       FROM oauth_grants g JOIN users u ON u.id = g.user_id
      WHERE g.id = $1",
);
/// `$1` grant, `$2` user, `$3` now. Never back in time.
const TOUCH_GRANT: Sql =
    Sql::same("UPDATE oauth_grants SET last_used_at = $3 WHERE id = $1 AND user_id = $2 AND last_used_at < $3");
/// `$1` grant, `$2` user.
const DELETE_GRANT: Sql = Sql::same("DELETE FROM oauth_grants WHERE id = $1 AND user_id = $2");
/// `$1` user, `$2` client.
const DELETE_APP_GRANTS: Sql = Sql::same("DELETE FROM oauth_grants WHERE user_id = $1 AND client_ref = $2");
/// `$1` user, `$2` client.
const DELETE_APP_CONSENTS: Sql = Sql::same("DELETE FROM oauth_consents WHERE user_id = $1 AND client_ref = $2");
/// `$1` user, `$2` client, `$3` how many stay: those used last.
const DELETE_SURPLUS_GRANTS: Sql = Sql::same(
    "DELETE FROM oauth_grants WHERE id IN
        (SELECT id FROM oauth_grants WHERE user_id = $1 AND client_ref = $2
          ORDER BY last_used_at DESC, id DESC LIMIT 1000 OFFSET $3)",
);
/// `$1` now, `$2` the moment after which it must have been used.
const DELETE_EXPIRED_GRANTS: Sql = Sql::same("DELETE FROM oauth_grants WHERE expires_at <= $1 OR last_used_at <= $2");
/// `$1` grant. Held until the transaction ends; SQLite has one writer anyway.
const HOLD_GRANT: Sql = Sql {
    sqlite: "SELECT 1 FROM oauth_grants WHERE id = $1",
    postgres: "SELECT 1 FROM oauth_grants WHERE id = $1 FOR UPDATE",
};
/// `$1` user, `$2` now, `$3` the moment after which it must have been used, `$4` and `$5` the last row that was seen, `$6`
/// how many. The newest connection first. Scalar questions, because PostgreSQL would rather join all clients.
const LIST_APPS: Sql = Sql::same(
    "SELECT g.client_ref, string_agg(g.scopes, ' ') AS scopes, string_agg(g.resources, ' ') AS resources,
            count(*) AS grants, min(g.created_at) AS created_at, max(g.last_used_at) AS last_used_at,
            (SELECT client_id FROM oauth_clients WHERE id = g.client_ref) AS client_id,
            (SELECT kind FROM oauth_clients WHERE id = g.client_ref) AS kind,
            (SELECT name FROM oauth_clients WHERE id = g.client_ref) AS name,
            (SELECT metadata FROM oauth_clients WHERE id = g.client_ref) AS metadata
       FROM oauth_grants g
      WHERE g.user_id = $1 AND g.expires_at > $2 AND g.last_used_at > $3
      GROUP BY g.client_ref
     HAVING (min(g.created_at), g.client_ref) < ($4, $5)
      ORDER BY min(g.created_at) DESC, g.client_ref DESC
      LIMIT $6",
);
/// `$1` user, `$2` now, `$3` the moment after which it must have been used.
const COUNT_APPS: Sql = Sql::same(
    "SELECT count(DISTINCT client_ref) FROM oauth_grants WHERE user_id = $1 AND expires_at > $2 AND last_used_at > $3",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_GRANT", INSERT_GRANT),
    ("FIND_GRANT", FIND_GRANT),
    ("TOUCH_GRANT", TOUCH_GRANT),
    ("DELETE_GRANT", DELETE_GRANT),
    ("DELETE_APP_GRANTS", DELETE_APP_GRANTS),
    ("DELETE_APP_CONSENTS", DELETE_APP_CONSENTS),
    ("DELETE_SURPLUS_GRANTS", DELETE_SURPLUS_GRANTS),
    ("DELETE_EXPIRED_GRANTS", DELETE_EXPIRED_GRANTS),
    ("HOLD_GRANT", HOLD_GRANT),
    ("LIST_APPS", LIST_APPS),
    ("COUNT_APPS", COUNT_APPS),
];

impl Store {
    /// The grant with this id, ended by time or not.
    pub async fn find_grant(&self, id: GrantId) -> StoreResult<Option<LivingGrant>> {
        let sql = FIND_GRANT.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(id.0).fetch_optional(db).await)?)
    }

    /// The clients that a user connected, the newest connection first.
    pub async fn list_apps(&self, user: UserId, living: Living, slice: Slice) -> StoreResult<Vec<AppRecord>> {
        let sql = LIST_APPS.on(self.dialect());
        let (at, id) = slice.bounds();
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_as(sql).bind(user.0).bind(living.now.as_micros());
            let query = query.bind(living.idle_since.as_micros());
            query.bind(at).bind(id).bind(slice.limit).fetch_all(db).await
        })?)
    }

    /// How many clients a user connected.
    pub async fn count_apps(&self, user: UserId, living: Living) -> StoreResult<i64> {
        let sql = COUNT_APPS.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            let query = sqlx::query_scalar(sql).bind(user.0).bind(living.now.as_micros());
            query.bind(living.idle_since.as_micros()).fetch_one(db).await
        })?)
    }
}

impl Tx<'_> {
    /// Adds a grant.
    pub async fn insert_grant(&mut self, grant: &GrantRecord) -> StoreResult<()> {
        let sql = INSERT_GRANT.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(grant.id)
                .bind(grant.user_id)
                .bind(grant.client_ref)
                .bind(grant.session_id)
                .bind(&grant.scopes)
                .bind(&grant.resources)
                .bind(grant.created_at)
                .bind(grant.last_used_at)
                .bind(grant.expires_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Notes that a grant was used; says whether it still exists and was not noted later.
    pub async fn touch_grant(&mut self, id: GrantId, user: UserId, now: Timestamp) -> StoreResult<bool> {
        let sql = TOUCH_GRANT.on(self.dialect());
        let touched = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(id.0).bind(user.0).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(touched > 0)
    }

    /// Ends a grant of this user, with all of its tokens; says whether there was one.
    pub async fn delete_grant(&mut self, id: GrantId, user: UserId) -> StoreResult<bool> {
        let sql = DELETE_GRANT.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(id.0).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Ends what this user allowed this client; says how many grants there were.
    pub async fn delete_app_grants(&mut self, user: UserId, client: ClientRef) -> StoreResult<u64> {
        let sql = DELETE_APP_GRANTS.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(client.0).execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Forgets what this user was remembered to allow this client; says how much there was.
    pub async fn delete_app_consents(&mut self, user: UserId, client: ClientRef) -> StoreResult<u64> {
        let sql = DELETE_APP_CONSENTS.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(client.0).execute(db).await.map(|done| done.rows_affected())
        })?)
    }

    /// Ends all but the `kept` last used grants of this user to this client.
    pub async fn delete_surplus_grants(&mut self, user: UserId, client: ClientRef, kept: i64) -> StoreResult<()> {
        let sql = DELETE_SURPLUS_GRANTS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).bind(client.0).bind(kept).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Forgets the grants whose time is over, and those that were not used after `idle_since`.
    pub async fn delete_expired_grants(&mut self, now: Timestamp, idle_since: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_GRANTS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(now.as_micros()).bind(idle_since.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Keeps others from ending a grant before this transaction ends; says whether it is there.
    pub async fn hold_grant(&mut self, id: GrantId) -> StoreResult<bool> {
        let sql = HOLD_GRANT.on(self.dialect());
        let found: Option<i32> = on_database!(self, |db| sqlx::query_scalar(sql).bind(id.0).fetch_optional(db).await)?;
        Ok(found.is_some())
    }
}
