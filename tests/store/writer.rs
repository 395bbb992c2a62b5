//! SQLite's writer: changes that wait share a commit, and none of them hurts another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use mindflow::store::{PoolLimits, Store, StoreError, Tx};
use tokio::sync::oneshot;

use crate::raw::Raw;
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{START, add_user, user_record};

/// Keeps the writer busy until the returned sender is used, so that what is asked meanwhile waits.
async fn hold(store: &Store) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel();
    let (begun, begins) = oneshot::channel();
    let store = store.clone();
    tokio::spawn(async move {
        let held = store.write::<(), StoreError, _>(|_| {
            Box::pin(async move {
                let _ = begun.send(());
                let _ = released.await;
                Ok(())
            })
        });
        held.await
    });
    begins.await.unwrap();
    release
}

/// Lets every task that can run do so.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// How many users there are, seen from outside the store.
async fn users(db: &TestDatabase) -> i64 {
    Raw::open(db).await.number("SELECT COUNT(*) FROM users").await
}

// One thread: what was spawned has run when this test goes on.
#[tokio::test]
async fn waiting_changes_share_commits() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let release = hold(&store).await;
    let waiting: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { add_user(&store, &format!("user{number}")).await })
        })
        .collect();
    settle().await;

    let frames = wal_frames(&db);
    release.send(()).unwrap();
    for added in join_all(waiting).await {
        added.unwrap().unwrap();
    }

    assert_eq!(users(&db).await, 200);
    // A commit of one row writes each page that it touches anew: at least two pages, so 400 frames for 200 commits.
    let written = wal_frames(&db) - frames;
    assert!(written < 200, "{written} frames were written");
}

/// The frames of the write-ahead log: a header of 32 bytes, then pages of 4096 with 24 bytes each before them.
fn wal_frames(db: &TestDatabase) -> u64 {
    let log = db.folder().join("mindflow.db-wal");
    std::fs::metadata(log).unwrap().len().saturating_sub(32) / (4096 + 24)
}

both_databases! {
    async fn a_change_that_fails_or_panics_does_not_hurt_those_beside_it(db: TestDatabase) {
        let store = db.store().await;
        add_user(&store, "taken").await.unwrap();
        let release = hold(&store).await;
        let changes = (0..60).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                match number % 3 {
                    0 => add_user(&store, &format!("user{number}")).await.map(drop),
                    1 => add_user(&store, "taken").await.map(drop),
                    _ => store.write(|tx| Box::pin(add_and_panic(tx))).await,
                }
            })
        });
        let changes: Vec<_> = changes.collect();

        release.send(()).unwrap();
        let outcomes = join_all(changes).await;

        for (number, outcome) in outcomes.into_iter().enumerate() {
            match (number % 3, outcome) {
                (0, Ok(Ok(()))) | (1, Ok(Err(StoreError::Taken(_)))) | (2, Ok(Err(StoreError::Dropped))) => {}
                // On PostgreSQL a change runs in its caller's task, and its panic is the caller's.
                (2, Err(panicked)) if db.kind == Db::Postgres && panicked.is_panic() => {}
                (_, other) => panic!("{number}: {other:?}"),
            }
        }
        assert_eq!(users(&db).await, 21);
    }

    async fn nothing_of_a_change_that_fails_in_the_middle_is_kept(db: TestDatabase) {
        let store = db.store().await;

        let outcome: Result<(), StoreError> = store.write(|tx| Box::pin(async move {
            tx.insert_user(&user_record(mindflow::ids::UserId::new(START), "half", chrono_tz::Tz::UTC)).await?;
            Err(StoreError::Dropped)
        })).await;

        assert!(outcome.is_err());
        assert_eq!(users(&db).await, 0);
        add_user(&store, "whole").await.unwrap();
        assert_eq!(users(&db).await, 1);
    }
}

async fn add_and_panic(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.insert_user(&user_record(mindflow::ids::UserId::new(START), "panics", chrono_tz::Tz::UTC)).await?;
    panic!("as a fault of the program would")
}

