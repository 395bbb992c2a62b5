//! What uploads into a folder left behind whose process died: files named as their object, with `#` and a number.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::error::ObjectsError;
use crate::clock::Timestamp;

/// How deep folders are looked into; keys are not that long.
const MAX_DEPTH: usize = 16;

/// Removes those last written to before `before`, and says how many.
pub(super) async fn remove(folder: PathBuf, before: Timestamp) -> Result<u64, ObjectsError> {
    let work = {
        let folder = folder.clone();
        move || sweep(&folder, before, MAX_DEPTH)
    };
    let swept = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|swept| swept);
    swept.map_err(|source| ObjectsError::folder(&folder, source))
}

fn sweep(folder: &Path, before: Timestamp, depth: usize) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            removed += sweep(&entry.path(), before, depth - 1)?;
        } else if kind.is_file() && is_leftover(&entry.file_name().to_string_lossy()) {
            let stale = entry.metadata().ok().and_then(|file| age(&file)).is_some_and(|written| written < before);
            // Its upload may end just now, or another instance may be quicker.
            if stale && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn age(file: &fs::Metadata) -> Option<Timestamp> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp::from_micros)
}

fn is_leftover(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
