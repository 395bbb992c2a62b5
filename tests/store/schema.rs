//! How the schema comes, goes, and is recognised.

use std::collections::BTreeSet;

use mindflow::store::migrations::MigrationError;

use crate::raw::Raw;
use crate::seed;
use crate::support::databases::{Db, TestDatabase, both_databases};

/// What only one of the databases has: SQLite's row numbers and search table, PostgreSQL's search column.
fn only_there(column: &str) -> bool {
    column.starts_with("tasks_search") || column.starts_with("tasks.seq ") || column.starts_with("tasks.search ")
}

async fn empty_tables(raw: &Raw) -> Vec<String> {
    let mut empty = Vec::new();
    for table in raw.tables().await {
        if raw.number(&format!("SELECT COUNT(*) FROM {table}")).await == 0 {
            empty.push(table);
        }
    }
    empty
}

both_databases! {
    async fn status_tells_which_migrations_are_applied(db: TestDatabase) {
        let store = db.connect().await;

        let before = store.migration_status().await.unwrap();
        let applied = store.migrate_up().await.unwrap();

        let after = store.migration_status().await.unwrap();
        assert!(before.iter().all(|migration| !migration.applied));
        assert!(after.iter().all(|migration| migration.applied));
        assert_eq!(applied, after.len());
        assert_eq!(store.migrate_up().await.unwrap(), 0);
    }

    async fn migrations_go_up_and_down_one_by_one_and_up_again_over_full_tables(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        let whole = raw.schema().await;
        seed::fill(&raw, 20).await;
        assert_eq!(empty_tables(&raw).await, [""; 0], "let `seed::fill` put rows into these");

        let mut versions: Vec<i64> = store.migration_status().await.unwrap().iter().map(|known| known.version).collect();
        while let Some(version) = versions.pop() {
            store.migrate_down(versions.last().copied().unwrap_or(0)).await.unwrap();
            let status = store.migration_status().await.unwrap();
            assert!(status.iter().all(|known| known.applied == (known.version < version)));
        }

        assert_eq!(raw.tables().await, [""; 0]);
        store.migrate_up().await.unwrap();
        assert_eq!(raw.schema().await, whole);
        seed::fill(&raw, 20).await;
    }

    async fn a_newer_database_is_refused_and_left_as_it_is(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        raw.run("INSERT INTO _sqlx_migrations SELECT 9999, 'from the future', installed_on, success, checksum, 0
                   FROM _sqlx_migrations WHERE version = 1").await;
        let before = raw.schema().await;

        let refused = [
            store.migrate_up().await.map(drop),
            store.migrate_down(0).await,
            store.migration_status().await.map(drop),
            store.adopt().await,
        ];

        for refusal in refused {
            assert!(matches!(refusal, Err(MigrationError::Newer { found: 9999, .. })), "{refusal:?}");
        }
        assert_eq!(raw.schema().await, before);
    }

    async fn a_migration_that_was_altered_is_refused(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        raw.run("UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 1)").await;

        let refusal = store.migrate_up().await;

        assert!(matches!(refusal, Err(MigrationError::Altered(2))), "{refusal:?}");
    }

    async fn a_migration_that_fails_leaves_the_schema_as_it_was(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        store.migrate_down(2).await.unwrap();
        // A late name that the newest migration wants is taken.
        raw.run("CREATE INDEX identities_user ON users (updated_at)").await;
        let before = raw.schema().await;

        let failure = store.migrate_up().await;

        assert!(failure.is_err());
        assert_eq!(raw.schema().await, before);
        raw.run("DROP INDEX identities_user").await;
        assert_eq!(store.migrate_up().await.unwrap(), store.migration_status().await.unwrap().len() - 2);
    }

    async fn there_is_no_way_down_to_a_migration_that_does_not_exist(db: TestDatabase) {
        let store = db.store().await;

        let refusal = store.migrate_down(77).await;

        assert!(matches!(refusal, Err(MigrationError::NoSuchMigration(77))), "{refusal:?}");
        assert!(store.migration_status().await.unwrap().iter().all(|known| known.applied));
    }

    async fn a_database_without_a_record_is_taken_over_only_when_told_to(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        seed::fill(&raw, 20).await;
        raw.run("DROP TABLE _sqlx_migrations").await;

        let refusal = store.migrate_up().await;
        store.adopt().await.unwrap();

        assert!(matches!(refusal, Err(MigrationError::Unrecorded)), "{refusal:?}");
        assert!(store.migration_status().await.unwrap().iter().all(|known| known.applied));
        assert_eq!(store.migrate_up().await.unwrap(), 0);
        assert_eq!(raw.number("SELECT COUNT(*) FROM users").await, 20);
    }

    async fn a_database_that_lacks_a_column_is_not_taken_over(db: TestDatabase) {
        let store = db.store().await;
        let raw = Raw::open(&db).await;
        raw.run("DROP TABLE _sqlx_migrations").await;
        raw.run("ALTER TABLE projects DROP COLUMN description").await;

        let refusal = store.adopt().await.unwrap_err();

        assert_eq!(refusal.to_string(), "the database cannot be adopted: it lacks projects.description");
        assert!(matches!(store.migrate_up().await, Err(MigrationError::Unrecorded)));
    }

    async fn two_servers_that_start_together_migrate_once(db: TestDatabase) {
        let (one, other) = (db.connect().await, db.connect().await);

        let (one_up, other_up) = tokio::join!(one.migrate_up(), other.migrate_up());

        one_up.unwrap();
        other_up.unwrap();
        assert!(one.migration_status().await.unwrap().iter().all(|known| known.applied));
    }
}

#[tokio::test]
async fn both_databases_have_the_same_columns_and_indexes() {
    let (sqlite, postgres) = (TestDatabase::new(Db::Sqlite).await, TestDatabase::new(Db::Postgres).await);
    sqlite.store().await;
    postgres.store().await;
    let (sqlite, postgres) = (Raw::open(&sqlite).await, Raw::open(&postgres).await);

    let (sqlite, postgres) = (logical(&sqlite).await, logical(&postgres).await);

    let only_sqlite: Vec<_> = sqlite.difference(&postgres).collect();
    let only_postgres: Vec<_> = postgres.difference(&sqlite).collect();
    assert!(only_sqlite.is_empty() && only_postgres.is_empty(), "SQLite: {only_sqlite:#?}\nother: {only_postgres:#?}");
}

/// Columns with whether they may be empty, and named indexes with whether they are unique.
async fn logical(raw: &Raw) -> BTreeSet<String> {
    let items = raw.texts(
        r#"SELECT m.name || '.' || c.name || CASE WHEN c."notnull" THEN ' NOT NULL' ELSE ' NULL' END
             FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> '_sqlx_migrations'
           UNION ALL SELECT m.name || ' ' || i.name || CASE WHEN i."unique" THEN ' UNIQUE' ELSE '' END
             FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'c'"#,
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE ' NULL' END
           FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'
          UNION ALL SELECT i.indrelid::regclass || ' ' || i.indexrelid::regclass || CASE WHEN i.indisunique THEN ' UNIQUE' ELSE '' END
           FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
          WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary AND c.relname <> '_sqlx_migrations'",
    );
    items.await.into_iter().filter(|item| !only_there(item)).collect()
}
