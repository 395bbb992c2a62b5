//! Attempts to use what somebody allowed, by who may not: rows of that person's activity log, without any secret.

use serde_json::json;

use super::client::Client;
use super::error::OAuthError;
use super::grants::Grants;
use crate::accounts::Origin;
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::hash_secret;
use crate::ids::{GrantId, UserId};
use crate::store::StoreResult;

/// What was brought in vain; each is an action of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A code.
    Code,
    /// A refresh token.
    Refresh,
    /// A token that was to be given back.
    Revocation,
}

impl Refused {
    const fn action(self) -> &'static str {
        match self {
            Self::Code => "code.refused",
            Self::Refresh => "grant.refresh_refused",
            Self::Revocation => "grant.revocation_refused",
        }
    }
}

impl Grants {
    /// Notes that a client brought what it may not use; `reason` is a word for the log.
    pub(super) async fn note_refused(
        &self,
        what: Refused,
        (grant, user): (GrantId, UserId),
        client: &Client,
        reason: &'static str,
        origin: &Origin,
    ) -> StoreResult<()> {
        let entry = AuditEntry::client(user, client.id, what.action(), self.clock.now()).on(grant.0).from(origin);
        let entry = entry.with(json!({ "client_id": client.client_id, "reason": reason }));
        self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await })).await
    }

    /// Notes that somebody who did not prove to be a client brought a secret of a grant, if it is one: a code, a device's
    /// code or a token. Who they said they are is not kept: anything could be said there.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn note_stranger(&self, secret: &str, origin: &Origin) -> Result<(), OAuthError> {
        let hash = hash_secret(secret);
        let (what, grant, user) = if let Some(row) = self.store.find_grant_refresh(hash).await? {
            (Refused::Refresh, row.grant_id, row.user_id)
        } else if let Some(row) = self.store.find_code(hash).await? {
            (Refused::Code, row.grant_id, row.user_id)
        } else {
            return Ok(());
        };
        let entry = AuditEntry::anonymous(Some(UserId(user)), what.action(), self.clock.now()).on(grant).from(origin);
        let entry = entry.with(json!({ "reason": "client_not_authenticated" }));
        let work = self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await }));
        work.await.map_err(|error: crate::store::StoreError| OAuthError::from(error))
    }
}
