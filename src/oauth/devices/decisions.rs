//! What people decide about devices.

use serde_json::json;

use super::super::error::{ErrorCode, OAuthError};
use super::super::grants::{Grants, read_resources, read_scopes, within_reach};
use super::super::resource::Resources;
use super::super::scope::OAuthScopes;
use super::super::user_codes;
use crate::accounts::Origin;
use crate::accounts::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::ids::{SessionId, UserId};
use crate::oauth::client::Client;
use crate::store::oauth_devices::{DeviceDecision, WaitingDevice};

/// A device that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDevice {
    /// The client's name in the protocol.
    pub client_id: String,
    /// What it asks for.
    pub scopes: OAuthScopes,
    /// Where.
    pub resources: Resources,
    /// When it is too late.
    pub expires_at: Timestamp,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These scopes, as far as they were asked for.
    Allow(OAuthScopes),
    /// Nothing.
    Deny,
}

/// What somebody decided, and how they had proven who they are.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The client that asks, as [`PendingDevice::client_id`] names it.
    pub client: &'a Client,
    /// Yes or no.
    pub verdict: Verdict,
    /// Who.
    pub user_id: UserId,
    /// Their sign-in.
    pub session_id: Option<SessionId>,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// How, separated by blanks (RFC 8176).
    pub methods: String,
}

impl Grants {
    /// The device behind a user code, however it is written. `visitor` names who types it (a person, or an address): after
    /// ten wrong codes they must wait.
    ///
    /// # Errors
    ///
    /// `invalid_grant`: there is no such code, or somebody decided already. `expired_token`: it is too late. `slow_down`:
    /// too many wrong codes.
    pub async fn find_device(&self, user_code: &str, visitor: &str) -> Result<PendingDevice, OAuthError> {
        let device = self.waiting(user_code, visitor).await?;
        Ok(PendingDevice {
            client_id: device.client_id,
            scopes: read_scopes(&device.scopes)?,
            resources: read_resources(&device.resources)?,
            expires_at: Timestamp::from_micros(device.expires_at),
        })
    }

    /// Keeps a decision about the device behind a user code.
    ///
    /// # Errors
    ///
    /// As [`Self::find_device`]; `invalid_scope` when nothing of what was asked for is allowed, `access_denied` when the
    /// person may not come in any more.
    pub async fn decide_device(
        &self,
        user_code: &str,
        decision: Decision<'_>,
        origin: &Origin,
    ) -> Result<(), OAuthError> {
        let device = self.waiting(user_code, &decision.user_id.to_string()).await?;
        if device.client_ref != decision.client.id.0 {
            return Err(no_such_code());
        }
        let (user, now) = (decision.user_id, self.clock.now());
        let gone = || OAuthError::new(ErrorCode::AccessDenied, "the account may not come in any more");
        let role = self.role_of(user).await?.ok_or_else(gone)?;
        let asked = read_scopes(&device.scopes)?;
        let (state, scopes, action) = match decision.verdict {
            Verdict::Deny => ("denied", asked, "device.denied"),
            Verdict::Allow(scopes) => {
                let allowed = within_reach(scopes.intersect(asked), decision.client, role);
                if allowed.is_empty() {
                    return Err(OAuthError::new(ErrorCode::InvalidScope, "nothing of what was asked for is allowed"));
                }
                ("approved", allowed, "device.approved")
            }
        };
        let entry = AuditEntry::browser(user, decision.session_id, action, now).from(origin);
        let entry = entry.with(json!({
            "client_id": decision.client.client_id,
            "client_name": decision.client.name,
            "scopes": scopes.to_string(),
        }));
        let kept = DeviceDecision {
            user_code_hash: user_codes::hash(user_code),
            state,
            scopes: scopes.to_string(),
            user_id: user,
            session_id: decision.session_id.map(|id| id.0),
            authenticated_at: decision.authenticated_at,
            methods: decision.methods,
            now,
        };
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // Whoever ends everything of this person waits, or has done it.
                    tx.lock_user(user).await?;
                    if !tx.decide_device(&kept).await? {
                        return Err(no_such_code());
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await
    }

    async fn waiting(&self, user_code: &str, visitor: &str) -> Result<WaitingDevice, OAuthError> {
        let now = self.clock.now();
        if !self.guesses.try_once(visitor, now) {
            return Err(OAuthError::new(ErrorCode::SlowDown, "too many wrong codes; wait ten minutes"));
        }
        let device = self.store.find_device(user_codes::hash(user_code)).await?.ok_or_else(no_such_code)?;
        self.guesses.was_right(visitor);
        if device.expires_at <= now.as_micros() {
            return Err(OAuthError::new(ErrorCode::ExpiredToken, "the code is too old; let the device make a new one"));
        }
        if device.state != "pending" {
            return Err(no_such_code());
        }
        Ok(device)
    }
}

fn no_such_code() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "there is no such code, or it was used")
}
