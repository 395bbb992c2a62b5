//! All faults of a request at once: what the schema sees, and what only the domain can.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Actor, TestApp, a_task, hours};

const PAST: &str = "2026-03-01T00:00:00Z";
const FUTURE: &str = "2026-05-01T00:00:00Z";
const NOBODY: &str = "01932c07-3c5e-7d3a-9f0e-0a5a7c6f1b2d";

/// The places of the faults, sorted.
async fn faults(actor: &Actor<'_>, method: Method, path: &str, body: &Value) -> Vec<String> {
    let mut faults = actor.send(method, path, Some(body), &[]).await.faults();
    faults.sort();
    faults
}

#[tokio::test]
async fn a_task_is_told_every_rule_that_it_breaks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let eve = app.user("eve").await;
    let hers = eve.post("/api/projects", &json!({ "name": "Hers" })).await.good()["id"].clone();
    let task = ada.has(a_task("Report")).await;
    let one = format!("/api/tasks/{task}");

    for (body, places) in [
        (json!({ "title": "", "status": "snoozed" }), vec!["/snoozed_until", "/title"]),
        (json!({ "title": 5, "status": "snoozed", "snoozed_until": PAST }), vec!["/snoozed_until", "/title"]),
        (json!({ "priority": 9, "snoozed_until": FUTURE, "title": "x" }), vec!["/priority", "/snoozed_until"]),
        (json!({ "title": "x", "colour": 1, "project_id": hers }), vec!["/colour", "/project_id"]),
        (json!({ "title": "", "project_id": hers, "parent_id": NOBODY }), vec!["/parent_id", "/project_id", "/title"]),
        (json!({ "title": "x", "due_date": "2026-02-30", "parent_id": NOBODY }), vec!["/due_date", "/parent_id"]),
        // What rests on something that cannot be read is not known.
        (json!({ "title": "x", "status": "asleep", "snoozed_until": FUTURE }), vec!["/status"]),
        (json!({ "title": "x", "status": "asleep", "snoozed_until": PAST }), vec!["/status"]),
        (json!({ "title": "x", "status": "snoozed", "snoozed_until": "soon" }), vec!["/snoozed_until"]),
        (json!({ "title": "x", "labels": ["ok", 5], "status": "snoozed" }), vec!["/labels/1", "/snoozed_until"]),
    ] {
        for (method, path) in [(Method::POST, "/api/tasks"), (Method::PUT, &*one), (Method::PATCH, &*one)] {
            assert_eq!(faults(&ada, method.clone(), path, &body).await, places, "{method} {body}");
        }
    }
    assert_eq!(
        faults(&ada, Method::POST, "/api/tasks", &json!({ "status": "snoozed" })).await,
        ["/snoozed_until", "/title"]
    );
    assert_eq!(
        faults(&ada, Method::PATCH, &one, &json!({ "title": null, "parent_id": task })).await,
        ["/parent_id", "/title"]
    );
    assert_eq!(faults(&ada, Method::PATCH, &format!("/api/tasks/{NOBODY}"), &json!({ "title": "" })).await, ["/title"]);

    assert_eq!(ada.list_tasks("").await.titles(), ["Report"], "nothing was done");
    assert_eq!(ada.get_task(task).await.good()["version"], 1);
}

#[tokio::test]
async fn a_replacement_is_held_against_the_rules_as_a_whole() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    ada.snooze_task(task, json!({ "until": FUTURE })).await.good();
    let path = format!("/api/tasks/{task}");

    let body = json!({ "title": "", "snoozed_until": FUTURE });

    assert_eq!(faults(&ada, Method::PUT, &path, &body).await, ["/snoozed_until", "/title"]);
    assert_eq!(faults(&ada, Method::PATCH, &path, &body).await, ["/title"], "it is snoozed until then");
}

#[tokio::test]
async fn a_snooze_is_told_every_rule_that_it_breaks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let path = format!("/api/tasks/{task}/snooze");

    for (body, places) in [
        (json!({ "minutes": 0, "phrase": "tomorrow" }), vec!["", "/minutes"]),
        (json!({ "until": PAST, "colour": 1 }), vec!["/colour", "/until"]),
        (json!({ "phrase": "some day", "colour": 1 }), vec!["/colour", "/phrase"]),
        (json!({ "colour": 1 }), vec!["", "/colour"]),
        (json!({ "until": "soon" }), vec!["/until"]),
        (json!({ "until": null }), vec!["/until"]),
        (json!([]), vec![""]),
    ] {
        assert_eq!(faults(&ada, Method::POST, &path, &body).await, places, "{body}");
    }
    assert_eq!(ada.get_task(task).await.good()["status"], "pending");
}

