//! The policies folder as it is on disk: `<name>/policy.rhai` and `<name>/tests/*.yaml`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::cases::{ExampleFile, read_case_files};
use super::engine::MAX_SCRIPT_BYTES;

/// The file of a policy in its folder.
pub const SCRIPT_FILE: &str = "policy.rhai";

/// A policy's files as they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The script's path.
    pub file: PathBuf,
    /// Its text, or why it could not be read.
    pub text: Result<String, String>,
    /// The examples beside it.
    pub cases: Vec<ExampleFile>,
}

/// Reads all policies of a folder. Content is compared by the caller, so nothing depends on times or events.
///
/// # Errors
///
/// The folder cannot be listed.
pub fn read_folder(folder: &Path) -> io::Result<BTreeMap<String, Source>> {
    let mut sources = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !is_name(&name) {
            continue;
        }
        let file = entry.path().join(SCRIPT_FILE);
        let text = match read_limited(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => continue,
            text => text.map_err(|error| format!("the file cannot be read: {error}")),
        };
        let cases = read_case_files(&entry.path());
        sources.insert(name, Source { file, text, cases });
    }
    Ok(sources)
}

/// Policies are named in requests: lower-case letters, digits, `-` and `_`, at most 64.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed)
}

/// Reads no more than a script may have, and one byte by which the compiler sees that it is too long.
pub fn read_limited(file: &Path) -> io::Result<String> {
    // To open a pipe is to wait for whoever writes to it.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_SCRIPT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SCRIPT_BYTES {
        // Cut in the middle of a character it would not be UTF-8; its length is all that matters now.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
