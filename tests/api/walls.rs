//! The walls of the house, read off its sources: who may name which library, and which room which other.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file, by its path below `src`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The files outside `rooms` whose code names one of `words`; comments may.
fn trespassers(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if rooms.iter().any(|room| name == format!("{room}.rs") || name.starts_with(&format!("{room}/"))) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        found.extend(
            code.filter(|line| words.iter().any(|word| line.contains(word))).map(|line| format!("{name}: {line}")),
        );
    }
    found
}

#[test]
fn each_library_of_a_room_is_named_there_alone() {
    assert_eq!(trespassers(&["http"], &["poem::", "poem_openapi"]), [""; 0]);
    assert_eq!(trespassers(&["store"], &["sqlx::"]), [""; 0]);
    assert_eq!(trespassers(&["backup"], &["use age::", "use tar::"]), [""; 0]);
    assert_eq!(trespassers(&["policies", "scoring/lower"], &["rhai::"]), [""; 0]);
    assert_eq!(trespassers(&["mail/smtp"], &["lettre::"]), [""; 0]);
    assert_eq!(trespassers(&["objects"], &["object_store::"]), [""; 0]);
    assert_eq!(trespassers(&["accounts/passkeys"], &["webauthn_rs::"]), [""; 0]);
    assert_eq!(trespassers(&["observe"], &["prometheus_client::", "sentry::", "opentelemetry"]), [""; 0]);
    assert_eq!(trespassers(&["http"], &["hyper::", "hyper_util::"]), [""; 0]);
    assert_eq!(trespassers(&["shared"], &["redis::"]), [""; 0]);
    assert_eq!(trespassers(&["mcp", "http/mcp", "http/mcp_tools", "observe/logs"], &["rmcp::"]), [""; 0]);
    assert_eq!(trespassers(&["attachments"], &["infer::"]), [""; 0]);
    assert_eq!(trespassers(&["http"], &["multer::"]), [""; 0]);
    assert_eq!(trespassers(&["cli/supervisor"], &["sd_notify"]), [""; 0]);
    assert_eq!(trespassers(&["cli/doctor"], &["x509_parser"]), [""; 0]);
}

#[test]
fn the_domain_does_not_know_the_edges_and_the_core_knows_nobody() {
    let edges = ["app", "cli", "http", "lib", "main", "mcp"];
    assert_eq!(trespassers(&edges, &["crate::http", "crate::cli", "crate::app"]), [""; 0]);
    let all_but_the_core = [
        "accounts",
        "app",
        "attachments",
        "background",
        "backup",
        "calendar",
        "cli",
        "clock",
        "config",
        "digests",
        "events",
        "fault",
        "http",
        "ids",
        "lib",
        "mail",
        "main",
        "mcp",
        "oauth",
        "objects",
        "observe",
        "paging",
        "policies",
        "secret_key",
        "store",
        "tasks",
    ];
    assert_eq!(
        trespassers(
            &all_but_the_core,
            &["crate::store", "crate::tasks", "crate::accounts", "crate::policies", "std::fs"]
        ),
        [""; 0]
    );
}
