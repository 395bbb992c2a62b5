//! The seal of an archive: age (age-encryption.org/v1), to public keys or with a passphrase.
//!
//! What is sealed cannot be changed without notice either: each piece is authenticated, and the last one is marked.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, EncryptError, Encryptor, IdentityFile, scrypt, x25519};
use zeroize::Zeroizing;

use super::{ArchiveError, BackupError};

/// How a file of age begins.
const MAGIC: &[u8] = b"age-encryption.org/";
/// The most work that opening a passphrase may take, as a power of two: about a minute.
const MOST_WORK: u8 = 23;
/// The largest file with a passphrase or a key, in bytes.
const KEY_FILE_BYTES: u64 = 64 * 1024;

/// For whom an archive is sealed.
pub enum Seal {
    /// For nobody: anybody who has it can read it.
    Open,
    /// For those who hold one of the keys.
    Keys(Vec<x25519::Recipient>),
    /// For those who know the passphrase.
    Passphrase(SecretString),
}

/// Says what kind it is and nothing more.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Keys(_) => "Keys",
            Self::Passphrase(_) => "Passphrase",
        })
    }
}

impl Seal {
    /// A seal for public keys (`age1…`); without any, or with a file, what that says.
    ///
    /// # Errors
    ///
    /// [`BackupError::Recipient`] and [`BackupError::KeyFile`].
    pub fn choose(recipients: &[String], passphrase_file: Option<&Path>) -> Result<Self, BackupError> {
        if let Some(path) = passphrase_file {
            return Ok(Self::Passphrase(read_passphrase(path)?));
        }
        let key = |text: &String| text.trim().parse().map_err(|_| BackupError::Recipient(text.clone()));
        let keys = recipients.iter().map(key).collect::<Result<Vec<x25519::Recipient>, _>>()?;
        Ok(if keys.is_empty() { Self::Open } else { Self::Keys(keys) })
    }

    /// Whether anything is sealed at all.
    pub const fn is_closed(&self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Seals what is written, into `out`.
    pub(super) fn wrap<W: Write>(&self, out: W) -> io::Result<Sealing<W>> {
        let sealed = match self {
            Self::Open => return Ok(Sealing::Open(out)),
            Self::Keys(keys) => Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient)),
            Self::Passphrase(passphrase) => Ok(Encryptor::with_user_passphrase(passphrase.clone())),
        };
        let sealed = sealed.map_err(|error: EncryptError| io::Error::other(error.to_string()))?;
        Ok(Sealing::Closed(sealed.wrap_output(out)?))
    }
}

/// What is written on its way through the seal.
pub(super) enum Sealing<W: Write> {
    Open(W),
    Closed(StreamWriter<W>),
}

impl<W: Write> Sealing<W> {
    /// Writes what is left and gives the output back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Open(out) => Ok(out),
            Self::Closed(out) => out.finish(),
        }
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(out) => out.write(bytes),
            Self::Closed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(out) => out.flush(),
            Self::Closed(out) => out.flush(),
        }
    }
}

/// With what an archive may be opened.
pub enum Unlock {
    /// With nothing.
    Nothing,
    /// With one of the keys of a file.
    Identities(Vec<Box<dyn age::Identity + Send + Sync>>),
    /// With a passphrase.
    Passphrase(SecretString),
}

/// Says what kind it is and nothing more.
impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Identities(_) => "Identities",
            Self::Passphrase(_) => "Passphrase",
        })
    }
}

impl Unlock {
    /// Reads the file that was named, if one was: of keys (`AGE-SECRET-KEY-1…`), or of a passphrase.
    ///
    /// # Errors
    ///
    /// [`BackupError::KeyFile`].
    pub fn choose(identity: Option<&Path>, passphrase_file: Option<&Path>) -> Result<Self, BackupError> {
        if let Some(path) = passphrase_file {
            return Ok(Self::Passphrase(read_passphrase(path)?));
        }
        let Some(path) = identity else { return Ok(Self::Nothing) };
        let failed = |source| BackupError::KeyFile { path: path.to_owned(), source };
        let file = BufReader::new(fs::File::open(path).map_err(failed)?.take(KEY_FILE_BYTES));
        let keys = IdentityFile::from_buffer(file).map_err(failed)?.into_identities();
        let keys = keys.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error.to_string())))?;
        if keys.is_empty() {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "there is no key in it")));
        }
        Ok(Self::Identities(keys))
    }

    /// The bytes within the seal, if there is one.
    pub(super) fn open<R: BufRead>(&self, mut file: R) -> Result<Unsealed<R>, ArchiveError> {
        let begin = file.fill_buf().map_err(ArchiveError::Io)?;
        if !begin.starts_with(MAGIC) {
            return Ok(Unsealed::Open(file));
        }
        let sealed = Decryptor::new_buffered(file).map_err(explain)?;
        let opened = match self {
            Self::Identities(keys) if !sealed.is_scrypt() => {
                sealed.decrypt(keys.iter().map(|key| &**key as &dyn age::Identity))
            }
            Self::Passphrase(passphrase) if sealed.is_scrypt() => {
                let mut key = scrypt::Identity::new(passphrase.clone());
                key.set_max_work_factor(MOST_WORK);
                sealed.decrypt(std::iter::once(&key as &dyn age::Identity))
            }
            _ if sealed.is_scrypt() => return Err(ArchiveError::NeedsPassphrase),
            _ => return Err(ArchiveError::NeedsIdentity),
        };
        Ok(Unsealed::Closed(Box::new(opened.map_err(explain)?)))
    }
}

fn explain(error: DecryptError) -> ArchiveError {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            ArchiveError::WrongKey
        }
        DecryptError::Io(error) => error.into(),
        other => ArchiveError::Damaged(other.to_string()),
    }
}

/// The bytes within the seal.
pub(super) enum Unsealed<R> {
    Open(R),
    Closed(Box<StreamReader<R>>),
}

impl<R: Read> Read for Unsealed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => file.read(bytes),
            Self::Closed(file) => file.read(bytes),
        }
    }
}

/// The first line of a file.
fn read_passphrase(path: &Path) -> Result<SecretString, BackupError> {
    let failed = |source| BackupError::KeyFile { path: path.to_owned(), source };
    let mut text = Zeroizing::new(String::new());
    let file = fs::File::open(path).map_err(failed)?;
    file.take(KEY_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    match text.lines().next().filter(|line| !line.trim().is_empty()) {
        Some(line) => Ok(SecretString::from(line.to_owned())),
        None => Err(failed(io::Error::new(io::ErrorKind::InvalidData, "its first line is empty"))),
    }
}
