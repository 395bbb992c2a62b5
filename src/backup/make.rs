//! Makes a backup: rows are read in one snapshot, packed on another thread, and stored as they come.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::crypt::Seal;
use super::format::{FORMAT, FORMAT_VERSION, Head, HeadTable, Totals};
use super::names::{Kind, Name};
use super::place::Place;
use super::writer::ArchiveWriter;
use super::{BackupError, Progress};
use crate::clock::Timestamp;
use crate::hex::hex;
use crate::objects::{Objects, ObjectsError, Upload};
use crate::secret_key::SecretKey;
use crate::store::dump::{Chunk, Snapshot};
use crate::store::tables::kept_at;
use crate::store::{Dialect, Store, StoreError};

/// How many pieces may wait between reading, packing and storing.
pub(super) const WAITING: usize = 4;
/// Where the files of people are among the objects.
pub(super) const ATTACHMENTS: &str = "attachments";
/// How many packed bytes are handed on at a time.
const PACKED_BYTES: usize = 256 * 1024;

/// What to back up, and to where.
pub struct Order<'a> {
    /// The database.
    pub store: &'a Store,
    /// The files of people; `None` leaves them out.
    pub attachments: Option<&'a Objects>,
    /// The server's secret, if it has one already.
    pub secret: Option<&'a SecretKey>,
    /// For whom it is sealed.
    pub seal: Arc<Seal>,
    /// To where.
    pub place: &'a Place,
    /// How the file is called; `None` leaves that to this program.
    pub name: Option<String>,
    /// The moment.
    pub now: Timestamp,
    /// Who is told how far it has come.
    pub progress: Arc<dyn Progress>,
}

/// A backup that is there.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// How the file is called.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// What it is.
    #[serde(flatten)]
    pub head: Head,
    /// How much there is in it.
    #[serde(flatten, with = "shown")]
    pub totals: Totals,
}

/// How totals are shown beside a head, which has tables too.
mod shown {
    use serde::{Serialize as _, Serializer};

    use super::Totals;

    #[derive(serde::Serialize)]
    struct Shown<'a> {
        rows: u64,
        totals: &'a Totals,
    }

    pub(super) fn serialize<S: Serializer>(totals: &Totals, to: S) -> Result<S::Ok, S::Error> {
        Shown { rows: totals.rows(), totals }.serialize(to)
    }
}

/// What is packed next.
enum Step {
    Rows(Chunk),
    Attachment {
        key: String,
        size: u64,
        bytes: mpsc::Receiver<Result<Bytes, ObjectsError>>,
    },
    /// Nothing more: without it, the archive is not completed.
    End(Faulty),
}

/// Files of people that are not what their rows say.
#[derive(Clone, Copy, Debug, Default)]
struct Faulty {
    missing: u64,
    damaged: u64,
}

impl From<Chunk> for Step {
    fn from(chunk: Chunk) -> Self {
        Self::Rows(chunk)
    }
}

/// Makes a backup while others write. The file is there when this returns, or not at all.
///
/// # Errors
///
/// [`BackupError`] says what went wrong; nothing was stored then.
pub async fn make(order: Order<'_>) -> Result<Made, BackupError> {
    let mut snapshot = order.store.snapshot().await?.ok_or(BackupError::NothingThere)?;
    let head = head(&order, &snapshot);
    let encrypted = order.seal.is_closed();
    let name = order.name.clone();
    let name = name.unwrap_or_else(|| Name { made: order.now, kind: Kind::Archive, encrypted }.to_string());
    if order.place.objects().exists(&name).await? {
        return Err(BackupError::Exists(order.place.path_of(&name)));
    }
    order.place.remove_leftovers(order.now).await?;
    let upload = order.place.objects().begin(&name)?;
    let (steps, queue) = mpsc::channel(WAITING);
    let (packed, parcels) = mpsc::channel(WAITING);
    let packing = {
        let (head, seal, progress) = (head.clone(), Arc::clone(&order.seal), Arc::clone(&order.progress));
        tokio::task::spawn_blocking(move || pack(queue, packed, &seal, &head, &*progress))
    };
    let (fed, stored, packed) =
        tokio::join!(feed(&mut snapshot, &order, steps), store_parcels(upload, parcels), packing);
    let closed = snapshot.close().await;
    let packed = packed.map_err(|_| BackupError::CutOff)?;
    // The first cause: whoever comes before or after it in the row only finds that it is gone.
    let (upload, sha256) = stored?;
    let totals = match (fed, packed) {
        (Ok(()), Ok(totals)) => totals,
        (Err(error), Err(_)) if !matches!(error, BackupError::Store(StoreError::Dropped)) => {
            return give_up(upload, error).await;
        }
        (_, Err(error)) => return give_up(upload, BackupError::Write(error)).await,
        (Err(error), Ok(_)) => return give_up(upload, error).await,
    };
    closed?;
    let bytes = upload.finish().await?;
    order.place.make_private(&name)?;
    let path = order.place.path_of(&name);
    Ok(Made { name, path, bytes, sha256, encrypted, head, totals })
}

async fn give_up<T>(upload: Upload, error: BackupError) -> Result<T, BackupError> {
    upload.abort().await;
    Err(error)
}

