//! Who is behind a credential: the one look-up that every request makes, for many requests at once.

use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};
use uuid::Uuid;

use super::observed::Timed;
use super::{Pools, Sql, Store, StoreResult, Tx, on_database};

/// How many keys the gathered statements take; unused places repeat the first key.
pub const MOST_KEYS: usize = 16;

/// A credential and its owner.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CallerRecord {
    /// The session, token or grant.
    pub credential_id: Uuid,
    /// Of a token: SHA-256 of its text.
    pub token_hash: Option<Vec<u8>>,
    /// Of a token or grant: its scopes, separated by blanks.
    pub scopes: Option<String>,
    /// Of a grant: the client's `client_id`.
    pub client_id: Option<String>,
    /// When it ends, in microseconds since the epoch.
    pub expires_at: Option<i64>,
    /// When it was noted as used, in microseconds since the epoch.
    pub used_at: Option<i64>,
    /// Its owner.
    pub user_id: Uuid,
    /// `user` or `admin`.
    pub role: String,
    /// `active` or `disabled`.
    pub status: String,
    /// IANA name.
    pub time_zone: String,
    /// JSON.
    pub windows: Option<String>,
    /// The policy's name.
    pub policy: Option<String>,
    /// JSON: what they set of the parameters of policies.
    pub policy_params: Option<String>,
    /// Counts every change of the user's data.
    pub data_version: i64,
}

