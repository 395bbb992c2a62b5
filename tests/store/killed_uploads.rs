//! `kill -9` at any moment of an upload: what was acknowledged has its file, and what has no row is known to be removed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::SqlitePool;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::killed::Server;

/// After how many answers the server is killed, life by life.
const LIVES: [u32; 4] = [1, 9, 2, 14];
/// As many as one person may have under way.
const WRITERS: u32 = 4;

/// An acknowledged upload: the attachment's id and what is in it.
type Acknowledged = (String, Vec<u8>);

/// Small files and files of several parts.
fn contents(number: u32) -> Vec<u8> {
    let size = if number.is_multiple_of(3) { 2_000_000 } else { 1_000 };
    format!("file {number} ").into_bytes().repeat(size / 8)
}

async fn upload(http: &Client, url: &str, token: &str, number: u32) -> Option<Acknowledged> {
    let bytes = contents(number);
    let answer =
        http.post(url).bearer_auth(token).header("content-type", "text/plain").body(bytes.clone()).send().await;
    let answer = answer.ok()?;
    let status = answer.status();
    // An answer counts when it is there whole.
    let made = answer.json::<Value>().await.ok()?;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    Some((made["id"].as_str().unwrap().to_owned(), bytes))
}

/// Uploads until there were `answers`, then kills the server under it.
async fn live_and_die(mut server: Server, task: &str, token: &str, answers: u32) -> Vec<Acknowledged> {
    let (left, enough) = (Arc::new(AtomicU32::new(answers)), Arc::new(Notify::new()));
    let mut writing = JoinSet::new();
    for writer in 0..WRITERS {
        let (http, url, token) =
            (server.http.clone(), format!("{}/tasks/{task}/attachments", server.base), token.to_owned());
        let (left, enough) = (Arc::clone(&left), Arc::clone(&enough));
        writing.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                let Some(made) = upload(&http, &url, &token, writer * 1_000 + number).await else { break };
                acknowledged.push(made);
                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    enough.notify_one();
                }
            }
            acknowledged
        });
    }
    enough.notified().await;
    server.kill();
    writing.join_all().await.concat()
}

/// The keys of all files below the folder, but for those that are not whole.
fn stored(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.path().is_dir() {
            stored(&entry.path(), &key, found);
        } else if !name.contains('#') {
            found.insert(key);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_uploads_survive_a_kill_and_nothing_is_stored_that_nobody_knows_of() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let token = server.sign_in().await;
    let made =
        server.http.post(format!("{}/tasks", server.base)).bearer_auth(&token).json(&json!({ "title": "Report" }));
    let task: Value = made.send().await.unwrap().json().await.unwrap();
    let task = task["id"].as_str().unwrap();
    let mut acknowledged = Vec::new();
    for answers in LIVES {
        acknowledged.extend(live_and_die(server, task, &token, answers).await);
        server = Server::start(data.path());
        for (id, bytes) in &acknowledged {
            let url = format!("{}/attachments/{id}/content", server.base);
            let file = server.http.get(url).bearer_auth(&token).send().await.unwrap();
            assert_eq!(file.status(), StatusCode::OK);
            assert!(file.bytes().await.unwrap() == *bytes, "an acknowledged file was altered");
        }
    }
    server.kill();

    let file = SqlitePool::connect(&format!("sqlite://{}", data.path().join("mindflow.db").display())).await.unwrap();
    let keys = async |sql: &'static str| -> BTreeSet<String> {
        sqlx::query_scalar::<_, String>(sql).fetch_all(&file).await.unwrap().into_iter().collect()
    };
    let rows = keys("SELECT object_key FROM attachments").await;
    let removals = keys("SELECT object_key FROM object_removals").await;
    let mut objects = BTreeSet::new();
    stored(&data.path().join("objects"), "", &mut objects);
    assert!(rows.is_subset(&objects), "an attachment has no file");
    assert!(rows.is_disjoint(&removals), "an attachment's file is to be removed");
    let unknown: Vec<_> = objects.iter().filter(|key| !rows.contains(*key) && !removals.contains(*key)).collect();
    assert!(unknown.is_empty(), "nobody knows of {unknown:?}");
}