fn head(order: &Order<'_>, snapshot: &Snapshot) -> Head {
    let version = snapshot.version;
    Head {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version: version,
        database: match snapshot.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
        .to_owned(),
        created_at: order.now,
        secret_fingerprint: order.secret.and_then(SecretKey::fingerprint),
        attachments: order.attachments.is_some(),
        tables: kept_at(version).map(|table| HeadTable::of(table, version)).collect(),
    }
}

/// Reads everything, in the order of the archive.
async fn feed(snapshot: &mut Snapshot, order: &Order<'_>, steps: mpsc::Sender<Step>) -> Result<(), BackupError> {
    for table in kept_at(snapshot.version) {
        snapshot.read(table, &steps).await?;
    }
    let faulty = match order.attachments {
        Some(objects) => feed_attachments(snapshot, order.store, objects, &steps).await?,
        None => Faulty::default(),
    };
    steps.send(Step::End(faulty)).await.map_err(|_| StoreError::Dropped)?;
    Ok(())
}

/// Reads the files of people that the snapshot's rows name, and holds each against its row: loss and decay should be noticed
/// while an older backup still has the file as it was.
async fn feed_attachments(
    snapshot: &mut Snapshot,
    store: &Store,
    objects: &Objects,
    steps: &mpsc::Sender<Step>,
) -> Result<Faulty, BackupError> {
    let (mut faulty, mut last) = (Faulty::default(), String::new());
    loop {
        let files = snapshot.files_after(&last).await?;
        let Some(end) = files.last() else { return Ok(faulty) };
        last.clone_from(&end.object_key);
        for file in files {
            let found = match objects.get(&file.object_key).await {
                Err(ObjectsError::NotFound(_)) => {
                    // Unless it was deleted since, by the person whose it was.
                    faulty.missing += u64::from(store.is_file_named(&file.object_key).await?);
                    continue;
                }
                found => found?,
            };
            let (pieces, bytes) = mpsc::channel(WAITING);
            let (key, size) = (file.object_key, found.size_bytes);
            let step = Step::Attachment { key, size, bytes };
            steps.send(step).await.map_err(|_| StoreError::Dropped)?;
            let sha256 = pass_on(found.stream, pieces).await;
            let is_whole = i64::try_from(size) == Ok(file.size_bytes) && sha256.is_none_or(|sum| sum == file.sha256);
            faulty.damaged += u64::from(!is_whole);
        }
    }
}

/// Packs what comes into an archive, on a thread of its own.
fn pack(
    mut queue: mpsc::Receiver<Step>,
    packed: mpsc::Sender<Bytes>,
    seal: &Seal,
    head: &Head,
    progress: &dyn Progress,
) -> io::Result<Totals> {
    let mut writer = ArchiveWriter::begin(Parcels::to(packed), seal, head)?;
    while let Some(step) = queue.blocking_recv() {
        match step {
            Step::Rows(chunk) => {
                let total = writer.rows(&chunk)?;
                progress.table(&total.name, total.rows, total.bytes);
            }
            Step::Attachment { key, size, bytes } => {
                let done = writer.attachment(&key, size, &mut Incoming { from: bytes, piece: Bytes::new() })?;
                progress.attachments(done.count, done.bytes);
            }
            Step::End(Faulty { missing, damaged }) => {
                let (mut out, totals) = writer.finish(missing, damaged)?;
                out.flush()?;
                return Ok(totals);
            }
        }
    }
    Err(io::Error::from(io::ErrorKind::BrokenPipe))
}

/// Stores what was packed; it becomes visible later. Returns the SHA-256 of it all.
pub(super) async fn store_parcels(
    mut upload: Upload,
    mut parcels: mpsc::Receiver<Bytes>,
) -> Result<(Upload, String), BackupError> {
    let mut hash = Sha256::new();
    while let Some(parcel) = parcels.recv().await {
        hash.update(&parcel);
        upload.write(&parcel).await?;
    }
    Ok((upload, hex(&hash.finalize())))
}

/// Hands packed bytes on to where they are stored.
pub(super) struct Parcels {
    to: mpsc::Sender<Bytes>,
    gathered: BytesMut,
}

impl Parcels {
    pub(super) fn to(to: mpsc::Sender<Bytes>) -> Self {
        Self { to, gathered: BytesMut::new() }
    }
}

impl Write for Parcels {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PACKED_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let parcel = self.gathered.split().freeze();
        if parcel.is_empty() {
            return Ok(());
        }
        self.to.blocking_send(parcel).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// An object on its way here.
struct Incoming {
    from: mpsc::Receiver<Result<Bytes, ObjectsError>>,
    piece: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(to.len());
        to[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// Sends an object's bytes until there are no more, or nobody takes them. Returns their SHA-256 when all were taken.
async fn pass_on(
    mut from: impl futures_util::Stream<Item = Result<Bytes, ObjectsError>> + Unpin,
    to: mpsc::Sender<Result<Bytes, ObjectsError>>,
) -> Option<Vec<u8>> {
    let mut hash = Sha256::new();
    while let Some(piece) = from.next().await {
        if let Ok(bytes) = &piece {
            hash.update(bytes);
        }
        if piece.is_err() | to.send(piece).await.is_err() {
            return None;
        }
    }
    Some(hash.finalize().to_vec())
}
