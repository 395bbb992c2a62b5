//! `deploy/release.sh`, run for real: releases that work, a migration that fails, a server that does not start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::server::{SECRET, free_port};
use crate::tools::{outcome, repository};

/// A machine with a server: the places that `release.sh` knows, and a service manager that is two scripts.
struct Machine {
    folder: TempDir,
    port: u16,
}

/// What is wrong with a release.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Its second migration fails; the first was applied.
    Migration,
    /// It does not start.
    Start,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: TempDir::new().unwrap(), port: free_port() };
        fs::create_dir_all(machine.path("data")).unwrap();
        let policies = repository().join("policies");
        let settings = format!(
            "# settings\nHOST=127.0.0.1\nPORT={}\nSECRET_KEY={SECRET}\nPOLICIES_DIR={}\nMINDFLOW__STORAGE__MIGRATE_ON_START=false\n",
            machine.port,
            policies.display()
        );
        fs::write(machine.path("mindflow.env"), settings).unwrap();
        let stop = format!(
            "[ ! -e {0} ] || {{ kill $(cat {0}); while kill -0 $(cat {0}); do :; done; rm {0}; }} 2>/dev/null\n",
            machine.shown("pid")
        );
        machine.script("stop", &stop);
        let start = format!(
            "{}env $(grep -v '^#' {}) DATA_DIR={} setsid {}/mindflow serve >>{} 2>&1 9>&- </dev/null &\necho $! >{}\n",
            stop,
            machine.shown("mindflow.env"),
            machine.shown("data"),
            machine.shown("root/current"),
            machine.shown("server.log"),
            machine.shown("pid"),
        );
        machine.script("restart", &start);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn script(&self, name: &str, text: &str) {
        executable(&self.path(name), &format!("#!/bin/bash\n{text}"));
    }

    /// A release of the program as it is.
    fn present(&self) -> PathBuf {
        let folder = self.path("present");
        fs::create_dir(&folder).unwrap();
        let calls = self.shown("calls");
        let program = env!("CARGO_BIN_EXE_mindflow");
        executable(
            &folder.join("mindflow"),
            &format!("#!/bin/sh\necho present \"$@\" >>{calls}\nexec {program} \"$@\"\n"),
        );
        folder
    }

    /// A later release, two migrations ahead.
    fn next(&self, version: &str, fault: Fault) -> PathBuf {
        let folder = self.path(version);
        fs::create_dir(&folder).unwrap();
        let text = fs::read_to_string(repository().join("tests/deploy/next.py")).unwrap();
        let fails = if fault == Fault::Migration { 9002 } else { 0 };
        let sick = if fault == Fault::Start { "True" } else { "False" };
        let program = env!("CARGO_BIN_EXE_mindflow");
        let values = format!("({program:?}, {version:?}, {fails}, {sick}, {:?})", self.shown("calls"));
        executable(&folder.join("mindflow"), &text.replace("= SETTINGS_OF_NEXT", &format!("= {values}")));
        folder
    }

    fn release(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(repository().join("deploy/release.sh"));
        command.args(arguments).env("MINDFLOW_ROOT", self.path("root")).env("SETTINGS", self.path("mindflow.env"));
        command.env("MIGRATE_ENV", self.path("migrate.env")).env("DATA_DIR", self.path("data")).env("WAIT", "10");
        command.env("RESTART", self.path("restart")).env("STOP", self.path("stop"));
        outcome(command.env("BACKUP", format!("echo backup >>{}", self.shown("calls"))))
    }

    #[track_caller]
    fn deploy(&self, release: &Path) -> String {
        let (good, said) = self.release(&["deploy", release.to_str().unwrap()]);
        assert!(good, "{said}\n{}", fs::read_to_string(self.path("server.log")).unwrap_or_default());
        said
    }

    /// The version of the release that runs.
    fn running(&self) -> String {
        let link = fs::read_link(self.path("root/current")).unwrap();
        link.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned()
    }

    /// The migrations that are ahead of the program as it is.
    fn ahead(&self) -> Vec<String> {
        let mut python = Command::new("python3");
        let question = "import sqlite3,sys\nfor row in sqlite3.connect(sys.argv[1]).execute('SELECT version FROM _sqlx_migrations WHERE version > 9000'): print(row[0])";
        let (_, said) = outcome(python.args(["-c", question]).arg(self.path("data/mindflow.db")));
        said.split_whitespace().map(str::to_owned).collect()
    }

    #[track_caller]
    fn is_ready(&self) {
        let mut health = Command::new(env!("CARGO_BIN_EXE_mindflow"));
        let (good, said) = outcome(health.args(["health", "--url", &format!("http://127.0.0.1:{}", self.port)]));
        assert!(good, "{said}");
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.path("pid")).unwrap()
    }

    /// What the programs were asked to do since the last look: who, and what.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        fs::write(self.path("calls"), "").unwrap();
        let of_interest =
            |call: &&str| ["serve", "migrate up", "migrate down", "backup"].iter().any(|word| call.contains(word));
        calls.lines().filter(of_interest).map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = outcome(&mut Command::new(self.path("stop")));
    }
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_release_is_migrated_before_it_is_started_and_can_be_taken_back() {
    let machine = Machine::new();

    machine.deploy(&machine.present());
    assert_eq!(machine.calls(), ["present migrate up", "present serve"], "there was nothing to back up");
    machine.deploy(&machine.next("8.0.0", Fault::None));
    assert_eq!(machine.calls(), ["backup", "8.0.0 migrate up", "8.0.0 serve"]);
    assert_eq!((machine.running().as_str(), machine.ahead().len()), ("8.0.0", 2));
    let record = fs::read_to_string(machine.path("root/.last-deploy")).unwrap();
    assert!(
        record.contains("release=8.0.0-") && record.contains("previous=7.") && record.contains("schema_after=9002"),
        "{record}"
    );

    let (good, said) = machine.release(&["rollback"]);
    assert!(good, "{said}");
    // The program first, then the schema, by the program that knows it.
    let calls = machine.calls();
    assert_eq!(calls[..2], ["backup", "present serve"]);
    assert!(calls[2].starts_with("8.0.0 migrate down --to"), "{calls:?}");
    assert_eq!((machine.running().split('.').next(), machine.ahead().len()), (Some("7"), 0));
    machine.is_ready();
    let (again, _) = machine.release(&["rollback"]);
    assert!(!again, "there is nothing further back that is known to fit");
}

