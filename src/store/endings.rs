//! The end of everything that acts for a person: what a new password must stop.

use super::{Sql, StoreResult, Tx, on_database};
use crate::ids::{SessionId, UserId};

/// `$1` user. The grants' refresh tokens go with them.
const END_GRANTS: Sql = Sql::same("DELETE FROM oauth_grants WHERE user_id = $1");
/// `$1` user. A code that is not redeemed yet would become a grant.
const END_CODES: Sql = Sql::same("DELETE FROM oauth_codes WHERE user_id = $1");
/// `$1` user. So would a device that was approved.
const END_DEVICES: Sql = Sql::same("DELETE FROM oauth_devices WHERE user_id = $1");
/// `$1` user. What somebody else consented to must not be granted again silently.
const END_CONSENTS: Sql = Sql::same("DELETE FROM oauth_consents WHERE user_id = $1");
/// `$1` user.
const END_TOKENS: Sql = Sql::same("DELETE FROM personal_tokens WHERE user_id = $1");

/// The statements of this file.
pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("END_GRANTS", END_GRANTS),
    ("END_CODES", END_CODES),
    ("END_DEVICES", END_DEVICES),
    ("END_CONSENTS", END_CONSENTS),
    ("END_TOKENS", END_TOKENS),
];

/// How much was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions, of browsers and of the API.
    pub sessions: u64,
    /// Connected apps.
    pub grants: u64,
    /// Personal access tokens.
    pub tokens: u64,
}

impl Tx<'_> {
    /// Ends everything that acts for a user: sessions (but `kept`), connected apps with their codes, devices and remembered
    /// consents, personal access tokens, and links to reset the password.
    pub async fn end_everything(&mut self, user: UserId, kept: Option<SessionId>) -> StoreResult<Ended> {
        let sessions = self.delete_other_sessions(user, kept).await?;
        let grants = self.end(END_GRANTS, user).await?;
        // In the order in which they go with a client that is removed.
        for statement in [END_CODES, END_CONSENTS, END_DEVICES] {
            self.end(statement, user).await?;
        }
        let tokens = self.end(END_TOKENS, user).await?;
        self.delete_email_tokens(user, "reset").await?;
        Ok(Ended { sessions, grants, tokens })
    }

    async fn end(&mut self, statement: Sql, user: UserId) -> StoreResult<u64> {
        let sql = statement.on(self.dialect());
        Ok(on_database!(self, |db| {
            sqlx::query(sql).bind(user.0).execute(db).await.map(|done| done.rows_affected())
        })?)
    }
}
