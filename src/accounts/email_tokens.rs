//! What goes by e-mail: proving that an address is one's own, and choosing a new password.
//!
//! The links carry a secret of 256 random bits, of which the hash is stored; it is good once and for a while. They open
//! pages with a button: a mail scanner that follows links uses nothing up.

use std::time::Duration;

use serde_json::json;

use super::audit::AuditEntry;
use super::email::key_of;
use super::error::AccountError;
use super::letters::letter_to;
use super::passwords::check_strength;
use super::secrets::{RandomError, hash_secret, random_secret};
use super::{Accounts, Caller, Origin, Status};
use crate::clock::{Clock, Timestamp};
use crate::ids::UserId;
use crate::mail::{Letter, Message, Post};
use crate::store::Store;
use crate::store::accounts::UserRecord;
use crate::store::email_tokens::EmailTokenRecord;

/// Where the link to verify an address leads, below the public URL.
pub const VERIFY_PATH: &str = "/oauth/verify-email";
/// Where the link to choose a new password leads, below the public URL.
pub const RESET_PATH: &str = "/oauth/reset-password";

/// How many unused links of a kind one can have; beyond, no mail is sent, so that nobody is flooded.
const MOST_LINKS: i64 = 5;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Verify,
    Reset,
}

impl Purpose {
    /// The word that is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }

    const fn life(self) -> Duration {
        match self {
            Self::Verify => Duration::from_hours(24),
            Self::Reset => Duration::from_hours(1),
        }
    }
}

/// A link that is to be sent, and the row that will know its secret again.
pub(super) struct Link {
    pub(super) record: EmailTokenRecord,
    pub(super) message: Message,
    /// Links that were made after this moment may still be good.
    since: Timestamp,
}

impl Link {
    /// Makes a link for the person with this id and address in lower case.
    pub(super) fn new(
        purpose: Purpose,
        user: UserId,
        email_key: &str,
        server: &str,
        now: Timestamp,
    ) -> Result<Self, RandomError> {
        let token = random_secret("")?;
        let record = EmailTokenRecord {
            token_hash: hash_secret(&token),
            user_id: user,
            purpose: purpose.as_str(),
            email_key: email_key.to_owned(),
            created_at: now,
            expires_at: now.plus(purpose.life()),
        };
        let message = match purpose {
            Purpose::Verify => Message::VerifyAddress { link: format!("{server}{VERIFY_PATH}?token={token}") },
            Purpose::Reset => Message::ResetPassword { link: format!("{server}{RESET_PATH}?token={token}") },
        };
        Ok(Self { record, message, since: now.minus(purpose.life()) })
    }

    /// The row, and the letter to its person, which is worth nothing later than the link.
    pub(super) fn into_letter(self, user: &UserRecord) -> (EmailTokenRecord, Letter) {
        let letter = letter_to(user, self.message).until(self.record.expires_at);
        (self.record, letter)
    }

    /// Keeps the row, and sends the link, unless the person has enough links already.
    async fn send(self, store: &Store, post: &Post, entry: AuditEntry) -> Result<(), AccountError> {
        let (since, queue) = (self.since, post.clone());
        let work = store.write(move |tx| {
            Box::pin(async move {
                // Who asks several times at once is counted one after the other.
                let Some(user) = tx.lock_user(self.record.user_id).await? else { return Ok(()) };
                let (record, letter) = self.into_letter(&user);
                if record.email_key != user.email_key
                    || tx.count_email_tokens(record.user_id, record.purpose, since).await? >= MOST_LINKS
                {
                    return Ok(());
                }
                tx.insert_email_token(&record).await?;
                tx.insert_audit(&entry).await?;
                queue.put::<AccountError>(tx, letter).await
            })
        });
        work.await?;
        post.wake();
        Ok(())
    }
}

impl Accounts {
    /// Sends the link that verifies the caller's address once more.
    ///
    /// # Errors
    ///
    /// [`AccountError::EmailVerified`] when that is done; [`AccountError::Mail`] when no mail can be sent.
    pub async fn send_verification(&self, caller: &Caller, origin: &Origin) -> Result<(), AccountError> {
        self.post.ready()?;
        let (user, now) = (caller.user_id, self.clock.now());
        let row = self.store.find_user(user).await?.ok_or(AccountError::NotFound("account"))?;
        if row.email_verified_at.is_some() {
            return Err(AccountError::EmailVerified);
        }
        let link = Link::new(Purpose::Verify, user, &row.email_key, self.post.server(), now)?;
        link.send(&self.store, &self.post, AuditEntry::by(caller, "email.verification_sent", now).from(origin)).await
    }

