//! Archives that are encrypted, to keys and with passphrases.

use std::path::Path;

use age::secrecy::ExposeSecret as _;
use mindflow::backup::crypt::{Seal, Unlock};
use mindflow::backup::restore::SecretTrouble;
use mindflow::backup::{ArchiveError, BackupError};
use mindflow::secret_key::SecretKey;

use crate::raw::Raw;
use crate::seed;
use crate::support::databases::{Db, TestDatabase};
use crate::world::{Shelf, inspect};

async fn a_store() -> (TestDatabase, mindflow::store::Store) {
    let db = TestDatabase::new(Db::Sqlite).await;
    let store = db.store().await;
    seed::fill(&Raw::open(&db).await, 3).await;
    (db, store)
}

#[tokio::test]
async fn either_of_two_keys_opens_an_archive_and_nothing_else_does() {
    let shelf = Shelf::new();
    let (_db, store) = a_store().await;
    let (one, other, stranger) =
        (age::x25519::Identity::generate(), age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let recipients = [one.to_public().to_string(), other.to_public().to_string()];

    let made = shelf.try_keep(&store, Seal::choose(&recipients, None).unwrap(), None).await.unwrap();

    assert!(made.encrypted);
    let path = Path::new(&made.path);
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    assert!(!bytes.windows(4).any(|window| window == b"p1@e"));
    for key in [&one, &other] {
        // As `age-keygen` writes it.
        let text =
            format!("# created: today\n# public key: {}\n{}\n", key.to_public(), key.to_string().expose_secret());
        let file = shelf.file("key.txt", text.as_bytes());
        let unlock = Unlock::choose(Some(&file), None).unwrap();
        assert_eq!(inspect(path, unlock).await.unwrap().contents.totals.rows(), made.totals.rows());
    }
    let wrong = inspect(path, Unlock::Identities(vec![Box::new(stranger)])).await.unwrap_err();
    assert!(matches!(wrong, BackupError::Archive(ArchiveError::WrongKey)), "{wrong}");
    let none = inspect(path, Unlock::Nothing).await.unwrap_err();
    assert!(none.to_string().contains("--identity"), "{none}");
}

#[tokio::test]
async fn a_passphrase_opens_what_it_sealed() {
    let shelf = Shelf::new();
    let (_db, store) = a_store().await;
    let right = shelf.file("right", b"correct horse battery staple\nthe second line does not count\n");
    let wrong = shelf.file("wrong", b"correct horse battery stable\n");

    let made = shelf.try_keep(&store, Seal::choose(&[], Some(&right)).unwrap(), None).await.unwrap();

    let path = Path::new(&made.path);
    let opened = inspect(path, Unlock::choose(None, Some(&right)).unwrap()).await.unwrap();
    assert_eq!(opened.contents.totals, made.totals);
    let refused = inspect(path, Unlock::choose(None, Some(&wrong)).unwrap()).await.unwrap_err();
    assert!(matches!(refused, BackupError::Archive(ArchiveError::WrongKey)), "{refused}");
    let none = inspect(path, Unlock::Nothing).await.unwrap_err();
    assert!(none.to_string().contains("--passphrase-file"), "{none}");
}

#[test]
fn files_without_a_key_or_a_passphrase_are_refused() {
    let shelf = Shelf::new();
    let empty = shelf.file("empty", b"\n");
    let words = shelf.file("words", b"this is no key\n");

    assert!(Seal::choose(&[], Some(&empty)).is_err());
    assert!(Unlock::choose(Some(&words), None).is_err());
    assert!(Unlock::choose(Some(&empty), None).is_err());
    assert!(Unlock::choose(None, Some(Path::new("/nowhere"))).is_err());
    let refused = Seal::choose(&["age1nonsense".to_owned()], None).unwrap_err();
    assert_eq!(refused.to_string(), "`age1nonsense` is not a public key of age (`age1…`)");
}

#[tokio::test]
async fn an_archive_knows_which_secret_its_sealed_rows_need() {
    let shelf = Shelf::new();
    let (_db, store) = a_store().await;
    let (ours, other) = (SecretKey::new(&"k".repeat(32)), SecretKey::new(&"l".repeat(32)));

    let made = shelf.try_keep(&store, Seal::Open, Some(&ours)).await.unwrap();

    let inspected = inspect(Path::new(&made.path), Unlock::Nothing).await.unwrap();
    assert_eq!(inspected.secret_trouble(Some(&ours)), None);
    assert_eq!(inspected.secret_trouble(Some(&other)), Some(SecretTrouble::Other));
    assert_eq!(inspected.secret_trouble(None), Some(SecretTrouble::Missing));
    let sealed = inspected.contents.totals.sealed();
    assert!(sealed.contains(&"signing keys") && sealed.contains(&"second factors"), "{sealed:?}");
    // The secret itself is nowhere.
    let parts = crate::repack::take_apart(Path::new(&made.path));
    assert!(!parts.iter().any(|part| part.bytes.windows(32).any(|window| window == "k".repeat(32).as_bytes())));
}
