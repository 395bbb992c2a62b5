//! What people allowed clients: the service behind the token endpoint and its neighbours.
//!
//! - A *grant* is one authorization and one family of tokens: each access token names it, each refresh token belongs to
//!   it. When its row goes, all of them are worth nothing from the next request on.
//! - It begins with a code ([`super::codes`], [`super::exchange`]) or a device ([`super::devices`]), goes on by
//!   [`super::refresh`], and ends by time, by [`super::revocation`], by its owner ([`super::apps`]), or because one of its
//!   secrets came a second time.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::client::Client;
use super::devices::Guesses;
use super::error::{ErrorCode, OAuthError};
use super::id_tokens::Authentication;
use super::resource::Resources;
use super::scope::{OAuthScope, OAuthScopes};
use super::tokens::{AccessTokens, GrantToken};
use crate::accounts::audit::AuditEntry;
use crate::accounts::secrets::{SecretHash, hash_secret, random_secret};
use crate::accounts::{Origin, Role, Rotation, Status};
use crate::clock::{Clock, Timestamp};
use crate::ids::{ClientRef, GrantId, UserId};
use crate::store::oauth_grants::GrantRecord;
use crate::store::{Store, StoreError, StoreResult, Tx};

/// How many grants of one person to one client live at a time; of more, those that were used longest ago end.
const MOST_GRANTS: i64 = 100;
/// How long codes and devices stay beyond their end, so that their late use can be told from nonsense.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// What an operator chose about grants.
#[derive(Clone, Copy, Debug)]
pub struct GrantSettings {
    /// How long a grant lives, counted from the authorization.
    pub life: Duration,
    /// How long it may stay unused.
    pub idle: Duration,
    /// Whether a refresh token is replaced at each use; those of public clients always are.
    pub rotation: Rotation,
}

/// What [`Grants`] works with.
pub struct GrantParts {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Signs tokens.
    pub tokens: Arc<AccessTokens>,
    /// What the operator chose.
    pub settings: GrantSettings,
}

/// The service of grants.
pub struct Grants {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) tokens: Arc<AccessTokens>,
    pub(super) settings: GrantSettings,
    pub(super) guesses: Guesses,
}

/// How access tokens are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
}

/// What a client gets (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// For the resources.
    pub access_token: String,
    /// How to show it.
    pub token_type: TokenType,
    /// Its life in seconds.
    pub expires_in: u64,
    /// For the next access token.
    pub refresh_token: String,
    /// What the access token allows, also when that is what was asked for.
    pub scope: String,
    /// Who signed in, when `openid` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// An authorization that is about to become a grant.
pub(super) struct NewGrant<'a> {
    pub(super) id: GrantId,
    pub(super) user_id: UserId,
    pub(super) client: &'a Client,
    pub(super) session_id: Option<Uuid>,
    /// What the person allowed.
    pub(super) scopes: OAuthScopes,
    /// Where.
    pub(super) resources: Resources,
    /// Where the first access token is good.
    pub(super) asked: Resources,
    pub(super) authentication: Authentication,
}

/// A grant with its first tokens, before it is kept.
pub(super) struct Given {
    pub(super) answer: TokenAnswer,
    grant: GrantRecord,
    refresh_hash: SecretHash,
    entry: AuditEntry,
    now: Timestamp,
}

impl Grants {
    /// Builds the service.
    pub fn new(parts: GrantParts) -> Self {
        let GrantParts { store, clock, tokens, settings } = parts;
        Self { store, clock, tokens, settings, guesses: Guesses::default() }
    }

    /// Forgets what is of no use any more. To be called now and then.
    pub async fn forget_expired(&self) -> StoreResult<()> {
        let (now, idle_since) = (self.clock.now(), self.idle_since());
        self.store.write(move |tx| Box::pin(Self::forget_in(tx, now, idle_since))).await
    }

    /// The same as a part of a transaction.
    pub async fn forget_in(tx: &mut Tx<'_>, now: Timestamp, idle_since: Timestamp) -> StoreResult<()> {
        tx.delete_expired_grants(now, idle_since).await?;
        tx.delete_expired_codes(now.minus(REMEMBERED_FOR)).await?;
        tx.delete_expired_devices(now.minus(REMEMBERED_FOR)).await
    }

    /// How long a grant may be left without use.
    pub const fn idle(&self) -> Duration {
        self.settings.idle
    }

    /// A grant that was not used after this moment has been left for too long.
    pub(super) fn idle_since(&self) -> Timestamp {
        self.clock.now().minus(self.settings.idle)
    }

