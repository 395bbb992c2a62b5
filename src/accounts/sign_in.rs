//! Signing in, staying signed in, signing out.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::admission::{Admission, Proven};
use super::audit::AuditEntry;
use super::error::AccountError;
use super::rotation::{Again, UsedRefresh, spent};
use super::secrets::{hash_secret, random_secret};
use super::{Accounts, Caller, Credential, Origin, Role, Rotation, Status};
use crate::ids::{SessionId, UserId};
use crate::oauth::SessionToken;
use crate::store::StoreError;
use crate::store::sessions::RefreshRecord;

/// What somebody shows to sign in.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// The address, in upper or lower case.
    pub email: &'a str,
    /// The password.
    pub password: &'a str,
    /// A code of the authenticator or a recovery code, where one is needed.
    pub code: Option<&'a str>,
}

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
    /// Signs in. What is wrong is not told, neither by words nor by time; that a code is missing is told only to who has
    /// the password.
    pub async fn login(&self, sign_in: SignIn<'_>, origin: &Origin) -> Result<SignedIn, AccountError> {
        let proven = self.prove_password(sign_in.email, sign_in.password, origin).await?;
        let proven = self.prove_second_factor(proven, sign_in.code, origin).await?;
        self.begin_session(proven, origin).await
    }

    /// Gives new tokens for a refresh token.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn, AccountError> {
        let refreshed = self.try_refresh(token, origin).await;
        self.count_sign_in("refresh", &refreshed);
        refreshed
    }

    async fn try_refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn, AccountError> {
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
            .write_of(user, move |tx| {
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
        let token = SessionToken { user_id, session_id, scopes: role.scopes() };
        let access_token = self.tokens.issue_for_session(token)?;
        Ok(SignedIn { access_token, expires_in: self.tokens.expires_in(), refresh_token })
    }

    pub(super) async fn begin_session(&self, proven: Proven, origin: &Origin) -> Result<SignedIn, AccountError> {
        let id = SessionId::new(self.clock.now());
        let user = UserId(proven.user.id);
        let answer = self.signed_in(user, id, Role::parse(&proven.user.role)?, random_secret("")?)?;
        let session = self.new_session(id, &proven, self.settings.session_life, origin);
        let admission = Admission { session, refresh: Some(hash_secret(&answer.refresh_token)), replaced: None };
        self.admit(proven, admission, origin).await?;
        Ok(answer)
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
        let kept = UsedRefresh { used_at, successor_used_at, answer: row.answer.as_deref() };
        let seconds_since_use = match kept.again(token, now) {
            Again::Accident(answer) => return Ok(answer),
            Again::Unreadable => return Err(StoreError::corrupt("refresh answer", row.session_id).into()),
            Again::Theft { seconds_since_use } => seconds_since_use,
        };
        let (session, user) = (SessionId(row.session_id), UserId(row.user_id));
        let entry = AuditEntry::anonymous(Some(user), "session.reuse_detected", now).on(session.0).from(origin);
        let entry = entry.with(json!({ "seconds_since_use": seconds_since_use }));
        self.store
            .write_of(user, move |tx| {
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
