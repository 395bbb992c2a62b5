//! `/metrics`: what is shown, to whom, and that what is drawn and watched exists.

#![expect(clippy::float_cmp, reason = "what is counted is whole")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use mindflow::config::{MetricsAccess, Secret};
use mindflow::observe::metrics::Posted;
use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task};
use crate::support::databases::Db;

pub(crate) async fn metrics(app: &TestApp) -> String {
    let answer = app.anonymous().get("/metrics").await.is(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.body.as_str().unwrap().to_owned()
}

/// The value of a series, whatever the order of its labels.
pub(crate) fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let own = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
            && labels.iter().all(|label| line.contains(label))
    };
    text.lines().filter(own).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

async fn what_happens_is_counted(db: Db) {
    let app = TestApp::on(db).await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Call the doctor")).await;
    for _ in 0..3 {
        ada.get_best_task("").await.good();
    }
    ada.get_task(id).await.good();
    ada.holding("mf_wrong").get_task(id).await.is(401);
    app.anonymous().get("/nowhere/secret").await.is(404);
    let wrong = json!({ "email": "ada@example.com", "password": "wrong" });
    app.anonymous().post("/api/auth/login", &wrong).await.is(401);
    let form = ada.request(reqwest::Method::POST, "/oauth/token").body("grant_type=password");
    form.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();

    let text = metrics(&app).await;

    let requests = "mindflow_http_requests_total";
    assert_eq!(value(&text, requests, &[r#"route="/api/tasks/best""#, r#"method="GET""#, r#"status="200""#]), 3.0);
    assert_eq!(value(&text, requests, &[r#"route="/api/tasks/{task_id}""#, r#"status="401""#]), 1.0);
    assert_eq!(value(&text, requests, &[r#"route="(none)""#, r#"status="404""#]), 1.0);
    assert_eq!(value(&text, "mindflow_http_request_duration_seconds_count", &[r#"route="/api/tasks/best""#]), 3.0);
    assert_eq!(value(&text, "mindflow_http_requests_in_flight", &[]), 1.0);
    assert_eq!(value(&text, "mindflow_rankings_total", &[r#"outcome="made""#]), 1.0);
    assert_eq!(value(&text, "mindflow_rankings_total", &[r#"outcome="kept""#]), 2.0);
    assert_eq!(value(&text, "mindflow_policy_evaluations_total", &[r#"policy="default""#]), 1.0);
    assert_eq!(value(&text, "mindflow_sign_ins_total", &[r#"step="password""#, r#"outcome="success""#]), 1.0);
    assert_eq!(value(&text, "mindflow_sign_ins_total", &[r#"outcome="wrong_credentials""#]), 1.0);
    assert_eq!(value(&text, "mindflow_oauth_grants_total", &[r#"outcome="unsupported_grant_type""#]), 1.0);
    assert_eq!(value(&text, "mindflow_token_refusals_total", &[r#"resource="api""#]), 1.0);
    assert!(value(&text, "mindflow_database_statement_duration_seconds_count", &[]) >= 4.0, "{text}");
    assert!(value(&text, "mindflow_database_transaction_duration_seconds_count", &[]) >= 3.0, "{text}");
    assert!(value(&text, "mindflow_database_connections", &[]) >= 1.0, "{text}");
    assert_eq!(value(&text, "mindflow_health_check_status", &[r#"check="database""#, r#"status="healthy""#]), 1.0);
    assert!(value(&text, "mindflow_data_disk_size_bytes", &[]) > 0.0);
    for secret in ["doctor", "ada@", "/nowhere", &id.to_string(), &ada.id().to_string()] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}

#[tokio::test]
async fn what_happens_is_counted_on_sqlite() {
    what_happens_is_counted(Db::Sqlite).await;
}

#[tokio::test]
async fn what_happens_is_counted_on_postgres() {
    what_happens_is_counted(Db::Postgres).await;
}

#[tokio::test]
async fn a_database_that_is_away_is_counted_and_seen() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    app.break_database().await;
    ada.list_tasks("").await.is(503);
    ada.create_task(json!({ "title": "x" })).await.is(503);
    let text = metrics(&app).await;

    assert!(value(&text, "mindflow_database_errors_total", &[r#"kind="unavailable""#]) >= 2.0, "{text}");
    assert_eq!(value(&text, "mindflow_health_check_status", &[r#"check="database""#, r#"status="unhealthy""#]), 1.0);
}

#[tokio::test]
async fn calls_of_tools_are_counted_by_tool_and_outcome() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let made = json!({ "name": "chat", "scopes": ["read", "write"] });
    let token = ada.post("/api/auth/tokens", &made).await.good()["token"].as_str().unwrap().to_owned();
    let chat = ada.holding(&token);

    chat.post("/mcp/tools/get_tasks", &json!({})).await.good();
    chat.post("/mcp/tools/complete_task", &json!({ "query": "nothing like it" })).await.is(404);
    let text = metrics(&app).await;

    let calls = "mindflow_mcp_tool_calls_total";
    assert_eq!(value(&text, calls, &[r#"tool="get_tasks""#, r#"outcome="success""#]), 1.0);
    assert_eq!(value(&text, calls, &[r#"tool="complete_task""#, r#"outcome="not_found""#]), 1.0);
    assert_eq!(value(&text, "mindflow_mcp_tool_duration_seconds_count", &[r#"tool="get_tasks""#]), 1.0);
}

#[tokio::test]
async fn prometheus_gets_open_metrics_when_it_asks_for_them() {
    let app = TestApp::new().await;
    let accept = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")];

    let answer = app.anonymous().send(reqwest::Method::GET, "/metrics", None, &accept).await.is(200);

    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.body.as_str().unwrap().ends_with("# EOF\n"));
}

#[tokio::test]
async fn metrics_are_never_limited_and_not_shown_through_a_proxy() {
    let app = TestApp::with(|config| {
        config.limits.rate_per_minute = 1;
        config.limits.auth_rate_per_minute = 1;
    })
    .await;

    for _ in 0..5 {
        let answer = app.anonymous().get("/metrics").await.is(200);
        assert!(answer.header("ratelimit").is_none());
    }
    let through = [("x-forwarded-for", "203.0.113.7")];
    let refused = app.anonymous().send(reqwest::Method::GET, "/metrics", None, &through).await.is(403);
    refused.assert_problem("not-from-here");
}

#[tokio::test]
async fn a_token_opens_the_metrics_and_an_operator_may_close_them() {
    let guarded = TestApp::with(|config| config.metrics.token = Some(Secret::new("0123456789abcdef"))).await;
    let closed = TestApp::with(|config| config.metrics.access = MetricsAccess::Off).await;

    let refused = guarded.anonymous().get("/metrics").await.is(401);
    assert!(refused.header("www-authenticate").is_some());
    let shown = [("authorization", "Bearer 0123456789abcdef"), ("x-forwarded-for", "203.0.113.7")];
    guarded.anonymous().send(reqwest::Method::GET, "/metrics", None, &shown).await.is(200);
    closed.anonymous().get("/metrics").await.is(404);
}

#[tokio::test]
async fn little_room_is_degraded_but_requests_are_answered() {
    let app = TestApp::with(|config| config.health.least_free_disk = u64::MAX).await;

    let health = app.anonymous().get("/health").await.is(200);
    assert_eq!((&health.body["status"], &health.body["checks"]["disk"]), (&json!("degraded"), &json!("unhealthy")));
    assert!(health.body["details"]["disk"]["free_bytes"].is_u64(), "{}", health.body);
    app.anonymous().get("/health/ready").await.is(200);
}

#[tokio::test]
async fn who_stops_is_alive_but_not_ready() {
    let app = TestApp::new().await;
    app.anonymous().get("/health/ready").await.is(200);

    app.app.health.start_draining();

    let ready = app.anonymous().get("/health/ready").await.is(503);
    assert_eq!(ready.body, json!({ "status": "draining" }));
    app.anonymous().get("/health/live").await.is(200);
}

/// Prometheus's own judgement of the names and texts, where its tool is at hand.
#[tokio::test]
async fn promtool_has_nothing_to_say_against_the_metrics() {
    let app = TestApp::new().await;
    app.user("ada").await.get_best_task("").await.is(404);
    let text = metrics(&app).await;
    let tool = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut tool) = tool else { return };

    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();

    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The names of families in a text: of metrics, or of expressions about them.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && !matches!(c, '_' | ':'));
    let known = words.filter(|word| word.starts_with("mindflow_") || word.starts_with("process_"));
    let family = |word: &str| {
        let suffixes = ["_bucket", "_sum", "_count"];
        suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word).to_owned()
    };
    known.map(family).collect()
}

/// All families, those included that only appear when something happens for the first time.
async fn shown_names() -> BTreeSet<String> {
    let app = TestApp::new().await;
    let (own, took) = (&app.app.metrics, Duration::ZERO);
    own.accounts.registered("success");
    own.mcp.called("get_tasks", "success", took);
    own.oauth.refused("api", "missing");
    own.oauth.granted("refresh_token", "granted");
    own.limits.class("default");
    own.background.duty("digest").failed(took);
    own.mail.note(Posted::Sent);
    own.events.closed("slow");
    app.user("ada").await;
    let text = metrics(&app).await;
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    families.map(str::to_owned).collect()
}

fn deployed(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)).unwrap()
}

#[tokio::test]
async fn every_metric_that_is_drawn_or_watched_exists() {
    let shown = shown_names().await;
    let dashboard: Value = serde_json::from_str(&deployed("grafana/mindflow.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let drawn: Vec<&str> = targets.flatten().map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(drawn.len() > 40, "{drawn:?}");

    for (what, text) in [("the dashboard", drawn.join("\n")), ("the rules", deployed("prometheus/mindflow-alerts.yml"))]
    {
        let unknown: Vec<_> = names(&text).difference(&shown).cloned().collect();
        assert!(unknown.is_empty(), "{what} use {unknown:?}, but there are only {shown:?}");
    }
}

#[tokio::test]
async fn every_metric_is_described_in_the_guide() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/observe.md")).unwrap();
    let described = names(&guide);

    let missing: Vec<_> = shown_names().await.difference(&described).cloned().collect();
    assert!(missing.is_empty(), "docs/observe.md lacks {missing:?}");
}
