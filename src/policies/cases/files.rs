//! The files in which examples stand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many bytes a file may have.
const MOST_BYTES: u64 = 1024 * 1024;
/// How deep a file may be nested: the parser takes time by the square of it.
const MOST_DEPTH: usize = 64;

/// A file of examples: its path, and its text or why there is none. What cannot be read fails as an example does: nobody
/// knows whether the policy still does what it says.
pub type ExampleFile = (PathBuf, Result<String, String>);

/// The example files of a policy's folder, in the order of their names; editors' own files, whose names begin with a dot, are
/// none.
pub fn read_case_files(folder: &Path) -> Vec<ExampleFile> {
    let folder = folder.join("tests");
    let paths = match paths(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![(folder, Err(format!("the examples cannot be listed: {error}")))],
        Ok(paths) => paths,
    };
    let read = |path: PathBuf| {
        let text = read(&path).map_err(|error| format!("the file cannot be read: {error}"));
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    let is_example = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !hidden && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().filter(is_example).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> io::Result<String> {
    let refuse = |message: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    let about = fs::metadata(path)?;
    // To open a pipe is to wait for whoever writes to it.
    if !about.is_file() {
        return refuse("it is no file");
    }
    if about.len() > MOST_BYTES {
        return refuse("it has more than 1 MiB");
    }
    fs::read_to_string(path)
}

/// Refuses what would keep the parser busy for long.
///
/// # Errors
///
/// What is wrong with the text.
pub(super) fn check_depth(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for line in text.lines() {
        let dashes = line.split_whitespace().take_while(|word| matches!(*word, "-" | "?")).count();
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth.max(dashes) > MOST_DEPTH {
                return Err(format!("it is nested deeper than {MOST_DEPTH} levels"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_and_what_editors_leave_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let tests = folder.path().join("tests");
        fs::create_dir_all(tests.join("c.yaml")).unwrap();
        fs::write(tests.join("a.yaml"), "cases: []").unwrap();
        fs::write(tests.join("b.yml"), [0xff, 0xfe]).unwrap();
        fs::write(tests.join(".#a.yaml"), [0xff]).unwrap();
        fs::write(tests.join("notes.txt"), "").unwrap();

        let files = read_case_files(folder.path());

        let told: Vec<_> = files.iter().map(|(path, text)| (path.file_name().unwrap(), text.is_ok())).collect();
        assert_eq!(told, [("a.yaml".as_ref(), true), ("b.yml".as_ref(), false), ("c.yaml".as_ref(), false)]);
        assert_eq!(read_case_files(&tests), []);
    }

    #[test]
    fn deep_nests_are_refused_before_they_are_parsed() {
        assert!(check_depth("cases: [{now: x, tasks: [{id: a}]}]").is_ok());
        assert!(check_depth(&format!("cases: {}", "[".repeat(100_000))).is_err());
        assert!(check_depth(&"- ".repeat(100_000)).is_err());
    }
}
