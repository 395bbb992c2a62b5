//! Two processes, one of which is killed with `kill -9` again and again: what was acknowledged by either is kept, once.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::databases::{Db, TestDatabase};

const WRITERS: usize = 6;
/// After how many further answers an instance is killed, in turn.
const DEATHS: [u32; 6] = [20, 60, 5, 80, 40, 30];

/// A process.
struct Instance {
    process: Child,
    base: String,
}

impl Instance {
    fn start(database: &TestDatabase, folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mindflow"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("DATA_DIR", folder)
            .env("POLICIES_DIR", folder.join("policies"))
            .env("DATABASE_URL", database.url())
            .env("SECRET_KEY", "the one secret of all instances of this server")
            .env("PUBLIC_URL", "http://mindflow.test")
            .env("PORT", "0")
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
        Self { process, base }
    }
}

impl Drop for Instance {
    /// `kill -9`, for the test as for its end.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the instances are at the moment.
#[derive(Clone)]
struct Fleet(Arc<Mutex<Vec<Instance>>>);

impl Fleet {
    fn lock(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.0.lock().unwrap()
    }

    fn base(&self, turn: usize) -> String {
        let instances = self.lock();
        instances[turn % instances.len()].base.clone()
    }
}

/// Makes tasks `<name>-0`, `<name>-1` and so on, each until it is acknowledged by whichever instance.
async fn write(fleet: Fleet, name: usize, token: String, answers: Arc<AtomicU32>, most: u32) -> u32 {
    let (http, mut acknowledged, mut turn) = (Client::new(), 0, name);
    while answers.load(Ordering::SeqCst) < most {
        let title = format!("{name}-{acknowledged}");
        turn += 1;
        let request = http.post(format!("{}/tasks", fleet.base(turn))).bearer_auth(&token);
        let Ok(answer) = request.header("Idempotency-Key", &title).json(&json!({ "title": title })).send().await else {
            continue;
        };
        let status = answer.status();
        let Ok(task) = answer.json::<Value>().await else { continue };
        assert_eq!((status, task["title"].as_str()), (StatusCode::CREATED, Some(title.as_str())), "{task}");
        acknowledged += 1;
        answers.fetch_add(1, Ordering::SeqCst);
    }
    acknowledged
}

async fn sign_in(base: &str) -> String {
    let (http, person) =
        (Client::new(), json!({ "email": "ada@example.org", "password": "correct horse battery staple" }));
    let registered = http.post(format!("{base}/auth/register")).json(&person).send().await.unwrap();
    assert_eq!(registered.status(), StatusCode::CREATED);
    let signed_in: Value =
        http.post(format!("{base}/auth/login")).json(&person).send().await.unwrap().json().await.unwrap();
    signed_in["access_token"].as_str().unwrap_or_else(|| panic!("{signed_in}")).to_owned()
}

async fn titles(base: &str, token: &str) -> Vec<String> {
    let (http, mut titles, mut cursor) = (Client::new(), Vec::new(), String::new());
    loop {
        let url = format!("{base}/tasks?limit=1000&sort=created_at{cursor}");
        let page: Value = http.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        titles.extend(items.iter().map(|task| task["title"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return titles };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_either_acknowledged_survives_the_death_of_either_and_is_heard_once() {
    let database = TestDatabase::new(Db::Postgres).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |index: usize| Instance::start(&database, folders[index].path());
    let fleet = Fleet(Arc::new(Mutex::new(vec![start(0), start(1)])));
    let token = sign_in(&fleet.base(0)).await;
    let (answers, most) = (Arc::new(AtomicU32::new(0)), DEATHS.iter().sum::<u32>() + 40);

    let mut writing = JoinSet::new();
    for name in 0..WRITERS {
        let (fleet, token, answers) = (fleet.clone(), token.clone(), Arc::clone(&answers));
        writing.spawn(async move { (name, write(fleet, name, token, answers, most).await) });
    }
    let mut until = 0;
    for (death, more) in DEATHS.into_iter().enumerate() {
        until += more;
        while answers.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
        let instance = start(death % 2);
        // The one that was there dies in the middle of what it does.
        fleet.lock()[death % 2] = instance;
    }
    let acknowledged: BTreeSet<String> = writing
        .join_all()
        .await
        .into_iter()
        .flat_map(|(name, count)| (0..count).map(move |number| format!("{name}-{number}")))
        .collect();

    let kept = titles(&fleet.base(1), &token).await;
    let once: BTreeSet<String> = kept.iter().cloned().collect();
    assert_eq!(once.len(), kept.len(), "a task was made twice");
    let lost: Vec<_> = acknowledged.difference(&once).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    // Asked for and never acknowledged: at most the last one of each.
    assert!(once.difference(&acknowledged).count() <= WRITERS);
    let http = Client::new();
    let request = http.get(format!("{}/events", fleet.base(0))).bearer_auth(&token).header("last-event-id", "0");
    let mut stream = crate::support::stream::Stream::open(request).await;
    stream.hears("ready").await;
    let heard = stream.hears_all(kept.len()).await;
    let numbers: Vec<i64> = heard.into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers, (1..=i64::try_from(kept.len()).unwrap()).collect::<Vec<_>>());
}
