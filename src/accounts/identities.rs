//! Accounts elsewhere through which people sign in.
//!
//! An identity is a provider and the person's id there; an address never identifies anybody. Somebody who comes with an
//! unknown identity gets a new account, unless there is one with their address already: whose that is, they must prove
//! as they always did before the identity is linked. So neither who owns an address elsewhere nor who registered a
//! stranger's address here gets into the other's account.

use serde_json::json;

use super::admission::Proven;
use super::audit::AuditEntry;
use super::email::Email;
use super::email_tokens::{Link, Purpose};
use super::error::AccountError;
use super::letters::letter_to;
use super::pages::Paging;
use super::passwords::NO_PASSWORD;
use super::second_factor::own_session;
use super::user::FULL_NAME_MAX;
use super::{Accounts, Browser, Caller, Origin, Role, Status};
use crate::clock::Timestamp;
use crate::config::Registration;
use crate::ids::{IdentityId, UserId};
use crate::mail::Message;
use crate::paging::Page;
use crate::store::StoreError;
use crate::store::accounts::UserRecord;
use crate::store::audit::Slice;
use crate::store::identities::IdentityRecord;
use crate::tasks::text::one_line;

/// In the log: an identity was unlinked.
const UNLINKED: &str = "identity.unlinked";
/// The name of this list in cursors.
const LIST: &str = "identities";
/// The most identities that one account can have.
const MOST_IDENTITIES: i64 = 20;
/// How somebody proved who they are: elsewhere.
const METHOD: &str = "fed";

/// Somebody as another provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The provider's id: `google`, `github` or `oidc`.
    pub provider: &'static str,
    /// Its name for people.
    pub provider_name: String,
    /// The person's id there, which never changes.
    pub subject: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether the provider says that it is theirs.
    pub email_verified: bool,
    /// What they are called.
    pub full_name: Option<String>,
}

/// An identity that is linked to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Where: `google`, `github` or `oidc`.
    pub provider: String,
    /// The address there, as it was last seen.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// What becomes of somebody who comes from elsewhere.
#[derive(Debug)]
pub enum Welcome {
    /// They have an account, perhaps since now.
    Proven(Box<Proven>),
    /// An account has their address: whose it is must be proved before the identity is linked.
    MustLink {
        /// The address.
        email: String,
    },
}

impl From<IdentityRecord> for Identity {
    fn from(row: IdentityRecord) -> Self {
        Self {
            id: IdentityId(row.id),
            provider: row.provider,
            email: row.email,
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }
    }
}

impl Accounts {
    /// Receives somebody who proved to another provider who they are there.
    ///
    /// # Errors
    ///
    /// [`AccountError::EmailTaken`] when an account has their address, but the provider does not say that it is theirs;
    /// [`AccountError::AddressNeeded`] without an address; as registration does when nobody can register.
    pub async fn welcome(&self, foreign: &Foreign, origin: &Origin) -> Result<Welcome, AccountError> {
        if let Some(identity) = self.store.find_identity(foreign.provider, &foreign.subject).await? {
            return self.recognise(identity, foreign, origin).await.map(|proven| Welcome::Proven(Box::new(proven)));
        }
        let email = foreign.email.as_deref().and_then(|email| Email::parse(email).ok());
        let email = email.ok_or(AccountError::AddressNeeded)?;
        match self.store.find_user_by_email(email.key()).await? {
            Some(_) if foreign.email_verified => Ok(Welcome::MustLink { email: email.as_str().to_owned() }),
            Some(_) => Err(AccountError::EmailTaken),
            None => self.admit_foreigner(foreign, &email, origin).await.map(|proven| Welcome::Proven(Box::new(proven))),
        }
    }

    /// Links an identity to the account of somebody who proved who they are here.
    ///
    /// # Errors
    ///
    /// [`AccountError::IdentityTaken`] when it is linked already.
    pub async fn link_identity(&self, user: UserId, foreign: &Foreign, origin: &Origin) -> Result<(), AccountError> {
        let now = self.clock.now();
        let record = record(user, foreign, now);
        let entry = AuditEntry::anonymous(Some(user), "identity.linked", now).on(record.id).from(origin);
        let entry = entry.with(json!({ "provider": foreign.provider }));
        let (post, message) = (self.post.clone(), Message::IdentityLinked { provider: foreign.provider_name.clone() });
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                // Two at the same time are counted one after the other.
                let row = tx.lock_user(user).await?.ok_or(AccountError::NotFound("account"))?;
                post.put::<AccountError>(tx, letter_to(&row, message)).await?;
                if tx.count_identities(user).await? >= MOST_IDENTITIES {
                    return Err(AccountError::TooManyIdentities);
                }
                tx.insert_identity(&record).await?;
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        match work.await {
            Err(AccountError::Store(StoreError::Taken(_))) => Err(AccountError::IdentityTaken),
            Err(error) => Err(error),
            Ok(()) => {
                self.post.wake();
                Ok(())
            }
        }
    }

