//! Refresh tokens: rotation, narrowing, and what it means when one comes again (RFC 6749, section 6; RFC 9700, section
//! 4.14).
//!
//! Hosts refresh from one stored token in parallel, from several addresses. So a used token gets the identical answer for
//! a minute while its successor is unused; anything else ends its grant.

use serde_json::json;

use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::grants::{Grants, TokenAnswer, TokenType, narrowed, read_resources, read_scopes, refused, within_reach};
use super::refusals::Refused;
use super::resource::Resources;
use super::scope::{OAuthScope, OAuthScopes};
use super::tokens::{GrantToken, OneOrMore};
use crate::accounts::audit::AuditEntry;
use crate::accounts::rotation::{Again, UsedRefresh, spent};
use crate::accounts::secrets::{hash_secret, random_secret};
use crate::accounts::{Origin, Role, Rotation, Status};
use crate::clock::Timestamp;
use crate::ids::{GrantId, UserId};
use crate::store::StoreError;
use crate::store::oauth_refresh_tokens::GrantRefreshRecord;

const TOKEN: &str = "refresh token";

/// What a client brings for new tokens.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    /// Who brings it, authenticated.
    pub client: &'a Client,
    /// The refresh token.
    pub token: &'a str,
    /// What the new access token is to allow: less than was granted, or all of it.
    pub scope: Option<&'a str>,
    /// Where it is to be good: at fewer resources than were granted, or at all of them.
    pub resources: Option<Resources>,
    /// Where the request comes from.
    pub origin: &'a Origin,
}

/// The outcome of trying to spend a refresh token.
enum Spending {
    Done,
    /// Somebody else spent it first.
    Used(Box<GrantRefreshRecord>),
    Gone,
}

impl Grants {
    /// Gives new tokens for a refresh token.
    ///
    /// # Errors
    ///
    /// `invalid_grant`, `invalid_scope`, `invalid_target`.
    pub async fn refresh(&self, ask: Refresh<'_>) -> Result<TokenAnswer, OAuthError> {
        let row = self.store.find_grant_refresh(hash_secret(ask.token)).await?;
        let row = row.ok_or_else(|| refused(TOKEN))?;
        if row.client_ref != ask.client.id.0 {
            let whose = (GrantId(row.grant_id), UserId(row.user_id));
            self.note_refused(Refused::Refresh, whose, ask.client, "other_client", ask.origin).await?;
            return Err(refused(TOKEN));
        }
        if row.status != Status::Active.as_str() || !self.is_alive(&row) {
            return Err(refused(TOKEN));
        }
        if row.used_at.is_some() {
            return self.come_again(&ask, &row).await;
        }
        // Who cannot prove to be the client must not hold anything that stays (OAuth 2.1, section 4.3.1).
        if self.settings.rotation == Rotation::Never && !ask.client.is_public() {
            let answer = self.renewed(&ask, &row, ask.token.to_owned())?;
            let (grant, user, now) = (GrantId(row.grant_id), UserId(row.user_id), self.clock.now());
            self.store.write(move |tx| Box::pin(async move { tx.touch_grant(grant, user, now).await })).await?;
            return Ok(answer);
        }
        let answer = self.renewed(&ask, &row, random_secret("")?)?;
        match self.spend(&ask, &row, &answer).await? {
            Spending::Done => Ok(answer),
            Spending::Used(row) => self.come_again(&ask, &row).await,
            Spending::Gone => Err(refused(TOKEN)),
        }
    }

    /// Whether a token's grant has neither ended nor been left unused for too long.
    pub(super) fn is_alive(&self, row: &GrantRefreshRecord) -> bool {
        let now = self.clock.now();
        let idle_since = Timestamp::from_micros(row.last_used_at.max(row.created_at));
        now.as_micros() < row.expires_at && now < idle_since.plus(self.settings.idle)
    }

    fn renewed(
        &self,
        ask: &Refresh<'_>,
        row: &GrantRefreshRecord,
        refresh_token: String,
    ) -> Result<TokenAnswer, OAuthError> {
        let (scopes, resources) = asked_for(ask, row)?;
        let access_token = self.tokens.issue_for_grant(GrantToken {
            user_id: UserId(row.user_id),
            grant_id: GrantId(row.grant_id),
            client_id: &ask.client.client_id,
            scopes,
            resources,
        })?;
        Ok(TokenAnswer {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: self.expires_in(self.clock.now(), Timestamp::from_micros(row.expires_at)),
            refresh_token,
            scope: scopes.to_string(),
            id_token: None,
        })
    }

