//! Signing keys as files of the data folder, as MindFlow 7.0 kept them; the ring in the database takes them over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::keys::{KeyError, SigningKey};

/// A key that was found.
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    pub(super) key: SigningKey,
    pub(super) pem: Zeroizing<String>,
}

/// Reads the keys `folder/*.pem`, the newest first; none when there is no such folder. Blocks.
pub(super) fn read_all(folder: &Path) -> Result<Vec<KeyFile>, KeyError> {
    let failed = |path: &Path, source| KeyError::File { path: path.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(folder, error))?,
    };
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let changed = fs::metadata(&path).and_then(|data| data.modified()).map_err(|error| failed(&path, error))?;
            files.push((changed, path));
        }
    }
    files.sort();
    let read = |(_, path): (SystemTime, PathBuf)| {
        let pem = Zeroizing::new(fs::read_to_string(&path).map_err(|error| failed(&path, error))?);
        let key = SigningKey::from_pem(&pem, &format!("`{}`", path.display()))?;
        Ok(KeyFile { path, key, pem })
    };
    files.into_iter().rev().map(read).collect()
}

/// Removes files whose keys are in the database now: a private key is nowhere unsealed. Blocks.
pub(super) fn remove(files: &[PathBuf], folder: &Path) {
    for path in files {
        match fs::remove_file(path) {
            Ok(()) => tracing::info!(path = %path.display(), "the signing key is kept in the database now, sealed"),
            // Another instance on the same folder was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a private key that is not needed any more stays");
            }
        }
    }
    // The folder goes too when nothing else is in there.
    let _ = fs::remove_file(folder.join(".lock"));
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_comes_first_and_drafts_are_no_keys() {
        let data = tempfile::tempdir().unwrap();
        let names = ["old", "new"].map(|name| {
            let (key, pem) = SigningKey::generate().unwrap();
            let path = data.path().join(format!("{name}.pem"));
            fs::write(&path, &*pem).unwrap();
            key.kid().to_owned()
        });
        let old = fs::File::options().write(true).open(data.path().join("old.pem")).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        fs::write(data.path().join("half.new"), "-----BEGIN").unwrap();

        let found = read_all(data.path()).unwrap();

        let kids: Vec<_> = found.iter().map(|file| file.key.kid()).collect();
        assert_eq!(kids, [names[1].as_str(), names[0].as_str()]);
        assert!(read_all(&data.path().join("nowhere")).unwrap().is_empty());
    }

    #[test]
    fn a_broken_key_file_is_named() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("mine.pem"), "not a key").unwrap();

        let error = read_all(data.path()).err().unwrap().to_string();

        assert!(error.contains("mine.pem") && error.ends_with("is no RSA private key in PEM form"), "{error}");
    }

    #[test]
    fn what_was_taken_over_is_removed_and_the_rest_stays() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("keys");
        fs::create_dir(&folder).unwrap();
        for name in ["a.pem", ".lock", "mine.txt"] {
            fs::write(folder.join(name), "x").unwrap();
        }

        remove(&[folder.join("a.pem"), folder.join("b.pem")], &folder);
        assert!(folder.join("mine.txt").exists() && !folder.join("a.pem").exists());
        fs::write(folder.join(".lock"), "").unwrap();
        fs::remove_file(folder.join("mine.txt")).unwrap();
        remove(&[], &folder);

        assert!(!folder.exists());
    }
}
