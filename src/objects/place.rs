//! Where a store is.

use std::fmt;
use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use url::Url;

use super::error::ObjectsError;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of an S3-compatible service.
    Bucket {
        /// Its name.
        bucket: String,
        /// What stands before every key, without slashes at its ends; empty for none.
        prefix: String,
    },
}

impl Place {
    /// Reads a path, a `file:` URL, or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    ///
    /// [`ObjectsError::Url`] for what is none of these.
    pub fn parse(text: &str) -> Result<Self, ObjectsError> {
        let refused = || ObjectsError::Url(text.to_owned());
        if let Some(rest) = text.strip_prefix("s3://") {
            return bucket(rest).ok_or_else(refused);
        }
        if text.starts_with("file:") {
            let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            return path.map(Self::Folder).ok_or_else(refused);
        }
        if text.is_empty() || text.contains("://") || text.contains('\0') {
            return Err(refused());
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }
}

/// As it is written in the configuration.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Names as S3 takes them (Amazon S3 User Guide, "General purpose bucket naming rules"), underscores for older ones.
fn bucket(text: &str) -> Option<Place> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let named = (3..=63).contains(&bucket.len()) && bucket.bytes().all(plain);
    let word = |word: &str| !word.is_empty() && !word.starts_with('.') && word.bytes().all(plain);
    let placed = prefix.is_empty() || (prefix.len() <= 256 && prefix.split('/').all(word));
    (named && placed).then(|| Place::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

/// Makes a folder for the server's own user alone; one that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> Result<(), ObjectsError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| ObjectsError::folder(folder, source))?;
    check_folder(folder)
}

/// Whether files can be made in a folder.
pub(super) fn check_folder(folder: &Path) -> Result<(), ObjectsError> {
    let needed = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(folder, needed).map_err(|source| ObjectsError::folder(folder, std::io::Error::from(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_buckets_are_told_apart() {
        let place = |text: &str| Place::parse(text).map(|place| place.to_string()).ok();

        assert_eq!(place("s3://notes").as_deref(), Some("s3://notes"));
        assert_eq!(place("s3://notes/mind/flow/").as_deref(), Some("s3://notes/mind/flow"));
        assert_eq!(place("file:///var/lib/mind%20flow").as_deref(), Some("/var/lib/mind flow"));
        assert_eq!(place("./objects").as_deref(), Some("./objects"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "s3://", "s3://ab", "s3://a b c", "s3://notes//x", "s3://notes/../x", "gs://notes", "a\0b"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
