//! Whether PostgreSQL can be reached. While it cannot, requests are told so at once instead of waiting for a connection:
//! a pool only learns that it has none by waiting.
//!
//! Whoever waits for a connection longer than [`SOON`], and the listener whose connection ended, raise a *suspicion*: then
//! the database is asked over a connection of its own. When that fails, it is *away* until another succeeds.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Error};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::StoreError;

/// How long a connection may take to come before it is asked why.
const SOON: Duration = Duration::from_millis(100);
/// How often a database that is away is asked whether it is back.
const AGAIN: Duration = Duration::from_millis(200);
/// How often one that is only busy is asked at most.
const AT_MOST: Duration = Duration::from_secs(1);
/// How long a new connection may take: on a busy machine long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the way to the database, shared by cloning.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach(Option<Arc<Way>>);

#[derive(Debug)]
struct Way {
    options: PgConnectOptions,
    away: watch::Sender<bool>,
    asking: AtomicBool,
}

impl Reach {
    /// Of a database that others may stop. A file is always there.
    pub(super) fn of(options: PgConnectOptions) -> Self {
        Self(Some(Arc::new(Way { options, away: watch::Sender::new(false), asking: AtomicBool::new(false) })))
    }

    /// Fails at once while the database is away.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Some(way) if *way.away.borrow() => Err(is_away()),
            _ => Ok(()),
        }
    }

    /// Waits for a connection, and no longer than until it is known that none will come.
    pub(super) async fn wait<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let Some(way) = &self.0 else { return asked.await };
        self.check()?;
        let mut asked = pin!(asked);
        // Nearly always it is there at once, and nobody has to be waited for.
        if let Some(got) = futures_util::FutureExt::now_or_never(&mut asked) {
            return self.judge(got);
        }
        let mut away = way.away.subscribe();
        tokio::select! {
            biased;
            got = &mut asked => return self.judge(got),
            _ = away.wait_for(|away| *away) => return Err(is_away()),
            () = sleep(SOON) => self.suspect(),
        }
        tokio::select! {
            biased;
            got = asked => self.judge(got),
            _ = away.wait_for(|away| *away) => Err(is_away()),
        }
    }

    /// A statement that failed because of its connection is a reason to look.
    pub(super) fn judge<T>(&self, got: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &got
            && StoreError::is_passing(error)
        {
            self.suspect();
        }
        got
    }

    /// Asks the database whether it is there, in the background.
    pub(super) fn suspect(&self) {
        let Some(way) = &self.0 else { return };
        if !way.asking.swap(true, Ordering::Relaxed) {
            tokio::spawn(Arc::clone(way).ask());
        }
    }
}

impl Way {
    async fn ask(self: Arc<Self>) {
        loop {
            let asked = Instant::now();
            let answer = timeout_at(asked + PATIENCE, self.options.connect()).await;
            let is_away = match answer {
                Ok(Ok(connection)) => {
                    // It says good-bye when it can; it is not needed any more in any case.
                    let _ = timeout_at(asked + PATIENCE, connection.close()).await;
                    false
                }
                Ok(Err(error)) => is_gone(&error),
                Err(_) => true,
            };
            let was_away = self.away.send_replace(is_away);
            match (was_away, is_away) {
                (false, true) => tracing::error!("the database is away; requests are told to come back"),
                (true, false) => tracing::info!("the database is back"),
                _ => {}
            }
            if !is_away {
                sleep(AT_MOST).await;
                break;
            }
            sleep(AGAIN).await;
        }
        self.asking.store(false, Ordering::Relaxed);
    }
}

/// Whether an error says that nobody can use the database. One that refuses a new connection in its own words (too many,
/// another password, no such database) still answers over those that are open, unless it starts or stops (57P0x).
fn is_gone(error: &Error) -> bool {
    let Some(fault) = error.as_database_error() else { return true };
    fault.code().is_some_and(|code| code.starts_with("57P"))
}

fn is_away() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::NotConnected, "the database is away"))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::store::Pools;
    use crate::store::testing::test_stores;

    /// Where nobody listens, at least not for PostgreSQL.
    async fn nowhere() -> Reach {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        Reach::of(PgConnectOptions::new().host("127.0.0.1").port(port))
    }

    #[tokio::test]
    async fn whoever_waits_is_told_as_soon_as_it_is_known_that_nobody_answers() {
        let reach = nowhere().await;

        let waited = reach.wait(std::future::pending::<Result<(), Error>>()).await;

        assert!(matches!(waited, Err(Error::Io(_))));
        assert!(matches!(reach.check(), Err(Error::Io(_))), "and the next at once");
        assert!(matches!(reach.wait(async { Ok(()) }).await, Err(Error::Io(_))));
    }

    #[tokio::test]
    async fn what_comes_at_once_and_files_are_not_asked_about() {
        let reach = nowhere().await;

        assert!(reach.wait(async { Ok(()) }).await.is_ok());
        assert!(reach.judge(Err::<(), _>(Error::RowNotFound)).is_err());
        assert!(reach.check().is_ok());
        assert!(Reach::default().wait(async { Ok(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn a_server_that_refuses_a_new_connection_in_words_is_not_away() {
        for test in test_stores().await {
            let Pools::Postgres(pool) = &test.store.pools else { continue };
            let nowhere = (*pool.connect_options()).clone().database("there_is_no_such_database");

            let refused = nowhere.connect().await.unwrap_err();

            assert!(refused.as_database_error().is_some() && !is_gone(&refused), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_broke_is_a_reason_to_ask() {
        let reach = nowhere().await;

        let broken = reach.judge(Err::<(), _>(Error::Io(io::ErrorKind::ConnectionReset.into())));

        assert!(broken.is_err());
        let way = reach.0.as_ref().unwrap();
        way.away.subscribe().wait_for(|away| *away).await.unwrap();
    }
}
