//! Projects and labels.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn a_project_can_be_made_changed_listed_and_removed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let made = ada.post("/api/projects", &json!({ "name": " House ", "description": "all of it" })).await.is(201);
    let path = made.header("location").unwrap().to_owned();
    let renamed = ada.patch(&path, &json!({ "name": "Home", "description": null })).await.good();
    let listed = ada.get("/api/projects").await.is(200);

    assert_eq!(made.body["name"], "House");
    assert_eq!(
        (&renamed["name"], &renamed["description"], &renamed["version"]),
        (&json!("Home"), &Value::Null, &json!(2))
    );
    assert_eq!(listed.header("x-total-count"), Some("1"));
    assert_eq!(listed.body["items"], json!([renamed]));
    ada.delete(&path).await.is(204);
    ada.get(&path).await.is(404);
    ada.delete(&path).await.is(404);
}

#[tokio::test]
async fn names_are_unique_without_case() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for path in ["/api/projects", "/api/labels"] {
        ada.post(path, &json!({ "name": "Work" })).await.is(201);
        let other = ada.post(path, &json!({ "name": "Play" })).await.is(201).header("location").unwrap().to_owned();

        ada.post(path, &json!({ "name": "WORK" })).await.is(409).assert_problem("name-taken");
        ada.patch(&other, &json!({ "name": "work" })).await.is(409).assert_problem("name-taken");
        ada.patch(&other, &json!({ "name": "PLAY" })).await.good();
        eve.post(path, &json!({ "name": "work" })).await.is(201);
        eve.get(&other).await.is(404);
        eve.patch(&other, &json!({ "name": "x" })).await.is(404);
        eve.delete(&other).await.is(404);
    }
}

#[tokio::test]
async fn a_renamed_label_is_renamed_on_its_tasks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report").label("wrok")).await;
    let label = ada.get("/api/labels").await.good()["items"][0]["id"].as_str().unwrap().to_owned();

    ada.patch(&format!("/api/labels/{label}"), &json!({ "name": "work" })).await.good();

    let task = ada.get_task(task).await.good();
    assert_eq!((&task["labels"], &task["version"]), (&json!(["work"]), &json!(2)));
}

#[tokio::test]
async fn a_label_keeps_the_case_in_which_it_was_first_written() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("one").label("Work")).await;

    let second = ada.create_task(json!({ "title": "two", "labels": ["WORK", "work", "Home"] })).await.good();

    assert_eq!(second["labels"], json!(["Home", "Work"]));
    assert_eq!(ada.get("/api/labels").await.header("x-total-count"), Some("2"));
}

#[tokio::test]
async fn bad_names_and_pages_are_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for name in [json!(""), json!("  "), json!("a\nb"), json!("a\n"), json!("x".repeat(61)), json!(7), Value::Null] {
        assert_eq!(ada.post("/api/projects", &json!({ "name": name })).await.faults(), ["/name"], "{name}");
    }
    assert_eq!(ada.get("/api/labels?limit=0&cursor=x&page=1").await.faults(), ["?limit", "?page", "?cursor"]);
    assert_eq!(ada.get("/api/labels?cursor=x").await.faults(), ["?cursor"]);
    assert_eq!(ada.get("/api/projects/7").await.faults(), ["{project_id}"]);
    let labels = vec!["x"; 21].iter().enumerate().map(|(i, x)| format!("{x}{i}")).collect::<Vec<_>>();
    assert_eq!(ada.create_task(json!({ "title": "x", "labels": labels })).await.faults(), ["/labels"]);
}

#[tokio::test]
async fn pages_of_projects_follow_each_other() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for name in ["a", "b", "c"] {
        ada.post("/api/projects", &json!({ "name": name })).await.good();
    }

    let first = ada.get("/api/projects?limit=2").await.good();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = ada.send(Method::GET, &format!("/api/projects?limit=2&cursor={cursor}"), None, &[]).await.good();

    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_name_is_one_however_its_letters_are_composed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (composed, taken_apart) = ("\u{fc}ber", "u\u{308}ber");
    for path in ["/api/projects", "/api/labels"] {
        let made = ada.post(path, &json!({ "name": taken_apart })).await.is(201);
        assert_eq!(made.body["name"], composed);
        ada.post(path, &json!({ "name": composed })).await.is(409).assert_problem("name-taken");
        ada.post(path, &json!({ "name": taken_apart.to_uppercase() })).await.is(409);
    }

    let task = ada.create_task(json!({ "title": "Report", "labels": [composed, taken_apart] })).await.good();

    assert_eq!(task["labels"], json!([composed]));
    for name in ["%C3%BCber", "u%CC%88ber", "U%CC%88BER"] {
        assert_eq!(ada.list_tasks(&format!("label={name}")).await.titles(), ["Report"], "{name}");
    }
}
