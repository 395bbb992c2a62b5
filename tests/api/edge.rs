//! What every answer has, whatever the question.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp, a_task};

#[tokio::test]
async fn every_answer_carries_a_request_id_and_safety_headers() {
    let app = TestApp::with(|config| config.server.public_url = Some("https://mindflow.example".to_owned())).await;
    let ada = app.user("ada").await;

    for path in ["/", "/health", "/docs", "/openapi.json", "/api/tasks", "/nowhere", "/api/tasks/7"] {
        let answer = ada.get(path).await;
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        for name in ["content-security-policy", "referrer-policy", "permissions-policy", "strict-transport-security"] {
            assert!(answer.header(name).is_some(), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_plausible_request_id_is_kept_and_another_is_replaced() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let kept = ada.send(Method::GET, "/api/tasks", None, &[("x-request-id", "trace-42/a")]).await;
    let replaced = ada.send(Method::GET, "/api/tasks", None, &[("x-request-id", &"x".repeat(129))]).await;

    assert_eq!(kept.header("x-request-id"), Some("trace-42/a"));
    assert_eq!(replaced.header("x-request-id").unwrap().len(), 36);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    ada.get("/api/nowhere").await.is(404).assert_problem("not-found");
    let wrong = ada.send(Method::PUT, "/api/tasks", Some(&json!({})), &[]).await.is(405);
    assert_eq!(wrong.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let head = Answer::of(ada.request(Method::HEAD, "/api/tasks")).await;
    assert_eq!((head.status, head.header("x-total-count")), (200, Some("0")));
}

#[tokio::test]
async fn without_a_good_token_there_is_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    for path in ["/api/tasks", "/api/tasks/best", &format!("/api/tasks/{task}"), "/api/auth/me"] {
        let answer = app.anonymous().get(path).await.is(401);
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{path}");
        ada.holding("made-up").get(path).await.is(401);
    }
    // Who may not come in is told so before anything else.
    app.anonymous().post("/api/tasks", &json!({ "nonsense": 1 })).await.is(401);
    let in_query = format!("/api/tasks?access_token={}", ada.token.clone().unwrap());
    app.anonymous().get(&in_query).await.is(401);
}

#[tokio::test]
async fn a_reading_token_reads_and_does_not_write() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let token = ada.post("/api/auth/tokens", &json!({ "name": "dashboard", "scopes": ["read"] })).await.good();
    let reader = ada.holding(token["token"].as_str().unwrap());

    reader.get("/api/tasks").await.good();
    let refused = reader.create_task(json!({ "nonsense": 1 })).await.is(403);

    assert!(refused.header("www-authenticate").unwrap().contains("insufficient_scope"));
}

#[tokio::test]
async fn limits_are_told_and_kept_for_each_user() {
    let app = TestApp::with(|config| {
        config.limits.rate_per_minute = 5;
        config.limits.auth_rate_per_minute = 3;
    })
    .await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);

    for _ in 0..5 {
        let answer = ada.get("/api/tasks").await.is(200);
        assert!(answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some());
    }
    let refused = ada.get("/api/tasks").await.is(429);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    refused.assert_problem("too-many-requests");
    eve.get("/api/tasks").await.is(200);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.anonymous().post("/api/auth/login", &login).await.is(200);
    app.anonymous().post("/api/auth/login", &login).await.is(429);
    app.anonymous().get("/health").await.is(200);
    app.advance(std::time::Duration::from_mins(1));
    ada.get("/api/tasks").await.is(200);
}

#[tokio::test]
async fn pages_of_other_origins_may_call_when_the_operator_says_so() {
    let app = TestApp::with(|config| config.server.cors_origins = vec!["https://app.example".to_owned()]).await;
    let ada = app.user("ada").await;
    let ask = |origin: &'static str| {
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        let ada = ada.clone();
        async move { ada.send(Method::OPTIONS, "/api/tasks/best", None, &headers).await }
    };

    let known = ask("https://app.example").await;
    let unknown = ask("https://evil.example").await;

    assert_eq!(known.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(known.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert_eq!(unknown.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn without_its_database_the_server_says_503_and_stays_up() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    app.break_database().await;

    let health = app.anonymous().get("/health").await.is(503);
    assert_eq!((&health.body["status"], &health.body["checks"]["database"]), (&json!("degraded"), &json!("unhealthy")));
    let answer = ada.create_task(json!({ "title": "x" })).await.is(503);
    assert!(answer.header("retry-after").is_some());
    answer.assert_problem("unavailable");
    app.anonymous().get("/health/live").await.is(200);
    app.anonymous().get("/health/ready").await.is(503);
    app.anonymous().get("/openapi.json").await.is(200);
}

#[tokio::test]
async fn health_notices_that_the_database_file_was_moved() {
    let app = TestApp::new().await;

    app.move_database();

    let health = app.anonymous().get("/health").await.is(503);
    assert_eq!(health.body["checks"]["database"], "unhealthy");
    assert_eq!(health.body["details"]["database"], "the database file was moved or deleted; put it back and restart");
}

#[tokio::test]
async fn a_target_that_is_too_long_is_refused_by_a_problem() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for path in [format!("/api/tasks?q={}", "x".repeat(8192)), format!("/{}", "x".repeat(20_000))] {
        let answer = ada.get(&path).await.is(414);
        assert!(answer.header("x-request-id").is_some());
        answer.assert_problem("target-too-long");
    }
    ada.get(&format!("/api/tasks?q={}", "x".repeat(8000))).await.is(422);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = TestApp::with(|config| config.server.body_timeout = Duration::from_millis(100)).await;
    let mut connection = TcpStream::connect(app.url().trim_start_matches("http://")).await.unwrap();
    let head =
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";

    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("connection: close") && head.contains("application/problem+json"), "{head}");
    assert!(body.contains("urn:mindflow:problem:body-too-slow") && body.contains("request_id"), "{body}");
}

#[tokio::test]
async fn health_names_version_and_environment() {
    let app = TestApp::new().await;

    let health = app.anonymous().get("/health").await.good();

    let expected = json!({
        "status": "healthy", "version": env!("CARGO_PKG_VERSION"), "environment": "development",
        "checks": {
            "background": "healthy", "database": "healthy", "disk": "healthy", "memory": "healthy",
            "mail": "healthy", "objects": "healthy", "policies": "healthy"
        },
        "details": {}
    });
    assert_eq!(health, expected);
}
