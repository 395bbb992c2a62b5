//! Signing in, staying signed in, signing out.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::AuditEntry;
use super::email::key_of;
use super::error::AccountError;
use super::passwords::Verdict;
use super::rotation::{Again, UsedRefresh, spent};
use super::secrets::{hash_secret, random_secret};
use super::{Accounts, Caller, Credential, FIRST_PARTY_CLIENT, Origin, Role, Rotation, Status};
use crate::ids::{SessionId, UserId};
use crate::oauth::{Audience, Grant};
use crate::store::StoreError;
use crate::store::accounts::UserRecord;
use crate::store::sessions::{RefreshRecord, SessionRecord};

/// The most that is kept of what a client calls itself, in characters.
const USER_AGENT_MAX: usize = 300;

/// What somebody gets who signs in or stays signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// For the header `Authorization: Bearer`.
    pub access_token: String,
    /// Its life in seconds.
    pub expires_in: u64,
    /// For the next access token.
    pub refresh_token: String,
}

/// The outcome of trying to spend a refresh token.
enum Spending {
    Done,
    /// Somebody else spent it first.
    Used(Box<RefreshRecord>),
    Gone,
}

impl Accounts {
    /// Signs in. What is wrong is not told, neither by words nor by time.
    pub async fn login(&self, email: &str, password: &str, origin: &Origin) -> Result<SignedIn, AccountError> {
        let found = self.store.find_user_by_email(&key_of(email)).await?;
        let user = found.as_ref().filter(|user| user.status == Status::Active.as_str());
        let verdict = self.passwords.verify(password, user.map(|user| user.password_hash.as_str())).await?;
        let rehashed = match (user, verdict) {
            (Some(_), Verdict::Right) => None,
            (Some(_), Verdict::Rehashed(hash)) => Some(hash),
            _ => {
                self.note_failure(found.map(|user| UserId(user.id)), origin).await?;
                return Err(AccountError::WrongCredentials);
            }
        };
        let user = found.ok_or(AccountError::WrongCredentials)?;
        self.begin_session(user, rehashed, origin).await
    }

