//! Backups that a server makes by itself.

use std::time::Duration;

use mindflow::backup::crypt::Unlock;

use crate::support::app::{TestApp, a_task, hours};
use crate::support::databases::{TestDatabase, both_databases};
use crate::world::{Shelf, inspect};

/// Waits until the place has so many archives, and says how they are called.
async fn archives(shelf: &Shelf, count: usize) -> Vec<String> {
    loop {
        let kept = shelf.place().list().await.unwrap();
        if kept.len() == count {
            return kept.into_iter().map(|kept| kept.name).collect();
        }
        assert!(kept.len() < count, "{kept:?}");
        tokio::task::yield_now().await;
    }
}

/// Waits until nobody does the duty, and it is due later than now: only then may the clock be moved.
async fn resting(app: &TestApp) {
    loop {
        let duty = app.app.store.find_duty("make_backups").await.unwrap();
        if duty.is_some_and(|duty| duty.holder.is_none() && duty.due_at > app.clock.now().as_micros()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

both_databases! {
    async fn a_server_that_is_asked_to_makes_a_backup_each_day(db: TestDatabase) {
        let shelf = Shelf::new();
        let place = shelf.path().to_str().unwrap().to_owned();
        let app = TestApp::start(db.kind, |config| {
            config.backup.every = Some(Duration::from_hours(24));
            config.backup.to = Some(place);
        })
        .await;
        let ada = app.user("ada").await;
        ada.has(a_task("Water the plants")).await;
        let health = app.anonymous().get("/health").await;
        assert_eq!(health.body["checks"]["backups"], "healthy", "{}", health.body);

        let mut made = Vec::new();
        for day in 1..=3 {
            resting(&app).await;
            app.advance(hours(24));
            made = archives(&shelf, day).await;
        }

        let newest = shelf.path().join(made.last().unwrap());
        let inspected = inspect(&newest, Unlock::Nothing).await.unwrap();
        assert!(inspected.contents.head.attachments && inspected.contents.head.secret_fingerprint.is_some());
        let health = app.anonymous().get("/health").await;
        assert_eq!(health.body["details"]["backups"]["bytes"], inspected.bytes, "{}", health.body);
        assert_eq!(inspected.contents.totals.tables.iter().find(|table| table.name == "tasks").unwrap().rows, 1);
    }
}
