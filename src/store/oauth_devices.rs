//! Devices that wait for their user (RFC 8628).

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, UserId};

/// A device's request as stored: all but its codes.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeviceRecord {
    /// SHA-256 of the device code.
    pub device_hash: Vec<u8>,
    /// SHA-256 of the user code.
    pub user_code_hash: Vec<u8>,
    /// The client that asks.
    pub client_ref: Uuid,
    /// What it asks for, then what was allowed; separated by blanks.
    pub scopes: String,
    /// Separated by blanks.
    pub resources: String,
    /// `pending`, `approved` or `denied`.
    pub state: String,
    /// Who decided.
    pub user_id: Option<Uuid>,
    /// Their sign-in.
    pub session_id: Option<Uuid>,
    /// When they proved who they are, in microseconds since the epoch.
    pub authenticated_at: Option<i64>,
    /// How, separated by blanks.
    pub methods: Option<String>,
    /// Microseconds since the epoch.
    pub last_polled_at: Option<i64>,
    /// How long the device must wait between two questions.
    pub interval_seconds: i64,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: i64,
}

/// A device's request with the name of its client.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WaitingDevice {
    /// The client that asks.
    pub client_ref: Uuid,
    /// Its name in the protocol.
    pub client_id: String,
    /// What it asks for, separated by blanks.
    pub scopes: String,
    /// Separated by blanks.
    pub resources: String,
    /// `pending`, `approved` or `denied`.
    pub state: String,
    /// Microseconds since the epoch.
    pub expires_at: i64,
}

/// What somebody decided about a device.
#[derive(Clone, Debug)]
pub struct DeviceDecision {
    /// SHA-256 of the user code.
    pub user_code_hash: [u8; 32],
    /// `approved` or `denied`.
    pub state: &'static str,
    /// What is allowed, separated by blanks.
    pub scopes: String,
    /// Who decided.
    pub user_id: UserId,
    /// Their sign-in.
    pub session_id: Option<Uuid>,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// How, separated by blanks.
    pub methods: String,
    /// When they decided.
    pub now: Timestamp,
}

/// What [`DeviceRecord`] reads, by name.
macro_rules! select_device {
    ($rest:literal) => {
        concat!(
            "SELECT device_hash, user_code_hash, client_ref, scopes, resources, state, user_id, session_id,
                    authenticated_at, methods, last_polled_at, interval_seconds, created_at, expires_at
               FROM oauth_devices ",
            $rest
        )
    };
}

/// `$1` device hash, `$2` user code hash, `$3` client, `$4` scopes, `$5` resources, `$6` interval, `$7` now, `$8` end.
const INSERT_DEVICE: Sql = Sql::same(
    "INSERT INTO oauth_devices (device_hash, user_code_hash, client_ref, scopes, resources, state, interval_seconds,
                                created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8)",
);
/// `$1` device hash. On PostgreSQL the row stays as it is until the transaction ends; SQLite has one writer anyway.
const LOCK_DEVICE: Sql = Sql {
    sqlite: select_device!("WHERE device_hash = $1"),
    postgres: select_device!("WHERE device_hash = $1 FOR UPDATE"),
};
/// `$1` user code hash.
const FIND_DEVICE: Sql = Sql::same(
    "SELECT d.client_ref, c.client_id, d.scopes, d.resources, d.state, d.expires_at
       FROM oauth_devices d JOIN oauth_clients c ON c.id = d.client_ref
      WHERE d.user_code_hash = $1",
);
/// `$1` device hash, `$2` now, `$3` interval.
const NOTE_POLL: Sql =
    Sql::same("UPDATE oauth_devices SET last_polled_at = $2, interval_seconds = $3 WHERE device_hash = $1");