    /// Gives new tokens for a refresh token.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn, AccountError> {
        let hash = hash_secret(token);
        let row = self.store.find_refresh(hash).await?.ok_or(AccountError::RefreshRefused)?;
        if row.expires_at <= self.clock.now().as_micros() || row.status != Status::Active.as_str() {
            return Err(AccountError::RefreshRefused);
        }
        if row.used_at.is_some() {
            return self.replay(token, &row, origin).await;
        }
        let (session, user) = (SessionId(row.session_id), UserId(row.user_id));
        if self.settings.rotation == Rotation::Never {
            let answer = self.signed_in(user, session, Role::parse(&row.role)?, token.to_owned())?;
            let now = self.clock.now();
            self.store.write(move |tx| Box::pin(async move { tx.touch_session(session, user, now).await })).await?;
            return Ok(answer);
        }
        let answer = self.signed_in(user, session, Role::parse(&row.role)?, random_secret("")?)?;
        match self.spend(token, &answer, session, user).await? {
            Spending::Done => Ok(answer),
            Spending::Used(row) => self.replay(token, &row, origin).await,
            Spending::Gone => Err(AccountError::RefreshRefused),
        }
    }

    /// Ends the caller's session at once, and that of a refresh token of theirs.
    pub async fn logout(
        &self,
        caller: &Caller,
        refresh_token: Option<&str>,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        let own = match caller.credential {
            Credential::Session(id) => Some(id),
            Credential::PersonalToken(_) | Credential::Grant(_) | Credential::Shell => None,
        };
        if own.is_none() && refresh_token.is_none() {
            return Err(AccountError::SessionNeeded);
        }
        let (user, now) = (caller.user_id, self.clock.now());
        let entry = AuditEntry::by(caller, "session.ended", now).from(origin);
        let hash = refresh_token.map(hash_secret);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let named = match hash {
                        Some(hash) => tx.find_refresh(hash).await?,
                        None => None,
                    };
                    let named = named.filter(|row| row.user_id == user.0).map(|row| SessionId(row.session_id));
                    let mut ended: Vec<SessionId> = own.into_iter().chain(named).collect();
                    ended.dedup();
                    for id in ended {
                        if tx.delete_session(id, user).await? {
                            tx.insert_audit(&entry.clone().on(id.0)).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    fn signed_in(
        &self,
        user_id: UserId,
        session_id: SessionId,
        role: Role,
        refresh_token: String,
    ) -> Result<SignedIn, AccountError> {
        let grant = Grant {
            user_id,
            session_id,
            audience: Audience::FirstParty,
            scopes: role.scopes(),
            client: FIRST_PARTY_CLIENT,
        };
        let access_token = self.tokens.issue(grant)?;
        Ok(SignedIn { access_token, expires_in: self.tokens.expires_in(), refresh_token })
    }

    async fn begin_session(
        &self,
        user: UserRecord,
        rehashed: Option<String>,
        origin: &Origin,
    ) -> Result<SignedIn, AccountError> {
        let now = self.clock.now();
        let id = SessionId::new(now);
        let answer = self.signed_in(UserId(user.id), id, Role::parse(&user.role)?, random_secret("")?)?;
        let session = SessionRecord {
            id: id.0,
            user_id: user.id,
            user_agent: origin.user_agent.as_ref().map(|agent| agent.chars().take(USER_AGENT_MAX).collect()),
            address: origin.address.clone(),
            created_at: now.as_micros(),
            last_seen_at: now.as_micros(),
            expires_at: now.plus(self.settings.session_life).as_micros(),
        };
        let hash = hash_secret(&answer.refresh_token);
        let entry = AuditEntry::anonymous(Some(UserId(user.id)), "session.created", now).on(id.0).from(origin);
        let entry = AuditEntry { actor: "session", credential_id: Some(id.0), ..entry };
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // The password may have been changed while it was being checked.
                    let current = tx.lock_user(UserId(user.id)).await?;
                    let same = |row: &UserRecord| row.password_hash == user.password_hash && row.status == user.status;
                    if !current.is_some_and(|row| same(&row)) {
                        return Err(AccountError::WrongCredentials);
                    }
                    if let Some(hash) = rehashed {
                        tx.set_password(UserId(user.id), &hash, now).await?;
                    }
                    tx.delete_expired_sessions(now).await?;
                    tx.insert_session(&session).await?;
                    tx.insert_refresh(hash, id, now).await?;
                    tx.insert_audit(&entry).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(answer)
    }

    /// Written for known and unknown people alike, so that both take the same time.
    async fn note_failure(&self, user: Option<UserId>, origin: &Origin) -> Result<(), AccountError> {
        let entry = AuditEntry::anonymous(user, "session.refused", self.clock.now()).from(origin);
        let work = self.store.write(move |tx| Box::pin(async move { tx.insert_audit(&entry).await }));
        match work.await {
            // The account was deleted meanwhile.
            Err(StoreError::Dangling(_)) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Marks the token as used and its successor as good, unless another request was faster.
    async fn spend(
        &self,
        token: &str,
        answer: &SignedIn,
        session: SessionId,
        user: UserId,
    ) -> Result<Spending, AccountError> {
        let now = self.clock.now();
        let spent = spent(token, &answer.refresh_token, answer, now)?;
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if tx.spend_refresh(&spent).await? {
                    tx.insert_refresh(spent.successor_hash, session, now).await?;
                    tx.touch_session(session, user, now).await?;
                    return Ok(Spending::Done);
                }
                let row = tx.find_refresh(spent.token_hash).await?;
                Ok(row.map_or(Spending::Gone, |row| Spending::Used(Box::new(row))))
            })
        });
        match work.await {
            // The session ended meanwhile.
            Err(StoreError::Dangling(_)) => Ok(Spending::Gone),
            other => Ok(other?),
        }
    }

    /// Answers a used token as before while that may be an accident, and ends its session when it is none.
    async fn replay(&self, token: &str, row: &RefreshRecord, origin: &Origin) -> Result<SignedIn, AccountError> {
        let now = self.clock.now();
        let RefreshRecord { used_at, successor_used_at, .. } = *row;
        let used = UsedRefresh { used_at, successor_used_at, answer: row.answer.as_deref() };
        let seconds_since_use = match used.again(token, now) {
            Again::Accident(answer) => return Ok(answer),
            Again::Unreadable => return Err(StoreError::corrupt("refresh answer", row.session_id).into()),
            Again::Theft { seconds_since_use } => seconds_since_use,
        };
        let (session, user) = (SessionId(row.session_id), UserId(row.user_id));
        let entry = AuditEntry::anonymous(Some(user), "session.reuse_detected", now).on(session.0).from(origin);
        let entry = entry.with(json!({ "seconds_since_use": seconds_since_use }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.delete_session(session, user).await? {
                        tx.insert_audit(&entry).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Err(AccountError::RefreshRefused)
    }
}
