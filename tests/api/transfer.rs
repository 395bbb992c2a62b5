//! Everything out and in again.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::{Actor, TestApp};
use crate::support::databases::Db;

async fn export(actor: &Actor<'_>) -> Value {
    actor.get("/api/export").await.good()
}

async fn import(actor: &Actor<'_>, file: &Value) -> Answer {
    actor.post("/api/import", file).await.is(200)
}

/// Tasks with everything that is awkward in one of the three forms.
fn awkward() -> Value {
    let (home, work) = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b");
    let id = |number: u8| format!("00000000-0000-0000-0000-0000000000{number:02}");
    json!({
        "version": 1,
        "projects": [
            { "id": home, "name": "Home; \"sweet\", home", "description": "lines\r\nand\ttabs", "created_at": "2020-01-01" },
            { "id": work, "name": "=Work", "created_at": "2020-01-01" },
        ],
        "labels": [{ "name": "Zürich" }, { "name": "a;b\\" }, { "name": "@unused" }],
        "tasks": [
            // A part that comes before what it is a part of.
            { "id": id(1), "title": "=HYPERLINK(\"x\")", "parent_id": id(3), "project_id": home, "priority": 5,
              "snooze_count": 3 },
            { "id": id(2), "title": "😀".repeat(200), "description": "\\,;:\"'\n\r\n\u{2028}\tend", "labels": ["a;b\\", "new"] },
            { "id": id(3), "title": "Parent", "status": "in_progress", "due_date": "2026-12-24", "effort_estimate_minutes": 90,
              "preferred_time": "evening", "labels": ["ZÜRICH"], "project_id": work, "created_at": "1970-01-01T00:00:00Z" },
            { "id": id(4), "title": "Long ago", "status": "completed", "completed_at": "1999-12-31T23:59:59.123456Z",
              "due_date": "2026-12-24T18:00:00+01:00", "description": "" },
            { "id": id(5), "title": "Woken", "status": "snoozed", "snoozed_until": "2001-01-01T00:00:00Z",
              "snooze_count": 7 },
        ],
    })
}

/// What two accounts can have in common: ids become places, times of change and versions go.
fn comparable(mut export: Value) -> Value {
    let mut places = HashMap::new();
    for kind in ["projects", "labels", "tasks"] {
        for (index, item) in export[kind].as_array().unwrap().iter().enumerate() {
            places.insert(item["id"].clone(), json!(format!("{kind} {index}")));
        }
    }
    export["exported_at"] = Value::Null;
    for kind in ["projects", "labels", "tasks"] {
        for item in export[kind].as_array_mut().unwrap() {
            for name in ["id", "project_id", "parent_id"] {
                if let Some(place) = item.get(name).and_then(|id| places.get(id)) {
                    item[name] = place.clone();
                }
            }
            let item = item.as_object_mut().unwrap();
            item.shift_remove("updated_at");
            item.shift_remove("version");
        }
    }
    export
}

#[tokio::test]
async fn an_export_makes_an_empty_account_the_same() {
    an_export_makes_an_empty_account_the_same_on(Db::Sqlite).await;
}

#[tokio::test]
async fn an_export_makes_an_empty_account_the_same_on_postgres() {
    an_export_makes_an_empty_account_the_same_on(Db::Postgres).await;
}

async fn an_export_makes_an_empty_account_the_same_on(db: Db) {
    let app = TestApp::on(db).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let made = import(&ada, &awkward()).await;

    let first = export(&ada).await;
    let again = import(&bob, &first).await;
    let second = export(&bob).await;

    assert_eq!(made.body, json!({ "tasks": 5, "projects": 2, "labels": 4 }));
    assert_eq!(again.body, made.body);
    assert_eq!(first["tasks"].as_array().unwrap().len(), 5);
    let parent = first["tasks"].as_array().unwrap().iter().find(|task| task["title"] == "Parent").unwrap();
    assert_eq!((&parent["labels"], &parent["created_at"]), (&json!(["Zürich"]), &json!("1970-01-01T00:00:00Z")));
    assert_eq!(comparable(first), comparable(second));
}

#[tokio::test]
async fn an_undone_import_leaves_nothing_and_can_be_done_again() {
    an_undone_import_leaves_nothing_and_can_be_done_again_on(Db::Sqlite).await;
}

#[tokio::test]
async fn an_undone_import_leaves_nothing_and_can_be_done_again_on_postgres() {
    an_undone_import_leaves_nothing_and_can_be_done_again_on(Db::Postgres).await;
}

async fn an_undone_import_leaves_nothing_and_can_be_done_again_on(db: Db) {
    let app = TestApp::on(db).await;
    let ada = app.user("ada").await;
    let empty = export(&ada).await;
    let token = import(&ada, &awkward()).await.undo_token();
    let full = export(&ada).await;

    let undone = ada.undo_change(&token).await.is(200);
    let gone = export(&ada).await;
    let redone = ada.undo_change(&undone.undo_token()).await.good();

    assert_eq!(undone.body, json!({ "action": "data.imported", "tasks": [] }));
    assert_eq!(gone, empty);
    assert_eq!(redone["tasks"].as_array().unwrap().len(), 5);
    assert_eq!(comparable(export(&ada).await), comparable(full));
}

#[tokio::test]
async fn an_import_that_was_worked_on_stays() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let token = import(&ada, &awkward()).await.undo_token();
    let task = export(&ada).await["tasks"][1]["id"].as_str().unwrap().to_owned();
    ada.send(Method::POST, &format!("/api/tasks/{task}/start"), None, &[]).await.good();
    let before = export(&ada).await;

    let refused = ada.undo_change(&token).await;

    refused.is(409).assert_problem("undo-overtaken");
    assert_eq!(export(&ada).await, before);
}

