//! Passkeys: keys on people's own devices with which they sign in, instead of a password and a code (Web Authentication).
//!
//! - `relying_party`: the protocol, by webauthn-rs, which nobody else names.
//! - `ceremony`: what is remembered between a question to a browser and its answer: sealed, bound, once.
//! - [`registration`], [`sign_in`]: making one and signing in with one. This file: what people do with those they have.
//!
//! A passkey says whose it is, so nobody is asked for an address, and no answer tells whether an account exists. The
//! device must have made sure that its owner uses it, so a passkey stands for both factors.

mod ceremony;
pub mod registration;
mod relying_party;
pub mod sign_in;

use std::time::Duration;

use super::audit::AuditEntry;
use super::error::AccountError;
use super::pages::Paging;
use super::passwords::NO_PASSWORD;
use super::second_factor::own_session;
use super::{Accounts, Browser, Caller, Credential, Origin};
use crate::clock::Timestamp;
use crate::ids::{PasskeyId, SessionId, UserId};
use crate::mail::Message;
use crate::paging::Page;
use crate::store::accounts::UserRecord;
use crate::store::audit::Slice;
use crate::store::passkeys::PasskeyRecord;
use crate::store::{StoreResult, Tx};
use crate::tasks::text::one_line;

pub use ceremony::{Asking, Begun};
pub use relying_party::NoPasskeysError;
pub(super) use relying_party::RelyingParty;

/// How long a browser has to answer.
pub const LIFE: Duration = Duration::from_mins(5);
/// The most passkeys that one account can have.
pub const MOST_PASSKEYS: i64 = 20;
/// The longest name of a passkey, in code points.
pub const NAME_MAX: usize = 100;
/// The name of this list in cursors.
const LIST: &str = "passkeys";

/// Somebody's passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// The host it was made for; it works nowhere else.
    pub host: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

impl From<PasskeyRecord> for Passkey {
    fn from(row: PasskeyRecord) -> Self {
        Self {
            id: PasskeyId(row.id),
            name: row.name,
            host: row.rp_id,
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }
    }
}

/// Who changes their passkeys, and with what they came.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// With a token.
    Caller(&'a Caller),
    /// In a browser.
    Browser(&'a Browser),
}

impl Owner<'_> {
    const fn user(self) -> UserId {
        match self {
            Self::Caller(caller) => caller.user_id,
            Self::Browser(browser) => browser.user_id,
        }
    }

    /// The session; programs have none of the person's.
    fn session(self) -> Result<SessionId, AccountError> {
        match self {
            Self::Caller(caller) => {
                own_session(caller)?;
                match caller.credential {
                    Credential::Session(id) => Ok(id),
                    _ => Err(AccountError::SessionNeeded),
                }
            }
            Self::Browser(browser) => Ok(browser.session_id),
        }
    }

    fn entry(self, action: &'static str, at: Timestamp) -> AuditEntry {
        match self {
            Self::Caller(caller) => AuditEntry::by(caller, action, at),
            Self::Browser(browser) => AuditEntry::browser(browser.user_id, Some(browser.session_id), action, at),
        }
    }
}

/// Counts the ways in that somebody has left.
#[derive(Clone, Debug)]
pub(super) struct WaysIn {
    /// The host for which passkeys count; none do where there cannot be any.
    host: Option<String>,
}

impl WaysIn {
    /// Whether this person can still sign in.
    pub(super) async fn remain(&self, tx: &mut Tx<'_>, row: &UserRecord) -> StoreResult<bool> {
        let user = UserId(row.id);
        if row.password_hash != NO_PASSWORD || tx.count_identities(user).await? > 0 {
            return Ok(true);
        }
        match &self.host {
            Some(host) => Ok(tx.count_passkeys_for(user, host).await? > 0),
            None => Ok(false),
        }
    }
}

impl Accounts {
    /// Whether this server can have passkeys.
    ///
    /// # Errors
    ///
    /// [`NoPasskeysError`] says why not.
    pub fn takes_passkeys(&self) -> Result<(), NoPasskeysError> {
        self.passkeys.get().map(drop)
    }

    /// A page of the caller's passkeys, newest first.
    pub async fn list_passkeys(&self, caller: &Caller, paging: &Paging) -> Result<Page<Passkey>, AccountError> {
        let rows = self.store.list_passkeys(caller.user_id, paging.slice(caller.user_id, LIST)?).await?;
        let total = self.store.count_passkeys(caller.user_id).await?;
        let rows = rows.into_iter().map(Passkey::from).collect();
        Ok(paging.page((caller.user_id, LIST), rows, total, |passkey: &Passkey| (passkey.created_at, passkey.id.0)))
    }

    /// All of somebody's passkeys, newest first.
    pub async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, AccountError> {
        let rows = self.store.list_passkeys(user, Slice { before: None, limit: MOST_PASSKEYS }).await?;
        Ok(rows.into_iter().map(Passkey::from).collect())
    }

    /// Gives a passkey another name.
    pub async fn rename_passkey(
        &self,
        owner: Owner<'_>,
        id: PasskeyId,
        name: &str,
        origin: &Origin,
    ) -> Result<Passkey, AccountError> {
        owner.session()?;
        let name = check_name(name)?;
        let user = owner.user();
        let entry = owner.entry("passkey.renamed", self.clock.now()).on(id.0).from(origin);
        let renamed = self.store.write(move |tx| {
            Box::pin(async move {
                let row = tx.rename_passkey(id, user, &name).await?.ok_or(AccountError::NotFound("passkey"))?;
                tx.insert_audit(&entry).await?;
                Ok::<_, AccountError>(row)
            })
        });
        Ok(renamed.await?.into())
    }

    /// Removes a passkey, unless its owner could not sign in any more.
    pub async fn remove_passkey(&self, owner: Owner<'_>, id: PasskeyId, origin: &Origin) -> Result<(), AccountError> {
        owner.session()?;
        let (user, ways) = (owner.user(), self.ways_in());
        let entry = owner.entry("passkey.removed", self.clock.now()).on(id.0).from(origin);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = tx.lock_user(user).await?.ok_or(AccountError::NotFound("account"))?;
                    if !tx.delete_passkey(id, user).await? {
                        return Err(AccountError::NotFound("passkey"));
                    }
                    if !ways.remain(tx, &row).await? {
                        return Err(AccountError::LastWayIn);
                    }
                    Ok(tx.insert_audit(&entry).await?)
                })
            })
            .await?;
        self.tell(user, Message::PasskeyRemoved).await
    }

    /// The ways in that there are.
    pub(super) fn ways_in(&self) -> WaysIn {
        WaysIn { host: self.passkeys.get().ok().map(|party| party.host().to_owned()) }
    }
}

/// Holds a name against the rules.
pub(super) fn check_name(name: &str) -> Result<String, AccountError> {
    one_line("/name", name, NAME_MAX).map_err(|fault| AccountError::Invalid(vec![fault]))
}
