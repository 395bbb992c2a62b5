//! Clients of the authorization server, and their assertions that were seen.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::ClientRef;

/// A client as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClientRecord {
    /// The row.
    pub id: Uuid,
    /// Its name in the protocol.
    pub client_id: String,
    /// `static`, `registered` or `document`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// How it may prove who it is, separated by blanks.
    pub auth_method: String,
    /// SHA-256 of its secret.
    pub secret_hash: Option<Vec<u8>>,
    /// JSON.
    pub metadata: String,
    /// SHA-256 of the token that manages its registration.
    pub registration_token_hash: Option<Vec<u8>>,
    /// Where its registration came from.
    pub address: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub updated_at: i64,
    /// When it was last seen to be used, in microseconds since the epoch.
    pub last_used_at: Option<i64>,
    /// Of a registered one that was never used: when it is forgotten; of a document: when it must be fetched again. In
    /// microseconds since the epoch.
    pub expires_at: Option<i64>,
    /// Of a document: when it was fetched, in microseconds since the epoch.
    pub fetched_at: Option<i64>,
}

/// `$1` to `$14`: the columns in order.
const INSERT_CLIENT: Sql = Sql::same(
    "INSERT INTO oauth_clients (id, client_id, kind, name, auth_method, secret_hash, metadata, registration_token_hash,
                                address, created_at, updated_at, last_used_at, expires_at, fetched_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
);
/// `$1` to `$14`: the columns in order; what is there keeps its id, its secret and its history, and its kind must be the
/// same.
const UPSERT_CLIENT: Sql = Sql::same(
    "INSERT INTO oauth_clients (id, client_id, kind, name, auth_method, secret_hash, metadata, registration_token_hash,
                                address, created_at, updated_at, last_used_at, expires_at, fetched_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     ON CONFLICT (client_id) DO UPDATE
        SET name = excluded.name, auth_method = excluded.auth_method, metadata = excluded.metadata,
            updated_at = excluded.updated_at, expires_at = excluded.expires_at, fetched_at = excluded.fetched_at
      WHERE oauth_clients.kind = excluded.kind",
);
/// `$1` client.
const FIND_CLIENT: Sql = Sql::same(
    "SELECT id, client_id, kind, name, auth_method, secret_hash, metadata, registration_token_hash, address, created_at,
            updated_at, last_used_at, expires_at, fetched_at
       FROM oauth_clients WHERE client_id = $1",
);
/// Oldest first.
const LIST_CLIENTS: Sql = Sql::same(
    "SELECT id, client_id, kind, name, auth_method, secret_hash, metadata, registration_token_hash, address, created_at,
            updated_at, last_used_at, expires_at, fetched_at
       FROM oauth_clients ORDER BY created_at, id",
);
/// `$1` row, `$2` name, `$3` methods, `$4` secret's hash, `$5` metadata, `$6` now.
const UPDATE_CLIENT: Sql = Sql::same(
    "UPDATE oauth_clients SET name = $2, auth_method = $3, secret_hash = $4, metadata = $5, updated_at = $6
      WHERE id = $1",
);
/// `$1` row, `$2` now. Who is used is not forgotten any more.
const TOUCH_CLIENT: Sql = Sql::same(
    "UPDATE oauth_clients
        SET last_used_at = $2, expires_at = CASE WHEN kind = 'registered' THEN NULL ELSE expires_at END
      WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
);
/// `$1` row. Held until the transaction ends; SQLite has one writer anyway.
const HOLD_CLIENT: Sql = Sql {
    sqlite: "SELECT 1 FROM oauth_clients WHERE id = $1",
    postgres: "SELECT 1 FROM oauth_clients WHERE id = $1 FOR KEY SHARE",
};
/// `$1` row.
const DELETE_CLIENT: Sql = Sql::same("DELETE FROM oauth_clients WHERE id = $1");
/// `$1` row.
const FORGET_CONSENTS: Sql = Sql::same("DELETE FROM oauth_consents WHERE client_ref = $1");
/// `$1` address, `$2` now. Registrations that were never used.
const COUNT_UNUSED_FROM: Sql = Sql::same(
    "SELECT count(*) FROM oauth_clients
      WHERE kind = 'registered' AND address = $1 AND last_used_at IS NULL AND expires_at > $2",
);
/// `$1` kind.
const COUNT_UNUSED: Sql = Sql::same("SELECT count(*) FROM oauth_clients WHERE kind = $1 AND last_used_at IS NULL");
/// `$1` now, `$2` the moment before which an unused document was fetched too long ago. What somebody allowed stays.
const DELETE_UNUSED_CLIENTS: Sql = Sql::same(
    "DELETE FROM oauth_clients
      WHERE ((kind = 'registered' AND last_used_at IS NULL AND expires_at <= $1)
             OR (kind = 'document' AND fetched_at <= $2))
        AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_ref = oauth_clients.id)
        AND NOT EXISTS (SELECT 1 FROM oauth_codes c WHERE c.client_ref = oauth_clients.id)
        AND NOT EXISTS (SELECT 1 FROM oauth_devices d WHERE d.client_ref = oauth_clients.id)
        AND NOT EXISTS (SELECT 1 FROM oauth_consents s WHERE s.client_ref = oauth_clients.id)",
);
/// `$1` kind. The oldest that nobody ever used, or let do something. At most one row.
const DELETE_OLDEST_UNUSED: Sql = Sql::same(
    "DELETE FROM oauth_clients WHERE id =
        (SELECT o.id FROM oauth_clients o
          WHERE o.kind = $1 AND o.last_used_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_ref = o.id)
            AND NOT EXISTS (SELECT 1 FROM oauth_codes c WHERE c.client_ref = o.id)
            AND NOT EXISTS (SELECT 1 FROM oauth_devices d WHERE d.client_ref = o.id)
            AND NOT EXISTS (SELECT 1 FROM oauth_consents s WHERE s.client_ref = o.id)
          ORDER BY o.created_at, o.id LIMIT 1)",
);
/// `$1` hash, `$2` when it may be forgotten.
const INSERT_ASSERTION: Sql =
    Sql::same("INSERT INTO oauth_assertions (assertion_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
/// `$1` now.
const DELETE_EXPIRED_ASSERTIONS: Sql = Sql::same("DELETE FROM oauth_assertions WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_CLIENT", INSERT_CLIENT),
    ("UPSERT_CLIENT", UPSERT_CLIENT),
    ("FIND_CLIENT", FIND_CLIENT),
    ("LIST_CLIENTS", LIST_CLIENTS),
    ("UPDATE_CLIENT", UPDATE_CLIENT),
    ("TOUCH_CLIENT", TOUCH_CLIENT),
    ("HOLD_CLIENT", HOLD_CLIENT),
    ("DELETE_CLIENT", DELETE_CLIENT),
    ("FORGET_CONSENTS", FORGET_CONSENTS),
    ("COUNT_UNUSED_FROM", COUNT_UNUSED_FROM),
    ("COUNT_UNUSED", COUNT_UNUSED),
    ("DELETE_UNUSED_CLIENTS", DELETE_UNUSED_CLIENTS),
    ("DELETE_OLDEST_UNUSED", DELETE_OLDEST_UNUSED),
    ("INSERT_ASSERTION", INSERT_ASSERTION),
    ("DELETE_EXPIRED_ASSERTIONS", DELETE_EXPIRED_ASSERTIONS),
];

