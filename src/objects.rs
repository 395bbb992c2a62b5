//! The object store: files too large or too many for the database, in a folder or in an S3-compatible bucket.
//!
//! The only user of the crate `object_store`. An [`Objects`] is opened once from the configuration and cloned cheaply.
//!
//! - `place`: where it is, read from a URL; `s3`: the bucket's client.
//! - `upload`: how an object comes to be, whole or not at all; [`Upload`].
//! - `error`: what can go wrong, by what can be done about it; [`ObjectsError`].
//! - `leftovers`: what uploads left behind whose process died.
//!
//! A *key* is a path of plain words: `attachments/0f/0f3c…`. Whatever is stored under one is complete: an object becomes
//! visible when its last byte is safe, and replaces what was there before in one step. Nothing here holds more than a few
//! parts of an object in memory ([`PART_BYTES`]), however large it is.

mod error;
mod leftovers;
mod place;
mod s3;
#[cfg(test)]
mod tests;
mod upload;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _};

use crate::clock::Timestamp;
use crate::config::{self, Config};

pub use self::error::ObjectsError;
pub use self::place::Place;
pub use self::upload::{PART_BYTES, Upload};

/// The longest key, in bytes: below what S3 (1024) and file systems take, with room for a prefix.
const MAX_KEY: usize = 512;
/// The key that the health check asks for; nothing is ever stored under it.
const PROBE: &str = "health/probe";

/// Where objects are kept.
#[derive(Clone)]
pub struct Objects {
    place: Place,
    store: Arc<dyn ObjectStore>,
    /// Signs URLs; only buckets can.
    signer: Option<Arc<AmazonS3>>,
    /// What stands before every key of ours.
    prefix: Path,
}

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// When it was last written, by the clock of where it is kept.
    pub modified: Timestamp,
}

/// An object, or a part of one, on its way.
pub struct Download {
    /// How many bytes the whole object has.
    pub size_bytes: u64,
    /// Its bytes, piece by piece.
    pub stream: BoxStream<'static, Result<Bytes, ObjectsError>>,
}

impl Objects {
    /// Opens the store that the configuration names: `objects.url`, or the folder `objects` of the data folder.
    ///
    /// A folder is made; a bucket is not asked until it is used.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the bucket's settings make no sense.
    pub fn open(config: &Config) -> Result<Self, ObjectsError> {
        let place = match &config.objects.url {
            Some(url) => Place::parse(url)?,
            None => Place::Folder(config.storage.data_dir.join("objects")),
        };
        Self::in_place(place, &config.objects)
    }

    /// Opens another store, such as the one for backups: a path, a `file:` URL or `s3://BUCKET/PREFIX`, the latter with the
    /// endpoint and the credentials of `settings`.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; [`ObjectsError::Url`] for what is none of these.
    pub fn at(url: &str, settings: &config::Objects) -> Result<Self, ObjectsError> {
        Self::in_place(Place::parse(url)?, settings)
    }

