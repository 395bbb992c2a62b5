//! Tokens that their client gives back (RFC 7009).

use serde_json::json;

use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::grants::Grants;
use super::refusals::Refused;
use crate::accounts::Origin;
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::hash_secret;
use crate::ids::{GrantId, UserId};

impl Grants {
    /// Ends the grant that a token belongs to, of whichever kind the token is: what its client was told of the kind does not
    /// matter. A token that is good for nothing is no error (RFC 7009, section 2.2).
    ///
    /// # Errors
    ///
    /// `invalid_grant` when the token is another client's, which stays as it is (RFC 7009, section 2.1).
    pub async fn revoke(&self, client: &Client, token: &str, origin: &Origin) -> Result<(), OAuthError> {
        let Some((grant, user, own)) = self.owner_of(client, token).await? else { return Ok(()) };
        if !own {
            self.note_refused(Refused::Revocation, (grant, user), client, "other_client", origin).await?;
            return Err(OAuthError::new(ErrorCode::InvalidGrant, "the token was issued to another client"));
        }
        let entry = AuditEntry::client(user, client.id, "grant.revoked", self.clock.now()).on(grant.0).from(origin);
        let entry = entry.with(json!({ "client_id": client.client_id }));
        Ok(self.end(grant, user, entry).await?)
    }

    /// The grant of a token, whose it is, and whether it was issued to this client.
    async fn owner_of(&self, client: &Client, token: &str) -> Result<Option<(GrantId, UserId, bool)>, OAuthError> {
        if let Some(row) = self.store.find_grant_refresh(hash_secret(token)).await? {
            let own = row.client_ref == client.id.0;
            return Ok(Some((GrantId(row.grant_id), UserId(row.user_id), own)));
        }
        let Some(claims) = self.claims_of(token).await else { return Ok(None) };
        let own = claims.client_id == client.client_id;
        Ok(claims.grant_id.map(|grant| (GrantId(grant), UserId(claims.sub), own)))
    }
}
