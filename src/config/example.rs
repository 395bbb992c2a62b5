//! The example file, written from the list of keys so that it cannot lack one.

use std::fmt::Write;

use super::keys::{KEYS, Key};

const HEAD: &str = "\
# MindFlow's configuration. Copy this file to mindflow.toml (or name another one with --config or MINDFLOW_CONFIG)
# and take the # away before what you change; the values shown are the defaults.
#
# The environment wins over this file. Each key has the names given with it; names that begin with MINDFLOW__ reach
# every key. A wrong value stops the start and is named.
";

/// The keys whose values are lists.
const LISTS: [&str; 11] = [
    "server.cors_origins",
    "server.trusted_proxies",
    "server.widget_frame_ancestors",
    "oauth.registration_hosts",
    "attachments.allowed_types",
    "backup.encrypt_to",
    "policies.params",
    "policies.readers",
    "policies.proposers",
    "policies.approvers",
    "policies.activators",
];

/// The commented `mindflow.example.toml`: every key with its names, default and what is allowed.
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    let mut current = "";
    for key in KEYS {
        let (section, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if section != current {
            current = section;
            let _ = write!(text, "\n[{section}]\n");
        }
        describe(&mut text, key);
        let value = if key.default.is_empty() { key.sample } else { key.default };
        let _ = writeln!(text, "# {name} = {}", as_toml(key, value));
    }
    text
}

fn describe(text: &mut String, key: &Key) {
    let _ = writeln!(text);
    for line in wrapped(key.about, 110) {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "# Allowed: {}.", key.allowed);
    let default = if key.default.is_empty() { "unset" } else { key.default };
    let short = key.short_name.map(|name| format!("{name} or ")).unwrap_or_default();
    let _ = writeln!(text, "# Default: {default}. Environment: {short}{}.", key.long_name());
    if key.may_stand_in_a_file() {
        let name = key.short_name.map_or_else(|| key.long_name(), str::to_owned);
        let _ = writeln!(text, "# Or in a file that the environment names: {name}_FILE.");
    }
}

/// A value as the file writes it: numbers and booleans bare, lists in brackets, the rest in quotes.
fn as_toml(key: &Key, value: &str) -> String {
    if LISTS.contains(&key.path) {
        let items: Vec<_> = value.split(',').map(|item| format!("\"{}\"", item.trim())).collect();
        format!("[{}]", items.join(", "))
    } else if value.parse::<f64>().is_ok_and(f64::is_finite) || value.parse::<bool>().is_ok() {
        value.to_owned()
    } else {
        format!("\"{value}\"")
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
