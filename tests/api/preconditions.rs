//! What depends on the version that a client knows: `If-Match` and `If-None-Match`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn who_has_the_present_version_is_not_sent_it_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = format!("/api/tasks/{}", ada.has(a_task("Report")).await);
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await;
    let label = ada.post("/api/labels", &json!({ "name": "deep" })).await;

    for path in [task.as_str(), project.header("location").unwrap(), label.header("location").unwrap()] {
        for known in ["\"1\"", "W/\"1\"", "\"9\", \"1\"", "*"] {
            let answer = ada.send(Method::GET, path, None, &[("if-none-match", known)]).await.is(304);
            assert_eq!((&answer.body, answer.header("etag")), (&Value::Null, Some("\"1\"")), "{path} {known}");
        }
        ada.send(Method::HEAD, path, None, &[("if-none-match", "\"1\"")]).await.is(304);
        ada.send(Method::GET, path, None, &[("if-none-match", "\"2\"")]).await.good();
        let unreadable = ada.send(Method::GET, path, None, &[("if-none-match", "1")]).await;
        assert_eq!(unreadable.faults(), ["If-None-Match:"]);
    }
    let missing = "/api/tasks/01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2d";
    ada.send(Method::GET, missing, None, &[("if-none-match", "*")]).await.is(404);
}

#[tokio::test]
async fn a_step_from_a_version_that_is_past_is_not_taken() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let steps = [
        ("start", None),
        ("complete", None),
        ("reopen", None),
        ("snooze", Some(json!({ "minutes": 5 }))),
        ("restore", None),
    ];
    for (step, body) in &steps {
        let path = format!("/api/tasks/{task}/{step}");
        for lost in [("if-match", "\"7\""), ("if-none-match", "*"), ("if-none-match", "W/\"1\"")] {
            let answer = ada.send(Method::POST, &path, body.as_ref(), &[lost]).await;
            answer.is(412).assert_problem("precondition-failed");
        }
    }
    let untouched = ada.get_task(task).await.good();
    assert_eq!((&untouched["status"], &untouched["version"]), (&json!("pending"), &json!(1)));

    for (version, (step, body)) in (1..).zip(&steps[..4]) {
        let (path, known) = (format!("/api/tasks/{task}/{step}"), format!("\"{version}\""));
        let answer = ada.send(Method::POST, &path, body.as_ref(), &[("if-match", &known)]).await.is(200);
        assert_eq!(answer.header("etag"), Some(format!("\"{}\"", version + 1).as_str()), "{step}");
    }
}

#[tokio::test]
async fn what_exists_is_not_changed_for_who_wants_it_not_to_exist() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = format!("/api/tasks/{}", ada.has(a_task("Report")).await);
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await.header("location").unwrap().to_owned();
    let label = ada.post("/api/labels", &json!({ "name": "deep" })).await.header("location").unwrap().to_owned();
    let (title, name) = (json!({ "title": "Other" }), json!({ "name": "Other" }));
    let changes = [
        (Method::PUT, &task, Some(&title)),
        (Method::PATCH, &task, Some(&title)),
        (Method::DELETE, &task, None),
        (Method::PATCH, &project, Some(&name)),
        (Method::DELETE, &project, None),
        (Method::PATCH, &label, Some(&name)),
        (Method::DELETE, &label, None),
    ];

    for (method, path, body) in changes {
        for known in ["*", "\"1\""] {
            let answer = ada.send(method.clone(), path, body, &[("if-none-match", known)]).await;
            answer.is(412).assert_problem("precondition-failed");
        }
        let both = [("if-match", "\"1\""), ("if-none-match", "\"1\"")];
        ada.send(method.clone(), path, body, &both).await.is(412);
        assert_eq!(ada.get(path).await.is(200).header("etag"), Some("\"1\""), "{method} {path}");
    }

    ada.send(Method::PATCH, &task, Some(&title), &[("if-none-match", "\"7\"")]).await.good();
    let unreadable = ada.send(Method::PATCH, &task, Some(&title), &[("if-none-match", "2")]).await;
    assert_eq!(unreadable.faults(), ["If-None-Match:"]);
}