macro_rules! session_callers {
    ($keys:literal) => {
        Sql {
            // SQLite needs the type of NULL from nobody, PostgreSQL from the statement.
            sqlite: concat!(
                "SELECT s.id AS credential_id, NULL AS token_hash, NULL AS scopes, NULL AS client_id, s.expires_at,
                        s.last_seen_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone, u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id IN (",
                $keys,
                ")"
            ),
            postgres: concat!(
                "SELECT s.id AS credential_id, NULL::bytea AS token_hash, NULL::text AS scopes, NULL::text AS client_id,
                        s.expires_at, s.last_seen_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone,
                        u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id IN (",
                $keys,
                ")"
            ),
        }
    };
}

macro_rules! token_callers {
    ($keys:literal) => {
        Sql {
            // As above: the type of NULL.
            sqlite: concat!(
                "SELECT t.id AS credential_id, t.token_hash, t.scopes, NULL AS client_id, t.expires_at,
                        t.last_used_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone, u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM personal_tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash IN (",
                $keys,
                ")"
            ),
            postgres: concat!(
                "SELECT t.id AS credential_id, t.token_hash, t.scopes, NULL::text AS client_id, t.expires_at,
                        t.last_used_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone, u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM personal_tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash IN (",
                $keys,
                ")"
            ),
        }
    };
}

macro_rules! grant_callers {
    ($keys:literal) => {
        Sql {
            // As above: the type of NULL.
            sqlite: concat!(
                "SELECT g.id AS credential_id, NULL AS token_hash, g.scopes, c.client_id, g.expires_at,
                        g.last_used_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone, u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.client_ref
                  WHERE g.id IN (",
                $keys,
                ")"
            ),
            postgres: concat!(
                "SELECT g.id AS credential_id, NULL::bytea AS token_hash, g.scopes, c.client_id, g.expires_at,
                        g.last_used_at AS used_at, u.id AS user_id, u.role, u.status, u.time_zone, u.windows, u.policy,
                        u.policy_params, u.data_version
                   FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.client_ref
                  WHERE g.id IN (",
                $keys,
                ")"
            ),
        }
    };
}

/// `$1` session.
const FIND_SESSION_CALLER: Sql = session_callers!("$1");
/// `$1` to `$16` sessions.
const FIND_SESSION_CALLERS: Sql =
    session_callers!("$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16");
/// `$1` token hash.
const FIND_TOKEN_CALLER: Sql = token_callers!("$1");
/// `$1` to `$16` token hashes.
const FIND_TOKEN_CALLERS: Sql = token_callers!("$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16");
/// `$1` grant.
const FIND_GRANT_CALLER: Sql = grant_callers!("$1");
/// `$1` to `$16` grants.
const FIND_GRANT_CALLERS: Sql = grant_callers!("$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("FIND_SESSION_CALLER", FIND_SESSION_CALLER),
    ("FIND_SESSION_CALLERS", FIND_SESSION_CALLERS),
    ("FIND_TOKEN_CALLER", FIND_TOKEN_CALLER),
    ("FIND_TOKEN_CALLERS", FIND_TOKEN_CALLERS),
    ("FIND_GRANT_CALLER", FIND_GRANT_CALLER),
    ("FIND_GRANT_CALLERS", FIND_GRANT_CALLERS),
];

/// The keys to bind: one, or as many as the gathered statement has places.
fn places<K>(keys: &[K]) -> impl Iterator<Item = &K> {
    let count = if keys.len() > 1 { MOST_KEYS } else { keys.len() };
    keys.iter().chain(keys.first().into_iter().cycle()).take(count)
}

/// A connection that one look-up hands to the next: a pool would test it before and after each.
#[derive(Debug, Default)]
pub struct Lease(Option<Leased>);

#[derive(Debug)]
enum Leased {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Lease {
    /// The connection, taken from the pool if there is none yet.
    async fn connection(&mut self, store: &Store) -> Result<Tx<'_>, sqlx::Error> {
        if self.0.is_none() {
            self.0 = Some(match &store.pools {
                Pools::Sqlite { reader, .. } => Leased::Sqlite(reader.acquire().await?),
                Pools::Postgres(pool) => Leased::Postgres(store.reach.wait(Box::pin(pool.acquire())).await?),
            });
        }
        match &mut self.0 {
            Some(Leased::Sqlite(connection)) => Ok(Tx::Sqlite(connection)),
            Some(Leased::Postgres(connection)) => Ok(Tx::Postgres(connection)),
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    /// After a failure the pool has the connection back, which tests it.
    fn judge<T>(&mut self, found: Result<T, sqlx::Error>, timed: &Timed<'_>) -> StoreResult<T> {
        if let Err(error) = &found {
            timed.failed(error);
            self.0 = None;
        }
        Ok(found?)
    }
}

impl Store {
    /// The owners of at most [`MOST_KEYS`] sessions, in any order; those that ended are missing.
    pub async fn find_session_callers(&self, lease: &mut Lease, sessions: &[Uuid]) -> StoreResult<Vec<CallerRecord>> {
        self.find_callers_by_id(lease, [FIND_SESSION_CALLER, FIND_SESSION_CALLERS], sessions).await
    }

    /// The owners of at most [`MOST_KEYS`] grants, in any order; those that ended are missing.
    pub async fn find_grant_callers(&self, lease: &mut Lease, grants: &[Uuid]) -> StoreResult<Vec<CallerRecord>> {
        self.find_callers_by_id(lease, [FIND_GRANT_CALLER, FIND_GRANT_CALLERS], grants).await
    }

    async fn find_callers_by_id(
        &self,
        lease: &mut Lease,
        [one, more]: [Sql; 2],
        ids: &[Uuid],
    ) -> StoreResult<Vec<CallerRecord>> {
        let sql = if ids.len() < 2 { one } else { more }.on(self.dialect());
        let timed = Timed::begin(&self.metrics);
        let connection = &mut lease.connection(self).await.inspect_err(|error| timed.failed(error))?;
        let found = on_database!(connection, |db| {
            let query = places(ids).fold(sqlx::query_as(sql), |query, id| query.bind(*id));
            query.fetch_all(db).await
        });
        lease.judge(self.reach.judge(found), &timed)
    }

    /// The owners of at most [`MOST_KEYS`] personal tokens, in any order; unknown ones are missing.
    pub async fn find_token_callers(&self, lease: &mut Lease, hashes: &[[u8; 32]]) -> StoreResult<Vec<CallerRecord>> {
        let sql = if hashes.len() < 2 { FIND_TOKEN_CALLER } else { FIND_TOKEN_CALLERS }.on(self.dialect());
        let timed = Timed::begin(&self.metrics);
        let connection = &mut lease.connection(self).await.inspect_err(|error| timed.failed(error))?;
        let found = on_database!(connection, |db| {
            let query = places(hashes).fold(sqlx::query_as(sql), |query, hash| query.bind(hash.as_slice()));
            query.fetch_all(db).await
        });
        lease.judge(self.reach.judge(found), &timed)
    }
}
