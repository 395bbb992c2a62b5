use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::stream;
use tempfile::TempDir;

use super::*;

/// A store in a folder of its own.
fn in_a_folder() -> (Objects, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("objects").display().to_string();
    (Objects::at(&url, &config::Objects::default()).unwrap(), folder)
}

fn pieces(count: usize, each: usize) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::iter((0..count).map(move |number| {
        let fill = u8::try_from(number % 251).unwrap();
        Ok(Bytes::from(vec![fill; each]))
    }))
}

async fn read(objects: &Objects, key: &str) -> Vec<u8> {
    let found = objects.get(key).await.unwrap();
    found.stream.try_collect::<Vec<_>>().await.unwrap().concat()
}

async fn keys(objects: &Objects, prefix: &str) -> Vec<String> {
    let mut keys: Vec<_> = objects.list(prefix).map_ok(|stored| stored.key).try_collect().await.unwrap();
    keys.sort_unstable();
    keys
}

/// Every file in the folder, whatever it is called.
fn files(folder: &TempDir) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    count(folder.path())
}

#[tokio::test]
async fn what_is_put_is_there_whole_whatever_its_size() {
    let (objects, _folder) = in_a_folder();
    let part = objects.part_bytes();

    // Nothing, a little, exactly one part, a byte more, several parts in odd pieces.
    for (number, (count, each)) in
        [(0, 0), (1, 5), (1, part), (1, part + 1), (7, part / 2 + 13)].into_iter().enumerate()
    {
        let key = format!("a/{number}");
        let size = objects.put(&key, pieces(count, each)).await.unwrap();

        let expected = pieces(count, each).try_collect::<Vec<_>>().await.unwrap().concat();
        assert_eq!(size, expected.len() as u64);
        assert_eq!(read(&objects, &key).await, expected, "{key}");
        let stored = objects.find(&key).await.unwrap().unwrap();
        assert_eq!((stored.size_bytes, stored.key), (size, key));
    }
}