#[tokio::test]
async fn a_batch_is_told_every_rule_that_its_operations_break() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let operations = json!([
        { "op": "create", "task": { "title": "" } },
        { "op": "create", "task": { "status": "snoozed" } },
        { "op": "snooze", "id": task },
        { "op": "complete", "id": task, "phrase": "tomorrow" },
        { "op": "update", "id": task, "task": { "parent_id": NOBODY, "priority": 7 } },
        { "op": "dance", "id": task },
        { "op": "start" },
        { "op": "delete", "id": NOBODY },
        { "op": "delete", "id": "7" },
        { "op": "snooze", "id": task, "until": PAST },
        { "op": "create", "task": { "title": "x" }, "id": task, "if_match": "nonsense" },
        { "op": "create", "task": { "title": "good" } },
    ]);
    let told = faults(&ada, Method::POST, "/api/tasks/batch", &json!({ "operations": operations })).await;

    assert_eq!(
        told,
        [
            "/operations/0/task/title",
            "/operations/1/task/snoozed_until",
            "/operations/1/task/title",
            "/operations/10/id",
            "/operations/10/if_match",
            "/operations/10/if_match",
            "/operations/2",
            "/operations/3/phrase",
            "/operations/4/task/parent_id",
            "/operations/4/task/priority",
            "/operations/5/op",
            "/operations/6/id",
            "/operations/7",
            "/operations/8/id",
            "/operations/9/until",
        ]
    );
    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
}

#[tokio::test]
async fn a_batch_says_all_even_when_no_schema_is_broken() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let operations = json!([
        { "op": "delete", "id": NOBODY },
        { "op": "create", "task": { "title": "x" }, "minutes": 5 },
        { "op": "create", "task": { "title": "x", "parent_id": NOBODY } },
    ]);
    let told = faults(&ada, Method::POST, "/api/tasks/batch", &json!({ "operations": operations })).await;

    assert_eq!(told, ["/operations/0", "/operations/1/minutes", "/operations/2/task/parent_id"]);
}

#[tokio::test]
async fn an_account_is_told_every_rule_that_it_breaks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for (method, path, body, places) in [
        (
            Method::PATCH,
            "/api/auth/me",
            json!({ "time_zone": "Mars", "preferences": { "policy": "nope", "windows": {
                "morning": ["06:00", "06:00"], "afternoon": ["12:00"], "evening": ["25:00", "x"],
            } } }),
            vec![
                "/preferences/policy",
                "/preferences/windows/afternoon",
                "/preferences/windows/evening/0",
                "/preferences/windows/evening/1",
                "/preferences/windows/morning",
                "/time_zone",
            ],
        ),
        (
            Method::POST,
            "/api/auth/tokens",
            json!({ "name": "", "scopes": ["read"], "expires_at": PAST }),
            vec!["/expires_at", "/name"],
        ),
        (
            Method::POST,
            "/api/auth/tokens",
            json!({ "name": "x", "scopes": ["sing"], "expires_at": PAST }),
            vec!["/expires_at", "/scopes/0"],
        ),
        (
            Method::POST,
            "/api/auth/register",
            json!({ "email": "eve@example.com", "password": "eve@example.com", "time_zone": "Mars" }),
            vec!["/password", "/time_zone"],
        ),
        (
            Method::POST,
            "/api/auth/password/change",
            json!({ "current_password": "", "new_password": "ada@example.com" }),
            vec!["/current_password", "/new_password"],
        ),
    ] {
        assert_eq!(faults(&ada, method, path, &body).await, places, "{body}");
    }
    assert_eq!(ada.get("/api/auth/me").await.good()["time_zone"], "UTC");
    assert_eq!(ada.get("/api/auth/tokens").await.good()["items"], json!([]));
}

#[tokio::test]
async fn a_question_is_told_every_rule_that_it_breaks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("one")).await;
    ada.has(a_task("two")).await;
    let cursor = ada.list_tasks("limit=1").await.good()["next_cursor"].as_str().unwrap().to_owned();

    for (path, places) in [
        ("/api/tasks?limit=0&cursor=made-up".to_owned(), vec!["?cursor", "?limit"]),
        (format!("/api/tasks?limit=0&status=pending&cursor={cursor}"), vec!["?cursor", "?limit"]),
        (format!("/api/tasks?status=open&cursor={cursor}"), vec!["?status"]),
        (format!("/api/tasks/ranked?cursor={cursor}&policy=nope"), vec!["?cursor", "?policy"]),
        ("/api/tasks/ranked?limit=x&policy=nope&cursor=made-up".to_owned(), vec!["?cursor", "?limit", "?policy"]),
        ("/api/tasks/best?available_minutes=0&policy=nope".to_owned(), vec!["?available_minutes", "?policy"]),
        (format!("/api/tasks/{task}/explain?at=soon&policy=nope"), vec!["?at", "?policy"]),
        (
            format!("/api/tasks/{task}/explain?at=soon&policy=nope&versus={}", uuid::Uuid::now_v7()),
            vec!["?at", "?policy", "?versus"],
        ),
        ("/api/projects?limit=0&cursor=made-up".to_owned(), vec!["?cursor", "?limit"]),
        ("/api/labels?limit=0&cursor=made-up".to_owned(), vec!["?cursor", "?limit"]),
        ("/api/auth/activity?limit=0&cursor=made-up".to_owned(), vec!["?cursor", "?limit"]),
    ] {
        let mut told = ada.get(&path).await.faults();
        told.sort();
        assert_eq!(told, places, "{path}");
    }
}

