//! The files of people go with the rows.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mindflow::backup::Silent;
use mindflow::backup::crypt::{Seal, Unlock};
use mindflow::backup::make::{Made, Order, make};
use mindflow::backup::restore::{Force, Target};
use mindflow::config;
use mindflow::objects::Objects;
use mindflow::store::Store;

use crate::raw::Raw;
use crate::seed;
use crate::support::app::moment;
use crate::support::databases::{Db, TestDatabase};
use crate::world::{Shelf, inspect};

fn objects(shelf: &Shelf) -> Objects {
    Objects::at(shelf.path().to_str().unwrap(), &config::Objects::default()).unwrap()
}

async fn keys(objects: &Objects) -> Vec<(String, Bytes)> {
    let mut found = Vec::new();
    for stored in objects.list("").try_collect::<Vec<_>>().await.unwrap() {
        let bytes = objects.get_bytes(&stored.key, u64::MAX).await.unwrap();
        found.push((stored.key, bytes));
    }
    found.sort();
    found
}

async fn keep(store: &Store, attachments: Option<&Objects>, shelf: &Shelf) -> Made {
    make(Order {
        store,
        attachments,
        secret: None,
        seal: Arc::new(Seal::Open),
        place: &shelf.place(),
        name: None,
        now: moment("2026-11-21T16:40:18Z"),
        progress: Arc::new(Silent),
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_go_with_a_backup_and_come_back_as_they_were() {
    let (from, to, shelf) = (Shelf::new(), Shelf::new(), Shelf::new());
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    seed::fill(&Raw::open(&db).await, 3).await;
    let before = objects(&from);
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (key, bytes) in [
        ("attachments/0f/0f3c", Bytes::from_static(b"a few words")),
        ("attachments/0f/empty", Bytes::new()),
        ("attachments/a7/large", Bytes::from(large)),
        ("attachments/a7/odd", Bytes::from(vec![7; 512 * 3 + 1])),
        // Not the files of people.
        ("elsewhere/notes", Bytes::from_static(b"x")),
    ] {
        before.put_bytes(key, bytes).await.unwrap();
    }

    let made = keep(&store, Some(&before), &shelf).await;
    let inspected = inspect(made.path.as_ref(), Unlock::Nothing).await.unwrap();
    let target = TestDatabase::new(Db::Sqlite).await;
    let (store, after) = (target.connect().await, objects(&to));
    let progress = Arc::new(Silent);
    let wanted = Target { store: &store, attachments: Some(&after), force: Force::Never, progress };
    let restored = inspected.restore(&wanted).await.unwrap();

    assert_eq!((made.totals.attachments.count, made.totals.attachments.bytes), (4, 12_000_000 + 11 + 1537));
    assert_eq!(restored.attachments_restored, 4);
    let mut expected = keys(&before).await;
    expected.retain(|(key, _)| key.starts_with("attachments/"));
    assert!(keys(&after).await == expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_are_left_out_of_a_backup_or_of_a_restore_when_asked() {
    let (from, to, shelf) = (Shelf::new(), Shelf::new(), Shelf::new());
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let before = objects(&from);
    before.put_bytes("attachments/0f/0f3c", Bytes::from_static(b"a few words")).await.unwrap();

    let with = keep(&store, Some(&before), &shelf).await;
    let without = {
        let shelf = Shelf::new();
        let made = keep(&store, None, &shelf).await;
        inspect(made.path.as_ref(), Unlock::Nothing).await.unwrap()
    };

    assert!(!without.contents.head.attachments && without.contents.totals.attachments.count == 0);
    let inspected = inspect(with.path.as_ref(), Unlock::Nothing).await.unwrap();
    let target = TestDatabase::new(Db::Sqlite).await;
    let store = target.connect().await;
    let wanted = Target { store: &store, attachments: None, force: Force::Never, progress: Arc::new(Silent) };
    assert_eq!(inspected.restore(&wanted).await.unwrap().attachments_restored, 0);
    assert!(keys(&objects(&to)).await.is_empty());
}
