//! What a client may learn of its own tokens (RFC 7662).

use serde::Serialize;
use uuid::Uuid;

use super::client::Client;
use super::error::OAuthError;
use super::grants::{Grants, TokenType, read_resources, read_scopes, within_reach};
use super::tokens::{Claims, OneOrMore};
use crate::accounts::secrets::hash_secret;
use crate::accounts::{Role, Status};
use crate::clock::Timestamp;
use crate::ids::GrantId;
use crate::store::oauth_refresh_tokens::GrantRefreshRecord;

/// The answer (RFC 7662, section 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether the token is good, and the client's who asks. If not, nothing else is told.
    pub active: bool,
    /// What the token itself says.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<Introspected>,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Introspected {
    /// Who issued it.
    pub iss: String,
    /// Whose data.
    pub sub: Uuid,
    /// Where it is good.
    pub aud: OneOrMore,
    /// The client that it was given to.
    pub client_id: String,
    /// What it allows, separated by blanks.
    pub scope: String,
    /// The second at which it expires.
    pub exp: i64,
    /// The second at which it was issued.
    pub iat: i64,
    /// Of an access token: the second from which on it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Of an access token: its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// Of an access token: how to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
}

impl Grants {
    /// Says whether a token of this client is good, and what for. A token of somebody else is as if there were none.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn introspect(&self, client: &Client, token: &str) -> Result<Introspection, OAuthError> {
        let found = match self.store.find_grant_refresh(hash_secret(token)).await? {
            Some(row) => self.introspect_refresh(client, &row)?,
            None => match self.claims_of(token).await {
                Some(claims) => self.introspect_access(client, claims).await?,
                None => None,
            },
        };
        Ok(Introspection { active: found.is_some(), token: found })
    }

    /// What an access token of ours says that has not expired. Whether its grant lives is another question.
    pub(super) async fn claims_of(&self, token: &str) -> Option<Claims> {
        self.tokens.check(token).await.ok()?;
        self.tokens.read(token).ok()
    }

    async fn introspect_access(&self, client: &Client, claims: Claims) -> Result<Option<Introspected>, OAuthError> {
        let Some(grant) = claims.grant_id.filter(|_| claims.client_id == client.client_id) else { return Ok(None) };
        let living = self.store.find_grant(GrantId(grant)).await?.filter(|living| {
            living.grant.client_ref == client.id.0
                && living.grant.user_id == claims.sub
                && living.grant.expires_at > self.clock.now().as_micros()
                && living.status == Status::Active.as_str()
        });
        let Some(living) = living else { return Ok(None) };
        let granted = within_reach(read_scopes(&living.grant.scopes)?, client, Role::parse(&living.role)?);
        Ok(Some(Introspected {
            iss: claims.iss,
            sub: claims.sub,
            aud: claims.aud,
            client_id: claims.client_id,
            scope: read_scopes(&claims.scope)?.intersect(granted).to_string(),
            exp: claims.exp.min(Timestamp::from_micros(living.grant.expires_at).as_seconds()),
            iat: claims.iat,
            nbf: Some(claims.nbf),
            jti: Some(claims.jti),
            token_type: Some(TokenType::Bearer),
        }))
    }

    fn introspect_refresh(
        &self,
        client: &Client,
        row: &GrantRefreshRecord,
    ) -> Result<Option<Introspected>, OAuthError> {
        let good = row.client_ref == client.id.0
            && row.used_at.is_none()
            && row.status == Status::Active.as_str()
            && self.is_alive(row);
        if !good {
            return Ok(None);
        }
        let issuer = self.tokens.issuer();
        Ok(Some(Introspected {
            iss: issuer.to_owned(),
            sub: row.user_id,
            aud: OneOrMore::of(read_resources(&row.resources)?.urls(issuer)),
            client_id: client.client_id.clone(),
            scope: within_reach(read_scopes(&row.scopes)?, client, Role::parse(&row.role)?).to_string(),
            exp: Timestamp::from_micros(row.expires_at).as_seconds(),
            iat: Timestamp::from_micros(row.created_at).as_seconds(),
            nbf: None,
            jti: None,
            token_type: None,
        }))
    }
}
