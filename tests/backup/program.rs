//! The commands, as operators run them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::raw::Raw;
use crate::seed;
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{Shelf, rows};

/// The program with a data folder and a database, and nothing else of this machine's.
fn mindflow(data: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mindflow"));
    command.env_clear().envs(std::env::vars().filter(|(name, _)| name == "PATH" || name == "TMPDIR"));
    command.env("DATA_DIR", data).env("DATABASE_URL", url).current_dir(data);
    command
}

#[track_caller]
fn good(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

#[track_caller]
fn bad(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success(), "{out}{err}");
    err.into_owned()
}

#[track_caller]
fn json(output: &Output) -> Value {
    let text = good(output);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// People with rows of all kinds, but for files: there are none.
async fn fill(db: &TestDatabase, people: usize) {
    let raw = Raw::open(db).await;
    seed::fill(&raw, people).await;
    raw.run("DELETE FROM attachments").await;
}

async fn filled(kind: Db, people: usize) -> TestDatabase {
    let db = TestDatabase::new(kind).await;
    db.store().await.close().await;
    fill(&db, people).await;
    db
}

both_databases! {
    async fn a_backup_goes_from_command_to_command(db: TestDatabase) {
        let (data, shelf, elsewhere) = (Shelf::new(), Shelf::new(), TestDatabase::new(Db::Sqlite).await);
        db.store().await.close().await;
        fill(&db, 5).await;
        let run = |args: &[&str]| mindflow(data.path(), db.url()).args(args).output().unwrap();
        let to = shelf.path().to_str().unwrap();

        let made = json(&run(&["backup", "--to", to, "--json"]));
        let listed = json(&run(&["backup", "list", "--from", to, "--json"]));
        let path = made["path"].as_str().unwrap();
        let verified = json(&run(&["backup", "verify", path, "--json"]));
        let told = good(&run(&["backup", "verify", path]));
        let restore = |args: &[&str]| {
            mindflow(data.path(), elsewhere.url()).arg("restore").args(args).output().unwrap()
        };
        let restored = json(&restore(&[path, "--json"]));

        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(listed[0]["name"], made["name"]);
        assert_eq!(listed[0]["bytes"], made["bytes"]);
        let metadata = std::fs::metadata(path).unwrap();
        assert_eq!(metadata.len(), made["bytes"].as_u64().unwrap());
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
        assert_eq!(verified["verified"], true);
        assert_eq!(verified["rows"], made["rows"]);
        assert!(told.contains("is good"), "{told}");
        assert_eq!(restored["rows"], made["rows"]);
        let (from, to) = (rows(&db.connect().await).await, rows(&elsewhere.connect().await).await);
        assert_eq!(from, to);
        assert!(bad(&restore(&[path])).contains("--force"));
        good(&restore(&[path, "--force"]));
        let sum = Command::new("sha256sum").arg(path).output().unwrap();
        assert!(good(&sum).starts_with(made["sha256"].as_str().unwrap()));
    }
}

both_databases! {
    async fn a_native_copy_lies_beside_the_archive(db: TestDatabase) {
        let (data, shelf) = (Shelf::new(), Shelf::new());
        db.store().await.close().await;
        fill(&db, 5).await;
        let to = shelf.path().to_str().unwrap();

        let made = json(&mindflow(data.path(), db.url()).args(["backup", "--native", "--to", to, "--json"]).output().unwrap());

        let native = made["native"].as_str();
        match (db.kind, native) {
            (Db::Sqlite, Some(name)) => {
                let copy = sqlx::SqlitePool::connect(&format!("sqlite://{to}/{name}")).await.unwrap();
                let people: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&copy).await.unwrap();
                assert_eq!(people, 5);
            }
            (Db::Postgres, Some(name)) => {
                let bytes = std::fs::read(shelf.path().join(name)).unwrap();
                assert!(bytes.starts_with(b"PGDMP"));
            }
            (Db::Postgres, None) => assert_eq!(files(shelf.path()).len(), 1),
            (Db::Sqlite, None) => panic!("{made}"),
        }
    }
}

#[tokio::test]
async fn the_usual_place_is_the_configured_one_and_latest_is_the_newest() {
    let (data, db) = (Shelf::new(), filled(Db::Sqlite, 2).await);
    let run = |args: &[&str]| mindflow(data.path(), db.url()).args(args).output().unwrap();

    let told = good(&run(&["backup"]));
    let newest = json(&run(&["backup", "--json"]));

    assert!(told.contains("rows"), "{told}");
    assert_eq!(files(&data.path().join("backups")).len(), 2);
    let verified = json(&run(&["backup", "verify", "latest", "--json"]));
    assert_eq!(verified["created_at"], newest["created_at"]);
    good(&run(&["backup", "verify", newest["name"].as_str().unwrap()]));
    assert!(bad(&run(&["backup", "verify", "nowhere.tar.gz"])).contains("there is no backup `nowhere.tar.gz`"));
}

