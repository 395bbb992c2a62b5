//! Bodies that no client should send.

use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp};

async fn raw(ada: &Actor<'_>, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = ada.request(Method::POST, "/api/tasks").header("content-type", content_type).body(body);
    Answer::of(request).await
}

#[tokio::test]
async fn what_cannot_be_read_is_400_and_says_where() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"{\"title\": \"x\",}",
        b"{\"title\": \"x\"} trailing",
        b"{'title': 'x'}",
        b"{\"title\": NaN}",
        b"{\"priority\": 1e400, \"title\": \"x\"}",
        b"{\"title\": \"\\ud800\"}",
        b"{\"title\": \"\xff\"}",
        b"{\"title\": \"a\nb\"}",
        b"{\"title\": \"a\", \"title\": \"b\"}",
        b"\xef\xbb\xbf{\"title\": \"x\"}",
        deep.as_bytes(),
    ];

    for body in bodies {
        let problem = raw(&ada, "application/json", body.to_vec()).await.is(400).assert_problem("malformed-body");
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
    }
}

#[tokio::test]
async fn wrong_types_are_422_with_every_place() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for body in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
        assert_eq!(ada.create_task(body.clone()).await.faults(), [""], "{body}");
    }
    let body = json!({
        "title": 5, "description": [], "status": "done", "priority": "high", "due_date": 1, "effort_estimate_minutes": 1.5,
        "preferred_time": "noon", "labels": "work", "project_id": "x", "parent_id": 3, "snoozed_until": false
    });
    let faults = ada.create_task(body).await.faults();
    assert_eq!(faults.len(), 11, "{faults:?}");
    for (field, value) in [
        ("priority", json!(0)),
        ("priority", json!(6)),
        ("priority", json!(-1)),
        ("priority", json!(2.5)),
        ("priority", json!(1e30)),
        ("effort_estimate_minutes", json!(0)),
        ("effort_estimate_minutes", json!(525_601)),
        ("title", json!("a\u{0}b")),
        ("title", json!("a\u{7f}")),
        ("description", json!("\u{1b}[31m")),
        ("description", json!("x".repeat(2001))),
    ] {
        let mut body = json!({ "title": "x" });
        body[field] = value.clone();
        assert_eq!(ada.create_task(body).await.faults()[0], format!("/{field}"), "{value}");
    }
    let whole = ada.create_task(json!({ "title": "x", "priority": 4.0 })).await.good();
    assert_eq!(whole["priority"], 4);
}

#[tokio::test]
async fn huge_bodies_are_refused_at_the_limit_and_the_connection_lives() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let big = format!("{{\"title\": \"{}\"}}", "x".repeat(10 * 1024 * 1024));
    raw(&ada, "application/json", big).await.is(413).assert_problem("body-too-large");
    let array = serde_json::to_string(&vec![1; 100_000]).unwrap();
    raw(&ada, "application/json", array).await.is(422);
    let labels = json!({ "title": "x", "labels": vec!["y"; 100_000] });
    assert_eq!(ada.create_task(labels).await.faults(), ["/labels"]);

    ada.create_task(json!({ "title": "still here" })).await.is(201);
}

#[tokio::test]
async fn only_json_is_read() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = "{\"title\": \"x\"}";

    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "nonsense",
    ] {
        raw(&ada, kind, body).await.is(415).assert_problem("unsupported-media-type");
    }
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        raw(&ada, kind, body).await.is(201);
    }
}

#[tokio::test]
async fn ids_that_are_no_uuid_are_named() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for id in ["7", "not-a-uuid", "%00", "01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2", "..%2f..%2fetc"] {
        assert_eq!(ada.get(&format!("/api/tasks/{id}")).await.faults(), ["{task_id}"], "{id}");
    }
    ada.get("/api/tasks/01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2d").await.is(404);
}

#[tokio::test]
async fn no_message_repeats_what_was_sent() {
    let app = TestApp::new().await;

    let body = json!({ "email": "hunter2-not-an-address", "password": "hunter2", "full_name": 5 });
    let answer = app.anonymous().post("/api/auth/register", &body).await.is(422);

    assert!(!answer.body.to_string().contains("hunter2"), "{}", answer.body);
}

#[tokio::test]
async fn where_no_body_is_taken_none_is_swallowed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.create_task(json!({ "title": "Report" })).await.good();
    let path = format!("/api/tasks/{}", task["id"].as_str().unwrap());
    let complete = format!("{path}/complete");
    let raw = async |kind: &str, body: &'static str| {
        Answer::of(ada.request(Method::POST, &complete).header("content-type", kind).body(body)).await
    };

    let wish = json!({ "completed_at": "2026-03-01T09:00:00Z", "note": "x" });
    assert_eq!(ada.post(&complete, &wish).await.faults(), ["/completed_at", "/note"]);
    let deleted = ada.send(Method::DELETE, &path, Some(&json!({ "keep_parts": true })), &[]).await;
    assert_eq!(deleted.faults(), ["/keep_parts"]);
    assert_eq!(ada.post(&complete, &json!([1])).await.faults(), [""]);
    raw("application/json", "{").await.is(400).assert_problem("malformed-body");
    raw("text/plain", "done").await.is(415).assert_problem("unsupported-media-type");
    assert_eq!(ada.get(&path).await.good()["version"], 1);

    for nothing in ["", "{}", "null"] {
        assert_eq!(raw("application/json", nothing).await.good()["status"], "completed", "{nothing:?}");
    }
    raw("application/x-www-form-urlencoded", "").await.good();
    let key = [("idempotency-key", "once")];
    ada.send(Method::POST, &complete, None, &key).await.good();
    let again = ada.send(Method::POST, &complete, Some(&json!({})), &key).await.is(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}
