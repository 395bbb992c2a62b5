//! How the schema comes, goes, and is recognised.

use crate::support::databases::{TestDatabase, both_databases};

both_databases! {
    async fn status_tells_which_migrations_are_applied(db: TestDatabase) {
        let store = db.connect().await;

        let before = store.migration_status().await.unwrap();
        let applied = store.migrate_up().await.unwrap();

        let after = store.migration_status().await.unwrap();
        assert!(before.iter().all(|migration| !migration.applied));
        assert!(after.iter().all(|migration| migration.applied));
        assert_eq!(applied, after.len());
    }
}