    /// Takes the secret of a link as proof that the address is the account's.
    pub async fn verify_email(&self, token: &str, origin: &Origin) -> Result<(), AccountError> {
        let (hash, now) = (hash_secret(token), self.clock.now());
        let holder = self.store.find_email_token(hash, Purpose::Verify.as_str(), now).await?.ok_or_else(unknown)?;
        let user = UserId(holder.user_id);
        let entry = AuditEntry::anonymous(Some(user), "email.verified", now).from(origin);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = tx.lock_user(user).await?.filter(|row| row.email_key == holder.email_key);
                    if row.is_none() || !tx.spend_email_token(hash, Purpose::Verify.as_str(), now).await? {
                        return Err(unknown());
                    }
                    tx.delete_email_tokens(user, Purpose::Verify.as_str()).await?;
                    if tx.verify_email(user, now).await? {
                        tx.insert_audit(&entry).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Sends a link to choose a new password, if there is such an account. Everything that depends on that happens after
    /// the answer, so that nothing tells.
    ///
    /// # Errors
    ///
    /// [`AccountError::Mail`] when no mail can be sent to anybody.
    pub fn forgot_password(&self, email: &str, origin: &Origin) -> Result<(), AccountError> {
        self.post.ready()?;
        let (store, clock, post) = (self.store.clone(), self.clock.clone(), self.post.clone());
        let (key, origin) = (key_of(email), origin.clone());
        self.post.prepare(async move {
            if let Err(error) = send_reset(&store, &clock, &post, &key, &origin).await {
                tracing::error!(error = &error as &dyn std::error::Error, "no link to choose a password was made");
            }
        });
        Ok(())
    }

    /// Whether a link to choose a new password is (still) good.
    pub async fn can_reset(&self, token: &str) -> Result<bool, AccountError> {
        let found = self.store.find_email_token(hash_secret(token), Purpose::Reset.as_str(), self.clock.now());
        Ok(found.await?.is_some())
    }

    /// Sets a new password for who has the secret of a link; ends everything that acts for the account.
    ///
    /// The secret came by e-mail, so it proves the address, too. Ways to sign in that were added before anybody had proved
    /// it may be somebody else's, who registered with a stranger's address: they are removed. Passkeys are removed in any
    /// case: who chooses a new password this way may do it to lock somebody out who had got in and added one.
    pub async fn reset_password(&self, token: &str, new: &str, origin: &Origin) -> Result<(), AccountError> {
        let (hash, now) = (hash_secret(token), self.clock.now());
        let holder = self.store.find_email_token(hash, Purpose::Reset.as_str(), now).await?.ok_or_else(unknown)?;
        let user = UserId(holder.user_id);
        let row = self.store.find_user(user).await?.filter(may_reset).ok_or_else(unknown)?;
        let strength = check_strength(new, &row.email, row.full_name.as_deref());
        strength.map_err(|error| AccountError::fault("/new_password", &error))?;
        let password = self.passwords.hash(new).await?;
        let entry = AuditEntry::anonymous(Some(user), "password.reset", now).from(origin);
        let post = self.post.clone();
        self.store
            .write_of(user, move |tx| {
                Box::pin(async move {
                    let row = tx.lock_user(user).await?.filter(may_reset);
                    let row = row.filter(|row| row.email_key == holder.email_key).ok_or_else(unknown)?;
                    if !tx.spend_email_token(hash, Purpose::Reset.as_str(), now).await? {
                        return Err(unknown());
                    }
                    tx.set_password(user, &password, now).await?;
                    let ended = tx.end_everything(user, None).await?;
                    let proved_at = row.email_verified_at.unwrap_or(i64::MAX);
                    let unlinked = tx.delete_identities(user, Timestamp::from_micros(proved_at)).await?;
                    let passkeys = tx.delete_passkeys(user).await?;
                    let factor = tx.find_second_factor(user).await?;
                    if factor.and_then(|factor| factor.confirmed_at).is_some_and(|at| at < proved_at) {
                        tx.delete_second_factor(user).await?;
                    }
                    tx.verify_email(user, now).await?;
                    let details = json!({
                        "sessions": ended.sessions, "apps": ended.grants, "tokens": ended.tokens, "identities": unlinked,
                        "passkeys": passkeys
                    });
                    tx.insert_audit(&entry.with(details)).await?;
                    if passkeys > 0 {
                        post.put::<AccountError>(tx, letter_to(&row, Message::PasskeysRemoved)).await?;
                    }
                    post.put::<AccountError>(tx, letter_to(&row, Message::PasswordChanged)).await
                })
            })
            .await?;
        self.post.wake();
        Ok(())
    }
}

fn may_reset(row: &UserRecord) -> bool {
    row.status == Status::Active.as_str()
}

/// Sends the link to whoever has this address in lower case.
async fn send_reset(store: &Store, clock: &Clock, post: &Post, key: &str, origin: &Origin) -> Result<(), AccountError> {
    let now = clock.now();
    let Some(row) = store.find_user_by_email(key).await?.filter(may_reset) else { return Ok(()) };
    let user = UserId(row.id);
    let link = Link::new(Purpose::Reset, user, &row.email_key, post.server(), now)?;
    let entry = AuditEntry::anonymous(Some(user), "password.reset_requested", now).from(origin);
    link.send(store, post, entry).await
}

/// One answer for secrets that are made up, used or too old.
fn unknown() -> AccountError {
    AccountError::fault("/token", &"is unknown, was used already, or is too old; ask for a new link")
}
