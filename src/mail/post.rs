//! The queue: mail becomes a row in the transaction that it is about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::{Mail, MailError, Mailer, Message};
use crate::accounts::secrets::RandomError;
use crate::clock::{Clock, Timestamp};
use crate::ids::{UserId, new_uuid};
use crate::observe::metrics::{MailMetrics, Posted};
use crate::secret_key::SecretKey;
use crate::store::mails::{MailCount, MailRecord, NewMail};
use crate::store::{Store, StoreError, StoreResult, Tx};

/// Mails that may be prepared beside the answer at the same time.
const MOST_PREPARED: usize = 64;
/// How many mails a list for operators shows at most.
const MOST_LISTED: i64 = 1_000;

/// What [`Post`] works with.
pub struct PostParts {
    /// Where mail waits.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Seals what waits.
    pub secret: SecretKey,
    /// Brings it.
    pub mailer: Arc<dyn Mailer>,
    /// The server's public URL.
    pub server: String,
    /// Counts what becomes of mail.
    pub metrics: MailMetrics,
}

/// Takes mail, and wakes who sends it. Clones share the queue.
#[derive(Clone)]
pub struct Post(Arc<Office>);

pub(super) struct Office {
    pub(super) parts: PostParts,
    places: Arc<Semaphore>,
    /// Somebody put mail into the queue of this instance.
    pub(super) arrived: Notify,
}

/// A message to a person.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Whom it is to; it is forgotten with them.
    pub user: Option<UserId>,
    /// Their address.
    pub to: String,
    /// What they are called.
    pub name: Option<String>,
    /// What it says.
    pub message: Message,
    /// It makes no sense to send it later.
    pub expires_at: Option<Timestamp>,
}

impl Letter {
    /// A message to a person at an address.
    pub fn new(user: UserId, to: &str, message: Message) -> Self {
        Self { user: Some(user), to: to.to_owned(), name: None, message, expires_at: None }
    }

    /// The same, which is not sent any more from `expires_at` on.
    #[must_use]
    pub fn until(self, expires_at: Timestamp) -> Self {
        Self { expires_at: Some(expires_at), ..self }
    }

    /// The same, to a person with this name.
    #[must_use]
    pub fn named(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }
}

/// What is sealed of a mail.
#[derive(Serialize, Deserialize)]
struct Content {
    to: String,
    name: Option<String>,
    message: Message,
}

/// A mail that waits or was given up, as operators see it.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// Its id.
    pub id: Uuid,
    /// `waiting` or `dead`.
    pub state: &'static str,
    /// What it is about.
    pub kind: String,
    /// The address; absent when it was sealed under another secret.
    pub to: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// When it was given up.
    pub died_at: Option<Timestamp>,
    /// Until when its link is good.
    pub expires_at: Option<Timestamp>,
    /// Why it was not sent.
    pub last_error: Option<String>,
}

impl Post {
    /// A queue over the database.
    pub fn new(parts: PostParts) -> Self {
        let places = Arc::new(Semaphore::new(MOST_PREPARED));
        Self(Arc::new(Office { parts, places, arrived: Notify::new() }))
    }

    pub(super) fn office(&self) -> &Office {
        &self.0
    }

    /// Whether mail can be sent at all.
    ///
    /// # Errors
    ///
    /// [`MailError::NotConfigured`].
    pub fn ready(&self) -> Result<(), MailError> {
        self.0.parts.mailer.ready()
    }

    /// The server's public URL, to make links with.
    pub fn server(&self) -> &str {
        &self.0.parts.server
    }