    fn in_place(place: Place, settings: &config::Objects) -> Result<Self, ObjectsError> {
        match &place {
            Place::Folder(folder) => {
                let failed = |source: object_store::Error| ObjectsError::folder(folder, source);
                place::make_folder(folder)?;
                // An acknowledged object outlives a power cut, as it does in a bucket.
                let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), signer: None, prefix: Path::default(), place })
            }
            Place::Bucket { bucket, prefix } => {
                let client = Arc::new(s3::client(bucket, settings)?);
                let prefix = prefix.clone();
                Ok(Self { store: Arc::<AmazonS3>::clone(&client), signer: Some(client), prefix: prefix.into(), place })
            }
        }
    }

    /// Where it is, for people: never with a credential.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Begins an object; it is there once [`Upload::finish`] has said so.
    ///
    /// # Errors
    ///
    /// [`ObjectsError::Key`].
    pub fn begin(&self, key: &str) -> Result<Upload, ObjectsError> {
        Ok(Upload::new(Arc::clone(&self.store), self.path(key)?, self.part_bytes()))
    }

    /// Stores what a stream brings, and says how many bytes that was. Nothing is stored when the stream fails.
    ///
    /// # Errors
    ///
    /// [`ObjectsError::Source`] when the stream fails, else what is wrong with the store.
    pub async fn put<S>(&self, key: &str, bytes: S) -> Result<u64, ObjectsError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let mut upload = self.begin(key)?;
        let mut bytes = std::pin::pin!(bytes);
        while let Some(piece) = bytes.next().await {
            match piece {
                Ok(piece) => upload.write(&piece).await?,
                Err(error) => {
                    upload.abort().await;
                    return Err(ObjectsError::Source(error));
                }
            }
        }
        upload.finish().await
    }

    /// Stores a few bytes.
    ///
    /// # Errors
    ///
    /// What is wrong with the store or the key.
    pub async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), ObjectsError> {
        let path = self.path(key)?;
        self.store.put(&path, bytes.into()).await.map(drop).map_err(ObjectsError::from)
    }

    /// An object's bytes.
    ///
    /// # Errors
    ///
    /// [`ObjectsError::NotFound`], and what is wrong with the store; the stream ends with an error when it breaks off.
    pub async fn get(&self, key: &str) -> Result<Download, ObjectsError> {
        self.get_with(key, GetOptions::new()).await
    }

    /// Some of an object's bytes; the range must begin within it and is cut where it ends.
    ///
    /// # Errors
    ///
    /// As [`Self::get`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Download, ObjectsError> {
        self.get_with(key, GetOptions::new().with_range(Some(range))).await
    }

    async fn get_with(&self, key: &str, options: GetOptions) -> Result<Download, ObjectsError> {
        let result = self.store.get_opts(&self.path(key)?, options).await?;
        Ok(Download { size_bytes: result.meta.size, stream: result.into_stream().map_err(ObjectsError::from).boxed() })
    }

    /// The whole of an object that is known to be small.
    ///
    /// # Errors
    ///
    /// As [`Self::get`]; [`ObjectsError::TooLarge`] when it has more than `most` bytes.
    pub async fn get_bytes(&self, key: &str, most: u64) -> Result<Bytes, ObjectsError> {
        let found = self.get(key).await?;
        if found.size_bytes > most {
            return Err(ObjectsError::TooLarge { key: key.to_owned(), size_bytes: found.size_bytes });
        }
        let pieces: Vec<Bytes> = found.stream.try_collect().await?;
        Ok(pieces.concat().into())
    }

    /// What there is to know about an object; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// What is wrong with the store or the key.
    pub async fn find(&self, key: &str) -> Result<Option<Stored>, ObjectsError> {
        match self.store.head(&self.path(key)?).await {
            Ok(meta) => Ok(Some(self.stored(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an object is there.
    ///
    /// # Errors
    ///
    /// As [`Self::find`].
    pub async fn exists(&self, key: &str) -> Result<bool, ObjectsError> {
        self.find(key).await.map(|found| found.is_some())
    }

    /// Every object below `prefix`, which is made of whole words (`backups`, `backups/daily`); empty means all. In no order
    /// that could be relied on.
    ///
    /// # Errors
    ///
    /// The stream tells them, and ends.
    pub fn list(&self, prefix: &str) -> BoxStream<'static, Result<Stored, ObjectsError>> {
        let below = if prefix.is_empty() { Ok(self.prefix.clone()) } else { self.path(prefix) };
        match below {
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
            Ok(below) => {
                let this = self.clone();
                let found = self.store.list(Some(&below));
                found.map(move |meta| meta.map(|meta| this.stored(&meta)).map_err(ObjectsError::from)).boxed()
            }
        }
    }

    /// Removes an object; one that is not there is gone already.
    ///
    /// # Errors
    ///
    /// What is wrong with the store or the key.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectsError> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A URL from which anyone can download the object for a while, without MindFlow in between; `None` where only MindFlow
    /// itself can hand objects out, as from a folder.
    ///
    /// - `answer_headers`: what the bucket's answer shall say, such as (`content-disposition`, `attachment`).
    ///
    /// # Errors
    ///
    /// What is wrong with the key or the credentials.
    pub async fn signed_url(
        &self,
        key: &str,
        life: Duration,
        answer_headers: &[(&str, &str)],
    ) -> Result<Option<String>, ObjectsError> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let overrides = answer_headers.iter().map(|(name, value)| (format!("response-{name}"), *value));
        let options = SignedUrlOptions::new().with_query(overrides);
        let url = signer.signed_url_opts(http::Method::GET, &self.path(key)?, life, &options).await?;
        Ok(Some(url.into()))
    }

    /// Tries whether the store answers.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub async fn check(&self) -> Result<(), ObjectsError> {
        match &self.place {
            Place::Folder(folder) => place::check_folder(folder),
            Place::Bucket { .. } => self.find(PROBE).await.map(drop),
        }
    }

    /// Removes what uploads left behind whose process died, where they were last written to before `before`. Buckets do
    /// that by themselves, if they are told to; see `docs/attachments.md`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub async fn remove_leftovers(&self, before: Timestamp) -> Result<u64, ObjectsError> {
        match self.place.clone() {
            Place::Folder(folder) => leftovers::remove(folder, before).await,
            Place::Bucket { .. } => Ok(0),
        }
    }

    /// Buckets want parts of some size; a folder takes them as they come.
    const fn part_bytes(&self) -> usize {
        match self.place {
            Place::Folder(_) => PART_BYTES / 8,
            Place::Bucket { .. } => PART_BYTES,
        }
    }

    fn path(&self, key: &str) -> Result<Path, ObjectsError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let word = |word: &str| !word.is_empty() && !word.starts_with('.') && word.bytes().all(plain);
        if key.len() > MAX_KEY || !key.split('/').all(word) {
            return Err(ObjectsError::Key(key.to_owned()));
        }
        let below = if self.prefix.is_root() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Path::parse(below).map_err(|_| ObjectsError::Key(key.to_owned()))
    }

    fn stored(&self, meta: &ObjectMeta) -> Stored {
        let whole = meta.location.as_ref();
        let key = whole.strip_prefix(self.prefix.as_ref()).map_or(whole, |rest| rest.trim_start_matches('/'));
        Stored { key: key.to_owned(), size_bytes: meta.size, modified: meta.last_modified.into() }
    }
}

/// Shows where it is and nothing of how it is reached.
impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.place.to_string()).finish()
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}
