//! What can go wrong with objects, by what can be done about it.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

use object_store::Error;

/// What is behind a fault of the store.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an object was not stored, read, listed or removed. Neither message nor sources name a credential.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// Nothing is stored under this key.
    #[error("there is no object `{0}`")]
    NotFound(String),
    /// The key is not made of plain words.
    #[error("`{0}` cannot be the key of an object")]
    Key(String),
    /// An object that should be small is not.
    #[error("the object `{key}` has {size_bytes} bytes, more than belong there")]
    TooLarge {
        /// Which one.
        key: String,
        /// How many bytes it has.
        size_bytes: u64,
    },
    /// No store is named by this.
    #[error("`{0}` names no object store; a folder's path or s3://BUCKET/PREFIX does")]
    Url(String),
    /// The folder cannot be made or written.
    #[error("the folder `{}` of the object store cannot be written", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The settings of the bucket make no sense.
    #[error("the settings of the bucket make no sense")]
    Settings(#[source] Cause),
    /// The credentials are not good there.
    #[error("the object store refuses the credentials")]
    Refused(#[source] Cause),
    /// There is no room left.
    #[error("the object store is full")]
    Full(#[source] Cause),
    /// The store cannot be reached, or cannot do it now.
    #[error("the object store does not answer")]
    Unavailable(#[source] Cause),
    /// What should be stored broke off; nothing was stored.
    #[error("what should be stored broke off")]
    Source(#[source] io::Error),
}

impl ObjectsError {
    pub(super) fn folder(folder: &Path, source: impl Into<Cause>) -> Self {
        Self::Folder { folder: folder.to_owned(), source: source.into() }
    }
}

impl From<Error> for ObjectsError {
    fn from(error: Error) -> Self {
        if is_full(&error) {
            return Self::Full(error.into());
        }
        match error {
            Error::NotFound { path, .. } => Self::NotFound(path),
            error @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => Self::Refused(error.into()),
            error @ (Error::UnknownConfigurationKey { .. } | Error::NotImplemented { .. }) => {
                Self::Settings(error.into())
            }
            error => Self::Unavailable(error.into()),
        }
    }
}

/// Whether a disk without room is behind it, however deep.
fn is_full(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        let kind = current.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = current.source();
    }
    false
}
