//! Requests that are sent again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp, a_task, hours};

async fn create(ada: &Actor<'_>, key: &str, body: &Value) -> Answer {
    ada.send(Method::POST, "/api/tasks", Some(body), &[("idempotency-key", key)]).await
}

#[tokio::test]
async fn the_same_key_and_body_get_the_first_answer_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({ "title": "Report" });

    let first = create(&ada, "a", &body).await.is(201);
    let again = create(&ada, "a", &body).await.is(201);

    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    for header in ["etag", "location", "undo-token", "content-type"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
    assert_eq!(first.body, again.body);
    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    create(&ada, "a", &json!({ "title": "Report" })).await.is(201);

    create(&ada, "a", &json!({ "title": "Other" })).await.is(422).assert_problem("idempotency-key-reused");
    let elsewhere =
        ada.send(Method::POST, "/api/labels", Some(&json!({ "name": "x" })), &[("idempotency-key", "a")]).await;

    elsewhere.is(422).assert_problem("idempotency-key-reused");
    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
}

#[tokio::test]
async fn keys_are_each_users_own() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let body = json!({ "title": "Report" });

    let (hers, his) = (create(&ada, "a", &body).await.good(), create(&eve, "a", &body).await.good());

    assert_ne!(hers["id"], his["id"]);
}

#[tokio::test]
async fn many_at_once_make_one_task() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({ "title": "Report" });

    let answers = futures_util::future::join_all((0..20).map(|_| create(&ada, "a", &body))).await;

    for answer in answers {
        match answer.status {
            201 => {}
            409 => {
                assert_eq!(answer.header("retry-after"), Some("1"));
                answer.assert_problem("request-running");
            }
            other => panic!("{other} {}", answer.body),
        }
    }
    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
}

#[tokio::test]
async fn refused_input_leaves_the_key_free() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    create(&ada, "a", &json!({ "title": "" })).await.is(422);

    create(&ada, "a", &json!({ "title": "Report" })).await.is(201);
}

#[tokio::test]
async fn an_answer_that_says_no_is_given_again_too() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let path = format!("/api/tasks/{task}/start");
    let key = [("idempotency-key", "a")];
    ada.complete_task(task).await.good();

    ada.send(Method::POST, &path, None, &key).await.is(409);
    ada.update_task(task, json!({ "status": "pending" })).await.good();

    let again = ada.send(Method::POST, &path, None, &key).await.is(409);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["type"], "urn:mindflow:problem:task-completed");
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({ "title": "Report" });
    create(&ada, "a", &body).await.is(201);

    app.advance(hours(24));
    let later = create(&ada, "a", &body).await.is(201);

    assert_eq!(later.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_characters() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let body = json!({ "title": "Report" });

    for key in ["", " ", "a b", &"k".repeat(256), "schlüssel"] {
        let request = ada.request(Method::POST, "/api/tasks").header("content-type", "application/json");
        let header = reqwest::header::HeaderValue::from_bytes(key.as_bytes()).unwrap();
        let answer = Answer::of(request.header("idempotency-key", header).body(body.to_string())).await;
        assert!(answer.faults().iter().all(|field| field == "Idempotency-Key:"), "{key:?}");
    }
    create(&ada, &"k".repeat(255), &body).await.is(201);
}
