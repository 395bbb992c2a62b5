//! From proving who one is to a session.

use std::time::Duration;

use super::attempts::Guess;
use super::audit::AuditEntry;
use super::email::key_of;
use super::error::AccountError;
use super::passwords::Verdict;
use super::secrets::{SecretHash, hash_secret};
use super::{Accounts, Origin, Status};
use crate::ids::{SessionId, UserId};
use crate::store::StoreError;
use crate::store::accounts::UserRecord;
use crate::store::sessions::SessionRecord;

/// The most that is kept of what a client calls itself, in characters.
const USER_AGENT_MAX: usize = 300;

/// Somebody who proved who they are; nothing has come of it yet.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Who.
    pub(super) user: UserRecord,
    /// How (RFC 8176), separated by blanks.
    pub(super) methods: String,
}

/// The session that comes of it.
pub(super) struct Admission {
    pub(super) session: SessionRecord,
    /// The hash of its first refresh token.
    pub(super) refresh: Option<SecretHash>,
    /// The hash of the cookie whose session it replaces.
    pub(super) replaced: Option<SecretHash>,
}

impl Proven {
    /// Who it is.
    pub fn user_id(&self) -> UserId {
        UserId(self.user.id)
    }

    /// How they proved it (RFC 8176), separated by blanks.
    pub fn methods(&self) -> &str {
        &self.methods
    }

    /// Tells their password of now from every other; worth nothing to anybody else.
    pub fn fingerprint(&self) -> SecretHash {
        hash_secret(&self.user.password_hash)
    }

    /// Adds another way in which they proved it.
    #[must_use]
    pub fn and(mut self, method: &str) -> Self {
        self.methods.push(' ');
        self.methods.push_str(method);
        self
    }
}

impl Accounts {
    /// Checks a password. What is wrong is not told, neither by words nor by time; after too many wrong ones for an
    /// address nobody is asked for a while, whether there is such an account or not.
    pub async fn prove_password(&self, email: &str, password: &str, origin: &Origin) -> Result<Proven, AccountError> {
        let key = key_of(email);
        let proven = self.try_password(&key, password, origin).await;
        self.count_sign_in("password", &proven);
        proven
    }

    async fn try_password(&self, key: &str, password: &str, origin: &Origin) -> Result<Proven, AccountError> {
        let attempt = self.attempts.begin(Guess::Password(key))?;
        let proven = self.compare_password(key, password, origin).await;
        if !matches!(proven, Err(AccountError::WrongCredentials)) {
            attempt.forgive();
        }
        proven
    }

    async fn compare_password(&self, key: &str, password: &str, origin: &Origin) -> Result<Proven, AccountError> {
        let found = self.store.find_user_by_email(key).await?;
        let user = found.as_ref().filter(|user| user.status == Status::Active.as_str());
        let verdict = self.passwords.verify(password, user.map(|user| user.password_hash.as_str())).await?;
        let methods = "pwd".to_owned();
        match (user, verdict) {
            (Some(user), Verdict::Right) => Ok(Proven { user: user.clone(), methods }),
            (Some(user), Verdict::Rehashed(hash)) => {
                let user = self.replace_hash(user.clone(), hash).await?;
                Ok(Proven { user, methods })
            }
            _ => {
                self.note_failure(found.map(|user| UserId(user.id)), origin).await?;
                Err(AccountError::WrongCredentials)
            }
        }
    }

    /// Somebody who proved who they are just before, in another request; `None` when their password changed since.
    pub async fn prove_again(
        &self,
        user: UserId,
        fingerprint: SecretHash,
        methods: String,
    ) -> Result<Option<Proven>, AccountError> {
        let row = self.store.find_user(user).await?;
        let proven = row.filter(|row| row.status == Status::Active.as_str()).map(|user| Proven { user, methods });
        Ok(proven.filter(|proven| proven.fingerprint() == fingerprint))
    }

    /// A session that begins now.
    pub(super) fn new_session(&self, id: SessionId, proven: &Proven, life: Duration, origin: &Origin) -> SessionRecord {
        let now = self.clock.now();
        SessionRecord {
            id: id.0,
            user_id: proven.user.id,
            user_agent: origin.user_agent.as_ref().map(|agent| agent.chars().take(USER_AGENT_MAX).collect()),
            address: origin.address.clone(),
            created_at: now.as_micros(),
            last_seen_at: now.as_micros(),
            expires_at: now.plus(life).as_micros(),
            cookie_hash: None,
            authenticated_at: None,
            methods: None,
        }
    }

    /// Begins the session, unless the account changed since its user proved who they are.
    pub(super) async fn admit(
        &self,
        proven: Proven,
        admission: Admission,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        let (user, now) = (proven.user, self.clock.now());
        let id = SessionId(admission.session.id);
        let entry = AuditEntry::anonymous(Some(UserId(user.id)), "session.created", now).on(id.0).from(origin);
        let entry = AuditEntry { actor: "session", credential_id: Some(id.0), ..entry };
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // The password may have been changed while it was being checked.
                    let current = tx.lock_user(UserId(user.id)).await?;
                    if !current.is_some_and(|row| is_same(&row, &user)) {
                        return Err(AccountError::WrongCredentials);
                    }
                    tx.delete_expired_sessions(now).await?;
                    if let Some(cookie) = admission.replaced {
                        tx.delete_browser(cookie).await?;
                    }
                    tx.insert_session(&admission.session).await?;
                    if let Some(hash) = admission.refresh {
                        tx.insert_refresh(hash, id, now).await?;
                    }
                    tx.insert_audit(&entry).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Keeps a better hash of the password that was just shown.
    async fn replace_hash(&self, user: UserRecord, hash: String) -> Result<UserRecord, AccountError> {
        let now = self.clock.now();
        let changed = UserRecord { password_hash: hash.clone(), ..user.clone() };
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let current = tx.lock_user(UserId(user.id)).await?;
                    if !current.is_some_and(|row| is_same(&row, &user)) {
                        return Err(AccountError::WrongCredentials);
                    }
                    tx.set_password(UserId(user.id), &hash, now).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(changed)
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
}

fn is_same(now: &UserRecord, then: &UserRecord) -> bool {
    now.password_hash == then.password_hash && now.status == then.status
}