    /// Marks the token as used and its successor as good, unless another request was faster.
    async fn spend(
        &self,
        ask: &Refresh<'_>,
        row: &GrantRefreshRecord,
        answer: &TokenAnswer,
    ) -> Result<Spending, OAuthError> {
        let (grant, user, now) = (GrantId(row.grant_id), UserId(row.user_id), self.clock.now());
        let spent = spent(ask.token, &answer.refresh_token, answer, now)?;
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // Whoever ends the grant holds it before its tokens; so does this.
                if !tx.hold_grant(grant).await? {
                    return Ok(Spending::Gone);
                }
                if tx.spend_grant_refresh(grant, &spent).await? {
                    tx.insert_grant_refresh(spent.successor_hash, grant, now).await?;
                    tx.touch_grant(grant, user, now).await?;
                    return Ok(Spending::Done);
                }
                let row = tx.find_grant_refresh(spent.token_hash).await?;
                Ok(row.map_or(Spending::Gone, |row| Spending::Used(Box::new(row))))
            })
        });
        match work.await {
            // The grant ended meanwhile.
            Err(StoreError::Dangling(_)) => Ok(Spending::Gone),
            other => Ok(other?),
        }
    }

    /// Answers a used token as before while that may be an accident, and ends its grant when it is none.
    async fn come_again(&self, ask: &Refresh<'_>, row: &GrantRefreshRecord) -> Result<TokenAnswer, OAuthError> {
        let now = self.clock.now();
        let GrantRefreshRecord { used_at, successor_used_at, .. } = *row;
        let kept = UsedRefresh { used_at, successor_used_at, answer: row.answer.as_deref() };
        let seconds_since_use = match kept.again(ask.token, now) {
            Again::Accident(answer) => return self.as_asked_now(ask, row, answer),
            Again::Unreadable => return Err(StoreError::corrupt("refresh answer", row.grant_id).into()),
            Again::Theft { seconds_since_use } => seconds_since_use,
        };
        let (grant, user) = (GrantId(row.grant_id), UserId(row.user_id));
        let entry = AuditEntry::client(user, ask.client.id, "grant.reuse_detected", now).on(grant.0).from(ask.origin);
        let entry = entry.with(json!({ "client_id": ask.client.client_id, "seconds_since_use": seconds_since_use }));
        self.end(grant, user, entry).await?;
        Err(refused(TOKEN))
    }

    /// The kept answer, when this request asks for what the first one did; else another access token beside the same
    /// refresh token: a client must not get a token for something else than it asked for (RFC 8707, section 2.2).
    fn as_asked_now(
        &self,
        ask: &Refresh<'_>,
        row: &GrantRefreshRecord,
        kept: TokenAnswer,
    ) -> Result<TokenAnswer, OAuthError> {
        let (scopes, resources) = asked_for(ask, row)?;
        let audience = OneOrMore::of(resources.urls(self.tokens.issuer()));
        let same = kept.scope == scopes.to_string()
            && self.tokens.read(&kept.access_token).is_ok_and(|claims| claims.aud == audience);
        if same { Ok(kept) } else { self.renewed(ask, row, kept.refresh_token) }
    }
}

/// What the new access token is to allow, and where.
fn asked_for(ask: &Refresh<'_>, row: &GrantRefreshRecord) -> Result<(OAuthScopes, Resources), OAuthError> {
    let granted = within_reach(read_scopes(&row.scopes)?, ask.client, Role::parse(&row.role)?);
    Ok((fewer(granted, ask.scope)?, narrowed(read_resources(&row.resources)?, ask.resources)?))
}

/// What a request asks for of what was granted, never more (RFC 6749, section 6).
fn fewer(granted: OAuthScopes, asked: Option<&str>) -> Result<OAuthScopes, OAuthError> {
    let Some(asked) = asked else { return Ok(granted) };
    let known = OAuthScopes::parse(asked).map(|scopes| scopes.without(OAuthScope::OfflineAccess));
    let fits = known.filter(|scopes| !scopes.is_empty() && scopes.is_within(granted));
    fits.ok_or_else(|| OAuthError::new(ErrorCode::InvalidScope, "the scope was not granted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_may_ask_for_less_and_never_for_more() {
        let granted = OAuthScopes::parse("read write openid").unwrap();
        let asked = |scope| fewer(granted, Some(scope)).map(|scopes| scopes.to_string());

        assert_eq!(fewer(granted, None).unwrap(), granted);
        assert_eq!(asked("read").unwrap(), "read");
        assert_eq!(asked("read offline_access").unwrap(), "read");
        for scope in ["admin", "read admin", "read nonsense", "email", "offline_access", " "] {
            assert_eq!(asked(scope).unwrap_err().code, ErrorCode::InvalidScope, "{scope}");
        }
    }
}
