//! What can go wrong with backups.

use std::io;
use std::path::PathBuf;

use crate::objects::ObjectsError;
use crate::store::StoreError;
use crate::store::migrations::MigrationError;

/// Why an archive is not taken. Found before anything is touched, or else nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file is something else.
    #[error("the file is not a backup of MindFlow")]
    NotABackup,
    /// Something is missing at its end.
    #[error("the archive is cut off: it ends before its end")]
    Truncated,
    /// Something in it is not what was written.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// Something in it should not be there, or not in that place.
    #[error("the archive is not in order: `{0}` does not belong there")]
    Foreign(String),
    /// Something in it is larger than anything that this program writes.
    #[error("the archive is not in order: `{0}` is larger than it can be")]
    TooLarge(String),
    /// A newer program wrote it.
    #[error("the archive is newer than this program: its {what} is {found}, and this program knows up to {known}")]
    Newer {
        /// Format or schema.
        what: &'static str,
        /// What it has.
        found: i64,
        /// What is known.
        known: i64,
    },
    /// It is encrypted to a key.
    #[error("the archive is encrypted to a key: name the file with its identity (`--identity`)")]
    NeedsIdentity,
    /// It is encrypted with a passphrase.
    #[error("the archive is encrypted with a passphrase: name the file that holds it (`--passphrase-file`)")]
    NeedsPassphrase,
    /// What was given does not open it.
    #[error("the archive cannot be decrypted with that")]
    WrongKey,
    /// The file cannot be read.
    #[error("the archive cannot be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ArchiveError {
    /// Faults of the compressed or sealed bytes come as errors of reading.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database, or an empty one.
    #[error("there is nothing to back up: the database is empty")]
    NothingThere,
    /// The target holds something.
    #[error("the target is not empty: it has rows in {}; `--force` replaces everything", .0.join(", "))]
    Occupied(Vec<&'static str>),
    /// The archive is none, or not whole.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The rows in the database are not those of the archive.
    #[error(
        "the table `{table}` came out otherwise than the archive says: {found} rows instead of {expected}, or others"
    )]
    Differs {
        /// Which table.
        table: String,
        /// How many rows there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its schema.
    #[error(transparent)]
    Schema(#[from] MigrationError),
    /// The place of backups, or of attachments.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// A file of that name is there already.
    #[error("`{0}` is there already")]
    Exists(String),
    /// There is no such archive.
    #[error("there is no backup `{0}`")]
    NoSuchBackup(String),
    /// A recipient is no public key of age.
    #[error("`{0}` is not a public key of age (`age1…`)")]
    Recipient(String),
    /// A file with a key or a passphrase.
    #[error("the key or passphrase in `{}` cannot be read", path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something on the way to the archive.
    #[error("the archive cannot be written")]
    Write(#[source] io::Error),
    /// A scratch file or folder.
    #[error("no temporary file can be written")]
    Scratch(#[source] io::Error),
    /// The database's own tool.
    #[error("the native copy failed: {0}")]
    Native(String),
    /// The work was cut off: the program stops.
    #[error("the work was cut off")]
    CutOff,
}
