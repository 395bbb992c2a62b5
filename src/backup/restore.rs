//! Makes a database from an archive: first everything is looked at, then everything is written in one transaction.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use tokio::sync::mpsc;

use super::crypt::Unlock;
use super::digest::RowsDigest;
use super::format::{Head, Totals};
use super::make::ATTACHMENTS;
use super::place::LocalArchive;
use super::reader::{Contents, Inspect, Visitor, walk};
use super::{ArchiveError, BackupError, Progress};
use crate::objects::{Objects, Upload};
use crate::secret_key::SecretKey;
use crate::store::dump::Chunk;
use crate::store::load::Loading;
use crate::store::tables::{Fate, Table};
use crate::store::{Store, StoreError};

/// How many pieces may wait between reading and writing.
const WAITING: usize = 4;
/// How many bytes of an attachment are handed on at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Whether a target that holds something may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// No.
    Never,
    /// Everything there goes.
    Replace,
}

/// An archive that was read from beginning to end and found whole.
#[derive(Debug)]
pub struct Inspected {
    archive: Arc<LocalArchive>,
    unlock: Arc<Unlock>,
    known: i64,
    /// What is in it.
    pub contents: Contents,
    /// How large the file is.
    pub bytes: u64,
}

/// What to restore, and into where.
pub struct Target<'a> {
    /// The database.
    pub store: &'a Store,
    /// Where the files of people go; `None` leaves them out.
    pub attachments: Option<&'a Objects>,
    /// Whether it may hold something.
    pub force: Force,
    /// Who is told how far it has come.
    pub progress: Arc<dyn Progress>,
}

/// What was restored.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// What the archive is.
    #[serde(flatten)]
    pub head: Head,
    /// All rows together.
    pub rows: u64,
    /// How much there was in it.
    pub totals: Totals,
    /// How many attachments were written.
    pub attachments_restored: u64,
}

/// Why the sealed rows of an archive may be worth nothing where it is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretTrouble {
    /// There is no secret yet.
    Missing,
    /// It is another one than the archive's.
    Other,
}

impl Inspected {
    /// Reads an archive twice as far as needed: to its end.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`] says what is wrong with it.
    pub async fn read(archive: LocalArchive, unlock: Unlock, store_knows: i64) -> Result<Self, BackupError> {
        let (archive, unlock) = (Arc::new(archive), Arc::new(unlock));
        let bytes = archive.bytes().map_err(ArchiveError::Io)?;
        let looking = {
            let (archive, unlock) = (Arc::clone(&archive), Arc::clone(&unlock));
            tokio::task::spawn_blocking(move || {
                walk(archive.open().map_err(ArchiveError::Io)?, &unlock, store_knows, &mut Inspect)
            })
        };
        let contents = looking.await.map_err(|_| BackupError::CutOff)??;
        Ok(Self { archive, unlock, known: store_knows, contents, bytes })
    }

    /// Whether what is sealed in the archive can be opened with the secret of where it goes.
    pub fn secret_trouble(&self, secret: Option<&SecretKey>) -> Option<SecretTrouble> {
        let sealed_under = self.contents.head.secret_fingerprint.as_ref()?;
        if self.contents.totals.sealed().is_empty() {
            return None;
        }
        match secret.map(SecretKey::fingerprint) {
            None => Some(SecretTrouble::Missing),
            Some(here) if here.as_ref() == Some(sealed_under) => None,
            Some(_) => Some(SecretTrouble::Other),
        }
    }

    /// Puts everything into a database, in the place of what is there: whole or not at all.
    ///
    /// # Errors
    ///
    /// [`BackupError::Occupied`] when there is something and it may not be replaced; anything else leaves the database as
    /// it was, too.
    pub async fn restore(&self, target: &Target<'_>) -> Result<Restored, BackupError> {
        let occupied = target.store.occupied().await?;
        if !occupied.is_empty() && target.force == Force::Never {
            return Err(BackupError::Occupied(occupied));
        }
        let mut loading = target.store.load(self.contents.head.schema_version).await?;
        match self.fill(&mut loading, target).await {
            Ok(restored) => {
                target.progress.step("the references and the schema");
                loading.keep().await?;
                if let Some(objects) = target.attachments {
                    remove_others(objects, &restored).await?;
                }
                let Contents { head, totals } = self.contents.clone();
                Ok(Restored { rows: totals.rows(), head, totals, attachments_restored: restored.len() as u64 })
            }
            Err(error) => {
                if let Err(failed) = loading.give_up().await {
                    tracing::debug!(error = &failed as &dyn std::error::Error, "the transaction ended by itself");
                }
                Err(error)
            }
        }
    }

    /// Writes the rows and the files of people, and reads the rows again. Returns the keys of the files.
    async fn fill(&self, loading: &mut Loading, target: &Target<'_>) -> Result<HashSet<String>, BackupError> {
        let (steps, mut queue) = mpsc::channel(WAITING);
        let reading = {
            let (archive, unlock, known) = (Arc::clone(&self.archive), Arc::clone(&self.unlock), self.known);
            let attachments = target.attachments.is_some();
            tokio::task::spawn_blocking(move || {
                let file = archive.open().map_err(ArchiveError::Io)?;
                walk(file, &unlock, known, &mut HandOn { steps, attachments })
            })
        };
        let taken = take_all(&mut queue, loading, target).await;
        drop(queue);
        let read = reading.await.map_err(|_| BackupError::CutOff)?;
        let attachments = taken?;
        // The file may have changed since it was looked at.
        if read?.totals != self.contents.totals {
            return Err(ArchiveError::Damaged("it changed while it was read".to_owned()).into());
        }
        target.progress.step("the rows as they were written");
        self.compare(loading).await?;
        Ok(attachments)
    }