#[tokio::test]
async fn archives_are_sealed_as_the_command_or_the_configuration_says() {
    let (data, shelf, db) = (Shelf::new(), Shelf::new(), filled(Db::Sqlite, 2).await);
    let passphrase = shelf.file("passphrase", b"correct horse battery staple\n");
    let key = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
    let identity = shelf.file("identity", secret.as_bytes());
    let run = |args: &[&str]| mindflow(data.path(), db.url()).args(args).output().unwrap();
    let passphrase = passphrase.to_str().unwrap();

    let made = json(&run(&["backup", "--passphrase-file", passphrase, "--json"]));
    let name = made["name"].as_str().unwrap();

    assert!(name.ends_with(".tar.gz.age") && made["encrypted"] == true, "{made}");
    assert!(bad(&run(&["backup", "verify", name])).contains("--passphrase-file"));
    good(&run(&["backup", "verify", name, "--passphrase-file", passphrase]));
    let made = mindflow(data.path(), db.url())
        .env("MINDFLOW__BACKUP__ENCRYPT_TO", key.to_public().to_string())
        .args(["backup", "--json"])
        .output()
        .unwrap();
    let made = json(&made);
    let name = made["name"].as_str().unwrap();
    assert!(bad(&run(&["backup", "verify", name])).contains("--identity"));
    good(&run(&["backup", "verify", name, "--identity", identity.to_str().unwrap()]));
}

#[tokio::test]
async fn a_file_can_be_named_and_is_never_replaced() {
    let (data, shelf, db) = (Shelf::new(), Shelf::new(), filled(Db::Sqlite, 2).await);
    let run = |args: &[&str]| mindflow(data.path(), db.url()).args(args).output().unwrap();
    let file = shelf.path().join("before-the-update.tar.gz");
    let file = file.to_str().unwrap();

    good(&run(&["backup", "--to", file]));

    assert!(bad(&run(&["backup", "--to", file])).contains("is there already"));
    good(&run(&["backup", "verify", file]));
    assert_eq!(files(shelf.path()), ["before-the-update.tar.gz"]);
}

#[tokio::test]
async fn pruning_deletes_what_may_go_and_nothing_that_is_not_ours() {
    let (data, shelf) = (Shelf::new(), Shelf::new());
    let old: Vec<String> = (1..=28).map(|day| format!("mindflow-202402{day:02}T020000.000Z.tar.gz")).collect();
    for name in &old {
        shelf.file(name, b"x");
        shelf.file(&name.replace(".tar.gz", ".sqlite"), b"x");
    }
    let others = ["notes.txt", "mindflow-20200101.tar.gz", "mindflow-20200101T020000.000Z.tar.gz.bak"];
    for name in others {
        shelf.file(name, b"x");
    }
    let to = shelf.path().to_str().unwrap();
    let run = |args: &[&str]| {
        mindflow(data.path(), "sqlite:nowhere.db")
            .env("MINDFLOW__BACKUP__KEEP_DAILY", "3")
            .env("MINDFLOW__BACKUP__KEEP_WEEKLY", "0")
            .env("MINDFLOW__BACKUP__KEEP_MONTHLY", "1")
            .args(args)
            .output()
            .unwrap()
    };

    let would = json(&run(&["backup", "prune", "--from", to, "--dry-run", "--json"]));
    assert_eq!(files(shelf.path()).len(), 2 * 28 + 3);
    let gone = json(&run(&["backup", "prune", "--from", to, "--json"]));

    assert_eq!(would, gone);
    assert_eq!(gone.as_array().unwrap().len(), 2 * 25);
    let left = files(shelf.path());
    assert!(others.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
    assert!(old[25..].iter().all(|name| left.contains(name)), "{left:?}");
    assert_eq!(left.len(), 2 * 3 + 3);
}

#[tokio::test]
async fn nothing_is_backed_up_where_nothing_is_and_nothing_is_made_there() {
    let (data, shelf) = (Shelf::new(), Shelf::new());
    let url = format!("sqlite://{}", data.path().join("none.db").display());

    let refused = mindflow(data.path(), &url).args(["backup", "--to"]).arg(shelf.path()).output().unwrap();

    assert!(bad(&refused).contains("nothing to back up"));
    assert_eq!(files(data.path()), [""; 0]);
    assert_eq!(files(shelf.path()), [""; 0]);
}

#[tokio::test]
async fn a_restore_warns_of_another_secret_and_of_a_server_that_runs() {
    let (data, shelf, db) = (Shelf::new(), Shelf::new(), filled(Db::Sqlite, 2).await);
    let secret = |letter: &str| letter.repeat(40);
    let to = shelf.path().to_str().unwrap();
    let made = mindflow(data.path(), db.url())
        .env("SECRET_KEY", secret("a"))
        .args(["backup", "--to", to, "--json"])
        .output()
        .unwrap();
    let made = json(&made);
    let target = TestDatabase::new(Db::Sqlite).await;
    let restore = |key: Option<String>| {
        let mut command = mindflow(data.path(), target.url());
        command.envs(key.map(|key| ("SECRET_KEY", key)));
        let output = command.args(["restore", made["path"].as_str().unwrap(), "--force"]).output().unwrap();
        good(&output);
        String::from_utf8(output.stderr).unwrap()
    };

    let same = restore(Some(secret("a")));
    let other = restore(Some(secret("b")));
    let none = restore(None);
    let open = target.connect().await;
    open.ping().await.unwrap();
    let served = restore(Some(secret("a")));

    assert!(!same.contains("warning"), "{same}");
    assert!(other.contains("is not the one of the backup") && other.contains("signing keys"), "{other}");
    assert!(none.contains("there is no SECRET_KEY"), "{none}");
    assert!(served.contains("a server seems to run"), "{served}");
    assert_eq!(rows(&open).await["users"].len(), 2);
}

/// Waits until the program says on standard error that it is under way, and kills it.
fn kill_when_under_way(mut command: Command) {
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("rows")));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(line.is_some(), "it was never under way");
}