#[test]
fn a_migration_that_fails_leaves_the_old_schema_and_the_old_server_untouched() {
    let machine = Machine::new();
    machine.deploy(&machine.present());
    let (pid, _) = (machine.pid(), machine.calls());

    let (good, said) = machine.release(&["deploy", machine.next("8.0.0", Fault::Migration).to_str().unwrap()]);

    assert!(!good && said.contains("a migration failed"), "{said}");
    let calls = machine.calls();
    assert_eq!(calls[..2], ["backup", "8.0.0 migrate up"]);
    assert!(calls[2].starts_with("8.0.0 migrate down --to") && calls.len() == 3, "{calls:?}");
    assert_eq!((machine.ahead().len(), machine.pid()), (0, pid));
    assert!(machine.running().starts_with('7'));
    machine.is_ready();
}

#[test]
fn a_release_that_does_not_get_ready_is_taken_back_program_first() {
    let machine = Machine::new();
    machine.deploy(&machine.present());
    machine.calls();

    let (good, said) = machine.release(&["deploy", machine.next("8.0.0", Fault::Start).to_str().unwrap()]);

    assert!(!good && said.contains("was taken back"), "{said}");
    let calls = machine.calls();
    assert_eq!(calls[..4], ["backup", "8.0.0 migrate up", "8.0.0 serve", "present serve"]);
    assert!(calls[4].starts_with("8.0.0 migrate down --to") && calls.len() == 5, "{calls:?}");
    assert_eq!(machine.ahead().len(), 0);
    assert!(machine.running().starts_with('7'));
    machine.is_ready();
    // The next one may come.
    machine.deploy(&machine.next("8.0.1", Fault::None));
    assert_eq!(machine.running(), "8.0.1");
}

#[test]
fn an_archive_that_was_altered_is_refused() {
    let machine = Machine::new();
    machine.deploy(&machine.present());
    let release = machine.next("8.0.0", Fault::None);
    let archive = machine.path("mindflow.tar.gz");
    let pack = format!(
        "tar -czf {0} -C {1} . && cd {2} && sha256sum mindflow.tar.gz >mindflow.tar.gz.sha256",
        archive.display(),
        release.display(),
        machine.folder.path().display()
    );
    assert!(outcome(Command::new("bash").args(["-c", &pack])).0);
    let whole = fs::read(&archive).unwrap();

    fs::write(&archive, [whole.as_slice(), b"x"].concat()).unwrap();
    let (took, said) = machine.release(&["deploy", archive.to_str().unwrap()]);
    assert!(!took && said.contains("is not what its .sha256 says"), "{said}");
    fs::write(&archive, whole).unwrap();
    machine.deploy(&archive);

    assert_eq!(machine.running(), "8.0.0");
}
