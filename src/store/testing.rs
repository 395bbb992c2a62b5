//! Databases of their own for unit tests.

use super::{PoolLimits, Store};

/// A migrated database that is nobody else's.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) name: &'static str,
    _folder: Option<tempfile::TempDir>,
}

/// A SQLite file, and a schema of the PostgreSQL server that `MINDFLOW_TEST_POSTGRES_URL` names, if it does.
pub(crate) async fn test_stores() -> Vec<TestStore> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Store::connect_file(&folder.path().join("mindflow.db"), &PoolLimits::default()).await.unwrap();
    let mut stores = vec![TestStore { store: sqlite, name: "sqlite", _folder: Some(folder) }];
    if let Ok(url) = std::env::var("MINDFLOW_TEST_POSTGRES_URL") {
        let schema = format!("unit_{}", uuid::Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).simple());
        let setup = sqlx::PgPool::connect(&url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&setup).await.unwrap();
        setup.close().await;
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}options[search_path]={schema}");
        let store = Store::connect(&url, &PoolLimits::default()).await.unwrap();
        stores.push(TestStore { store, name: "postgres", _folder: None });
    }
    for test in &stores {
        test.store.migrate_up().await.unwrap();
    }
    stores
}
