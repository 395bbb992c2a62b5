//! `deploy/env.sh`: what it writes is what the server takes, and nobody else can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::tools::{outcome, repository, run};

const URL: [&str; 2] = ["--url", "https://mindflow.example.org"];

fn env_sh() -> Command {
    let mut command = Command::new(repository().join("deploy/env.sh"));
    command.args(URL);
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The settings of a file, as systemd and `release.sh` read them.
fn settings(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn value(settings: &[(String, String)], name: &str) -> String {
    settings.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is missing")).1.clone()
}

fn is_random(secret: &str) -> bool {
    secret.len() == 64 && secret.chars().all(|letter| letter.is_ascii_hexdigit())
}

#[test]
fn the_settings_of_a_unit_hold_a_secret_of_their_own() {
    let folder = TempDir::new().unwrap();
    let (one, other) = (folder.path().join("one.env"), folder.path().join("other.env"));

    run(env_sh().arg(&one));
    run(env_sh().arg(&other));

    let (first, second) = (settings(&one), settings(&other));
    assert!(is_random(&value(&first, "SECRET_KEY")), "{first:?}");
    assert_ne!(value(&first, "SECRET_KEY"), value(&second, "SECRET_KEY"));
    assert_eq!(value(&first, "PUBLIC_URL"), "https://mindflow.example.org");
    assert_eq!(mode(&one), 0o600);
}

#[test]
fn the_server_takes_the_settings() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mindflow.env");
    run(env_sh().args(["--postgres", "127.0.0.1:1/mindflow"]).arg(&file));
    let migrate = settings(&folder.path().join("migrate.env"));

    let mut mindflow = Command::new(env!("CARGO_BIN_EXE_mindflow"));
    mindflow.env_clear().envs(settings(&file)).env("DATA_DIR", folder.path().join("data")).current_dir(folder.path());
    let (_, said) = outcome(mindflow.args(["doctor", "--json"]));
    let told: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error}: {said}"));

    let checks: Vec<_> =
        told["findings"].as_array().unwrap().iter().filter(|finding| finding["level"] == "ok").collect();
    for wanted in ["configuration.environment", "configuration.public_url", "secret_key", "proxies"] {
        assert!(checks.iter().any(|finding| finding["check"] == wanted), "{wanted} is not in order: {told:#}");
    }
    let (app, owner) = (value(&settings(&file), "DATABASE_URL"), value(&migrate, "DATABASE_URL"));
    let passwords = fs::read_to_string(folder.path().join("passwords.sql")).unwrap();
    for (url, role) in [(app, "mindflow_app"), (owner, "mindflow_owner")] {
        let password = url.split_once(&format!("postgres://{role}:")).unwrap().1.split_once('@').unwrap().0.to_owned();
        assert!(is_random(&password) && passwords.contains(&format!("ALTER ROLE {role} PASSWORD '{password}'")));
    }
    for name in ["migrate.env", "passwords.sql"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn the_secrets_of_containers_lie_in_a_closed_folder() {
    let folder = TempDir::new().unwrap();
    let made = folder.path().join("production");

    run(env_sh().arg("--compose").arg(&made));

    let read = |name: &str| fs::read_to_string(made.join("secrets").join(name)).unwrap();
    assert_eq!((mode(&made.join("secrets")), mode(&made.join(".env"))), (0o700, 0o600));
    assert!(is_random(&read("secret_key")) && is_random(&read("app_password")) && is_random(&read("owner_password")));
    assert_eq!(read("database_url"), format!("postgres://mindflow_app:{}@postgres/mindflow", read("app_password")));
    assert_ne!(read("app_password"), read("owner_password"));
}

#[test]
fn nothing_that_is_there_is_overwritten_and_nonsense_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mindflow.env");
    fs::write(&file, "SECRET_KEY=mine\n").unwrap();

    let (overwrote, _) = outcome(env_sh().arg(&file));
    let (with_postgres, _) = outcome(env_sh().args(["--postgres", "localhost/mindflow"]).arg(&file));
    let mut nonsense = Command::new(repository().join("deploy/env.sh"));
    let (took, _) = outcome(nonsense.args(["--url", "https://x.example/$(id)"]).arg(folder.path().join("new")));
    let mut plain = Command::new(repository().join("deploy/env.sh"));
    let (took_plain, _) = outcome(plain.args(["--url", "http://x.example"]).arg(folder.path().join("new")));

    assert!(!overwrote && !with_postgres && !took && !took_plain);
    assert_eq!(fs::read_to_string(&file).unwrap(), "SECRET_KEY=mine\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