#[tokio::test]
async fn a_piece_that_is_larger_than_many_parts_is_taken() {
    let (objects, _folder) = in_a_folder();
    let large = Bytes::from(vec![7; objects.part_bytes() * 5 + 3]);

    objects.put("large", stream::iter([Ok(large.clone())])).await.unwrap();

    assert_eq!(read(&objects, "large").await, large);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_what_was_there_stays() {
    let (objects, folder) = in_a_folder();
    objects.put_bytes("a/b", Bytes::from_static(b"before")).await.unwrap();
    let broken = pieces(3, objects.part_bytes()).chain(stream::iter([Err(io::Error::other("gone"))]));

    let refused = objects.put("a/b", broken).await.unwrap_err();

    assert!(matches!(refused, ObjectsError::Source(_)), "{refused:?}");
    assert_eq!(read(&objects, "a/b").await, b"before");
    assert_eq!(files(&folder), 1);
}

#[tokio::test]
async fn nothing_is_visible_before_the_end_and_a_dropped_upload_leaves_nothing() {
    let (objects, folder) = in_a_folder();
    let mut upload = objects.begin("a/b").unwrap();
    upload.write(&vec![1; objects.part_bytes() * 3]).await.unwrap();

    assert!(!objects.exists("a/b").await.unwrap());
    assert_eq!(keys(&objects, "").await, [""; 0]);
    drop(upload);

    // It is cleaned up beside.
    tokio::time::timeout(Duration::from_secs(30), async {
        while files(&folder) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn of_two_uploads_to_one_key_the_last_to_finish_stays_whole() {
    let (objects, folder) = in_a_folder();
    let (mut one, mut other) = (objects.begin("a").unwrap(), objects.begin("a").unwrap());
    let size = objects.part_bytes() * 2;
    one.write(&vec![1; size]).await.unwrap();
    other.write(&vec![2; size]).await.unwrap();

    one.finish().await.unwrap();
    other.finish().await.unwrap();

    assert_eq!(read(&objects, "a").await, vec![2; size]);
    assert_eq!(files(&folder), 1);
}

#[tokio::test]
async fn lists_are_by_whole_words_and_deleting_twice_is_no_fault() {
    let (objects, _folder) = in_a_folder();
    for key in ["backups/daily/1", "backups/2", "backups-old/3"] {
        objects.put_bytes(key, Bytes::from_static(b"x")).await.unwrap();
    }

    assert_eq!(keys(&objects, "backups").await, ["backups/2", "backups/daily/1"]);
    assert_eq!(keys(&objects, "").await.len(), 3);
    assert_eq!(keys(&objects, "none").await, [""; 0]);
    objects.delete("backups/2").await.unwrap();
    objects.delete("backups/2").await.unwrap();
    assert_eq!(keys(&objects, "backups").await, ["backups/daily/1"]);
    assert!(matches!(objects.get("backups/2").await.unwrap_err(), ObjectsError::NotFound(_)));
    assert_eq!(objects.find("backups/2").await.unwrap(), None);
}

#[tokio::test]
async fn ranges_are_cut_at_the_end() {
    let (objects, _folder) = in_a_folder();
    objects.put_bytes("a", Bytes::from_static(b"0123456789")).await.unwrap();

    let part = objects.get_range("a", 7..100).await.unwrap();

    assert_eq!(part.size_bytes, 10);
    assert_eq!(part.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"789");
    assert_eq!(objects.get_bytes("a", 10).await.unwrap(), "0123456789");
    assert!(matches!(objects.get_bytes("a", 9).await.unwrap_err(), ObjectsError::TooLarge { size_bytes: 10, .. }));
}

#[tokio::test]
async fn keys_are_plain_words_and_nothing_leaves_the_folder() {
    let (objects, folder) = in_a_folder();

    for key in ["", "/", "a/", "/a", "a//b", "..", "a/../../b", ".hidden", "a b", "ä", "a\\b", "a#1", "a\0", "~"] {
        let refused = objects.put_bytes(key, Bytes::from_static(b"x")).await;
        assert!(matches!(refused, Err(ObjectsError::Key(_))), "{key}");
        assert!(objects.get(key).await.is_err() && objects.delete(key).await.is_err());
    }
    assert!(objects.begin(&"a".repeat(513)).is_err());
    assert_eq!(files(&folder), 0);
}

#[tokio::test]
async fn what_a_killed_process_left_behind_is_removed_once_it_is_old() {
    let (objects, folder) = in_a_folder();
    objects.put_bytes("a/b", Bytes::from_static(b"x")).await.unwrap();
    let leftover = folder.path().join("objects/a/c#1");
    fs::write(&leftover, "half").unwrap();
    fs::write(folder.path().join("objects/a/d#x"), "not ours").unwrap();
    let written = fs::metadata(&leftover).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    let written = Timestamp::from_micros(i64::try_from(written.as_micros()).unwrap());

    assert_eq!(objects.remove_leftovers(written).await.unwrap(), 0);
    assert_eq!(objects.remove_leftovers(written.plus(Duration::from_secs(1))).await.unwrap(), 1);

    assert!(!leftover.exists() && files(&folder) == 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let url = folder.path().join("file/objects").display().to_string();

    let refused = Objects::at(&url, &config::Objects::default()).unwrap_err();

    assert_eq!(refused.to_string(), format!("the folder `{url}` of the object store cannot be written"));
}

#[tokio::test]
async fn the_check_sees_a_folder_that_went_away() {
    let (objects, folder) = in_a_folder();
    objects.check().await.unwrap();

    folder.close().unwrap();

    assert!(matches!(objects.check().await, Err(ObjectsError::Folder { .. })));
}

#[tokio::test]
async fn urls_of_a_bucket_are_signed_without_asking_it_and_credentials_are_never_shown() {
    let settings = config::Objects {
        endpoint: Some("https://fra1.example.org".to_owned()),
        region: Some("fra1".to_owned()),
        credentials: Some((config::Secret::new("AKID"), config::Secret::new("hunter2hunter2"))),
        path_style: true,
        ..config::Objects::default()
    };
    let bucket = Objects::at("s3://notes/mind/flow", &settings).unwrap();

    let disposition = [("content-disposition", "attachment; filename=\"a b.txt\"")];
    let url = bucket.signed_url("a/b", Duration::from_mins(5), &disposition).await.unwrap().unwrap();

    assert!(url.starts_with("https://fra1.example.org/notes/mind/flow/a/b?"), "{url}");
    assert!(url.contains("X-Amz-Expires=300") && url.contains("response-content-disposition=attachment"), "{url}");
    let shown = format!("{bucket:?} {} {settings:?} {url}", bucket.place());
    assert!(!shown.contains("hunter2"), "{shown}");
    let (folder, _kept) = in_a_folder();
    assert_eq!(folder.signed_url("a/b", Duration::from_mins(5), &[]).await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_says_so() {
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = config::Objects {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        credentials: Some((config::Secret::new("AKID"), config::Secret::new("hunter2hunter2"))),
        path_style: true,
        ..config::Objects::default()
    };
    let bucket = Arc::new(Objects::at("s3://notes", &settings).unwrap());

    let refused = bucket.find("a").await.unwrap_err();

    assert!(matches!(refused, ObjectsError::Unavailable(_)), "{refused:?}");
    assert!(!format!("{refused:?}").contains("hunter2"));
}