#[tokio::test]
async fn a_file_is_told_every_rule_that_it_breaks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let file = json!({
        "version": 1,
        "projects": [{ "id": "x", "name": "House" }],
        "tasks": [
            { "title": "", "status": "snoozed" },
            { "title": "a", "parent_id": NOBODY },
            { "title": "b", "project_id": NOBODY },
            { "title": "c", "completed_at": PAST, "priority": 6 },
        ],
    });

    let told = faults(&ada, Method::POST, "/api/import", &file).await;

    // Whose project `b` is in cannot be said while a project's id is unreadable.
    assert_eq!(
        told,
        [
            "/projects/0/id",
            "/tasks/0/snoozed_until",
            "/tasks/0/title",
            "/tasks/1/parent_id",
            "/tasks/3/completed_at",
            "/tasks/3/priority",
        ]
    );
    assert!(ada.list_tasks("").await.titles().is_empty());
}

#[tokio::test]
async fn a_refused_request_takes_no_key_and_leaves_no_trace() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let key = [("idempotency-key", "k1")];
    let trace = ada.get("/api/auth/activity").await.good()["items"].as_array().unwrap().len();

    ada.send(Method::POST, "/api/tasks", Some(&json!({ "title": "x", "colour": 1 })), &key).await.is(422);
    app.advance(hours(1));

    assert_eq!(ada.get("/api/auth/activity").await.good()["items"].as_array().unwrap().len(), trace);
    ada.send(Method::POST, "/api/tasks", Some(&json!({ "title": "x" })), &key).await.is(201);
}

#[tokio::test]
async fn read_only_fields_are_refused_by_name() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let shown = ada.get_task(task).await.good();
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await.good();
    let me = ada.get("/api/auth/me").await.good();
    let task = format!("/api/tasks/{task}");

    for (method, path, field, value) in [
        (Method::PATCH, task.clone(), "id", shown["id"].clone()),
        (Method::PUT, task.clone(), "created_at", json!(PAST)),
        (Method::PATCH, task.clone(), "updated_at", json!(PAST)),
        (Method::PATCH, task.clone(), "completed_at", Value::Null),
        (Method::PATCH, task.clone(), "version", json!(1)),
        (Method::POST, "/api/tasks".to_owned(), "score", json!(1.5)),
        (Method::PATCH, format!("/api/projects/{}", project["id"].as_str().unwrap()), "created_at", json!(PAST)),
        (Method::POST, "/api/labels".to_owned(), "id", json!(NOBODY)),
        (Method::POST, "/api/projects".to_owned(), "updated_at", json!(PAST)),
        (Method::PATCH, "/api/auth/me".to_owned(), "email", me["email"].clone()),
        (Method::POST, "/api/auth/tokens".to_owned(), "last_used_at", json!(PAST)),
    ] {
        let answer = ada.send(method, &path, Some(&json!({ field: value })), &[]).await.is(422);
        let told = answer.body["errors"].as_array().unwrap();
        let own = told.iter().find(|fault| fault["field"] == format!("/{field}")).unwrap();
        assert_eq!(own["message"], "is read-only", "{path} {field}");
    }
    let batch = json!({ "operations": [{ "op": "update", "id": shown["id"], "task": { "score": 1 } }] });
    let told = ada.post("/api/tasks/batch", &batch).await.is(422);
    assert_eq!(told.body["errors"], json!([{ "field": "/operations/0/task/score", "message": "is read-only" }]));
    let told = ada.patch(&task, &json!({ "colour": 1 })).await.is(422);
    assert!(told.body["errors"][0]["message"].as_str().unwrap().starts_with("is not a known field; known: "));
    let told = ada.post(&format!("{task}/snooze"), &json!({ "minutes": 5, "title": "x" })).await.is(422);
    assert!(told.body["errors"][0]["message"].as_str().unwrap().starts_with("is not a known field"));
}

#[tokio::test]
async fn a_time_of_day_is_asked_for_in_words() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let windows = json!({ "preferences": { "windows": { "morning": ["6:00", "12:00"] } } });
    let told = ada.patch("/api/auth/me", &windows).await.is(422);

    let message = "must be a time of day such as `06:00`, up to `24:00`";
    assert_eq!(told.body["errors"], json!([{ "field": "/preferences/windows/morning/0", "message": message }]));
}
