//! Files of tasks, over real HTTP and both databases.

mod files;
mod gone;
mod refused;

use std::path::PathBuf;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp, a_task};
use crate::support::databases::Db;
use mindflow::ids::TaskId;

/// The smallest picture: one transparent pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

const BOTH: [Db; 2] = [Db::Sqlite, Db::Postgres];

fn of(task: TaskId) -> String {
    format!("/api/tasks/{task}/attachments")
}

/// The same, with the file's name.
fn named(task: TaskId, name: &str) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("filename", name).finish();
    format!("{}?{query}", of(task))
}

/// Sends a file as it is.
async fn attach(actor: &Actor<'_>, task: TaskId, name: &str, kind: &str, bytes: &[u8]) -> Answer {
    let request = actor.request(Method::POST, &named(task, name));
    Answer::of(request.header("content-type", kind).body(bytes.to_vec())).await
}

/// A form of parts: what stands behind `form-data; ` in each, and its bytes.
fn form(request: RequestBuilder, parts: &[(&str, &[u8])]) -> RequestBuilder {
    let mut body = Vec::new();
    for (disposition, bytes) in parts {
        body.extend_from_slice(format!("--limit\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    request.header("content-type", "multipart/form-data; boundary=limit").body(body)
}

/// The path of a URL of this server.
fn path<'u>(app: &TestApp, url: &'u Value) -> &'u str {
    url.as_str().unwrap().strip_prefix(app.url()).unwrap()
}

/// The bytes of a file, through its signed URL and without a token.
async fn fetch(app: &TestApp, attachment: &Value) -> Vec<u8> {
    let answer = app.anonymous().request(Method::GET, path(app, &attachment["download_url"])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

/// Every file in the object store, whatever it is called.
fn stored(app: &TestApp) -> Vec<PathBuf> {
    fn walk(folder: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(app.app.config.storage.data_dir.join("objects"), &mut found);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_attached_listed_and_fetched() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;

        let made = attach(&ada, task, "März (1).png", "image/png", PNG).await.is(201);

        assert_eq!(made.header("location"), Some(&*format!("/api/attachments/{}", made.body["id"].as_str().unwrap())));
        assert!(made.header("undo-token").is_some());
        let made = made.good();
        assert_eq!(made["task_id"], json!(task));
        assert_eq!((&made["file_name"], &made["content_type"]), (&json!("März (1).png"), &json!("image/png")));
        assert_eq!(made["size_bytes"], PNG.len());
        assert_eq!(made["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(made["created_at"], "2026-03-23T12:00:00Z");
        assert_eq!(made["download_url_expires_at"], "2026-03-23T12:15:00Z");
        let list = ada.get(&of(task)).await.is(200);
        assert_eq!(list.header("x-total-count"), Some("1"));
        assert_eq!((&list.body["items"], &list.body["next_cursor"]), (&json!([made]), &Value::Null));
        assert_eq!(ada.get(&format!("/api/attachments/{}", made["id"].as_str().unwrap())).await.good(), made);
        assert_eq!(fetch(&app, &made).await, PNG);
        // Neither the name nor the person can be read off where it lies.
        let [file] = stored(&app).try_into().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), PNG);
        let key = file.file_name().unwrap().to_str().unwrap();
        assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_taken_as_well_and_names_come_from_where_clients_write_them() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let raw = || ada.request(Method::POST, &of(task)).body(PNG);
    let part = |disposition: &str| form(ada.request(Method::POST, &of(task)), &[(disposition, PNG)]);
    let asked = form(ada.request(Method::POST, &named(task, "b.png")), &[("name=\"file\"; filename=\"a.png\"", PNG)]);

    let names = [
        (Answer::of(part("name=\"file\"; filename=\"a.png\"")).await, "a.png"),
        (Answer::of(part("name=file; filename=\"ä \\\"b\\\".png\"")).await, "ä \"b\".png"),
        (Answer::of(asked).await, "b.png"),
        (Answer::of(raw().header("content-disposition", "attachment; filename=\"c d.png\"")).await, "c d.png"),
        (Answer::of(raw().header("content-disposition", "x; filename*=UTF-8''%C3%A4.png")).await, "ä.png"),
        (Answer::of(raw()).await, "attachment.png"),
    ];

    for (answer, name) in names {
        let made = answer.is(201).good();
        assert_eq!((made["file_name"].as_str(), made["content_type"].as_str()), (Some(name), Some("image/png")));
        assert_eq!(fetch(&app, &made).await, PNG);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_many_parts_comes_through_in_pieces_whole() {
    let app = TestApp::with(|config| config.attachments.max_bytes = 20_000_000).await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let large: Vec<u8> = (0..9_000_011_u32).map(|number| (number % 251) as u8).collect();
    let pieces: Vec<_> = large.chunks(70_001).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));

    let raw = Answer::of(ada.request(Method::POST, &of(task)).body(chunked)).await.is(201);
    let sent = form(ada.request(Method::POST, &of(task)), &[("name=\"file\"", &large)]);
    let sent = Answer::of(sent).await.is(201);

    for made in [raw.good(), sent.good()] {
        assert_eq!(made["size_bytes"], large.len());
        assert!(fetch(&app, &made).await == large);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_upload_gets_the_first_answer_and_leaves_one_file() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;
        let send = async |bytes: &'static [u8]| {
            let request = ada.request(Method::POST, &named(task, "a.txt"));
            Answer::of(request.header("idempotency-key", "k").header("content-type", "text/plain").body(bytes)).await
        };

        let first = send(b"one").await.is(201);
        let again = send(b"one").await.is(201);

        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(first.body, again.body);
        send(b"two").await.is(422).assert_problem("idempotency-key-reused");
        assert_eq!(ada.get(&of(task)).await.header("x-total-count"), Some("1"));
        assert_eq!(stored(&app).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_paged_oldest_first() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let (task, other) = (ada.has(a_task("Report")).await, ada.has(a_task("Other")).await);
        for name in ["a", "b", "c"] {
            attach(&ada, task, name, "text/plain", b"x").await.is(201);
        }

        let first = ada.get(&format!("{}?limit=2", of(task))).await.is(200);
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let rest = ada.get(&format!("{}?limit=2&cursor={cursor}", of(task))).await.is(200);

        let names = |answer: &Answer| -> Vec<String> {
            let items = answer.body["items"].as_array().unwrap();
            items.iter().map(|item| item["file_name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!((names(&first), names(&rest)), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
        assert_eq!((first.header("x-total-count"), &rest.body["next_cursor"]), (Some("3"), &Value::Null));
        assert_eq!(ada.get(&format!("{}?cursor={cursor}", of(other))).await.faults(), ["?cursor"]);
        assert_eq!(ada.get(&of(other)).await.good()["items"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_sees_or_touches_a_file_and_reading_is_not_writing() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let (ada, eve) = (app.user("ada").await, app.user("eve").await);
        let task = ada.has(a_task("Report")).await;
        let made = attach(&ada, task, "a.txt", "text/plain", b"secret").await.is(201).good();
        let one = format!("/api/attachments/{}", made["id"].as_str().unwrap());

        for path in [one.clone(), format!("{one}/url"), format!("{one}/content"), of(task)] {
            eve.get(&path).await.is(404).assert_problem("not-found");
            app.anonymous().get(&path).await.is(401);
        }
        eve.delete(&one).await.is(404);
        attach(&eve, task, "a.txt", "text/plain", b"x").await.is(404).assert_problem("not-found");
        let token = json!({ "name": "t", "scopes": ["read"] });
        let token = ada.post("/api/auth/tokens", &token).await.good();
        let reader = ada.holding(token["token"].as_str().unwrap());
        assert_eq!(reader.get(&one).await.good()["file_name"], "a.txt");
        attach(&reader, task, "b.txt", "text/plain", b"x").await.is(403).assert_problem("insufficient-scope");
        reader.delete(&one).await.is(403);
        assert_eq!(stored(&app).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_side_by_side_are_each_kept_or_refused() {
    for db in BOTH {
        let app = TestApp::start(db, |config| config.attachments.quota_bytes = Some(25)).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;

        // Each fits, but not all of them; the last check is made where changes come one by one.
        let send = |name: &'static str| attach(&ada, task, name, "text/plain", b"0123456789");
        let (a, b, c) = tokio::join!(send("a"), send("b"), send("c"));

        let mut statuses = [a.status, b.status, c.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 413]);
        assert_eq!(ada.get(&of(task)).await.header("x-total-count"), Some("2"));
        assert_eq!(stored(&app).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_names_files_and_an_import_takes_that_as_it_is() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.has(a_task("Report")).await;
    let made = attach(&ada, task, "a.txt", "text/plain", b"x").await.is(201).good();

    let export = ada.get("/api/export").await.good();
    eve.post("/api/import", &export).await.is(200);

    let [named] = &export["attachments"].as_array().unwrap()[..] else { panic!("{export}") };
    for field in ["id", "task_id", "file_name", "content_type", "size_bytes", "sha256", "created_at"] {
        assert_eq!(named[field], made[field], "{field}");
    }
    assert!(named.get("download_url").is_none());
    assert_eq!(eve.get("/api/export").await.good()["attachments"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_ones_doings_names_attachments_but_not_what_they_are_called() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let made = attach(&ada, task, "secret.txt", "text/plain", b"x").await.is(201).good();

    let log = ada.get("/api/auth/activity?limit=5").await.good();

    let row = log["items"].as_array().unwrap().iter().find(|row| row["action"] == "attachment.created").unwrap();
    assert_eq!(row["entity_id"], made["id"]);
    assert!(!row.to_string().contains("secret.txt"));
}

#[tokio::test]
async fn health_tells_of_a_folder_that_went_away() {
    let app = TestApp::new().await;
    let well = app.anonymous().get("/health").await.good();
    assert_eq!(well["checks"]["objects"], "healthy");

    std::fs::remove_dir_all(app.app.config.storage.data_dir.join("objects")).unwrap();
    app.advance(std::time::Duration::from_mins(1));

    let ill = app.anonymous().get("/health").await.is(200).good();
    assert_eq!((&ill["status"], &ill["checks"]["objects"]), (&json!("degraded"), &json!("unhealthy")));
}