    /// The role of somebody who may come in; `None` for who may not, or is gone.
    pub(super) async fn role_of(&self, user: UserId) -> Result<Option<Role>, OAuthError> {
        let row = self.store.find_user(user).await?;
        let row = row.filter(|row| row.status == Status::Active.as_str());
        Ok(row.map(|row| Role::parse(&row.role)).transpose()?)
    }

    /// Signs the first tokens of a grant.
    pub(super) fn give(&self, new: &NewGrant<'_>, origin: &Origin) -> Result<Given, OAuthError> {
        let now = self.clock.now();
        let (user_id, client_ref) = (new.user_id, new.client.id);
        let ends_at = now.plus(self.settings.life);
        let grant = GrantRecord {
            id: new.id.0,
            user_id: user_id.0,
            client_ref: client_ref.0,
            session_id: new.session_id,
            scopes: new.scopes.to_string(),
            resources: new.resources.to_string(),
            created_at: now.as_micros(),
            last_used_at: now.as_micros(),
            expires_at: ends_at.as_micros(),
        };
        let access_token = self.tokens.issue_for_grant(GrantToken {
            user_id,
            grant_id: new.id,
            client_id: &new.client.client_id,
            scopes: new.scopes,
            resources: new.asked,
        })?;
        let id_token = if new.scopes.has(OAuthScope::OpenId) {
            Some(self.id_token(user_id, &new.client.client_id, &new.authentication, &access_token)?)
        } else {
            None
        };
        let answer = TokenAnswer {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: self.expires_in(now, ends_at),
            refresh_token: random_secret("")?,
            scope: new.scopes.to_string(),
            id_token,
        };
        let entry = AuditEntry::client(user_id, client_ref, "grant.created", now).on(new.id.0).from(origin);
        let entry = entry.with(json!({
            "client_id": new.client.client_id,
            "client_name": new.client.name,
            "scopes": grant.scopes,
            "resources": grant.resources,
        }));
        Ok(Given { refresh_hash: hash_secret(&answer.refresh_token), answer, grant, entry, now })
    }

    /// What to tell of an access token's life: no longer than its grant's.
    pub(super) fn expires_in(&self, now: Timestamp, ends_at: Timestamp) -> u64 {
        let left = ends_at.as_seconds().saturating_sub(now.as_seconds());
        self.tokens.expires_in().min(u64::try_from(left).unwrap_or(0))
    }

    /// Ends a grant and all of its tokens, with a row of the audit log if there was one.
    pub(super) async fn end(&self, grant: GrantId, user: UserId, entry: AuditEntry) -> StoreResult<()> {
        self.store
            .write_of(user, move |tx| {
                Box::pin(async move {
                    // Whoever removes the person holds them before their grants; so does this.
                    tx.lock_user(user).await?;
                    if tx.delete_grant(grant, user).await? {
                        tx.insert_audit(&entry).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

impl Given {
    /// Keeps the grant; whoever calls this has locked the user.
    pub(super) async fn keep(&self, tx: &mut Tx<'_>) -> StoreResult<()> {
        let (user, client) = (UserId(self.grant.user_id), ClientRef(self.grant.client_ref));
        tx.insert_grant(&self.grant).await?;
        tx.insert_grant_refresh(self.refresh_hash, GrantId(self.grant.id), self.now).await?;
        tx.delete_surplus_grants(user, client, MOST_GRANTS).await?;
        tx.insert_audit(&self.entry).await
    }
}

/// What this client may have of what a person in this role allowed it.
pub(super) fn within_reach(scopes: OAuthScopes, client: &Client, role: Role) -> OAuthScopes {
    let operates = role == Role::Admin && !client.is_self_registered();
    if operates { scopes } else { scopes.without(OAuthScope::Admin) }
}

/// The one answer to a code, token or device that is good for nothing: what exactly is wrong helps nobody honest.
pub(super) fn refused(what: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, format!("the {what} is unknown, expired, used, or not this client's"))
}

/// Reads stored scopes.
pub(super) fn read_scopes(text: &str) -> StoreResult<OAuthScopes> {
    OAuthScopes::parse(text).ok_or_else(|| StoreError::corrupt("scopes", text))
}

/// Reads stored resources.
pub(super) fn read_resources(text: &str) -> StoreResult<Resources> {
    Resources::parse(text).ok_or_else(|| StoreError::corrupt("resources", text))
}

/// Those of the granted resources that a token request asks for; without a request all of them (RFC 8707, section 2.2).
pub(super) fn narrowed(granted: Resources, asked: Option<Resources>) -> Result<Resources, OAuthError> {
    match asked {
        None => Ok(granted),
        Some(asked) if asked.is_within(granted) => Ok(asked),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidTarget, "the resource was not granted")),
    }
}