/// `$1` user code hash, `$2` state, `$3` scopes, `$4` user, `$5` session, `$6` authenticated at, `$7` methods, `$8` now.
/// Decided once: a second time finds no row.
const DECIDE_DEVICE: Sql = Sql::same(
    "UPDATE oauth_devices
        SET state = $2, scopes = $3, user_id = $4, session_id = $5, authenticated_at = $6, methods = $7
      WHERE user_code_hash = $1 AND state = 'pending' AND expires_at > $8",
);
/// `$1` device hash.
const DELETE_DEVICE: Sql = Sql::same("DELETE FROM oauth_devices WHERE device_hash = $1");
/// `$1` user, `$2` client.
const DELETE_APP_DEVICES: Sql = Sql::same("DELETE FROM oauth_devices WHERE user_id = $1 AND client_ref = $2");
/// `$1` a moment.
const DELETE_EXPIRED_DEVICES: Sql = Sql::same("DELETE FROM oauth_devices WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_DEVICE", INSERT_DEVICE),
    ("LOCK_DEVICE", LOCK_DEVICE),
    ("FIND_DEVICE", FIND_DEVICE),
    ("NOTE_POLL", NOTE_POLL),
    ("DECIDE_DEVICE", DECIDE_DEVICE),
    ("DELETE_DEVICE", DELETE_DEVICE),
    ("DELETE_APP_DEVICES", DELETE_APP_DEVICES),
    ("DELETE_EXPIRED_DEVICES", DELETE_EXPIRED_DEVICES),
];

impl Store {
    /// The request with this user code, decided or not.
    pub async fn find_device(&self, user_code_hash: [u8; 32]) -> StoreResult<Option<WaitingDevice>> {
        let sql = FIND_DEVICE.on(self.dialect());
        let hash = user_code_hash.as_slice();
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(hash).fetch_optional(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a device that waits; [`super::StoreError::Taken`] when its user code is.
    pub async fn insert_device(&mut self, device: &DeviceRecord) -> StoreResult<()> {
        let sql = INSERT_DEVICE.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(&device.device_hash)
                .bind(&device.user_code_hash)
                .bind(device.client_ref)
                .bind(&device.scopes)
                .bind(&device.resources)
                .bind(device.interval_seconds)
                .bind(device.created_at)
                .bind(device.expires_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// The request with this device code, which nobody else changes before this transaction ends.
    pub async fn lock_device(&mut self, device_hash: [u8; 32]) -> StoreResult<Option<DeviceRecord>> {
        let sql = LOCK_DEVICE.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(device_hash.as_slice()).fetch_optional(db).await)?)
    }

    /// Notes that a device asked, and how long it must wait before the next time.
    pub async fn note_poll(&mut self, device_hash: [u8; 32], now: Timestamp, interval: i64) -> StoreResult<()> {
        let sql = NOTE_POLL.on(self.dialect());
        let hash = device_hash.as_slice();
        on_database!(self, |db| {
            sqlx::query(sql).bind(hash).bind(now.as_micros()).bind(interval).execute(db).await.map(drop)
        })?;
        Ok(())
    }

    /// Decides about a device that waits; says whether it still did.
    pub async fn decide_device(&mut self, decision: &DeviceDecision) -> StoreResult<bool> {
        let sql = DECIDE_DEVICE.on(self.dialect());
        let done = on_database!(self, |db| {
            sqlx::query(sql)
                .bind(decision.user_code_hash.as_slice())
                .bind(decision.state)
                .bind(&decision.scopes)
                .bind(decision.user_id.0)
                .bind(decision.session_id)
                .bind(decision.authenticated_at.as_micros())
                .bind(&decision.methods)
                .bind(decision.now.as_micros())
                .execute(db)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// Removes a request; says whether there was one.
    pub async fn delete_device(&mut self, device_hash: [u8; 32]) -> StoreResult<bool> {
        let sql = DELETE_DEVICE.on(self.dialect());
        let gone = on_database!(self, |db| {
            sqlx::query(sql).bind(device_hash.as_slice()).execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(gone > 0)
    }

    /// Forgets the devices with this client about which this user decided.
    pub async fn delete_app_devices(&mut self, user: UserId, client: ClientRef) -> StoreResult<()> {
        let sql = DELETE_APP_DEVICES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(user.0).bind(client.0).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Forgets the requests, decided or not, that expired before a moment.
    pub async fn delete_expired_devices(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_DEVICES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
