//! How accounts come to be.

use std::time::Duration;

use serde_json::json;

use chrono_tz::Tz;

use super::audit::AuditEntry;
use super::email::Email;
use super::email_tokens::{Link, Purpose};
use super::error::{AccountError, Faults};
use super::passwords::check_strength;
use super::secrets::{hash_secret, random_secret};
use super::user::FULL_NAME_MAX;
use super::{Accounts, Origin, Role, Status, User};
use crate::calendar::parse_zone;
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::ids::UserId;
use crate::store::StoreError;
use crate::store::accounts::UserRecord;
use crate::tasks::text::one_line;

/// How long an invitation is good.
const INVITE_LIFE: Duration = Duration::from_hours(7 * 24);

/// What a zone's name must be.
pub(super) const ZONE_RULE: &str = "must be an IANA time zone such as `Europe/Vienna`";

/// What a new account needs.
#[derive(Clone, Default)]
pub struct NewAccount {
    /// The address; unique in any case.
    pub email: String,
    /// The password.
    pub password: String,
    /// What they are called.
    pub full_name: Option<String>,
    /// IANA name; UTC when it is left out.
    pub time_zone: Option<String>,
}

/// The address, name and zone of a new account that keeps every rule.
fn checked(new: &NewAccount) -> Result<(Email, Option<String>, Tz), AccountError> {
    let mut faults = Faults::default();
    let email = faults.take("/email", Email::parse(&new.email));
    faults.take("/password", check_strength(&new.password, new.email.trim(), new.full_name.as_deref()));
    let name = new.full_name.as_deref().map(|name| one_line("/full_name", name, FULL_NAME_MAX)).transpose();
    let full_name = faults.check(name).flatten();
    let zone = parse_zone(new.time_zone.as_deref().unwrap_or("UTC")).ok_or(ZONE_RULE);
    let zone = faults.take("/time_zone", zone);
    let (email, zone) = faults.finish(email.zip(zone))?;
    Ok((email, full_name, zone))
}

impl NewAccount {
    /// Holds a new account against every rule.
    pub fn check(&self) -> Result<(), AccountError> {
        checked(self).map(drop)
    }
}

impl Accounts {
    /// How accounts come to be.
    pub const fn registration(&self) -> Registration {
        self.settings.registration
    }

    /// Makes an account for somebody who asks for one, as far as the operator lets them.
    pub async fn register(&self, new: NewAccount, invite: Option<&str>, origin: &Origin) -> Result<User, AccountError> {
        let registered = self.try_register(new, invite, origin).await;
        self.metrics.registered(registered.as_ref().err().map_or("success", AccountError::word));
        registered
    }

    async fn try_register(&self, new: NewAccount, invite: Option<&str>, origin: &Origin) -> Result<User, AccountError> {
        let invite = match (self.settings.registration, invite) {
            (Registration::Open, _) => None,
            (Registration::Closed, _) => return Err(AccountError::RegistrationClosed),
            (Registration::Invite, None) => return Err(AccountError::InviteNeeded),
            (Registration::Invite, Some(code)) => Some(hash_secret(code.trim())),
        };
        let now = self.clock.now();
        let record = self.prepare_user(new, Role::User, now).await?;
        let id = UserId(record.id);
        let entry = AuditEntry::anonymous(Some(id), "user.registered", now).on(id.0).from(origin);
        let link = Link::new(Purpose::Verify, id, &record.email_key, self.post.server(), now)?;
        self.insert_user(record, invite, entry, self.post.ready().is_ok().then_some(link)).await
    }

    /// Makes an account from the operator's shell, whatever the mode of registration.
    pub async fn create_user(&self, new: NewAccount, role: Role) -> Result<User, AccountError> {
        let now = self.clock.now();
        let record = self.prepare_user(new, role, now).await?;
        let id = UserId(record.id);
        let entry = AuditEntry::shell(id, "user.created", now).on(id.0).with(json!({ "role": role.as_str() }));
        self.insert_user(record, None, entry, None).await
    }

    /// Makes a code with which one person can register within seven days.
    pub async fn invite(&self) -> Result<(String, Timestamp), AccountError> {
        let code = random_secret("")?;
        let now = self.clock.now();
        let (hash, expires_at) = (hash_secret(&code), now.plus(INVITE_LIFE));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.delete_expired_invites(now).await?;
                    tx.insert_invite(hash, now, expires_at).await
                })
            })
            .await?;
        Ok((code, expires_at))
    }

    async fn prepare_user(&self, new: NewAccount, role: Role, now: Timestamp) -> Result<UserRecord, AccountError> {
        let (email, full_name, zone) = checked(&new)?;
        // Sooner than the slow hash; the unique index has the last word.
        if self.store.find_user_by_email(email.key()).await?.is_some() {
            return Err(AccountError::EmailTaken);
        }
        Ok(UserRecord {
            id: UserId::new(now).0,
            email: email.as_str().to_owned(),
            email_key: email.key().to_owned(),
            password_hash: self.passwords.hash(&new.password).await?,
            full_name,
            time_zone: zone.name().to_owned(),
            windows: None,
            policy: None,
            policy_params: None,
            role: role.as_str().to_owned(),
            status: Status::Active.as_str().to_owned(),
            data_version: 0,
            created_at: now.as_micros(),
            updated_at: now.as_micros(),
            email_verified_at: None,
            digest: "off".to_owned(),
            digest_at: None,
        })
    }

    async fn insert_user(
        &self,
        record: UserRecord,
        invite: Option<[u8; 32]>,
        entry: AuditEntry,
        link: Option<Link>,
    ) -> Result<User, AccountError> {
        let (stored, now) = (record.clone(), entry.at);
        let (token, letter) = link.map(|link| link.into_letter(&record)).unzip();
        let post = self.post.clone();
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                if let Some(hash) = invite
                    && !tx.spend_invite(hash, now).await?
                {
                    return Err(AccountError::InviteNeeded);
                }
                tx.insert_user(&stored).await?;
                if let Some(token) = token {
                    tx.insert_email_token(&token).await?;
                }
                if let Some(letter) = letter {
                    post.put::<AccountError>(tx, letter).await?;
                }
                tx.insert_audit(&entry).await?;
                Ok(())
            })
        });
        match work.await {
            Err(AccountError::Store(StoreError::Taken(_))) => Err(AccountError::EmailTaken),
            Err(error) => Err(error),
            Ok(()) => {
                self.post.wake();
                Ok(record.try_into()?)
            }
        }
    }
}