impl Store {
    /// The client of that name.
    pub async fn find_client(&self, client_id: &str) -> StoreResult<Option<ClientRecord>> {
        let sql = FIND_CLIENT.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(client_id).fetch_optional(db).await)?)
    }

    /// All clients, oldest first.
    pub async fn list_clients(&self) -> StoreResult<Vec<ClientRecord>> {
        let sql = LIST_CLIENTS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).fetch_all(db).await)?)
    }

    /// How many registrations from this address were never used and will expire.
    pub async fn count_unused_clients_from(&self, address: &str, now: Timestamp) -> StoreResult<i64> {
        let sql = COUNT_UNUSED_FROM.on(self.dialect());
        Ok(on_database!(self.reader, |db| {
            sqlx::query_scalar(sql).bind(address).bind(now.as_micros()).fetch_one(db).await
        })?)
    }

    /// How many clients of this kind were never used.
    pub async fn count_unused_clients(&self, kind: &str) -> StoreResult<i64> {
        let sql = COUNT_UNUSED.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_scalar(sql).bind(kind).fetch_one(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a client.
    pub async fn insert_client(&mut self, client: &ClientRecord) -> StoreResult<()> {
        let sql = INSERT_CLIENT.on(self.dialect());
        self.write_client(sql, client).await
    }

    /// Adds a client, or brings the one of that name and kind up to date.
    pub async fn upsert_client(&mut self, client: &ClientRecord) -> StoreResult<()> {
        let sql = UPSERT_CLIENT.on(self.dialect());
        self.write_client(sql, client).await
    }

    async fn write_client(&mut self, sql: &'static str, client: &ClientRecord) -> StoreResult<()> {
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(client.id)
                .bind(&client.client_id)
                .bind(&client.kind)
                .bind(&client.name)
                .bind(&client.auth_method)
                .bind(&client.secret_hash)
                .bind(&client.metadata)
                .bind(&client.registration_token_hash)
                .bind(&client.address)
                .bind(client.created_at)
                .bind(client.updated_at)
                .bind(client.last_used_at)
                .bind(client.expires_at)
                .bind(client.fetched_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Changes what a client says of itself, and its secret; says whether it is still there.
    pub async fn update_client(&mut self, client: &ClientRecord) -> StoreResult<bool> {
        let sql = UPDATE_CLIENT.on(self.dialect());
        let changed = on_database!(self, |db| {
            sqlx::query(sql)
                .bind(client.id)
                .bind(&client.name)
                .bind(&client.auth_method)
                .bind(&client.secret_hash)
                .bind(&client.metadata)
                .bind(client.updated_at)
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(changed > 0)
    }

    /// Notes that a client was used.
    pub async fn touch_client(&mut self, id: ClientRef, now: Timestamp) -> StoreResult<()> {
        let sql = TOUCH_CLIENT.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(id.0).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Makes room for another client of this kind: forgets the oldest that nobody ever used; says whether there was one.
    pub async fn delete_oldest_unused(&mut self, kind: &str) -> StoreResult<bool> {
        let sql = DELETE_OLDEST_UNUSED.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(kind).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Keeps others from removing a client before this transaction ends; says whether it is there.
    pub async fn hold_client(&mut self, id: ClientRef) -> StoreResult<bool> {
        let sql = HOLD_CLIENT.on(self.dialect());
        let found: Option<i32> = on_database!(self, |db| sqlx::query_scalar(sql).bind(id.0).fetch_optional(db).await)?;
        Ok(found.is_some())
    }

    /// Removes a client and everything that people allowed it; says whether there was one.
    pub async fn delete_client(&mut self, id: ClientRef) -> StoreResult<bool> {
        let sql = DELETE_CLIENT.on(self.dialect());
        let gone =
            on_database!(self, |db| sqlx::query(sql).bind(id.0).execute(db).await.map(|done| done.rows_affected()))?;
        Ok(gone > 0)
    }

    /// Forgets what people would not be asked again about a client; what they allowed it stays.
    pub async fn forget_consents(&mut self, id: ClientRef) -> StoreResult<()> {
        let sql = FORGET_CONSENTS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(id.0).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Forgets registrations that expired unused, and documents that were fetched before `stale` and are of no use.
    pub async fn delete_unused_clients(&mut self, now: Timestamp, stale: Timestamp) -> StoreResult<()> {
        let sql = DELETE_UNUSED_CLIENTS.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql).bind(now.as_micros()).bind(stale.as_micros()).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Notes an assertion; says whether it is new.
    pub async fn insert_assertion(&mut self, hash: [u8; 32], expires_at: Timestamp) -> StoreResult<bool> {
        let sql = INSERT_ASSERTION.on(self.dialect());
        let inserted = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hash.as_slice()).bind(expires_at.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(inserted > 0)
    }

    /// Forgets assertions that cannot come again.
    pub async fn delete_expired_assertions(&mut self, now: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_ASSERTIONS.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(now.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
