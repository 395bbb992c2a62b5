//! Where archives are: a folder, or a bucket.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt as _;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::BackupError;
use super::names::{Kind, Name};
use super::retention::{Keep, surplus};
use crate::clock::Timestamp;
use crate::config;
use crate::objects::{self, Objects, ObjectsError};

/// A backup that has not been written to for so long is not being made any more.
const QUIET: Duration = Duration::from_hours(1);
/// What stands for the newest archive of a place.
const LATEST: &str = "latest";

/// A place for archives.
#[derive(Clone, Debug)]
pub struct Place {
    objects: Objects,
}

/// A file of ours in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// The moment as of which everything in it is.
    pub created_at: Timestamp,
    /// How large it is.
    pub bytes: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// `archive`, or the kind of the database's own copy.
    pub kind: &'static str,
}

/// A file that is deleted when this is dropped.
#[derive(Debug)]
pub struct ScratchFile(PathBuf);

impl ScratchFile {
    /// A name in the system's folder for such files (`TMPDIR`) that nobody else has.
    pub fn new(ending: &str) -> Self {
        Self(std::env::temp_dir().join(format!("mindflow-{}{ending}", Uuid::now_v7().simple())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(ending);
            // Mostly there is only one of them.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// An archive that can be read from its beginning as often as wanted.
#[derive(Debug)]
pub struct LocalArchive {
    path: PathBuf,
    _scratch: Option<ScratchFile>,
}

impl LocalArchive {
    /// Opens it at its beginning.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// How large it is.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn bytes(&self) -> io::Result<u64> {
        Ok(self.open()?.metadata()?.len())
    }
}

impl Place {
    /// Opens a place: a folder's path, a `file:` URL or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn open(url: &str, settings: &config::Objects) -> Result<Self, BackupError> {
        Ok(Self { objects: Objects::at(url, settings)? })
    }

    /// The objects of the place, for whoever writes there.
    pub(super) const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The full name of a file, for people.
    pub fn path_of(&self, name: &str) -> String {
        match self.objects.place() {
            objects::Place::Folder(folder) => folder.join(name).display().to_string(),
            bucket @ objects::Place::Bucket { .. } => format!("{bucket}/{name}"),
        }
    }

    /// Lets nobody but its owner read a file; in a bucket its policy says who may.
    pub(super) fn make_private(&self, name: &str) -> Result<(), BackupError> {
        #[cfg(unix)]
        if let objects::Place::Folder(folder) = self.objects.place() {
            let owner_alone = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(folder.join(name), owner_alone).map_err(BackupError::Write)?;
        }
        Ok(())
    }

    /// Removes what backups left behind whose process died, when nobody has written to it for a while: files of a folder
    /// that are named like a backup, with `#` and a number.
    pub(super) async fn remove_leftovers(&self, now: Timestamp) -> Result<(), BackupError> {
        let objects::Place::Folder(folder) = self.objects.place() else { return Ok(()) };
        let old = SystemTime::from(now.minus(QUIET).to_utc());
        let mut entries = tokio::fs::read_dir(folder).await.map_err(BackupError::Scratch)?;
        while let Some(entry) = entries.next_entry().await.map_err(BackupError::Scratch)? {
            let name = entry.file_name();
            let whose = name.to_str().and_then(|name| name.rsplit_once('#')).and_then(|(whose, _)| Name::parse(whose));
            let written = entry.metadata().await.and_then(|file| file.modified());
            if whose.is_some() && written.is_ok_and(|at| at < old) {
                // Somebody else may be quicker.
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
        Ok(())
    }

    /// Every file of ours, oldest first.
    ///
    /// # Errors
    ///
    /// When the place cannot be read.
    pub async fn list(&self) -> Result<Vec<Kept>, BackupError> {
        let found = match self.objects.place() {
            objects::Place::Folder(folder) => list_folder(folder).await.map_err(BackupError::Scratch)?,
            objects::Place::Bucket { .. } => {
                let all = self.objects.list("").map_ok(|object| (object.key, object.size_bytes));
                all.try_collect::<Vec<_>>().await?
            }
        };
        let mut kept: Vec<Kept> = found.into_iter().filter_map(|(name, bytes)| Kept::of(name, bytes)).collect();
        kept.sort_by(|one, other| (one.created_at, &one.name).cmp(&(other.created_at, &other.name)));
        Ok(kept)
    }

    /// The newest archive, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Self::list`].
    pub async fn newest(&self) -> Result<Option<Kept>, BackupError> {
        Ok(self.list().await?.into_iter().rfind(|kept| kept.kind == "archive"))
    }

    /// Deletes the archives that need not stay, with the copies that were made beside them. Returns what went, or what
    /// would.
    ///
    /// # Errors
    ///
    /// When the place cannot be read or a file not be deleted.
    pub async fn prune(&self, keep: Keep, now: Timestamp, really: Prune) -> Result<Vec<Kept>, BackupError> {
        let all = self.list().await?;
        let made: Vec<Timestamp> =
            all.iter().filter(|kept| kept.kind == "archive").map(|kept| kept.created_at).collect();
        let gone = surplus(&made, keep, now);
        let going: Vec<Kept> = all.into_iter().filter(|kept| gone.contains(&kept.created_at)).collect();
        if really == Prune::Really {
            for kept in &going {
                self.objects.delete(&kept.name).await?;
            }
        }
        Ok(going)
    }

    /// Has an archive at hand; one of a bucket is fetched into a scratch file.
    ///
    /// - `name`: of a file in this place, or `latest`.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoSuchBackup`], and what is wrong with the place.
    pub async fn fetch(&self, name: &str) -> Result<LocalArchive, BackupError> {
        let none = || BackupError::NoSuchBackup(self.path_of(name));
        let name = if name == LATEST { self.newest().await?.ok_or_else(none)?.name } else { name.to_owned() };
        if let objects::Place::Folder(folder) = self.objects.place() {
            let path = folder.join(&name);
            return if path.is_file() { Ok(LocalArchive { path, _scratch: None }) } else { Err(none()) };
        }
        let mut found = match self.objects.get(&name).await {
            Err(ObjectsError::NotFound(_)) => return Err(none()),
            found => found?,
        };
        let scratch = ScratchFile::new(".fetched");
        let mut file = private_file(scratch.path()).map_err(BackupError::Scratch)?;
        while let Some(bytes) = found.stream.try_next().await? {
            file.write_all(&bytes).await.map_err(BackupError::Scratch)?;
        }
        file.flush().await.map_err(BackupError::Scratch)?;
        Ok(LocalArchive { path: scratch.path().to_owned(), _scratch: Some(scratch) })
    }

    /// Has an archive at hand that somebody named: a file, a URL of a bucket, or a name in the `usual` place.
    ///
    /// # Errors
    ///
    /// As [`Self::fetch`].
    pub async fn find(text: &str, settings: &config::Objects, usual: &str) -> Result<LocalArchive, BackupError> {
        if let Some((place, name)) = text.rsplit_once('/').filter(|_| text.starts_with("s3://")) {
            return Self::open(place, settings)?.fetch(name).await;
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        if Path::new(path).is_file() {
            return Ok(LocalArchive { path: path.into(), _scratch: None });
        }
        if text == LATEST || Name::parse(text).is_some() {
            return Self::open(usual, settings)?.fetch(text).await;
        }
        Err(BackupError::NoSuchBackup(text.to_owned()))
    }
}

/// Whether to delete, or only to say what would be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// Delete.
    Really,
    /// Say it.
    Rehearsal,
}

impl Kept {
    fn of(name: String, bytes: u64) -> Option<Self> {
        let Name { made, kind, encrypted } = Name::parse(&name)?;
        let kind = match kind {
            Kind::Archive => "archive",
            Kind::SqliteFile => "sqlite",
            Kind::PgDump => "pg_dump",
        };
        Some(Self { name, created_at: made, bytes, encrypted, kind })
    }
}

/// The files of a folder, not of those below it.
async fn list_folder(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    let mut entries = tokio::fs::read_dir(folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Somebody else may be deleting it.
        let Ok(metadata) = entry.metadata().await else { continue };
        if metadata.is_file() {
            found.push((name, metadata.len()));
        }
    }
    Ok(found)
}

/// A new file that is its owner's alone.
fn private_file(path: &Path) -> io::Result<tokio::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(tokio::fs::File::from_std(options.open(path)?))
}
