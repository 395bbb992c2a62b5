//! What the operator's shell does with anybody's account.

use std::time::Duration;

use serde_json::json;

use super::audit::AuditEntry;
use super::email::key_of;
use super::error::AccountError;
use super::passwords::check_strength;
use super::{Accounts, Role, Status, User};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::store::accounts::UserRecord;
use crate::store::{StoreResult, Tx};

/// How long attempts that belong to nobody are kept.
const ATTEMPTS_KEPT: Duration = Duration::from_hours(30 * 24);

impl Accounts {
    /// Everybody, oldest account first.
    pub async fn list_users(&self) -> Result<Vec<User>, AccountError> {
        let rows = self.store.list_users().await?;
        Ok(rows.into_iter().map(User::try_from).collect::<StoreResult<_>>()?)
    }

    /// Whether there is an account at all.
    pub async fn has_users(&self) -> Result<bool, AccountError> {
        Ok(self.store.has_users().await?)
    }

    /// Makes somebody an operator, or a user again.
    pub async fn set_role(&self, email: &str, role: Role) -> Result<User, AccountError> {
        let (row, now) = (self.find(email).await?, self.clock.now());
        let id = UserId(row.id);
        let entry = AuditEntry::shell(id, "user.role_changed", now).on(id.0);
        let entry = entry.with(json!({ "role": role.as_str() }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.set_role(id, role.as_str(), now).await?;
                    tx.insert_audit(&entry).await
                })
            })
            .await?;
        Ok(self.find(email).await?.try_into()?)
    }

    /// Shuts somebody out, which ends their sessions, or lets them in again.
    pub async fn set_status(&self, email: &str, status: Status) -> Result<User, AccountError> {
        let (row, now) = (self.find(email).await?, self.clock.now());
        let id = UserId(row.id);
        let action = match status {
            Status::Active => "user.enabled",
            Status::Disabled => "user.disabled",
        };
        let entry = AuditEntry::shell(id, action, now).on(id.0);
        self.store
            .write_of(id, move |tx| {
                Box::pin(async move {
                    tx.set_status(id, status.as_str(), now).await?;
                    if status == Status::Disabled {
                        tx.delete_other_sessions(id, None).await?;
                    }
                    tx.insert_audit(&entry).await
                })
            })
            .await?;
        Ok(self.find(email).await?.try_into()?)
    }

    /// Gives somebody a new password, which ends everything that acts for them, and removes their passkeys: an operator does
    /// this for who lost the account, perhaps to somebody who added one.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<(), AccountError> {
        let (row, now) = (self.find(email).await?, self.clock.now());
        check_strength(password, &row.email, row.full_name.as_deref())
            .map_err(|error| AccountError::fault("/password", &error))?;
        let id = UserId(row.id);
        let hash = self.passwords.hash(password).await?;
        let entry = AuditEntry::shell(id, "password.changed", now);
        self.store
            .write_of(id, move |tx| {
                Box::pin(async move {
                    tx.set_password(id, &hash, now).await?;
                    tx.end_everything(id, None).await?;
                    let passkeys = tx.delete_passkeys(id).await?;
                    tx.insert_audit(&entry.with(json!({ "passkeys": passkeys }))).await
                })
            })
            .await
            .map_err(AccountError::Store)
    }

    /// Forgets what is of no use any more: expired sessions, invitations, links of e-mails and ceremonies, and attempts to sign in that belong to
    /// nobody and are older than 30 days. To be called now and then.
    pub async fn forget_expired(&self) -> Result<(), AccountError> {
        let now = self.clock.now();
        Ok(self.store.write(move |tx| Box::pin(Self::forget_in(tx, now))).await?)
    }

    /// The same as a part of a transaction.
    pub async fn forget_in(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
        tx.delete_expired_sessions(now).await?;
        tx.delete_expired_invites(now).await?;
        tx.delete_expired_email_tokens(now).await?;
        tx.delete_expired_ceremonies(now).await?;
        tx.delete_old_attempts(now.minus(ATTEMPTS_KEPT)).await
    }

    async fn find(&self, email: &str) -> Result<UserRecord, AccountError> {
        let row = self.store.find_user_by_email(&key_of(email)).await?;
        row.ok_or_else(|| AccountError::NoSuchUser(email.to_owned()))
    }
}
