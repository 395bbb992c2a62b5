//! The same archive makes either database, with everything that was in it.

use mindflow::backup::restore::Force;
use mindflow::backup::verify::{Scratch, verify};
use mindflow::backup::{BackupError, Silent, crypt::Unlock};
use mindflow::config::Secret;
use mindflow::store::load::generated;
use mindflow::store::migrations::newest;
use mindflow::store::tables::{DERIVED, Fate, TABLES};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::raw::Raw;
use crate::seed;
use crate::support::app::{PASSWORD, TestApp, a_task};
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{Shelf, inspect, restore, rows};

const SECRET: &str = "a secret of these tests, long enough";

/// A database with rows in every table, restored into another kind of database or the same.
async fn carries_everything(from: Db, to: Db) {
    let (from, to, shelf) = (TestDatabase::new(from).await, TestDatabase::new(to).await, Shelf::new());
    let source = from.store().await;
    seed::fill(&Raw::open(&from).await, 20).await;
    let archive = shelf.keep(&source).await;
    let target = to.connect().await;

    let restored = restore(&archive, &target, Force::Never).await.unwrap();

    let (before, after) = (rows(&source).await, rows(&target).await);
    for (table, lines) in &before {
        assert_eq!(Some(lines), after.get(table), "{table}");
        assert!(!lines.is_empty(), "let `seed::fill` put rows into {table}");
    }
    assert_eq!(restored.rows, before.values().map(|lines| lines.len() as u64).sum::<u64>());
    let fresh = TestDatabase::new(to.kind).await;
    fresh.store().await;
    let (made, expected) = (Raw::open(&to).await, Raw::open(&fresh).await);
    assert_eq!(made.schema().await, expected.schema().await);
    for table in TABLES.iter().filter(|table| table.fate != Fate::Kept && table.is_at(newest())) {
        assert_eq!(made.number(&format!("SELECT COUNT(*) FROM {}", table.name)).await, 0, "{}", table.name);
    }
    // What was restored backs up to the same.
    let again = inspect(&shelf.keep(&target).await, Unlock::Nothing).await.unwrap();
    let sums = |totals: &mindflow::backup::format::Totals| {
        totals.tables.iter().map(|table| (table.name.clone(), table.rows, table.digest.clone())).collect::<Vec<_>>()
    };
    assert_eq!(sums(&again.contents.totals), sums(&restored.totals));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_becomes_sqlite() {
    carries_everything(Db::Sqlite, Db::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_becomes_postgres() {
    carries_everything(Db::Sqlite, Db::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_becomes_sqlite() {
    carries_everything(Db::Postgres, Db::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_becomes_postgres() {
    carries_everything(Db::Postgres, Db::Postgres).await;
}

/// What somebody sees of their data.
async fn seen(app: &TestApp, token: &str) -> Vec<Value> {
    let anyone = app.anonymous();
    let me = anyone.holding(token);
    let mut all = Vec::new();
    for path in [
        "/api/auth/me",
        "/api/tasks?limit=1000",
        "/api/tasks?q=muesli",
        "/api/tasks?q=%E6%97%A5%E6%9C%AC",
        "/api/tasks?label=home",
        "/api/tasks/ranked?limit=1000&at=2026-03-24T09:00:00Z",
        "/api/projects",
        "/api/labels",
        "/api/auth/tokens",
        "/api/export",
    ] {
        let mut body = me.get(path).await.good();
        // When an export was made is not data.
        if let Some(object) = body.as_object_mut() {
            object.remove("exported_at");
        }
        all.push(body);
    }
    all
}

/// A server that people used, moved to another kind of database.
async fn people_find_everything(from: Db, to: Db) {
    let shelf = Shelf::new();
    let old = TestApp::start(from, |config| {
        config.server.secret_key = Some(Secret::new(SECRET));
        // Access tokens are made for it, and each server of a test has another port.
        config.server.public_url = Some("http://mindflow.test".to_owned());
    })
    .await;
    let ada = old.user_in("ada", "Europe/Vienna").await;
    let parent =
        ada.has(a_task("Bake müsli bars").description("with 日本 tea\nand \"quotes\" \\ 🍫").priority(5)).await;
    ada.has(a_task("Buy oats").label("home").due("2026-03-25").minutes(15).part_of(parent)).await;
    ada.has(a_task("Call the bank").due("2026-03-23T15:00:00Z").prefers("morning").label("home")).await;
    let snoozed = ada.has(a_task("Later")).await;
    ada.snooze_task(snoozed, json!({ "minutes": 600 })).await.good();
    let done = ada.has(a_task("Done")).await;
    let undo = ada.complete_task(done).await.undo_token();
    ada.post("/api/projects", &json!({ "name": "Garden" })).await.good();
    let made = ada.post("/api/auth/tokens", &json!({ "name": "cli", "scopes": ["read", "write"] })).await.good();
    let personal = made["token"].as_str().unwrap().to_owned();
    let token = ada.token.clone().unwrap();
    let before = seen(&old, &token).await;
    let archive = shelf.keep(&old.app.store).await;

    let target = TestDatabase::new(to).await;
    let store = target.connect().await;
    restore(&archive, &store, Force::Never).await.unwrap();
    store.close().await;
    let url = target.url().to_owned();
    let new = TestApp::start(Db::Sqlite, |config| {
        config.server.secret_key = Some(Secret::new(SECRET));
        config.server.public_url = Some("http://mindflow.test".to_owned());
        config.storage.database_url = Secret::new(url);
    })
    .await;

    // The session of before is still one: rows, signing keys and all.
    assert_eq!(seen(&new, &token).await, before);
    let anyone = new.anonymous();
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    anyone.post("/api/auth/login", &login).await.good();
    let with_personal = anyone.holding(&personal);
    with_personal.undo_change(&undo).await.good();
    assert_eq!(with_personal.get_task(done).await.good()["status"], "pending");
    with_personal.create_task(json!({ "title": "A new one after the move", "labels": ["home"] })).await.is(201);
    assert_eq!(with_personal.list_tasks("q=move").await.titles(), ["A new one after the move"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_find_everything_after_a_move_to_postgres() {
    people_find_everything(Db::Sqlite, Db::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_find_everything_after_a_move_to_sqlite() {
    people_find_everything(Db::Postgres, Db::Sqlite).await;
}

both_databases! {
    async fn an_older_schema_is_restored_and_brought_up_to_date(db: TestDatabase) {
        let shelf = Shelf::new();
        let (old, raw) = (db.store().await, Raw::open(&db).await);
        seed::fill(&raw, 20).await;
        raw.run("UPDATE tasks SET title = 'Buy 日本 tea', search_title = 'x'").await;
        for version in [2, 3] {
            old.migrate_down(3).await.unwrap();
            if version == 2 {
                old.migrate_down(2).await.unwrap();
            }
            let before = rows(&old).await;
            let archive = shelf.keep(&old).await;
            let target = TestDatabase::new(db.kind).await;
            let store = target.connect().await;

            let restored = restore(&archive, &store, Force::Never).await.unwrap();

            assert_eq!(restored.head.schema_version, version);
            assert!(store.migration_status().await.unwrap().iter().all(|known| known.applied));
            assert_eq!(store.migrate_up().await.unwrap(), 0);
            let after = rows(&store).await;
            assert_eq!(after["users"].len(), before["users"].len());
            assert_eq!(after["task_labels"], before["task_labels"]);
            let made = Raw::open(&target).await;
            // The words are folded as this program folds them.
            assert_eq!(made.number("SELECT COUNT(*) FROM tasks WHERE search_title = 'x'").await, 0);
            old.migrate_up().await.unwrap();
            raw.run("UPDATE tasks SET search_title = 'x'").await;
        }
    }

    async fn a_target_that_holds_something_is_left_alone_unless_it_is_forced(db: TestDatabase) {
        let shelf = Shelf::new();
        let source = TestDatabase::new(Db::Sqlite).await;
        let store = source.store().await;
        seed::fill(&Raw::open(&source).await, 3).await;
        let archive = shelf.keep(&store).await;
        let (target, raw) = (db.store().await, Raw::open(&db).await);
        seed::fill(&raw, 5).await;
        let before = rows(&target).await;

        let refusal = restore(&archive, &target, Force::Never).await.unwrap_err();

        assert!(matches!(&refusal, BackupError::Occupied(tables) if tables.contains(&"users")), "{refusal}");
        assert!(refusal.to_string().contains("--force"), "{refusal}");
        assert_eq!(rows(&target).await, before);
        restore(&archive, &target, Force::Replace).await.unwrap();
        assert_eq!(rows(&target).await, rows(&store).await);
        // References are looked at as before.
        let orphan = "UPDATE tasks SET user_id = id";
        let refused = match &raw {
            Raw::Sqlite(pool) => pool.execute(AssertSqlSafe(orphan).into_sql_str()).await.map(drop),
            Raw::Postgres(pool) => pool.execute(AssertSqlSafe(orphan).into_sql_str()).await.map(drop),
        };
        assert!(refused.is_err());
    }

    async fn what_a_first_start_makes_does_not_count(db: TestDatabase) {
        let shelf = Shelf::new();
        let url = db.url().to_owned();
        let app = TestApp::start(Db::Sqlite, |config| config.storage.database_url = Secret::new(url)).await;
        let source = TestDatabase::new(Db::Sqlite).await;
        let store = source.store().await;
        seed::fill(&Raw::open(&source).await, 3).await;

        restore(&shelf.keep(&store).await, &app.app.store, Force::Never).await.unwrap();

        assert_eq!(rows(&app.app.store).await["users"].len(), 3);
    }

    async fn tables_of_another_program_are_never_touched(db: TestDatabase) {
        let shelf = Shelf::new();
        let source = TestDatabase::new(Db::Sqlite).await;
        let archive = shelf.keep(&source.store().await).await;
        let (target, raw) = (db.connect().await, Raw::open(&db).await);
        raw.run("CREATE TABLE invoices (number BIGINT)").await;
        raw.run("INSERT INTO invoices VALUES (7)").await;

        let refusal = restore(&archive, &target, Force::Replace).await;

        assert!(matches!(refusal, Err(BackupError::Schema(_))), "{refusal:?}");
        assert_eq!(raw.number("SELECT number FROM invoices").await, 7);
    }

    async fn a_backup_is_tried_in_a_scratch_database_that_goes_again(db: TestDatabase) {
        let shelf = Shelf::new();
        let store = db.store().await;
        seed::fill(&Raw::open(&db).await, 10).await;
        let inspected = inspect(&shelf.keep(&store).await, Unlock::Nothing).await.unwrap();
        let scratch = match db.kind {
            Db::Sqlite => Scratch::File,
            Db::Postgres => Scratch::Schema(db.url().to_owned()),
        };
        let before = rows(&store).await;

        let verified = verify(&inspected, &scratch, std::sync::Arc::new(Silent)).await.unwrap();

        assert_eq!(verified.totals, inspected.contents.totals);
        assert_eq!(rows(&store).await, before);
        if let Raw::Postgres(pool) = Raw::open(&db).await {
            let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_namespace WHERE nspname LIKE 'mindflow_verify%'")
                .fetch_one(&pool).await.unwrap();
            assert_eq!(left, 0);
        }
    }

    async fn an_empty_database_has_no_backup(db: TestDatabase) {
        let shelf = Shelf::new();

        let refusal = shelf.try_keep(&db.connect().await, mindflow::backup::crypt::Seal::Open, None).await;

        assert!(matches!(refusal, Err(BackupError::NothingThere)), "{refusal:?}");
        assert_eq!(std::fs::read_dir(shelf.path()).unwrap().count(), 0);
    }

    async fn every_statement_that_is_made_from_the_list_can_be_prepared(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;

        for (table, statement) in generated(&store, newest()) {
            let text = AssertSqlSafe(statement.clone()).into_sql_str();
            let prepared = match &raw {
                Raw::Sqlite(pool) => pool.prepare(text).await.map(drop),
                Raw::Postgres(pool) => pool.prepare(text).await.map(drop),
            };
            prepared.unwrap_or_else(|error| panic!("{table}: {error}\n{statement}"));
        }
    }

    async fn the_list_says_what_each_column_holds(db: TestDatabase) {
        db.store().await;
        let raw = Raw::open(&db).await;
        let columns = raw.texts(
            "SELECT m.name || '.' || c.name || ' ' || lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c
              WHERE m.type = 'table' AND m.name NOT LIKE 'tasks_search%' AND m.name <> '_sqlx_migrations'
                AND m.name NOT LIKE 'sqlite%'",
            "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
        );

        for line in columns.await {
            let (name, holds) = line.split_once(' ').unwrap();
            if DERIVED.contains(&name) {
                continue;
            }
            let (table, column) = name.split_once('.').unwrap();
            let table = TABLES.iter().find(|known| known.name == table).unwrap_or_else(|| panic!("{name}"));
            let column = table.columns.iter().find(|known| known.name == column).unwrap_or_else(|| panic!("{name}"));
            let fits: &[&str] = match column.kind {
                mindflow::store::tables::Kind::Id => &["uuid", "blob"],
                mindflow::store::tables::Kind::Bytes => &["bytea", "blob"],
                mindflow::store::tables::Kind::Text => &["text"],
                mindflow::store::tables::Kind::Int => &["bigint", "integer", "smallint"],
                mindflow::store::tables::Kind::Flag => &["boolean", "integer"],
            };
            assert!(fits.contains(&holds), "{line} is no {:?}", column.kind);
        }
    }
}
