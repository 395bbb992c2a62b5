//! What happens at one instance is heard at the other.

use mindflow::config::Config;
use serde_json::json;

use crate::support::app::{TestApp, a_task};
use crate::support::databases::{Db, TestDatabase};

const AS_IT_IS: fn(&mut Config) = |_| {};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_at_one_is_heard_at_the_other_in_order_and_once() {
    for db in [Db::Postgres, Db::Sqlite] {
        let [one, other] = TestApp::pair(db, AS_IT_IS).await;
        let ada = one.user("ada").await;
        let mut stream = ada.at(&other).listen(None).await;

        for number in 1..=50_i64 {
            let at = if number % 2 == 0 { &one } else { &other };
            ada.at(at).create_task(json!({ "title": number.to_string() })).await.good();
        }

        let heard = stream.hears_all(50).await;
        assert_eq!(heard, (1..=50).map(|number| ("task.created".to_owned(), number)).collect::<Vec<_>>());
        assert_eq!(ada.listen(Some("10")).await.hears_all(40).await, heard[10..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_at_one_ends_with_a_logout_at_the_other() {
    for db in [Db::Postgres, Db::Sqlite] {
        let [one, other] = TestApp::pair(db, AS_IT_IS).await;
        let ada = one.user("ada").await;
        let mut stream = ada.at(&other).listen(None).await;

        ada.post("/api/auth/logout", &json!({})).await.is(204);

        stream.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_database_drops_every_connection() {
    let [one, other] = TestApp::pair(Db::Postgres, AS_IT_IS).await;
    let ada = one.user("ada").await;
    let mut stream = ada.at(&other).listen(None).await;

    for round in 0..3_i64 {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut outside = outside(one.database()).await;
        let ended: i64 = sqlx::query_scalar(cut).fetch_one(&mut outside).await.unwrap();
        assert!(ended > 0);
        // The pool finds out which of its connections are dead; a request that meets one may fail once.
        while ada.create_task(json!({ "title": round.to_string() })).await.status != 201 {}

        stream.hears("task.created").await;
    }
}

async fn outside(database: &TestDatabase) -> sqlx::PgConnection {
    use sqlx::Connection as _;
    sqlx::PgConnection::connect(database.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_writes_into_the_file_is_heard_too() {
    let [app, program] = TestApp::pair(Db::Sqlite, AS_IT_IS).await;
    let ada = app.user("ada").await;
    let mut stream = ada.listen(None).await;

    // Over the same file, and without a way to wake anybody here, as the command line is.
    ada.at(&program).has(a_task("Report")).await;

    stream.hears("task.created").await;
}
