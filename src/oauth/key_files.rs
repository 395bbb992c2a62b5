//! Signing keys as files of the data folder, readable by their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::keys::{KeyError, KeySet, SigningKey};

/// Reads the keys `folder/*.pem`, of which the newest signs; makes the folder and a first key when there is none.
///
/// A key appears under its name only when it is whole, and only one process makes it at a time.
pub(super) fn load_or_generate(folder: &Path) -> Result<KeySet, KeyError> {
    let failed = |source| KeyError::File { path: folder.to_owned(), source };
    make_folder(folder).map_err(failed)?;
    let lock = private_file(&folder.join(".lock"), OpenOptions::new().create(true).append(true)).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut keys = read_all(folder)?;
    if keys.is_empty() {
        let (key, pem) = SigningKey::generate()?;
        write_whole(folder, key.kid(), &pem).map_err(failed)?;
        keys.push(key);
    }
    let active = keys.remove(0);
    KeySet::new(active, keys)
}

fn read_all(folder: &Path) -> Result<Vec<SigningKey>, KeyError> {
    let failed = |path: &Path, source| KeyError::File { path: path.to_owned(), source };
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let changed = fs::metadata(&path).and_then(|data| data.modified()).map_err(|error| failed(&path, error))?;
            files.push((changed, path));
        }
    }
    files.sort();
    files
        .iter()
        .rev()
        .map(|(_, path)| {
            let pem = fs::read_to_string(path).map_err(|error| failed(path, error))?;
            SigningKey::from_pem(&pem, &format!("`{}`", path.display()))
        })
        .collect()
}

fn write_whole(folder: &Path, kid: &str, pem: &str) -> io::Result<()> {
    let draft = folder.join(format!("{kid}.new"));
    let mut file = private_file(&draft, OpenOptions::new().create(true).write(true).truncate(true))?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(format!("{kid}.pem")))?;
    File::open(folder)?.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_a_private_file_and_the_second_reads_it() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("keys");

        let first = load_or_generate(&folder).unwrap();
        let second = load_or_generate(&folder).unwrap();

        let file = folder.join(format!("{}.pem", first.active().kid()));
        assert_eq!(first.active().kid(), second.active().kid());
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn the_newest_key_signs_and_older_ones_still_verify() {
        let data = tempfile::tempdir().unwrap();
        let first = load_or_generate(data.path()).unwrap();
        let (newer, pem) = SigningKey::generate().unwrap();
        write_whole(data.path(), newer.kid(), &pem).unwrap();
        let old = File::open(data.path().join(format!("{}.pem", first.active().kid()))).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();

        let keys = load_or_generate(data.path()).unwrap();

        assert_eq!(keys.active().kid(), newer.kid());
        assert!(keys.find(first.active().kid()).is_some());
    }

    #[test]
    fn a_broken_key_file_is_named() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("mine.pem"), "not a key").unwrap();

        let error = load_or_generate(data.path()).err().unwrap().to_string();

        assert!(error.contains("mine.pem") && error.ends_with("is no RSA private key in PEM form"), "{error}");
    }

    #[test]
    fn a_draft_that_a_crash_left_is_no_key() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("half.new"), "-----BEGIN").unwrap();

        assert!(load_or_generate(data.path()).is_ok());
    }
}