#[tokio::test]
async fn names_that_exist_are_used_and_what_others_use_outlives_an_undo() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.post("/api/projects", &json!({ "name": "=WORK" })).await.is(201);
    ada.post("/api/labels", &json!({ "name": "zürich" })).await.is(201);

    let made = import(&ada, &awkward()).await;
    ada.post("/api/tasks", &json!({ "title": "mine", "labels": ["new"] })).await.is(201);
    ada.undo_change(&made.undo_token()).await.good();

    assert_eq!(made.body, json!({ "tasks": 5, "projects": 1, "labels": 3 }));
    let left = export(&ada).await;
    let names = |kind: &str| {
        let mut names: Vec<_> =
            left[kind].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names("projects"), ["=WORK"]);
    assert_eq!(names("labels"), ["new", "zürich"]);
}

#[tokio::test]
async fn every_fault_of_a_file_is_told_and_nothing_is_kept() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (one, two) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
    let rules = json!({ "version": 1, "tasks": [
        { "title": "self", "id": one, "parent_id": one },
        { "title": "twice", "id": one, "project_id": two },
        { "title": "lost", "parent_id": two, "status": "snoozed" },
        { "title": "early", "completed_at": "2020-01-01", "snoozed_until": "2020-01-01" },
        { "title": "kept?" },
    ] });
    let shape = json!({ "version": 2, "more": 1, "tasks": [
        { "title": "x", "priority": 6 }, { "title": "", "created_at": "1969-12-31", "score": 1 },
    ] });

    let rules = ada.post("/api/import", &rules).await;
    let shape = ada.post("/api/import", &shape).await;

    let mut found = rules.faults();
    found.sort();
    assert_eq!(
        found,
        [
            "/tasks/0/parent_id",
            "/tasks/1/id",
            "/tasks/1/project_id",
            "/tasks/2/parent_id",
            "/tasks/2/snoozed_until",
            "/tasks/3/completed_at",
            "/tasks/3/snoozed_until",
        ]
    );
    let mut found = shape.faults();
    found.sort();
    assert_eq!(
        found,
        ["/more", "/tasks/0/priority", "/tasks/1/created_at", "/tasks/1/score", "/tasks/1/title", "/version"]
    );
    assert_eq!(export(&ada).await["tasks"], json!([]));
}

#[tokio::test]
async fn a_repeated_import_is_answered_but_not_done_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let first = ada.send(Method::POST, "/api/import", Some(&awkward()), &[("idempotency-key", "k1")]).await.is(200);
    let second = ada.send(Method::POST, "/api/import", Some(&awkward()), &[("idempotency-key", "k1")]).await.is(200);

    assert_eq!((&first.body, second.header("idempotent-replayed")), (&second.body, Some("true")));
    assert_eq!(export(&ada).await["tasks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn deleted_tasks_are_left_out_even_as_parents() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    import(&ada, &awkward()).await;
    let tasks = export(&ada).await["tasks"].clone();
    let id = |title: &str| {
        let task = tasks.as_array().unwrap().iter().find(|task| task["title"].as_str().unwrap().starts_with(title));
        task.unwrap()["id"].as_str().unwrap().to_owned()
    };
    ada.send(Method::DELETE, &format!("/api/tasks/{}", id("Parent")), None, &[]).await;
    ada.send(Method::POST, &format!("/api/tasks/{}/restore", id("=HYPER")), None, &[]).await.good();

    let export = export(&ada).await;

    assert_eq!(export["tasks"].as_array().unwrap().len(), 4);
    assert_eq!(export["tasks"].as_array().unwrap().iter().filter(|task| task["parent_id"].is_string()).count(), 0);
    import(&app.user("bob").await, &export).await;
}

#[tokio::test]
async fn each_form_comes_as_a_file() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    import(&ada, &awkward()).await;

    for (format, kind) in
        [("json", "application/json"), ("csv", "text/csv; charset=utf-8"), ("ics", "text/calendar; charset=utf-8")]
    {
        let file = ada.get(&format!("/api/export?format={format}")).await.is(200);

        assert_eq!(file.header("content-type"), Some(kind));
        let name = format!("attachment; filename=\"mindflow-2026-03-23.{format}\"");
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    }
    let unknown = ada.get("/api/export?format=xml&page=1").await;
    assert_eq!(unknown.faults(), ["?format", "?page"]);
    app.anonymous().get("/api/export").await.is(401);
}

#[tokio::test]
async fn the_table_reads_back_as_what_was_written() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    import(&ada, &awkward()).await;

    let file = ada.get("/api/export?format=csv").await.good();

    let mut table = csv::Reader::from_reader(file.as_str().unwrap().as_bytes());
    let rows: Vec<HashMap<String, String>> = table.deserialize().map(Result::unwrap).collect();
    let row = |title: &str| rows.iter().find(|row| row["title"].starts_with(title)).unwrap();
    assert_eq!(row("'=HYPER")["project"], "Home; \"sweet\", home");
    assert_eq!(row("'=HYPER")["parent_id"], row("Parent")["id"]);
    assert_eq!(row("Parent")["project"], "'=Work");
    assert_eq!(row("😀")["description"], "\\,;:\"'\n\r\n\u{2028}\tend");
    assert_eq!(row("😀")["labels"], "a\\;b\\\\;new");
    assert_eq!(row("Long")["due_date"], "2026-12-24T17:00:00Z");
}
