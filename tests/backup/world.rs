//! Words that the tests of backups share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mindflow::backup::crypt::{Seal, Unlock};
use mindflow::backup::make::{Made, Order, make};
use mindflow::backup::place::Place;
use mindflow::backup::restore::{Force, Inspected, Restored, Target};
use mindflow::backup::{BackupError, Silent};
use mindflow::config;
use mindflow::secret_key::SecretKey;
use mindflow::store::dump::Chunk;
use mindflow::store::tables::kept_at;
use mindflow::store::{Store, migrations};
use tokio::sync::mpsc;

use crate::support::app::moment;

/// A folder for backups that goes with the test.
pub(crate) struct Shelf {
    folder: tempfile::TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn place(&self) -> Place {
        Place::open(self.path().to_str().unwrap(), &config::Objects::default()).unwrap()
    }

    /// A backup of a database.
    pub(crate) async fn keep(&self, store: &Store) -> PathBuf {
        PathBuf::from(self.try_keep(store, Seal::Open, None).await.unwrap().path)
    }

    pub(crate) async fn try_keep(
        &self,
        store: &Store,
        seal: Seal,
        secret: Option<&SecretKey>,
    ) -> Result<Made, BackupError> {
        let name = format!("{}.tar.gz", uuid::Uuid::now_v7().simple());
        make(Order {
            store,
            attachments: None,
            secret,
            seal: Arc::new(seal),
            place: &self.place(),
            name: Some(name),
            now: moment("2026-11-21T16:40:18Z"),
            progress: Arc::new(Silent),
        })
        .await
    }

    /// A file with other bytes beside the backups.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) async fn inspect(archive: &Path, unlock: Unlock) -> Result<Inspected, BackupError> {
    let archive = Place::find(archive.to_str().unwrap(), &config::Objects::default(), "unused").await.unwrap();
    Inspected::read(archive, unlock, migrations::newest()).await
}

pub(crate) async fn restore(archive: &Path, store: &Store, force: Force) -> Result<Restored, BackupError> {
    let inspected = inspect(archive, Unlock::Nothing).await?;
    inspected.restore(&Target { store, attachments: None, force, progress: Arc::new(Silent) }).await
}

/// Every row that a backup keeps, by table, in an order of its own.
pub(crate) async fn rows(store: &Store) -> BTreeMap<&'static str, Vec<String>> {
    let mut snapshot = store.snapshot().await.unwrap().unwrap();
    let mut all = BTreeMap::new();
    for table in kept_at(snapshot.version) {
        let (chunks, mut queue) = mpsc::channel::<Chunk>(1);
        let gathering = async {
            let mut lines = Vec::new();
            while let Some(chunk) = queue.recv().await {
                let text = String::from_utf8(chunk.lines).unwrap();
                lines.extend(text.lines().map(ToOwned::to_owned));
            }
            lines
        };
        let reading = async {
            let chunks = chunks;
            snapshot.read(table, &chunks).await.unwrap()
        };
        let (count, mut lines) = tokio::join!(reading, gathering);
        assert_eq!(count, lines.len() as u64, "{}", table.name);
        lines.sort();
        all.insert(table.name, lines);
    }
    snapshot.close().await.unwrap();
    all
}
