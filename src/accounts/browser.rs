//! Browsers that somebody is signed in with: sessions that are shown by a cookie instead of a token.
//!
//! The cookie holds 256 random bits, of which the store has the hash. Every sign-in makes a new one, so a cookie that
//! somebody planted before is worth nothing after. A session ends when it is not used for a while, at the latest when
//! its time is over; both are the operator's to choose.

use std::time::Duration;

use super::admission::{Admission, Proven};
use super::audit::AuditEntry;
use super::error::AccountError;
use super::secrets::{hash_secret, random_secret};
use super::{Accounts, Origin, Role, Status};
use crate::clock::Timestamp;
use crate::ids::{SessionId, UserId};
use crate::store::sessions::BrowserRecord;

/// A use within this time of the one that was noted is not noted.
const INTERVAL: Duration = Duration::from_mins(1);

/// How long browsers stay signed in.
#[derive(Clone, Copy, Debug)]
pub struct BrowserLife {
    /// Counted from the sign-in.
    pub most: Duration,
    /// Counted from the last use.
    pub idle: Duration,
}

/// A browser that somebody is signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// The session.
    pub session_id: SessionId,
    /// Who.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub full_name: Option<String>,
    /// What they may be allowed at most.
    pub role: Role,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// How (RFC 8176), separated by blanks.
    pub methods: String,
}

impl Accounts {
    /// How long browsers stay signed in.
    pub const fn browser_life(&self) -> BrowserLife {
        self.settings.browser_life
    }

    /// Signs a browser in. Gives the cookie that it shows from now on; the session of the one that it showed ends.
    pub async fn begin_browser(
        &self,
        proven: Proven,
        shown: Option<&str>,
        origin: &Origin,
    ) -> Result<String, AccountError> {
        let cookie = random_secret("")?;
        let (now, life) = (self.clock.now(), self.settings.browser_life);
        let mut session = self.new_session(SessionId::new(now), &proven, life.idle.min(life.most), origin);
        session.cookie_hash = Some(hash_secret(&cookie).to_vec());
        session.authenticated_at = Some(now.as_micros());
        session.methods = Some(proven.methods.clone());
        let admission = Admission { session, refresh: None, replaced: shown.map(hash_secret) };
        self.admit(proven, admission, origin).await?;
        Ok(cookie)
    }

    /// Who is signed in with this cookie.
    pub async fn find_browser(&self, cookie: &str) -> Result<Option<Browser>, AccountError> {
        let now = self.clock.now();
        let Some(row) = self.store.find_browser(hash_secret(cookie)).await? else { return Ok(None) };
        if row.expires_at <= now.as_micros() || row.status != Status::Active.as_str() {
            return Ok(None);
        }
        if Timestamp::from_micros(row.last_seen_at).plus(INTERVAL) <= now {
            self.extend(&row, now).await?;
        }
        Ok(Some(Browser {
            session_id: SessionId(row.id),
            user_id: UserId(row.user_id),
            email: row.email,
            full_name: row.full_name,
            role: Role::parse(&row.role)?,
            authenticated_at: Timestamp::from_micros(row.authenticated_at.unwrap_or(row.created_at)),
            methods: row.methods.unwrap_or_default(),
        }))
    }

    /// Signs a browser out.
    pub async fn end_browser(&self, cookie: &str, origin: &Origin) -> Result<(), AccountError> {
        let hash = hash_secret(cookie);
        let Some(row) = self.store.find_browser(hash).await? else { return Ok(()) };
        let entry = AuditEntry::anonymous(Some(UserId(row.user_id)), "session.ended", self.clock.now());
        let entry = AuditEntry { actor: "session", credential_id: Some(row.id), ..entry }.on(row.id).from(origin);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.delete_browser(hash).await? {
                        tx.insert_audit(&entry).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn extend(&self, row: &BrowserRecord, now: Timestamp) -> Result<(), AccountError> {
        let life = self.settings.browser_life;
        let end = Timestamp::from_micros(row.created_at).plus(life.most).min(now.plus(life.idle));
        let (id, user) = (SessionId(row.id), UserId(row.user_id));
        Ok(self.store.write(move |tx| Box::pin(async move { tx.extend_browser(id, user, now, end).await })).await?)
    }
}
