//! The server's own secret, and who may read the files that hold secrets.

use std::fs;
use std::path::Path;

use super::database;
use super::finding::Findings;
use crate::config::{Config, Loaded};
use crate::secret_key::SecretKey;

/// A random text of 32 characters has more different ones; a sentence or a row of one letter has fewer.
const FEWEST_DIFFERENT: usize = 10;
/// Words of examples that were taken over as they are.
const PLACEHOLDERS: [&str; 6] = ["change", "secret", "example", "password", "your-", "replace"];

/// Looks at the secret, and at the modes of files.
///
/// Returns the secret, when there is one that can be read; none is made.
pub(super) fn check(loaded: &Loaded, findings: &mut Findings) -> Option<SecretKey> {
    let config = &loaded.config;
    if let Some(file) = &loaded.file
        && holds_secrets(file)
    {
        mode(file, "files.configuration", findings);
    }
    folder(&config.storage.data_dir, findings);
    match &config.server.secret_key {
        Some(secret) => {
            strength(secret.expose(), findings);
            Some(SecretKey::new(secret.expose()))
        }
        None => generated(config, findings),
    }
}

fn strength(secret: &str, findings: &mut Findings) {
    let check = "secret_key";
    let mut different: Vec<char> = secret.chars().collect();
    different.sort_unstable();
    different.dedup();
    let lower = secret.to_lowercase();
    let placeholder = PLACEHOLDERS.iter().any(|word| lower.contains(word));
    if different.len() < FEWEST_DIFFERENT || placeholder {
        findings.problem(
            check,
            "SECRET_KEY can be guessed: it repeats itself, or is the text of an example",
            "set SECRET_KEY to the output of `openssl rand -hex 32`, then `mindflow keys rotate --leaked`",
        );
    } else {
        findings.ok(check, "set, and as random as it looks");
    }
}

fn generated(config: &Config, findings: &mut Findings) -> Option<SecretKey> {
    let check = "secret_key";
    let path = config.storage.data_dir.join("secret.key");
    if database::is_postgres(config) {
        findings.warning(
            check,
            "SECRET_KEY is not set: a second instance, or this one on another machine, would make a secret of its own",
            "set SECRET_KEY to the content of secret.key in the data folder, or to the output of `openssl rand -hex 32`",
        );
    }
    if !path.is_file() {
        findings.warning(
            check,
            "there is none yet",
            "the first start makes one in the data folder; back that folder up",
        );
        return None;
    }
    mode(&path, "files.secret_key", findings);
    match SecretKey::load_or_generate(&config.storage.data_dir) {
        Ok(secret) => {
            if !database::is_postgres(config) {
                findings.ok(check, "generated, in the data folder");
            }
            Some(secret)
        }
        Err(error) => {
            findings.problem(check, format!("secret.key cannot be used: {error}"), "put back the file from a backup");
            None
        }
    }
}

/// The data folder belongs to the server's user alone.
fn folder(data_dir: &Path, findings: &mut Findings) {
    let check = "files.data_folder";
    match fs::metadata(data_dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            findings.problem(check, format!("{} is no folder", data_dir.display()), "set DATA_DIR to a folder");
            return;
        }
        Err(error) => {
            let message = format!("{} is not there or closed: {error}", data_dir.display());
            findings.warning(check, message, "the first start makes it; run doctor as the server's user");
            return;
        }
    }
    mode(data_dir, check, findings);
}

fn holds_secrets(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let keys = crate::config::keys::KEYS.iter().filter(|key| key.may_stand_in_a_file());
    let names: Vec<&str> = keys.filter_map(|key| key.path.split('.').nth(1)).collect();
    lines.filter_map(|line| line.split_once('=')).any(|(name, _)| names.contains(&name.trim()))
}

/// Whether others on this machine may read it.
#[cfg(unix)]
fn mode(path: &Path, check: &'static str, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    let (shown, wanted) = (path.display(), if metadata.is_dir() { "700" } else { "600" });
    // A group may be let in on purpose, such as that of a backup's user; others never.
    if mode & 0o007 != 0 && !metadata.is_dir() {
        findings.problem(
            check,
            format!("{shown} can be read by everybody on this machine (mode {mode:03o})"),
            format!("chmod {wanted} {shown}"),
        );
    } else if mode & 0o077 != 0 {
        findings.warning(
            check,
            format!("{shown} is open to others than its owner (mode {mode:03o})"),
            format!("chmod {wanted} {shown}"),
        );
    } else {
        findings.ok(check, format!("{shown} is its owner's alone"));
    }
}

#[cfg(not(unix))]
fn mode(_path: &Path, _check: &'static str, _findings: &mut Findings) {}