    /// Reads what was written, and compares it with what the archive says.
    async fn compare(&self, loading: &mut Loading) -> Result<(), BackupError> {
        for total in &self.contents.totals.tables {
            let Some(table) = self.contents.head.table(&total.name).filter(|table| table.fate == Fate::Kept) else {
                continue;
            };
            let (chunks, mut queue) = mpsc::channel::<Chunk>(WAITING);
            let summing = async {
                let mut digest = RowsDigest::default();
                while let Some(chunk) = queue.recv().await {
                    digest.add(&chunk.lines);
                }
                digest
            };
            let (found, digest) = tokio::join!(read_table(loading, table, chunks), summing);
            if found? != total.rows || digest.text() != total.digest {
                let (expected, found) = (total.rows, digest.rows());
                return Err(BackupError::Differs { table: total.name.clone(), expected, found });
            }
        }
        Ok(())
    }
}

/// Reads a table, and tells by the channel's end when it is done.
async fn read_table(
    loading: &mut Loading,
    table: &'static Table,
    chunks: mpsc::Sender<Chunk>,
) -> Result<u64, StoreError> {
    loading.read(table, &chunks).await
}

/// What is written next.
enum Step {
    Rows { table: &'static Table, rows: u64, lines: Vec<u8> },
    Attachment { key: String },
    Piece(Bytes),
    EndOfAttachment,
}

/// Hands everything on to where it is written.
struct HandOn {
    steps: mpsc::Sender<Step>,
    attachments: bool,
}

impl HandOn {
    fn send(&self, step: Step) -> Result<(), ArchiveError> {
        let gone = |_| ArchiveError::Io(std::io::ErrorKind::BrokenPipe.into());
        self.steps.blocking_send(step).map_err(gone)
    }
}

impl Visitor for HandOn {
    fn head(&mut self, _head: &Head) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn rows(&mut self, table: &'static Table, rows: u64, lines: Vec<u8>) -> Result<(), ArchiveError> {
        // What this program leaves out, an older one may have kept.
        if table.fate == Fate::Kept { self.send(Step::Rows { table, rows, lines }) } else { Ok(()) }
    }

    fn attachment(&mut self, key: &str, _size: u64, bytes: &mut dyn Read) -> Result<(), ArchiveError> {
        if !self.attachments {
            return Ok(());
        }
        self.send(Step::Attachment { key: key.to_owned() })?;
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            match bytes.read(&mut buffer)? {
                0 => return self.send(Step::EndOfAttachment),
                read => self.send(Step::Piece(Bytes::copy_from_slice(&buffer[..read])))?,
            }
        }
    }
}

/// Writes what comes until there is no more. Returns the keys of the files of people.
async fn take_all(
    queue: &mut mpsc::Receiver<Step>,
    loading: &mut Loading,
    target: &Target<'_>,
) -> Result<HashSet<String>, BackupError> {
    let mut done = Done::default();
    let mut keys = HashSet::new();
    let mut upload: Option<Upload> = None;
    while let Some(step) = queue.recv().await {
        match step {
            Step::Rows { table, rows, lines } => {
                done.rows(table, rows, lines.len() as u64, &*target.progress);
                loading.insert(table, &lines).await?;
            }
            Step::Attachment { key } => {
                let objects = target.attachments.ok_or(StoreError::Dropped)?;
                upload = Some(objects.begin(&key)?);
                keys.insert(key);
            }
            Step::Piece(bytes) => {
                if let Some(upload) = &mut upload {
                    upload.write(&bytes).await?;
                }
            }
            Step::EndOfAttachment => {
                if let Some(upload) = upload.take() {
                    done.attachment_bytes += upload.finish().await?;
                    done.attachments += 1;
                    target.progress.attachments(done.attachments, done.attachment_bytes);
                }
            }
        }
    }
    Ok(keys)
}

/// Removes the files of people that were there before and belong to nobody any more.
async fn remove_others(objects: &Objects, restored: &HashSet<String>) -> Result<(), BackupError> {
    let mut listed = objects.list(ATTACHMENTS);
    while let Some(stored) = listed.try_next().await? {
        if !restored.contains(&stored.key) {
            objects.delete(&stored.key).await?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Done {
    table: &'static str,
    rows: u64,
    bytes: u64,
    attachments: u64,
    attachment_bytes: u64,
}

impl Done {
    fn rows(&mut self, table: &'static Table, rows: u64, bytes: u64, progress: &dyn Progress) {
        if self.table != table.name {
            (self.table, self.rows, self.bytes) = (table.name, 0, 0);
        }
        (self.rows, self.bytes) = (self.rows + rows, self.bytes + bytes);
        progress.table(self.table, self.rows, self.bytes);
    }
}