both_databases! {
    async fn a_restore_that_is_killed_leaves_the_target_as_it_was(db: TestDatabase) {
        let (data, shelf, source) = (Shelf::new(), Shelf::new(), filled(Db::Sqlite, 100).await);
        let archive = shelf.keep(&source.connect().await).await;
        let target = db.store().await;
        fill(&db, 3).await;
        let before = rows(&target).await;
        let restore = || {
            let mut command = mindflow(data.path(), db.url());
            command.arg("restore").arg(&archive).arg("--force");
            command
        };

        for _ in 0..2 {
            kill_when_under_way(restore());
            assert_eq!(rows(&target).await, before);
        }

        good(&restore().output().unwrap());
        assert_eq!(rows(&target).await["users"].len(), 100);
    }

    async fn a_backup_that_is_killed_leaves_nothing_that_looks_like_one(db: TestDatabase) {
        let (data, shelf) = (Shelf::new(), Shelf::new());
        db.store().await.close().await;
        fill(&db, 100).await;
        let backup = |args: &[&str]| {
            let mut command = mindflow(data.path(), db.url());
            command.arg("backup").args(args).arg(shelf.path());
            command
        };

        for _ in 0..2 {
            kill_when_under_way(backup(&["--to"]));
            let listed = json(&backup(&["list", "--json", "--from"]).output().unwrap());
            assert_eq!(listed, serde_json::json!([]));
        }

        good(&backup(&["--to"]).output().unwrap());
    }
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_nothing_that_looks_like_a_backup() {
    let (data, shelf, db) = (Shelf::new(), Shelf::new(), filled(Db::Sqlite, 100).await);
    let mut limited = Command::new("sh");
    limited.env_clear().env("PATH", std::env::var("PATH").unwrap()).env("DATA_DIR", data.path());
    limited.env("DATABASE_URL", db.url()).current_dir(data.path());
    // Blocks of 512 bytes; who ignores the signal is told as by a full disk.
    limited.args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$0\" backup --to \"$1\""]);
    limited.arg(env!("CARGO_BIN_EXE_mindflow")).arg(shelf.path());

    let refused = limited.output().unwrap();

    assert!(!bad(&refused).is_empty());
    let names = files(shelf.path());
    assert!(!names.iter().any(|name| mindflow::backup::names::Name::parse(name).is_some()), "{names:?}");
}

#[test]
fn a_server_that_could_not_encrypt_its_backups_does_not_start() {
    let data = Shelf::new();
    let url = format!("sqlite://{}", data.path().join("mindflow.db").display());
    let serve = |name: &str, value: &str| mindflow(data.path(), &url).arg("serve").env(name, value).output().unwrap();

    let wrong_key = bad(&serve("MINDFLOW__BACKUP__ENCRYPT_TO", "age1nonsense"));
    let no_file = bad(&serve("MINDFLOW__BACKUP__PASSPHRASE_FILE", "/nowhere/passphrase"));

    assert!(wrong_key.contains("`backup.encrypt_to`") && wrong_key.contains("age1nonsense"), "{wrong_key}");
    assert!(no_file.contains("`backup.passphrase_file`") && no_file.contains("/nowhere/passphrase"), "{no_file}");
}

#[tokio::test]
async fn a_backup_without_all_files_of_people_is_not_called_good() {
    let (data, db) = (Shelf::new(), TestDatabase::new(Db::Sqlite).await);
    db.store().await.close().await;
    seed::fill(&Raw::open(&db).await, 1).await;
    let run = |args: &[&str]| mindflow(data.path(), db.url()).args(args).output().unwrap();

    let made = run(&["backup", "--json"]);
    let path = json(&made)["path"].as_str().unwrap().to_owned();
    let said = String::from_utf8_lossy(&run(&["backup"]).stderr).into_owned();
    let refused = run(&["backup", "verify", &path, "--json"]);

    assert!(said.contains("were not found where they should be"), "{said}");
    assert!(bad(&refused).contains("were not found where they should be"));
    let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(told["verified"], false);
    assert!(told["totals"]["attachments"]["missing"].as_u64() > Some(0));
}
