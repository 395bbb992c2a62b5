//! Where somebody is signed in.

use super::audit::AuditEntry;
use super::error::AccountError;
use super::pages::Paging;
use super::{Accounts, Caller, Credential, Origin};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::paging::Page;
use crate::store::sessions::SessionRecord;

/// The name of this list in cursors.
const LIST: &str = "sessions";

/// What shows a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A token, as `POST /api/auth/login` gives it.
    Token,
    /// The cookie of a browser.
    Browser,
}

/// A living session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
    /// What shows it.
    pub kind: SessionKind,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, give or take a minute.
    pub last_seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether this request came with it.
    pub current: bool,
}

impl Accounts {
    /// A page of the caller's living sessions, newest first.
    pub async fn list_sessions(&self, caller: &Caller, paging: &Paging) -> Result<Page<Session>, AccountError> {
        let now = self.clock.now();
        let rows = self.store.list_sessions(caller.user_id, now, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_sessions(caller.user_id, now).await?;
        let session = |row: SessionRecord| Session {
            id: SessionId(row.id),
            user_agent: row.user_agent,
            address: row.address,
            kind: if row.cookie_hash.is_some() { SessionKind::Browser } else { SessionKind::Token },
            created_at: Timestamp::from_micros(row.created_at),
            last_seen_at: Timestamp::from_micros(row.last_seen_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            current: caller.credential == Credential::Session(SessionId(row.id)),
        };
        let rows = rows.into_iter().map(session).collect();
        Ok(paging.page((caller.user_id, LIST), rows, total, |session: &Session| (session.created_at, session.id.0)))
    }

    /// Ends one of the caller's sessions at once.
    pub async fn end_session(&self, caller: &Caller, id: SessionId, origin: &Origin) -> Result<(), AccountError> {
        let user = caller.user_id;
        let entry = AuditEntry::by(caller, "session.ended", self.clock.now()).on(id.0).from(origin);
        self.store
            .write_of(user, move |tx| {
                Box::pin(async move {
                    if !tx.delete_session(id, user).await? {
                        return Err(AccountError::NotFound("session"));
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await
    }
}
