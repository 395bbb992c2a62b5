//! Reports to Sentry, by the program itself, to a server that speaks its protocol.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::collector::Collector;
use crate::support::app::PASSWORD;

/// The program with a database in `folder`.
struct Program {
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Program {
    fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mindflow"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .envs([("DATA_DIR", "data"), ("POLICIES_DIR", "policies"), ("PORT", "0")])
            .envs([("RATE_LIMIT_PER_MINUTE", "0"), ("AUTH_RATE_LIMIT_PER_MINUTE", "0")])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the server did not start")).unwrap();
            if let Some((_, address)) = line.split_once("listens on ") {
                break format!("http://{address}");
            }
        };
        // A full pipe would hold the server up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url, http: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(token);
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Asks for a list that cannot be read, as somebody whose data is broken.
    async fn fail(&self, token: &str) {
        let request = self.http.get(format!("{}/api/tasks", self.url)).bearer_auth(token);
        let request = request.header("x-request-id", "ada@example.org");
        assert_eq!(request.send().await.unwrap().status(), 500);
    }

    /// Ends as a service manager ends it.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Registers somebody and breaks what is stored of their task. Gives their token and id.
async fn somebody_with_broken_data(program: &Program, folder: &Path) -> (String, String) {
    let who = json!({ "email": "ada@example.org", "password": PASSWORD });
    let user = program.post("/api/auth/register", "", &who).await;
    let signed_in = program.post("/api/auth/login", "", &who).await;
    let token = signed_in["access_token"].as_str().unwrap().to_owned();
    program.post("/api/tasks", &token, &json!({ "title": "Call the doctor" })).await;
    let url = format!("sqlite://{}", folder.join("data/mindflow.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("UPDATE tasks SET due_on = 'Call the doctor', due_at = 1").execute(&pool).await.unwrap();
    sqlx::query("UPDATE users SET data_version = data_version + 1").execute(&pool).await.unwrap();
    pool.close().await;
    (token, user["id"].as_str().unwrap().to_owned())
}

/// The report in an envelope: a line about it, then its header and itself, a line each.
fn report(envelope: &str) -> Value {
    let mut lines = envelope.lines().skip(1);
    while let (Some(header), Some(item)) = (lines.next(), lines.next()) {
        if serde_json::from_str::<Value>(header).unwrap()["type"] == "event" {
            return serde_json::from_str(item).unwrap();
        }
    }
    panic!("no report in {envelope}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_request_is_reported_for_its_user_and_tells_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut sentry = Collector::start().await;
    let dsn = format!("http://public@{}/42", sentry.address);
    let settings =
        [("SENTRY_DSN", &*dsn), ("MINDFLOW__SENTRY__SERVER_NAME", "m-1"), ("MINDFLOW__SENTRY__RELEASE", "r-1")];
    let program = Program::start(folder.path(), &settings);
    let (token, user) = somebody_with_broken_data(&program, folder.path()).await;

    program.fail(&token).await;
    let envelope = sentry.next(|arrived| arrived.text().contains("\"event\"")).await;

    assert_eq!(envelope.path, "/api/42/envelope/");
    assert!(envelope.headers["x-sentry-auth"].to_str().unwrap().contains("sentry_key=public"));
    let report = report(&envelope.text());
    assert_eq!(report["user"], json!({ "id": user }));
    assert_eq!((&report["server_name"], &report["release"]), (&json!("m-1"), &json!("r-1")));
    // Sentry takes what has no level for an error.
    assert_eq!((&report["environment"], &report["level"]), (&json!("development"), &json!(null)));
    assert_eq!(report["tags"]["http.route"], "/api/tasks");
    assert!(report["exception"]["values"][0]["value"].as_str().unwrap().contains("cannot be read"), "{report}");
    assert!(report["breadcrumbs"]["values"].as_array().is_some_and(|steps| steps.len() >= 2), "{report}");
    for secret in ["doctor", "ada@example.org", &*token, PASSWORD] {
        assert!(!envelope.text().contains(secret), "{secret} is in {}", envelope.text());
    }
    program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentry_that_fails_or_refuses_harms_nobody_and_the_last_words_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut sentry = Collector::start().await;
    let dsn = format!("http://public@{}/42", sentry.address);
    let program = Program::start(folder.path(), &[("SENTRY_DSN", &dsn)]);
    let (token, _) = somebody_with_broken_data(&program, folder.path()).await;

    for status in [500, 503, 200] {
        sentry.status.store(status, Ordering::Relaxed);
        program.fail(&token).await;
        sentry.next(|arrived| arrived.text().contains("\"event\"")).await;
    }
    program.fail(&token).await;
    program.stop();
    sentry.next(|arrived| arrived.text().contains("\"event\"")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_reported_in_tests_and_without_a_dsn() {
    let mut sentry = Collector::start().await;
    let dsn = format!("http://public@{}/42", sentry.address);
    for settings in [vec![("SENTRY_DSN", &*dsn), ("ENVIRONMENT", "test")], vec![("SENTRY_DSN", "")]] {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start(folder.path(), &settings);
        let (token, _) = somebody_with_broken_data(&program, folder.path()).await;
        program.fail(&token).await;
        program.stop();
    }

    assert!(sentry.rest().is_empty());
}

#[test]
fn a_wrong_dsn_stops_the_start_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_mindflow"));
    let command = command.arg("serve").current_dir(folder.path()).env_clear().env("SENTRY_DSN", "https://hunter2");
    let output = command.env("PORT", "0").output().unwrap();

    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("sentry.dsn") && told.contains("SENTRY_DSN"), "{told}");
    assert!(told.contains("allowed: the DSN of a project") && !told.contains("hunter2"), "{told}");
}
