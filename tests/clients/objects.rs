//! The object store in a bucket, behind a server that speaks S3.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use mindflow::config::{Objects as Settings, Secret};
use mindflow::objects::{Objects, ObjectsError, PART_BYTES};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;
use crate::tools::Workshop;

/// The server's process; it ends when its standard input is closed.
struct Bucket {
    endpoint: String,
    process: Child,
    input: Option<ChildStdin>,
}

impl Bucket {
    fn start(name: &str) -> Self {
        let shop = Workshop::new(name, &["s3"]);
        let script = r#"exec "$MINDFLOW_TEST_S3_PYTHON" tests/clients/objects/s3.py"#;
        let mut command = shop.tool("sh");
        let mut process = command
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the S3 server can be started");
        let input = process.stdin.take();
        let said = BufReader::new(process.stdout.take().expect("it is piped"));
        let endpoint = said.lines().map_while(Result::ok).find(|line| line.starts_with("http://"));
        Self { endpoint: endpoint.expect("it says where it listens"), process, input }
    }

    fn settings(&self) -> Settings {
        Settings {
            endpoint: Some(self.endpoint.clone()),
            region: Some("us-east-1".to_owned()),
            credentials: Some((Secret::new("key"), Secret::new("secret"))),
            path_style: true,
            ..Settings::default()
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

async fn read(objects: &Objects, key: &str) -> Vec<u8> {
    let found = objects.get(key).await.expect("it is there");
    found.stream.try_collect::<Vec<_>>().await.expect("it comes").concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_any_size_are_kept_in_a_bucket() {
    let bucket = Bucket::start("objects");
    let objects = Objects::at("s3://mindflow/some/prefix", &bucket.settings()).expect("the settings make sense");
    objects.check().await.expect("it answers");

    for size in [0, 5, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 17] {
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let pieces: Vec<_> = bytes.chunks(1_000_003).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let key = format!("a/{size}");
        assert_eq!(objects.put(&key, stream::iter(pieces)).await.expect("it is stored"), size as u64);
        assert!(read(&objects, &key).await == bytes);
    }
    let part = objects.get_range(&format!("a/{PART_BYTES}"), 10..13).await.expect("it is there");
    assert_eq!(part.stream.try_collect::<Vec<_>>().await.expect("it comes").concat(), [10, 11, 12]);
    let mut keys: Vec<String> =
        objects.list("a").map_ok(|stored| stored.key).try_collect().await.expect("it can be listed");
    keys.sort_unstable();
    assert_eq!(keys.len(), 5);
    assert!(keys.contains(&format!("a/{PART_BYTES}")));
    for key in &keys {
        objects.delete(key).await.expect("it goes");
        objects.delete(key).await.expect("it is gone");
    }
    assert!(matches!(objects.get("a/5").await, Err(ObjectsError::NotFound(_))));
    assert!(!objects.exists("a/5").await.expect("it answers"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_to_a_bucket_that_breaks_off_leaves_nothing() {
    let bucket = Bucket::start("objects-broken");
    let objects = Objects::at("s3://mindflow", &bucket.settings()).expect("the settings make sense");
    let large = Bytes::from(vec![1; 2 * PART_BYTES]);
    let broken = stream::iter([Ok(large), Err(std::io::Error::other("gone"))]);

    let refused = objects.put("a", broken).await;

    assert!(matches!(refused, Err(ObjectsError::Source(_))));
    assert!(!objects.exists("a").await.expect("it answers"));
    // Parts that no list of objects shows would cost money for ever.
    let uploads = reqwest::get(format!("{}/mindflow?uploads", bucket.endpoint)).await.expect("it answers");
    let uploads = uploads.text().await.expect("it is a text");
    assert!(uploads.contains("ListMultipartUploadsResult") && !uploads.contains("<UploadId>"), "{uploads}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_there_says_so() {
    let bucket = Bucket::start("objects-missing");
    let objects = Objects::at("s3://nobodys", &bucket.settings()).expect("the settings make sense");

    let refused = objects.put_bytes("a", Bytes::from_static(b"x")).await;

    assert!(refused.is_err());
    assert!(!format!("{refused:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_lie_in_a_bucket_and_can_be_fetched_from_it() {
    let bucket = Bucket::start("attachments");
    let settings = [
        ("MINDFLOW__OBJECTS__URL", "s3://mindflow/files"),
        ("DO_SPACES_ENDPOINT", &*bucket.endpoint),
        ("DO_SPACES_ACCESS_KEY", "key"),
        ("DO_SPACES_SECRET_KEY", "secret"),
    ];
    for direct in ["false", "true"] {
        let server = Server::with(&[&settings[..], &[("MINDFLOW__ATTACHMENTS__DIRECT_DOWNLOADS", direct)]].concat());
        let api = format!("{}/api", server.url);
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().expect("a client can be made");
        let person = json!({ "email": "ada@example.org", "password": "correct horse battery staple" });
        http.post(format!("{api}/auth/register")).json(&person).send().await.expect("it answers");
        let signed_in = http.post(format!("{api}/auth/login")).json(&person).send().await.expect("it answers");
        let token = signed_in.json::<Value>().await.expect("it is JSON")["access_token"].clone();
        let token = token.as_str().expect("there is a token");
        let task = http.post(format!("{api}/tasks")).bearer_auth(token).json(&json!({ "title": "Report" }));
        let task = task.send().await.expect("it answers").json::<Value>().await.expect("it is JSON");
        let task = task["id"].as_str().expect("it has an id");
        let bytes = vec![b'x'; PART_BYTES * 2 + 5];

        let made = http.post(format!("{api}/tasks/{task}/attachments?filename=a%20b.txt")).bearer_auth(token);
        let made = made.header("content-type", "text/plain").body(bytes.clone()).send().await.expect("it answers");
        assert_eq!(made.status(), StatusCode::CREATED);
        let made = made.json::<Value>().await.expect("it is JSON");
        let url = made["download_url"].as_str().expect("there is a URL");

        assert_eq!(url.starts_with(&bucket.endpoint), direct == "true", "{url}");
        let file = http.get(url).send().await.expect("it answers");
        assert_eq!(file.status(), StatusCode::OK);
        let disposition = file.headers()["content-disposition"].to_str().expect("it is ASCII").to_owned();
        assert!(disposition.starts_with("attachment; filename=\"a b.txt\""), "{disposition}");
        assert!(file.bytes().await.expect("it comes") == bytes);
        let goodbye = http.delete(format!("{api}/auth/me")).bearer_auth(token);
        let goodbye = goodbye.json(&json!({ "password": "correct horse battery staple" }));
        assert_eq!(goodbye.send().await.expect("it answers").status(), StatusCode::NO_CONTENT);
    }
}
