//! Archives that are cut off, changed, foreign or hostile are refused before anything happens.

use std::path::PathBuf;

use mindflow::backup::crypt::Unlock;
use mindflow::backup::restore::Force;
use mindflow::backup::{ArchiveError, BackupError};
use tar::EntryType;

use crate::raw::Raw;
use crate::repack::{Part, make_sums_right, put_together, take_apart, zip};
use crate::seed;
use crate::support::databases::{Db, TestDatabase, both_databases};
use crate::world::{Shelf, inspect, restore, rows};

/// A good archive, of a few rows in every table.
async fn good(shelf: &Shelf) -> PathBuf {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    seed::fill(&Raw::open(&db).await, 2).await;
    shelf.keep(&store).await
}

/// What is said of these bytes; the database that they should go to is still empty then.
async fn refusal(shelf: &Shelf, bytes: &[u8]) -> String {
    let path = shelf.file("changed.tar.gz", bytes);
    let db = TestDatabase::new(Db::Sqlite).await;
    let target = db.connect().await;
    let refused = restore(&path, &target, Force::Replace).await;
    assert_eq!(Raw::open(&db).await.tables().await, [""; 0]);
    match refused {
        Err(BackupError::Archive(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_archive_that_is_cut_off_anywhere_is_refused() {
    let shelf = Shelf::new();
    let whole = std::fs::read(good(&shelf).await).unwrap();

    for length in (0..whole.len()).step_by(whole.len() / 60 + 1).chain(whole.len() - 20..whole.len()) {
        let path = shelf.file("cut.tar.gz", &whole[..length]);

        let refused = inspect(&path, Unlock::Nothing).await.unwrap_err();

        let expected = if length < 10 { "not a backup" } else { "cut off" };
        let said = refused.to_string();
        assert!(said.contains(expected) || (length < 10 && said.contains("cut off")), "{length}: {said}");
    }
}

#[tokio::test]
async fn an_archive_with_a_changed_byte_is_refused_wherever_it_is() {
    let shelf = Shelf::new();
    let whole = std::fs::read(good(&shelf).await).unwrap();

    // The header of gzip has a time and a system that nobody reads.
    for place in (10..whole.len()).step_by(whole.len() / 150 + 1).chain(whole.len() - 8..whole.len()) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        let path = shelf.file("changed.tar.gz", &changed);

        let refused = inspect(&path, Unlock::Nothing).await;

        assert!(matches!(refused, Err(BackupError::Archive(_))), "{place}");
    }
}

#[tokio::test]
async fn every_file_is_held_against_its_checksum_and_place() {
    let shelf = Shelf::new();
    let parts = take_apart(&good(&shelf).await);
    let place = |path: &str| parts.iter().position(|part| part.path == path).unwrap();
    let (users, labels) = (place("tables/users/000001.jsonl"), place("tables/labels/000001.jsonl"));
    let last = parts.len() - 1;
    let changed = |change: &dyn Fn(&mut Vec<Part>)| {
        let mut parts = parts.clone();
        change(&mut parts);
        put_together(&parts)
    };

    // Unchanged, it is taken.
    let same = shelf.file("same.tar.gz", &changed(&|_| {}));
    inspect(&same, Unlock::Nothing).await.unwrap();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (changed(&|parts| parts.swap(users, labels)), "does not belong there"),
        (changed(&|parts| drop(parts.remove(labels))), "the rows are not what the manifest says"),
        (changed(&|parts| parts.insert(users, parts[users].clone())), "does not belong there"),
        (changed(&|parts| parts.swap(last, last - 1)), "does not belong there"),
        (changed(&|parts| drop(parts.pop())), "cut off"),
        (changed(&|parts| drop(parts.remove(last - 1))), "`SHA256SUMS` does not belong there"),
        (changed(&|parts| parts.push(Part::new("more.txt", "x"))), "`more.txt` does not belong there"),
        (
            changed(&|parts| parts.insert(users, Part::new("../../etc/passwd", "x"))),
            "`../../etc/passwd` does not belong",
        ),
        (changed(&|parts| parts.insert(users, Part::new("/etc/passwd", "x"))), "`/etc/passwd` does not belong"),
        (changed(&|parts| parts.insert(users, Part::new("tables/strangers/000001.jsonl", "[1]\n"))), "does not belong"),
        (changed(&|parts| parts.insert(last - 1, Part::new("attachments/../x", "x"))), "does not belong"),
        (changed(&|parts| parts[users].kind = EntryType::Symlink), "does not belong there"),
        (changed(&|parts| parts[users].kind = EntryType::GNULongName), "does not belong there"),
        (changed(&|parts| parts[users].kind = EntryType::XHeader), "does not belong there"),
        (changed(&|parts| parts[users].bytes.extend(b"[1]\n")), "line 3 has another number of values"),
        (
            changed(&|parts| {
                let text = String::from_utf8(parts[users].bytes.clone()).unwrap();
                parts[users].bytes = text.replace("active", "abcdef").into_bytes();
            }),
            "the rows are not what the manifest says",
        ),
        (changed(&|parts| parts[0].bytes = b"{}".to_vec()), "damaged: `backup.json`"),
        (changed(&|parts| parts[0].bytes = vec![b' '; 17 * 1024 * 1024]), "`backup.json` is larger than it can be"),
        (changed(&|parts| parts[users].said = Some(1 << 40)), "`tables/users/000001.jsonl` is larger than it can be"),
        (zip(b"hello"), "not a backup"),
        (zip(&[b'x'; 2048]), "not a backup"),
        (b"hello".to_vec(), "cut off"),
        (Vec::new(), "cut off"),
        (put_together(&[Part::new("notes.txt", "x")]), "`notes.txt` does not belong there"),
    ];
    let mut wrong = Vec::new();
    for (bytes, expected) in cases {
        let said = refusal(&shelf, &bytes).await;
        if !said.contains(expected) {
            wrong.push(format!("{said} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_stands_behind_the_end_is_refused() {
    let shelf = Shelf::new();
    let whole = std::fs::read(good(&shelf).await).unwrap();

    for more in [b"x".to_vec(), zip(b"x"), whole.clone()] {
        assert!(refusal(&shelf, &[whole.clone(), more].concat()).await.contains("behind its end"));
    }
}

#[tokio::test]
async fn a_bomb_goes_off_nowhere() {
    let shelf = Shelf::new();
    let mut parts = take_apart(&good(&shelf).await);
    let users = parts.iter().position(|part| part.path == "tables/users/000001.jsonl").unwrap();
    // 60 MiB of nothing, which is 60 KiB in the file.
    parts[users].bytes = vec![b'\n'; 60 * 1024 * 1024];
    let bomb = put_together(&parts);

    assert!(bomb.len() < 1024 * 1024);
    assert!(refusal(&shelf, &bomb).await.contains("line 1 is not a row"));
}

#[tokio::test]
async fn an_archive_of_a_newer_program_is_refused() {
    let shelf = Shelf::new();
    let parts = take_apart(&good(&shelf).await);

    for (key, what) in [("format_version", "format is 99"), ("schema_version", "schema is 99")] {
        let mut parts = parts.clone();
        let mut head: serde_json::Value = serde_json::from_slice(&parts[0].bytes).unwrap();
        head[key] = 99.into();
        parts[0].bytes = head.to_string().into_bytes();
        make_sums_right(&mut parts);

        let said = refusal(&shelf, &put_together(&parts)).await;

        assert!(said.contains("newer than this program") && said.contains(what), "{said}");
    }
}

#[tokio::test]
async fn tables_that_the_schema_does_not_have_are_refused() {
    let shelf = Shelf::new();
    let parts = take_apart(&good(&shelf).await);
    let changes: [fn(&mut serde_json::Value); 3] = [
        |head| head["tables"][0]["name"] = "sqlite_master".into(),
        |head| head["tables"][0]["columns"][0] = "id; DROP TABLE users".into(),
        |head| head["tables"][1] = head["tables"][0].clone(),
    ];

    for change in changes {
        let mut parts = parts.clone();
        let mut head: serde_json::Value = serde_json::from_slice(&parts[0].bytes).unwrap();
        change(&mut head);
        parts[0].bytes = head.to_string().into_bytes();

        assert!(refusal(&shelf, &put_together(&parts)).await.contains("with these columns"));
    }
}

/// What is made of a table's rows.
type Rewrite = fn(&str) -> String;

both_databases! {
    async fn rows_that_do_not_fit_together_leave_the_target_as_it_was(db: TestDatabase) {
        let shelf = Shelf::new();
        let archive = good(&shelf).await;
        let (target, raw) = (db.store().await, Raw::open(&db).await);
        seed::fill(&raw, 4).await;
        let before = rows(&target).await;
        let changes: [(&str, Rewrite); 4] = [
            // Whose owner is missing.
            ("users", |text| text.lines().skip(1).flat_map(|line| [line, "\n"]).collect()),
            // Twice the same.
            ("users", |text| format!("{text}{text}")),
            // What a check of the schema refuses.
            ("users", |text| text.replace("\"active\"", "\"asleep\"")),
            // What must not be empty.
            ("labels", |text| text.replace("\"Label 1\"", "null")),
        ];

        for (table, change) in changes {
            let mut parts = take_apart(&archive);
            let path = format!("tables/{table}/000001.jsonl");
            let part = parts.iter_mut().find(|part| part.path == path).unwrap();
            part.bytes = change(&String::from_utf8(part.bytes.clone()).unwrap()).into_bytes();
            make_sums_right(&mut parts);
            let path = shelf.file("unfit.tar.gz", &put_together(&parts));
            // In itself it is in order.
            inspect(&path, Unlock::Nothing).await.unwrap();

            let failure = restore(&path, &target, Force::Replace).await;

            assert!(failure.is_err(), "{table}");
            assert_eq!(rows(&target).await, before);
        }
        restore(&archive, &target, Force::Replace).await.unwrap();
        assert_eq!(rows(&target).await["users"].len(), 2);
    }
}

#[tokio::test]
async fn the_seal_of_a_truncated_or_changed_archive_is_broken() {
    let shelf = Shelf::new();
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    seed::fill(&Raw::open(&db).await, 50).await;
    let key = age::x25519::Identity::generate();
    let seal = mindflow::backup::crypt::Seal::choose(&[key.to_public().to_string()], None).unwrap();
    let made = shelf.try_keep(&store, seal, None).await.unwrap();
    let whole = std::fs::read(&made.path).unwrap();
    let unlock = || Unlock::Identities(vec![Box::new(key.clone())]);
    inspect(std::path::Path::new(&made.path), unlock()).await.unwrap();

    for length in (30..whole.len()).step_by(whole.len() / 30 + 1).chain(whole.len() - 20..whole.len()) {
        let path = shelf.file("cut.tar.gz.age", &whole[..length]);
        assert!(matches!(inspect(&path, unlock()).await, Err(BackupError::Archive(_))), "{length}");
    }
    for place in (30..whole.len()).step_by(whole.len() / 60 + 1).chain(whole.len() - 20..whole.len()) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        let path = shelf.file("changed.tar.gz.age", &changed);
        assert!(matches!(inspect(&path, unlock()).await, Err(BackupError::Archive(_))), "{place}");
    }
    let path = shelf.file("longer.tar.gz.age", &[whole.as_slice(), b"x"].concat());
    assert!(matches!(inspect(&path, unlock()).await, Err(BackupError::Archive(ArchiveError::Damaged(_)))));
}