    /// Puts a letter into the queue, within the transaction that it is about; where no mail can be sent, nothing happens.
    /// [`Post::wake`] is to follow the transaction.
    pub async fn put<E>(&self, tx: &mut Tx<'_>, letter: Letter) -> Result<(), E>
    where
        E: From<RandomError> + From<StoreError>,
    {
        if self.ready().is_ok() {
            tx.insert_mail(&self.seal(letter)?).await?;
            self.0.parts.metrics.note(Posted::Queued);
        }
        Ok(())
    }

    /// Makes the row of a letter.
    pub fn seal(&self, letter: Letter) -> Result<NewMail, RandomError> {
        let Letter { user, to, name, message, expires_at } = letter;
        let (created_at, kind) = (self.0.parts.clock.now(), message.kind());
        let id = new_uuid(created_at);
        let content = serde_json::to_vec(&Content { to, name, message }).map_err(|_| RandomError)?;
        let sealed = self.0.parts.secret.seal(&purpose(id), &content)?;
        Ok(NewMail { id, user_id: user, kind, sealed, expires_at, created_at })
    }

    /// Reads the row of a letter; `None` when it was sealed under another secret.
    pub(super) fn open(&self, row: &MailRecord) -> Option<Mail> {
        let content = self.0.parts.secret.open(&purpose(row.id), &row.sealed)?;
        let Content { to, name, message } = serde_json::from_slice(&content).ok()?;
        let written_at = Timestamp::from_micros(row.created_at);
        Some(Mail { id: row.id, to, name, server: self.server().to_owned(), written_at, message })
    }

    /// Lets who sends mail on this instance look at once.
    pub fn wake(&self) {
        self.0.arrived.notify_one();
    }

    /// Does beside the answer what may come to a letter, so that no answer waits for it or tells by its time whether there
    /// was one. When too much is under way already, it is dropped, and that is logged.
    pub fn prepare(&self, prepared: impl Future<Output = ()> + Send + 'static) {
        if self.ready().is_err() {
            return;
        }
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            tracing::warn!("a mail was dropped: too many are under way");
            return;
        };
        let post = self.clone();
        tokio::spawn(async move {
            prepared.await;
            post.wake();
            drop(place);
        });
    }

    /// What waits and what was given up, at most a thousand.
    pub async fn list(&self) -> StoreResult<Vec<Waiting>> {
        let rows = self.0.parts.store.list_mails(MOST_LISTED).await?;
        Ok(rows.into_iter().map(|row| self.show(row)).collect())
    }

    fn show(&self, row: MailRecord) -> Waiting {
        let to = self.open(&row).map(|mail| mail.to);
        let died_at = row.died_at.map(Timestamp::from_micros);
        Waiting {
            id: row.id,
            state: if died_at.is_some() { "dead" } else { "waiting" },
            to,
            next_at: died_at.is_none().then(|| Timestamp::from_micros(row.next_at)),
            died_at,
            kind: row.kind,
            attempts: row.attempts,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            last_error: row.last_error,
        }
    }

    /// How much there is.
    pub async fn count(&self) -> StoreResult<MailCount> {
        let count = self.0.parts.store.count_mails().await?;
        self.0.parts.metrics.set_queue(count.waiting, count.dead);
        Ok(count)
    }

    /// Lets mail be tried anew, all that was given up without `id`; says how much. Links that have expired stay where they
    /// are.
    pub async fn retry(&self, id: Option<Uuid>) -> StoreResult<u64> {
        let now = self.0.parts.clock.now();
        let work = self.0.parts.store.write(move |tx| {
            Box::pin(async move {
                match id {
                    Some(id) => Ok::<_, StoreError>(u64::from(tx.retry_mail(id, now).await?)),
                    None => tx.retry_dead_mails(now).await,
                }
            })
        });
        let retried = work.await?;
        self.wake();
        Ok(retried)
    }

    /// Throws mail away, all that was given up without `id`; says how much.
    pub async fn discard(&self, id: Option<Uuid>) -> StoreResult<u64> {
        let work = self.0.parts.store.write(move |tx| {
            Box::pin(async move {
                match id {
                    Some(id) => Ok::<_, StoreError>(u64::from(tx.discard_mail(id).await?)),
                    None => tx.discard_dead_mails(Timestamp::MAX).await,
                }
            })
        });
        work.await
    }
}

#[cfg(test)]
impl Post {
    /// Waits until nothing is under way.
    pub(crate) async fn quiet(&self) {
        let all = u32::try_from(MOST_PREPARED).unwrap();
        drop(self.0.places.acquire_many(all).await.unwrap());
        while self.count().await.unwrap().waiting > 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Each mail is sealed for itself, so that one row's content is worth nothing in another.
fn purpose(id: Uuid) -> String {
    format!("mail {id}")
}