    /// A page of the caller's identities, newest first.
    pub async fn list_identities(&self, caller: &Caller, paging: &Paging) -> Result<Page<Identity>, AccountError> {
        let rows = self.store.list_identities(caller.user_id, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_identities(caller.user_id).await?;
        let rows = rows.into_iter().map(Identity::from).collect();
        Ok(paging.page((caller.user_id, LIST), rows, total, |identity: &Identity| (identity.created_at, identity.id.0)))
    }

    /// All of somebody's identities, newest first.
    pub async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, AccountError> {
        let rows = self.store.list_identities(user, Slice { before: None, limit: MOST_IDENTITIES }).await?;
        Ok(rows.into_iter().map(Identity::from).collect())
    }

    /// Unlinks one of the caller's identities, unless they could not sign in any more.
    pub async fn unlink_identity(&self, caller: &Caller, id: IdentityId, origin: &Origin) -> Result<(), AccountError> {
        own_session(caller)?;
        let entry = AuditEntry::by(caller, UNLINKED, self.clock.now()).on(id.0).from(origin);
        self.unlink(caller.user_id, id, entry).await
    }

    /// The same for somebody in a browser.
    pub async fn unlink_in_browser(
        &self,
        browser: &Browser,
        id: IdentityId,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        let (user, session) = (browser.user_id, Some(browser.session_id));
        let entry = AuditEntry::browser(user, session, UNLINKED, self.clock.now()).on(id.0).from(origin);
        self.unlink(user, id, entry).await
    }

    async fn unlink(&self, user: UserId, id: IdentityId, entry: AuditEntry) -> Result<(), AccountError> {
        let ways = self.ways_in();
        let post = self.post.clone();
        let unlinked = self.store.write(move |tx| {
            Box::pin(async move {
                let row = tx.lock_user(user).await?.ok_or(AccountError::NotFound("account"))?;
                let provider = tx.delete_identity(id, user).await?.ok_or(AccountError::NotFound("identity"))?;
                if !ways.remain(tx, &row).await? {
                    return Err(AccountError::LastWayIn);
                }
                tx.insert_audit(&entry.with(json!({ "provider": provider }))).await?;
                let message = Message::IdentityUnlinked { provider: shown_name(&provider).to_owned() };
                post.put::<AccountError>(tx, letter_to(&row, message)).await
            })
        });
        unlinked.await?;
        self.post.wake();
        Ok(())
    }

    /// Somebody whose identity is linked.
    async fn recognise(
        &self,
        identity: IdentityRecord,
        foreign: &Foreign,
        origin: &Origin,
    ) -> Result<Proven, AccountError> {
        let (id, user, now) = (IdentityId(identity.id), UserId(identity.user_id), self.clock.now());
        let row = self.store.find_user(user).await?.filter(|row| row.status == Status::Active.as_str());
        let row = row.ok_or(AccountError::WrongCredentials)?;
        let email = foreign.email.clone();
        let entry = AuditEntry::anonymous(Some(user), "identity.used", now).on(id.0).from(origin);
        let entry = entry.with(json!({ "provider": foreign.provider }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.touch_identity(id, user, now, email.as_deref()).await? {
                        return Err(AccountError::WrongCredentials);
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await?;
        Ok(Proven { user: row, methods: METHOD.to_owned() })
    }

    /// Makes an account without a password for somebody who is new.
    async fn admit_foreigner(&self, foreign: &Foreign, email: &Email, origin: &Origin) -> Result<Proven, AccountError> {
        match self.settings.registration {
            Registration::Open => {}
            Registration::Invite => return Err(AccountError::InviteNeeded),
            Registration::Closed => return Err(AccountError::RegistrationClosed),
        }
        let now = self.clock.now();
        let user = new_user(foreign, email, now);
        let id = UserId(user.id);
        let identity = record(id, foreign, now);
        let entry = AuditEntry::anonymous(Some(id), "user.registered", now).on(id.0).from(origin);
        let entry = entry.with(json!({ "provider": foreign.provider }));
        let link = Link::new(Purpose::Verify, id, email.key(), self.post.server(), now)?;
        let link = (!foreign.email_verified && self.post.ready().is_ok()).then_some(link);
        let (token, letter) = link.map(|link| link.into_letter(&user)).unzip();
        let (stored, post) = (user.clone(), self.post.clone());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                tx.insert_user(&stored).await?;
                tx.insert_identity(&identity).await?;
                if let Some(token) = token {
                    tx.insert_email_token(&token).await?;
                }
                if let Some(letter) = letter {
                    post.put::<AccountError>(tx, letter).await?;
                }
                Ok(tx.insert_audit(&entry).await?)
            })
        });
        match work.await {
            // Somebody was faster, perhaps the same person in another window.
            Err(AccountError::Store(StoreError::Taken(_))) => return Err(AccountError::EmailTaken),
            outcome => outcome?,
        }
        self.post.wake();
        Ok(Proven { user, methods: METHOD.to_owned() })
    }
}

/// A provider's name in a mail.
fn shown_name(provider: &str) -> &str {
    match provider {
        "google" => "Google",
        "github" => "GitHub",
        _ => "OpenID",
    }
}

fn record(user: UserId, foreign: &Foreign, now: Timestamp) -> IdentityRecord {
    IdentityRecord {
        id: IdentityId::new(now).0,
        user_id: user.0,
        provider: foreign.provider.to_owned(),
        subject: foreign.subject.clone(),
        email: foreign.email.clone(),
        created_at: now.as_micros(),
        last_used_at: Some(now.as_micros()),
    }
}

fn new_user(foreign: &Foreign, email: &Email, now: Timestamp) -> UserRecord {
    let name = foreign.full_name.as_deref().and_then(|name| one_line("", name, FULL_NAME_MAX).ok());
    UserRecord {
        id: UserId::new(now).0,
        email: email.as_str().to_owned(),
        email_key: email.key().to_owned(),
        password_hash: NO_PASSWORD.to_owned(),
        full_name: name,
        time_zone: "UTC".to_owned(),
        windows: None,
        policy: None,
        policy_params: None,
        role: Role::User.as_str().to_owned(),
        status: Status::Active.as_str().to_owned(),
        data_version: 0,
        created_at: now.as_micros(),
        updated_at: now.as_micros(),
        email_verified_at: foreign.email_verified.then_some(now.as_micros()),
        digest: "off".to_owned(),
        digest_at: None,
    }
}
