//! `kill -9` at any moment: what was acknowledged is kept, and what is asked for again is done once.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::SqlitePool;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const WRITERS: usize = 6;
/// After how many answers the server is killed, life by life: right at its start, and in full run.
const LIVES: [u32; 5] = [1, 37, 80, 2, 53];

pub(crate) struct Server {
    process: Child,
    pub(crate) base: String,
    pub(crate) http: Client,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mindflow"))
            .arg("serve")
            .current_dir(data)
            .env_clear()
            .env("DATA_DIR", data)
            .env("POLICIES_DIR", data.join("policies"))
            .env("PORT", "0")
            // Access tokens are made for it, and each life has another port.
            .env("PUBLIC_URL", "http://mindflow.test")
            .env("LOG_LEVEL", "error")
            .env("RATE_LIMIT_PER_MINUTE", "0")
            .env("AUTH_RATE_LIMIT_PER_MINUTE", "0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the server did not start")).unwrap();
            if let Some((_, address)) = line.split_once("listens on ") {
                break format!("http://{address}/api");
            }
        };
        // A full pipe would hold the server up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, base, http: Client::new() }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn sign_in(&self) -> String {
        let person = json!({ "email": "ada@example.org", "password": "correct horse battery staple" });
        let registered = self.http.post(format!("{}/auth/register", self.base)).json(&person).send().await.unwrap();
        assert_eq!(registered.status(), StatusCode::CREATED);
        let signed_in = self.http.post(format!("{}/auth/login", self.base)).json(&person).send().await.unwrap();
        let answer: Value = signed_in.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Every task's title.
    async fn titles(&self, token: &str) -> Vec<String> {
        let mut titles = Vec::new();
        let mut cursor = String::new();
        loop {
            let url = format!("{}/tasks?limit=1000&sort=created_at{cursor}", self.base);
            let page: Value = self.http.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
            let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
            titles.extend(items.iter().map(|task| task["title"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { return titles };
            cursor = format!("&cursor={next}");
        }
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One client that makes tasks `<name>-0`, `<name>-1` and so on, each until it is acknowledged.
struct Writer {
    name: usize,
    acknowledged: u32,
    tries: u32,
}

impl Writer {
    /// Asks for the next task; says whether it was acknowledged. The server may be gone.
    async fn ask(&mut self, http: &Client, base: &str, token: &str) -> bool {
        let title = format!("{}-{}", self.name, self.acknowledged);
        self.tries += 1;
        let request = http.post(format!("{base}/tasks")).bearer_auth(token).header("Idempotency-Key", &title);
        let Ok(answer) = request.json(&json!({ "title": title, "labels": ["busy"] })).send().await else {
            return false;
        };
        let status = answer.status();
        // An answer counts when it is there whole.
        let Ok(task) = answer.json::<Value>().await else { return false };
        assert_eq!((status, task["title"].as_str()), (StatusCode::CREATED, Some(title.as_str())), "{task}");
        self.acknowledged += 1;
        true
    }
}

/// Lets the clients write until there were `answers`, then kills the server under them.
async fn live_and_die(mut server: Server, token: &str, clients: Vec<Writer>, answers: u32) -> Vec<Writer> {
    let (left, enough) = (Arc::new(AtomicU32::new(answers)), Arc::new(Notify::new()));
    let mut writing = JoinSet::new();
    for mut client in clients {
        let (http, base, token) = (server.http.clone(), server.base.clone(), token.to_owned());
        let (left, enough) = (Arc::clone(&left), Arc::clone(&enough));
        writing.spawn(async move {
            while client.ask(&http, &base, &token).await {
                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    enough.notify_one();
                }
            }
            client
        });
    }
    enough.notified().await;
    server.kill();
    writing.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_tasks_survive_a_kill_and_repeated_requests_are_done_once() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let token = server.sign_in().await;
    let mut clients: Vec<_> = (0..WRITERS).map(|name| Writer { name, acknowledged: 0, tries: 0 }).collect();
    for answers in LIVES {
        clients = live_and_die(server, &token, clients, answers).await;
        server = Server::start(data.path());
        let titles = server.titles(&token).await;
        let kept: BTreeSet<&String> = titles.iter().collect();
        assert_eq!(kept.len(), titles.len(), "a task was made twice");
        for client in &clients {
            let lost = (0..client.acknowledged).find(|number| !kept.contains(&format!("{}-{number}", client.name)));
            assert_eq!(lost, None, "client {} lost an acknowledged task", client.name);
        }
    }

    for client in &mut clients {
        assert!(client.ask(&server.http, &server.base, &token).await);
    }

    let titles: BTreeSet<String> = server.titles(&token).await.into_iter().collect();
    let expected: BTreeSet<String> = clients
        .iter()
        .flat_map(|client| (0..client.acknowledged).map(|number| format!("{}-{number}", client.name)))
        .collect();
    assert_eq!(titles, expected);
    assert!(clients.iter().any(|client| client.tries > client.acknowledged), "no request was ever cut off");
    server.kill();
    let file = SqlitePool::connect(&format!("sqlite://{}", data.path().join("mindflow.db").display())).await.unwrap();
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&file).await.unwrap();
    assert_eq!(sound, "ok");
}
