//! The files of people go with the rows.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mindflow::backup::Silent;
use mindflow::backup::crypt::{Seal, Unlock};
use mindflow::backup::make::{Made, Order, make};
use mindflow::backup::restore::{Force, Target};
use mindflow::config;
use mindflow::hex::hex;
use mindflow::objects::Objects;
use mindflow::store::Store;
use sha2::{Digest as _, Sha256};

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

/// Stores files, and lets as many rows speak of them.
async fn attach(raw: &Raw, objects: &Objects, files: &[(&'static str, Bytes)]) {
    let count = files.len();
    raw.run(&format!("DELETE FROM attachments WHERE id NOT IN (SELECT id FROM attachments LIMIT {count})")).await;
    for (key, bytes) in files {
        let (size, sum) = (bytes.len(), hex(&Sha256::digest(bytes)));
        raw.run(&format!(
            "UPDATE attachments SET object_key = '{key}', size_bytes = {size}, sha256 = x'{sum}'
              WHERE id = (SELECT id FROM attachments WHERE object_key NOT LIKE 'attachments/%/%' LIMIT 1)"
        ))
        .await;
        objects.put_bytes(key, bytes.clone()).await.unwrap();
    }
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
    let raw = Raw::open(&db).await;
    seed::fill(&raw, 3).await;
    let before = objects(&from);
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let files = [
        ("attachments/0f/0f3c", Bytes::from_static(b"a few words")),
        ("attachments/0f/one", Bytes::from_static(b"1")),
        ("attachments/a7/large", Bytes::from(large)),
        ("attachments/a7/odd", Bytes::from(vec![7; 512 * 3 + 1])),
    ];
    attach(&raw, &before, &files).await;
    // Nobody speaks of these.
    for key in ["elsewhere/notes", "attachments/0f/upload"] {
        before.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }

    let made = keep(&store, Some(&before), &shelf).await;
    let inspected = inspect(made.path.as_ref(), Unlock::Nothing).await.unwrap();
    let target = TestDatabase::new(Db::Sqlite).await;
    let (store, after) = (target.connect().await, objects(&to));
    let progress = Arc::new(Silent);
    let wanted = Target { store: &store, attachments: Some(&after), force: Force::Never, progress };
    let restored = inspected.restore(&wanted).await.unwrap();

    assert_eq!((made.totals.attachments.count, made.totals.attachments.bytes), (4, 12_000_000 + 11 + 1 + 1537));
    assert_eq!((restored.attachments_restored, made.totals.attachments.trouble()), (4, None));
    assert!(keys(&after).await == files.map(|(key, bytes)| (key.to_owned(), bytes)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_lost_or_decayed_are_told() {
    let (from, shelf) = (Shelf::new(), Shelf::new());
    let db = TestDatabase::new(Db::Sqlite).await;
    let (store, raw) = (db.store().await, Raw::open(&db).await);
    seed::fill(&raw, 3).await;
    let before = objects(&from);
    let words = || Bytes::from_static(b"words");
    let keys = ["attachments/a/whole", "attachments/b/gone", "attachments/c/longer", "attachments/d/other"];
    attach(&raw, &before, &keys.map(|key| (key, words()))).await;
    before.delete(keys[1]).await.unwrap();
    before.put_bytes(keys[2], Bytes::from_static(b"words and more")).await.unwrap();
    before.put_bytes(keys[3], Bytes::from_static(b"swore")).await.unwrap();

    let made = keep(&store, Some(&before), &shelf).await;

    let totals = made.totals.attachments;
    assert_eq!((totals.count, totals.missing, totals.damaged), (3, 1, 2));
    let read = inspect(made.path.as_ref(), Unlock::Nothing).await.unwrap().contents.totals.attachments;
    assert_eq!(read, totals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_what_is_replaced_go_and_those_of_other_things_stay() {
    let (from, to, shelf) = (Shelf::new(), Shelf::new(), Shelf::new());
    let db = TestDatabase::new(Db::Sqlite).await;
    let (store, raw) = (db.store().await, Raw::open(&db).await);
    seed::fill(&raw, 3).await;
    let (before, after) = (objects(&from), objects(&to));
    attach(&raw, &before, &[("attachments/0f/kept", Bytes::from_static(b"words"))]).await;
    for key in ["attachments/0f/kept", "attachments/0f/later", "elsewhere/notes"] {
        after.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }

    let made = keep(&store, Some(&before), &shelf).await;
    let inspected = inspect(made.path.as_ref(), Unlock::Nothing).await.unwrap();
    let wanted = Target { store: &store, attachments: Some(&after), force: Force::Replace, progress: Arc::new(Silent) };
    inspected.restore(&wanted).await.unwrap();

    let there: Vec<String> = keys(&after).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(there, ["attachments/0f/kept", "elsewhere/notes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_backup_left_behind_that_died_goes_with_the_next() {
    let shelf = Shelf::new();
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let made = keep(&store, None, &shelf).await;
    std::fs::remove_file(&made.path).unwrap();
    // What is being written now, what was begun long before the backup's moment, and what is not ours.
    let left = |name: &str| shelf.file(name, b"half");
    let (new, old) = (left(&format!("{}#1", made.name)), left(&format!("{}#2", made.name)));
    let foreign = left("notes#3");
    let long_ago = std::time::SystemTime::from(moment("2026-11-20T00:00:00Z").to_utc());
    for file in [&old, &foreign] {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }

    keep(&store, None, &shelf).await;

    assert_eq!([&new, &old, &foreign].map(|file| file.exists()), [true, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_are_left_out_of_a_backup_or_of_a_restore_when_asked() {
    let (from, to, shelf) = (Shelf::new(), Shelf::new(), Shelf::new());
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    let (before, raw) = (objects(&from), Raw::open(&db).await);
    seed::fill(&raw, 1).await;
    attach(&raw, &before, &[("attachments/0f/0f3c", Bytes::from_static(b"a few words"))]).await;

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
