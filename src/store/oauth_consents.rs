//! What people allowed clients, so that they are not asked again.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, UserId};

/// A consent as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ConsentRecord {
    /// Who gave it.
    pub user_id: Uuid,
    /// To which client.
    pub client_ref: Uuid,
    /// On what: `api mcp`.
    pub resources: String,
    /// The scopes, separated by blanks.
    pub scopes: String,
}

/// `$1` user, `$2` client.
const FIND_CONSENTS: Sql = Sql::same(
    "SELECT user_id, client_ref, resources, scopes FROM oauth_consents WHERE user_id = $1 AND client_ref = $2",
);
/// `$1` user, `$2` client, `$3` resources, `$4` scopes, `$5` now.
const PUT_CONSENT: Sql = Sql::same(
    "INSERT INTO oauth_consents (user_id, client_ref, resources, scopes, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $5)
     ON CONFLICT (user_id, client_ref, resources) DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at",
);

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[("FIND_CONSENTS", FIND_CONSENTS), ("PUT_CONSENT", PUT_CONSENT)];

impl Store {
    /// What a user allowed a client.
    pub async fn find_consents(&self, user: UserId, client: ClientRef) -> StoreResult<Vec<ConsentRecord>> {
        let sql = FIND_CONSENTS.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(user.0).bind(client.0).fetch_all(db).await)?)
    }
}

impl Tx<'_> {
    /// What a user allowed a client, as it is within this transaction.
    pub async fn find_consents(&mut self, user: UserId, client: ClientRef) -> StoreResult<Vec<ConsentRecord>> {
        let sql = FIND_CONSENTS.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(user.0).bind(client.0).fetch_all(db).await)?)
    }

    /// Keeps a consent; it replaces the one for the same resources.
    pub async fn put_consent(&mut self, consent: &ConsentRecord, now: Timestamp) -> StoreResult<()> {
        let sql = PUT_CONSENT.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(consent.user_id)
                .bind(consent.client_ref)
                .bind(&consent.resources)
                .bind(&consent.scopes)
                .bind(now.as_micros())
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
