//! Who waits for news of a user: woken by changes of this process at once, and by those of others as soon as they show.
//!
//! A wake says *that* something may have happened; whoever is woken looks. So wakes may come together, twice or for
//! nothing, and one that is lost only makes its listener late: listeners look once in a while anyway.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool, SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use super::{Pools, Store};
use crate::ids::UserId;

/// Where instances tell each other of changes. The payload is the sender's id and users' ids, or `*` for everybody.
const CHANNEL: &str = "mindflow_changes";
/// Not listed with the other statements: SQLite has no such function.
const NOTIFY: &str = "SELECT pg_notify($1, $2)";
/// The most users of one notification, whose payload must stay below 8000 bytes: 33 for each.
const TOLD_TOGETHER: usize = 200;
/// Notifications that may wait; beyond it everybody is woken.
const QUEUED: usize = 2048;
/// The pause after each notification: changes that come meanwhile share the next.
const PAUSE: Duration = Duration::from_millis(25);
/// How often a SQLite file is asked whether anybody wrote to it, and how often listeners look while PostgreSQL cannot tell.
const EVERY: Duration = Duration::from_millis(500);
/// A number that changes whenever another connection has committed (SQLite, PRAGMA data_version).
const FILE_VERSION: &str = "PRAGMA data_version";

/// The listeners of this process, by user.
#[derive(Clone, Debug)]
pub(super) struct Wakes {
    waiting: Arc<Mutex<HashMap<UserId, watch::Sender<()>>>>,
    /// The way to other instances; there is none from a SQLite file, which they look at.
    outbox: Option<mpsc::Sender<UserId>>,
    /// Who tells: an instance need not hear its own voice.
    own: Uuid,
}

/// A place among those who wait for news of one user; given up when dropped.
#[derive(Debug)]
pub struct Wake {
    receiver: watch::Receiver<()>,
    user: UserId,
    waiting: Arc<Mutex<HashMap<UserId, watch::Sender<()>>>>,
}

impl Wakes {
    /// Wakes within one process, as far as it goes.
    pub(super) fn local() -> Self {
        Self { waiting: Arc::default(), outbox: None, own: Uuid::now_v7() }
    }

    /// Wakes that are told to all instances over the database.
    pub(super) fn told_over(pool: &PgPool) -> Self {
        let (outbox, told) = mpsc::channel(QUEUED);
        let wakes = Self { outbox: Some(outbox), ..Self::local() };
        tokio::spawn(tell(told, pool.clone(), wakes.own));
        wakes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, watch::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self, user: UserId) -> Wake {
        let receiver = self.lock().entry(user).or_insert_with(|| watch::Sender::new(())).subscribe();
        Wake { receiver, user, waiting: Arc::clone(&self.waiting) }
    }

    fn wake(&self, user: UserId) {
        if let Some(sender) = self.lock().get(&user) {
            sender.send_replace(());
        }
    }

    fn wake_all(&self) {
        for sender in self.lock().values() {
            sender.send_replace(());
        }
    }

    /// Wakes those whom another instance names.
    fn heed(&self, payload: &str) {
        let mut parts = payload.split(',');
        if parts.next().and_then(|own| own.parse().ok()) == Some(self.own) {
            return;
        }
        for part in parts {
            match part.parse() {
                Ok(user) => self.wake(UserId(user)),
                Err(_) => return self.wake_all(),
            }
        }
    }
}

impl Wake {
    /// Done when something may have happened since the last time.
    pub async fn woken(&mut self) {
        if self.receiver.changed().await.is_err() {
            // Whoever could wake is gone; so is the server.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // This receiver still counts.
        if waiting.get(&self.user).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.user);
        }
    }
}

impl Store {
    /// Takes a place among those who wait for news of a user.
    pub fn wait_for(&self, user: UserId) -> Wake {
        self.wakes.join(user)
    }

    /// Wakes those who wait for news of a user, here and at other instances. For after a change, when it is committed.
    pub(super) fn wake(&self, user: UserId) {
        self.wakes.wake(user);
        let Some(outbox) = &self.wakes.outbox else { return };
        if outbox.try_send(user).is_err() {
            tracing::debug!("so much changes that not every change is told to other instances at once");
        }
    }

    /// Wakes those who wait here when another instance or program has changed something. Never ends.
    pub async fn watch_others(&self) {
        match &self.pools {
            Pools::Sqlite { reader, .. } => self.watch_file(reader).await,
            Pools::Postgres(pool) => self.listen(pool).await,
        }
    }

    async fn watch_file(&self, reader: &SqlitePool) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut connection, mut seen) = (None::<SqliteConnection>, None);
        loop {
            ticks.tick().await;
            if self.wakes.lock().is_empty() {
                continue;
            }
            if connection.is_none() {
                connection = reader.connect_options().connect().await.ok();
            }
            let Some(open) = &mut connection else { continue };
            match sqlx::query_scalar::<_, i64>(FILE_VERSION).fetch_one(open).await {
                Ok(version) if seen == Some(version) => {}
                Ok(version) => {
                    seen = Some(version);
                    self.wakes.wake_all();
                }
                Err(_) => connection = None,
            }
        }
    }

    async fn listen(&self, pool: &PgPool) {
        // A connection of its own: it is held for good, and the pool's are for requests.
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let own = own.connect_lazy_with((*pool.connect_options()).clone());
        let mut told = false;
        loop {
            let Err(error) = self.hear(&own).await;
            if !told {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "changes at other instances show late: the database does not tell of them");
            }
            told = true;
            sleep(EVERY).await;
            self.wakes.wake_all();
        }
    }

    /// Listens until the connection cannot be had again.
    async fn hear(&self, pool: &PgPool) -> Result<std::convert::Infallible, sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // What was told before we listened, or while the connection was away, nobody tells again.
            self.wakes.wake_all();
            while let Some(notification) = listener.try_recv().await? {
                self.wakes.heed(notification.payload());
            }
            // This connection is never closed while all is well.
            self.reach.suspect();
        }
    }
}

/// Tells other instances whose data changed. Outside of the changes' transactions: PostgreSQL lets only one transaction
/// that notifies commit at a time, and each commit waits for the disk. A notification alone has nothing to write there.
async fn tell(mut changed: mpsc::Receiver<UserId>, pool: PgPool, own: Uuid) {
    let mut users = Vec::with_capacity(TOLD_TOGETHER);
    while changed.recv_many(&mut users, TOLD_TOGETHER).await > 0 {
        users.sort_unstable_by_key(|user| user.0);
        users.dedup();
        let mut payload = own.simple().to_string();
        if changed.len() + TOLD_TOGETHER >= QUEUED {
            payload.push_str(",*");
        } else {
            for user in &users {
                // Writing to a text cannot fail.
                let _ = write!(payload, ",{}", user.0.simple());
            }
        }
        users.clear();
        if let Err(error) = sqlx::query(NOTIFY).bind(CHANNEL).bind(payload).execute(&pool).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "other instances were not told of a change; they look by themselves");
        }
        sleep(PAUSE).await;
    }
}
