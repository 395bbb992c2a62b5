//! A PostgreSQL server that goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use mindflow::store::{PoolLimits, Store, StoreError};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use crate::raw::Raw;
use crate::support::databases::{Db, TestDatabase};
use crate::world::add_user;

const END_ALL: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// A store whose waits are short.
async fn impatient(url: &str) -> Store {
    let limits = PoolLimits { acquire_timeout: Duration::from_millis(500), ..PoolLimits::default() };
    Store::connect(url, &limits).await.unwrap()
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let db = TestDatabase::new(Db::Postgres).await;
    let store = db.store().await;
    let raw = Raw::open(&db).await;
    for round in 0..5 {
        add_user(&store, &format!("before{round}")).await.unwrap();

        assert!(raw.number(END_ALL).await > 0);

        add_user(&store, &format!("after{round}")).await.unwrap();
    }
    assert_eq!(raw.number("SELECT COUNT(*) FROM users").await, 10);
}

#[tokio::test]
async fn a_change_whose_connection_ends_in_the_middle_is_not_made() {
    let db = TestDatabase::new(Db::Postgres).await;
    let store = db.store().await;
    let raw = Arc::new(Raw::open(&db).await);
    let ending = Arc::clone(&raw);

    let outcome: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                tx.delete_expired_invites(crate::world::START).await?;
                ending.number(END_ALL).await;
                tx.delete_expired_invites(crate::world::START).await
            })
        })
        .await;

    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    add_user(&store, "afterwards").await.unwrap();
}

/// A way to the server that can be cut.
struct Way {
    url: String,
    open: watch::Sender<bool>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Way {
    async fn to(db: &TestDatabase) -> Self {
        let mut url: url::Url = db.url().parse().unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (open, is_open) = watch::channel(true);
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let kept = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if !*is_open.borrow() {
                    continue;
                }
                let server = server.clone();
                kept.lock().await.spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { url: url.into(), open, connections }
    }

    /// Ends every connection, and every new one at once.
    async fn cut(&self) {
        self.open.send_replace(false);
        self.connections.lock().await.shutdown().await;
    }

    fn mend(&self) {
        self.open.send_replace(true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_unavailable_and_used_again_when_it_is_back() {
    let db = TestDatabase::new(Db::Postgres).await;
    db.store().await.close().await;
    let way = Way::to(&db).await;
    let store = impatient(&way.url).await;
    add_user(&store, "before").await.unwrap();

    way.cut().await;
    let change = add_user(&store, "meanwhile").await;
    let question = store.has_users().await;
    let sign_of_life = store.ping().await;
    way.mend();
    again(&store, "afterwards").await;

    assert!(matches!(change, Err(StoreError::Unavailable(_))), "{change:?}");
    assert!(matches!(question, Err(StoreError::Unavailable(_))), "{question:?}");
    assert!(matches!(sign_of_life, Err(StoreError::Unavailable(_))), "{sign_of_life:?}");
    assert_eq!(Raw::open(&db).await.number("SELECT COUNT(*) FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_server_that_is_away_however_patient_they_are() {
    let db = TestDatabase::new(Db::Postgres).await;
    db.store().await.close().await;
    let way = Way::to(&db).await;
    // Longer than a test may take.
    let limits = PoolLimits { acquire_timeout: Duration::from_hours(1), ..PoolLimits::default() };
    let store = Store::connect(&way.url, &limits).await.unwrap();
    add_user(&store, "before").await.unwrap();

    for round in 0..3 {
        way.cut().await;
        let waiting = store.clone();
        let change = tokio::spawn(async move { add_user(&waiting, "meanwhile").await.map(drop) });
        let question = store.has_users().await;
        let change = change.await.unwrap();
        way.mend();
        again(&store, &format!("after{round}")).await;

        assert!(matches!(change, Err(StoreError::Unavailable(_))), "{change:?}");
        assert!(matches!(question, Err(StoreError::Unavailable(_))), "{question:?}");
    }
}

/// Adds a user as soon as the database is back.
async fn again(store: &Store, name: &str) {
    while let Err(error) = add_user(store, name).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_only_answers_questions_refuses_changes() {
    let db = TestDatabase::new(Db::Postgres).await;
    db.store().await.close().await;
    let store = impatient(&format!("{}?options[default_transaction_read_only]=on", db.url())).await;

    let change = add_user(&store, "nobody").await;

    assert!(matches!(change, Err(StoreError::Unavailable(_))), "{change:?}");
    assert!(!store.has_users().await.unwrap());
}

#[tokio::test]
async fn all_connections_in_use_is_a_passing_state() {
    let db = TestDatabase::new(Db::Postgres).await;
    db.store().await.close().await;
    let limits = PoolLimits { connections: 1, acquire_timeout: Duration::from_millis(200), ..PoolLimits::default() };
    let store = Store::connect(db.url(), &limits).await.unwrap();
    let asking = store.clone();

    let inside: Result<Result<bool, StoreError>, StoreError> =
        store.write(move |_| Box::pin(async move { Ok(asking.has_users().await) })).await;

    assert!(matches!(inside, Ok(Err(StoreError::Unavailable(_)))), "{inside:?}");
    assert!(!store.has_users().await.unwrap());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let db = TestDatabase::new(Db::Postgres).await;
    db.store().await;
    let limits = PoolLimits { statement_timeout: Duration::from_millis(100), ..PoolLimits::default() };
    let hurried = Store::connect(db.url(), &limits).await.unwrap();
    let mut other = PgConnection::connect(db.url()).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE users").await.unwrap();

    let outcome = hurried.find_user_by_email("ada@example.com").await;

    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_as_the_cause() {
    let limits = PoolLimits { acquire_timeout: Duration::from_millis(300), ..PoolLimits::default() };

    let error = Store::connect("postgres://nobody@127.0.0.1:1/nothing", &limits).await.unwrap_err();

    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
}
