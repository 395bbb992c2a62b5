//! Authorization codes.

use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::clock::Timestamp;
use crate::ids::{ClientRef, UserId};

/// A code as stored: all but the code.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CodeRecord {
    /// SHA-256 of the code.
    pub code_hash: Vec<u8>,
    /// The grant that it becomes.
    pub grant_id: Uuid,
    /// Who approved it.
    pub user_id: Uuid,
    /// The client that it was given to.
    pub client_ref: Uuid,
    /// The browser's sign-in.
    pub session_id: Option<Uuid>,
    /// Where it was sent.
    pub redirect_uri: String,
    /// PKCE, S256.
    pub challenge: String,
    /// Separated by blanks.
    pub scopes: String,
    /// Separated by blanks.
    pub resources: String,
    /// For the id token.
    pub nonce: Option<String>,
    /// When somebody proved who they are, in microseconds since the epoch.
    pub authenticated_at: i64,
    /// How, separated by blanks.
    pub methods: String,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: i64,
    /// Microseconds since the epoch.
    pub used_at: Option<i64>,
}

/// `$1` to `$14`: the columns in order, but for `used_at`.
const INSERT_CODE: Sql = Sql::same(
    "INSERT INTO oauth_codes (code_hash, grant_id, user_id, client_ref, session_id, redirect_uri, challenge, scopes,
                              resources, nonce, authenticated_at, methods, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
);
/// `$1` hash.
const FIND_CODE: Sql = Sql::same(
    "SELECT code_hash, grant_id, user_id, client_ref, session_id, redirect_uri, challenge, scopes, resources, nonce,
            authenticated_at, methods, created_at, expires_at, used_at
       FROM oauth_codes WHERE code_hash = $1",
);
/// `$1` hash, `$2` now. Of two at the same time one finds no row.
const SPEND_CODE: Sql = Sql::same("UPDATE oauth_codes SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL");
/// `$1` user, `$2` client.
const DELETE_APP_CODES: Sql = Sql::same("DELETE FROM oauth_codes WHERE user_id = $1 AND client_ref = $2");
/// `$1` a moment.
const DELETE_EXPIRED_CODES: Sql = Sql::same("DELETE FROM oauth_codes WHERE expires_at <= $1");

/// The statements of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT_CODE", INSERT_CODE),
    ("FIND_CODE", FIND_CODE),
    ("SPEND_CODE", SPEND_CODE),
    ("DELETE_APP_CODES", DELETE_APP_CODES),
    ("DELETE_EXPIRED_CODES", DELETE_EXPIRED_CODES),
];

impl Store {
    /// The code with this hash, used or not.
    pub async fn find_code(&self, hash: [u8; 32]) -> StoreResult<Option<CodeRecord>> {
        let sql = FIND_CODE.on(self.dialect());
        Ok(on_database!(self.reader, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }
}

impl Tx<'_> {
    /// Adds a code.
    pub async fn insert_code(&mut self, code: &CodeRecord) -> StoreResult<()> {
        let sql = INSERT_CODE.on(self.dialect());
        on_database!(self, |db| {
            sqlx::query(sql)
                .bind(&code.code_hash)
                .bind(code.grant_id)
                .bind(code.user_id)
                .bind(code.client_ref)
                .bind(code.session_id)
                .bind(&code.redirect_uri)
                .bind(&code.challenge)
                .bind(&code.scopes)
                .bind(&code.resources)
                .bind(&code.nonce)
                .bind(code.authenticated_at)
                .bind(&code.methods)
                .bind(code.created_at)
                .bind(code.expires_at)
                .execute(db)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// The code with this hash, as it is within this transaction.
    pub async fn find_code(&mut self, hash: [u8; 32]) -> StoreResult<Option<CodeRecord>> {
        let sql = FIND_CODE.on(self.dialect());
        Ok(on_database!(self, |db| sqlx::query_as(sql).bind(hash.as_slice()).fetch_optional(db).await)?)
    }

    /// Marks a code as used, unless it is already; says whether this call did.
    pub async fn spend_code(&mut self, hash: [u8; 32], now: Timestamp) -> StoreResult<bool> {
        let sql = SPEND_CODE.on(self.dialect());
        let done = on_database!(self, |db| {
            let query = sqlx::query(sql).bind(hash.as_slice()).bind(now.as_micros());
            query.execute(db).await.map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// Forgets the codes that this user approved for this client.
    pub async fn delete_app_codes(&mut self, user: UserId, client: ClientRef) -> StoreResult<()> {
        let sql = DELETE_APP_CODES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(user.0).bind(client.0).execute(db).await.map(drop))?;
        Ok(())
    }

    /// Forgets the codes, used or not, that expired before a moment.
    pub async fn delete_expired_codes(&mut self, before: Timestamp) -> StoreResult<()> {
        let sql = DELETE_EXPIRED_CODES.on(self.dialect());
        on_database!(self, |db| sqlx::query(sql).bind(before.as_micros()).execute(db).await.map(drop))?;
        Ok(())
    }
}