#[tokio::test]
async fn a_change_whose_caller_left_before_its_turn_is_not_made() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let ran = Arc::new(AtomicU32::new(0));
    let release = hold(&store).await;
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let (store, ran) = (store.clone(), Arc::clone(&ran));
            tokio::spawn(async move {
                let change = store.write::<(), StoreError, _>(move |_| {
                    ran.fetch_add(1, Ordering::SeqCst);
                    Box::pin(async { Ok(()) })
                });
                change.await
            })
        })
        .collect();
    settle().await;

    waiting.iter().take(9).for_each(tokio::task::JoinHandle::abort);
    settle().await;
    release.send(()).unwrap();
    let outcomes = join_all(waiting).await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn more_changes_than_can_wait_are_told_to_come_back() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let release = hold(&store).await;
    let waiting: Vec<_> = (0..2000)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.write::<(), StoreError, _>(|_| Box::pin(async { Ok(()) })).await })
        })
        .collect();
    settle().await;

    release.send(()).unwrap();
    let outcomes = join_all(waiting).await;

    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Err(StoreError::Unavailable(_))))).count();
    let done = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Ok(())))).count();
    assert_eq!((done, refused), (1024, 976));
}

#[tokio::test]
async fn closing_finishes_what_has_begun() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let (begun, begins) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            let change = store.write(|tx| {
                Box::pin(async move {
                    let _ = begun.send(());
                    let _ = released.await;
                    tx.insert_user(&user_record(mindflow::ids::UserId::new(START), "late", chrono_tz::Tz::UTC)).await
                })
            });
            change.await
        })
    };
    begins.await.unwrap();

    let closing = tokio::spawn(async move { store.close().await });
    settle().await;
    release.send(()).unwrap();
    closing.await.unwrap();

    writing.await.unwrap().unwrap();
    assert_eq!(users(&db).await, 1);
}

/// Lets the file grow by `pages` more at most. The limit is the writing connection's; a new one has none.
async fn limit_pages(store: &Store, pages: i64) {
    let limited = store.write::<(), StoreError, _>(move |tx| {
        Box::pin(async move {
            let Tx::Sqlite(connection) = tx else { panic!("SQLite alone has pages") };
            let used: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut **connection).await?;
            let most = used + pages;
            sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {most}")))
                .execute(&mut **connection)
                .await?;
            Ok(())
        })
    });
    limited.await.unwrap();
}

async fn fill_up(store: &Store) -> (u32, StoreError) {
    for number in 0..10_000 {
        if let Err(error) = add_user(store, &format!("filler{number}")).await {
            return (number, error);
        }
    }
    panic!("the disk never became full")
}

#[tokio::test]
async fn a_full_disk_refuses_changes_and_harms_nothing() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    limit_pages(&store, 4).await;

    let (kept, error) = fill_up(&store).await;

    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(users(&db).await, i64::from(kept));
    add_user(&store, "room again").await.unwrap();
    assert_eq!(users(&db).await, i64::from(kept) + 1);
}

#[tokio::test]
async fn a_disk_that_becomes_full_in_the_middle_of_a_batch_acknowledges_only_what_it_kept() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    limit_pages(&store, 4).await;
    let release = hold(&store).await;
    let waiting: Vec<_> = (0..300)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { add_user(&store, &format!("user{number}")).await })
        })
        .collect();
    settle().await;

    release.send(()).unwrap();
    let outcomes: Vec<_> = join_all(waiting).await.into_iter().map(Result::unwrap).collect();

    let kept = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Unavailable(_)))).count();
    assert_eq!((kept + refused, users(&db).await), (300, i64::try_from(kept).unwrap()));
    assert!(refused > 0);
    add_user(&store, "room again").await.unwrap();
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_unavailable_until_it_is_free() {
    let db = TestDatabase::new(Db::Sqlite).await;
    db.store().await.close().await;
    let limits = PoolLimits { acquire_timeout: Duration::from_millis(100), ..PoolLimits::default() };
    let store = Store::connect(db.url(), &limits).await.unwrap();
    let Raw::Sqlite(other) = Raw::open(&db).await else { panic!("it is SQLite") };
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();

    let locked = add_user(&store, "waits in vain").await;
    let readable = store.has_users().await;
    lock.rollback().await.unwrap();

    assert!(matches!(locked, Err(StoreError::Unavailable(_))), "{locked:?}");
    assert!(matches!(readable, Ok(false)), "{readable:?}");
    add_user(&store, "finds it free").await.unwrap();
}

#[tokio::test]
async fn a_database_that_may_only_be_read_refuses_changes_and_answers_questions() {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    add_user(&store, "ada").await.unwrap();
    store.close().await;
    let read_only = Store::connect(&format!("{}?mode=ro", db.url()), &PoolLimits::default()).await.unwrap();

    let refused = add_user(&read_only, "eve").await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(read_only.has_users().await.unwrap());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();

    let opened = Store::connect_file(folder.path(), &PoolLimits::default()).await;

    assert!(matches!(opened, Err(StoreError::Unavailable(_))), "{:?}", opened.err());
}
