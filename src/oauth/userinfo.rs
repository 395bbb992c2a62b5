//! What a person lets a client know of them (OpenID Connect Core, section 5).

use serde::Serialize;
use uuid::Uuid;

use super::error::{ErrorCode, OAuthError};
use super::grants::Grants;
use super::scope::{OAuthScope, OAuthScopes};
use crate::clock::Timestamp;
use crate::ids::UserId;

/// The claims, by the scope that allows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// `openid`: the person's id, the same for every client.
    pub sub: Uuid,
    /// `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `email`: whether they have shown that it is theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// `profile`: what they are called, if they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `profile`: the zone in which their days are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// `profile`: when any of this was changed, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
}

impl Grants {
    /// Tells of a person what `scopes` allow.
    ///
    /// # Errors
    ///
    /// `insufficient_scope` without `openid`.
    pub async fn userinfo(&self, user: UserId, scopes: OAuthScopes) -> Result<UserInfo, OAuthError> {
        if !scopes.has(OAuthScope::OpenId) {
            return Err(OAuthError::new(ErrorCode::InsufficientScope, "the scope openid is needed"));
        }
        let gone = || OAuthError::new(ErrorCode::InvalidToken, "the account is gone");
        let row = self.store.find_user(user).await?.ok_or_else(gone)?;
        let (email, profile) = (scopes.has(OAuthScope::Email), scopes.has(OAuthScope::Profile));
        Ok(UserInfo {
            sub: user.0,
            email_verified: email.then_some(row.email_verified_at.is_some()),
            email: email.then_some(row.email),
            name: row.full_name.filter(|_| profile),
            zoneinfo: profile.then_some(row.time_zone),
            updated_at: profile.then(|| Timestamp::from_micros(row.updated_at).as_seconds()),
        })
    }
}
