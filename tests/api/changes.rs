//! Making and changing tasks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn a_new_task_has_defaults_a_location_and_an_entity_tag() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let answer = ada.create_task(json!({ "title": "  Write blog post " })).await.is(201);

    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(answer.header("etag"), Some("\"1\""));
    let mut task = answer.body;
    assert_eq!(location, format!("/api/tasks/{}", task["id"].as_str().unwrap()));
    assert_eq!(ada.get(&location).await.good(), task);
    task["id"] = json!("[id]");
    insta::assert_json_snapshot!(task, @r#"
    {
      "id": "[id]",
      "title": "Write blog post",
      "description": null,
      "status": "pending",
      "priority": 3,
      "due_date": null,
      "effort_estimate_minutes": null,
      "preferred_time": null,
      "snoozed_until": null,
      "snooze_count": 0,
      "labels": [],
      "project_id": null,
      "parent_id": null,
      "created_at": "2026-03-23T12:00:00Z",
      "updated_at": "2026-03-23T12:00:00Z",
      "completed_at": null,
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn texts_come_back_as_they_were_given() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let title = "R&D <script>alert(1)</script> \u{202e}😀 日本 ' OR 1=1 --";
    let description = "line 1\r\n\tline 2 \\ \" {{x}} ${y}";

    let task = ada.create_task(json!({ "title": title, "description": description })).await.good();

    assert_eq!(task["title"], title);
    assert_eq!(task["description"], description);
}

#[tokio::test]
async fn a_title_of_200_emoji_is_fine_and_one_of_201_is_not() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    ada.create_task(json!({ "title": "👩".repeat(200) })).await.is(201);
    let refused = ada.create_task(json!({ "title": "👩".repeat(201) })).await;

    let problem = refused.is(422).assert_problem("invalid-input");
    assert_eq!(problem["errors"][0]["message"], "must be at most 200 characters long; it has 201");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_empties() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report").description("long").minutes(30).due("2026-03-24").label("work")).await;

    let patched = ada.update_task(task, json!({ "priority": 5, "description": null })).await.good();

    assert_eq!(patched["priority"], 5);
    assert_eq!(patched["description"], Value::Null);
    assert_eq!(patched["due_date"], "2026-03-24");
    assert_eq!(patched["effort_estimate_minutes"], 30);
    assert_eq!(patched["labels"], json!(["work"]));
    assert_eq!(patched["version"], 2);
}

#[tokio::test]
async fn a_label_in_another_case_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report").label("Home")).await;

    let patched = ada.update_task(task, json!({ "labels": ["HOME"] })).await.is(200);
    let other = ada.create_task(json!({ "title": "Other", "labels": ["hOME"] })).await.good();

    assert_eq!((&patched.body["labels"], &patched.body["version"]), (&json!(["Home"]), &json!(1)));
    assert_eq!(patched.header("undo-token"), None);
    assert_eq!(other["labels"], json!(["Home"]));
}

#[tokio::test]
async fn a_patch_may_come_as_a_merge_patch() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let request = ada.request(Method::PATCH, &format!("/api/tasks/{task}"));
    let request = request.header("content-type", "application/merge-patch+json").body(r#"{"priority":1}"#);
    let answer = crate::support::answer::Answer::of(request).await;

    assert_eq!(answer.good()["priority"], 1);
}

#[tokio::test]
async fn an_empty_patch_changes_nothing_and_gives_no_undo_token() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let answer = ada.update_task(task, json!({})).await.is(200);

    assert_eq!(answer.header("undo-token"), None);
    assert_eq!(answer.header("etag"), Some("\"1\""));
}

#[tokio::test]
async fn null_for_what_cannot_be_empty_is_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let body = json!({ "title": null, "status": null, "priority": null, "labels": null });
    let faults = ada.update_task(task, body).await.faults();

    assert_eq!(faults, ["/title", "/status", "/priority", "/labels"]);
}

#[tokio::test]
async fn put_replaces_all_of_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report").priority(5).minutes(30).due("2026-03-24").label("work")).await;

    let replaced = ada.put(&format!("/api/tasks/{task}"), &json!({ "title": "Note" })).await.good();

    assert_eq!(replaced["title"], "Note");
    assert_eq!(replaced["priority"], 3);
    assert_eq!(replaced["due_date"], Value::Null);
    assert_eq!(replaced["effort_estimate_minutes"], Value::Null);
    assert_eq!(replaced["labels"], json!([]));
    assert_eq!(replaced["created_at"], "2026-03-23T12:00:00Z");
}

#[tokio::test]
async fn who_knows_an_old_version_loses_and_nothing_is_changed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let path = format!("/api/tasks/{task}");
    let body = json!({ "title": "Mine" });

    ada.send(Method::PATCH, &path, Some(&body), &[("if-match", "\"1\"")]).await.good();
    let lost = json!({ "title": "Theirs" });
    for method in [Method::PATCH, Method::PUT] {
        let answer = ada.send(method, &path, Some(&lost), &[("if-match", "\"1\"")]).await;
        answer.is(412).assert_problem("precondition-failed");
    }
    ada.send(Method::DELETE, &path, None, &[("if-match", "\"1\"")]).await.is(412);
    ada.send(Method::PATCH, &path, Some(&lost), &[("if-match", "W/\"2\"")]).await.is(412);

    assert_eq!(ada.get_task(task).await.good()["title"], "Mine");
    ada.send(Method::PATCH, &path, Some(&lost), &[("if-match", "\"9\", \"2\"")]).await.good();
    ada.send(Method::PATCH, &path, Some(&body), &[("if-match", "*")]).await.good();
    let unreadable = ada.send(Method::PATCH, &path, Some(&body), &[("if-match", "3")]).await;
    assert_eq!(unreadable.faults(), ["If-Match:"]);
}

#[tokio::test]
async fn a_task_goes_through_its_life_and_each_step_can_be_repeated() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let step = |step: &'static str| {
        let ada = ada.clone();
        async move { ada.send(Method::POST, &format!("/api/tasks/{task}/{step}"), None, &[]).await }
    };

    for (name, status, completed) in [
        ("start", "in_progress", false),
        ("start", "in_progress", false),
        ("reopen", "in_progress", false),
        ("complete", "completed", true),
        ("complete", "completed", true),
        ("reopen", "pending", false),
        ("reopen", "pending", false),
    ] {
        let body = step(name).await.good();
        assert_eq!(body["status"], status, "{name}");
        assert_eq!(body["completed_at"].is_string(), completed, "{name}");
    }
    step("complete").await.good();
    step("start").await.is(409).assert_problem("task-completed");
}

#[tokio::test]
async fn a_patch_moves_the_status_and_keeps_its_rules() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    assert_eq!(ada.update_task(task, json!({ "status": "snoozed" })).await.faults(), ["/snoozed_until"]);
    let past = json!({ "status": "snoozed", "snoozed_until": "2026-03-23T11:00:00Z" });
    assert_eq!(ada.update_task(task, past).await.faults(), ["/snoozed_until"]);
    let alone = json!({ "snoozed_until": "2026-03-24T11:00:00Z" });
    assert_eq!(ada.update_task(task, alone).await.faults(), ["/snoozed_until"]);
    let good = json!({ "status": "snoozed", "snoozed_until": "2026-03-24T11:00:00Z" });
    assert_eq!(ada.update_task(task, good).await.good()["snoozed_until"], "2026-03-24T11:00:00Z");
    let done = ada.update_task(task, json!({ "status": "completed" })).await.good();
    assert_eq!((&done["snoozed_until"], &done["completed_at"]), (&Value::Null, &json!("2026-03-23T12:00:00Z")));
}

#[tokio::test]
async fn read_only_fields_are_refused_by_name() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let body = json!({ "title": "x", "id": 1, "created_at": "2026-01-01", "score": 3 });
    let faults = ada.create_task(body).await.faults();

    assert_eq!(faults, ["/id", "/created_at", "/score"]);
}

#[tokio::test]
async fn another_users_task_is_not_there() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.has(a_task("Secret")).await;
    let path = format!("/api/tasks/{task}");
    let body = json!({ "title": "mine now" });

    eve.get(&path).await.is(404).assert_problem("not-found");
    eve.patch(&path, &body).await.is(404);
    eve.put(&path, &body).await.is(404);
    eve.delete(&path).await.is(404);
    for step in ["complete", "reopen", "start", "restore"] {
        eve.send(Method::POST, &format!("{path}/{step}"), None, &[]).await.is(404);
    }
    eve.snooze_task(task, json!({ "minutes": 5 })).await.is(404);
    eve.explain_task(task, "").await.is(404);
    assert_eq!(eve.create_task(json!({ "title": "x", "parent_id": task })).await.faults(), ["/parent_id"]);
    assert_eq!(ada.get_task(task).await.good()["title"], "Secret");
}

#[tokio::test]
async fn faults_of_fields_and_of_what_they_refer_to_come_together() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let theirs = eve.has(a_task("Theirs")).await;

    let body = json!({ "title": "x", "status": "snoozed", "parent_id": theirs, "project_id": theirs });
    let faults = ada.create_task(body).await.faults();

    assert_eq!(faults, ["/snoozed_until", "/project_id", "/parent_id"]);
}

#[tokio::test]
async fn a_task_is_never_a_part_of_itself() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let whole = ada.has(a_task("Whole")).await;
    let part = ada.has(a_task("Part").part_of(whole)).await;
    let grain = ada.has(a_task("Grain").part_of(part)).await;

    for parent in [whole, part, grain] {
        assert_eq!(ada.update_task(whole, json!({ "parent_id": parent })).await.faults(), ["/parent_id"]);
    }
    ada.update_task(grain, json!({ "parent_id": whole })).await.good();
    assert_eq!(ada.list_tasks(&format!("parent_id={whole}&sort=created_at")).await.titles(), ["Part", "Grain"]);
}

#[tokio::test]
async fn a_deleted_task_takes_its_parts_along_and_can_be_restored() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let whole = ada.has(a_task("Whole")).await;
    let part = ada.has(a_task("Part").part_of(whole)).await;

    ada.delete(&format!("/api/tasks/{whole}")).await.is(204);

    ada.get_task(whole).await.is(404);
    ada.get_task(part).await.is(404);
    assert!(ada.list_tasks("").await.titles().is_empty());
    ada.delete(&format!("/api/tasks/{whole}")).await.is(404);
    for _ in 0..2 {
        ada.send(Method::POST, &format!("/api/tasks/{whole}/restore"), None, &[]).await.good();
    }
    assert_eq!(ada.list_tasks("").await.titles(), ["Whole"]);
}

#[tokio::test]
async fn a_batch_answers_for_each_operation() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let old = ada.has(a_task("Old")).await;

    let operations = json!({ "operations": [
        { "op": "create", "task": { "title": "New", "labels": ["work"] } },
        { "op": "update", "id": task, "if_match": "\"1\"", "task": { "priority": 5 } },
        { "op": "complete", "id": task },
        { "op": "delete", "id": old },
    ]});
    let results = ada.post("/api/tasks/batch", &operations).await.good()["results"].clone();

    let statuses: Vec<_> = results.as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, [201, 200, 200, 204]);
    assert_eq!(results[2]["task"]["version"], 3);
    assert_eq!(results[3]["task"], Value::Null);
}

#[tokio::test]
async fn a_batch_is_carried_out_whole_or_not_at_all() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.has(a_task("Report")).await;
    let theirs = eve.has(a_task("Theirs")).await;
    let create = json!({ "op": "create", "task": { "title": "New" } });
    let batch = |second: Value| json!({ "operations": [create, second] });

    let faults =
        ada.post("/api/tasks/batch", &batch(json!({ "op": "update", "id": task, "task": { "priority": 9 } }))).await;
    assert_eq!(faults.faults(), ["/operations/1/task/priority"]);
    let faults = ada.post("/api/tasks/batch", &batch(json!({ "op": "complete", "minutes": 5 }))).await;
    assert_eq!(faults.faults(), ["/operations/1/id", "/operations/1/minutes"]);
    let missing = ada.post("/api/tasks/batch", &batch(json!({ "op": "complete", "id": theirs }))).await;
    assert_eq!(missing.is(404).body["errors"][0]["field"], "/operations/1");
    let stale =
        ada.post("/api/tasks/batch", &batch(json!({ "op": "complete", "id": task, "if_match": "\"7\"" }))).await;
    stale.is(412);

    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
    assert_eq!(ada.get_task(task).await.good()["version"], 1);
}

#[tokio::test]
async fn a_batch_has_one_to_a_hundred_operations() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let batch =
        |count: usize| json!({ "operations": vec![json!({ "op": "create", "task": { "title": "x" } }); count] });

    assert_eq!(ada.post("/api/tasks/batch", &batch(0)).await.faults(), ["/operations"]);
    assert_eq!(ada.post("/api/tasks/batch", &batch(101)).await.faults(), ["/operations"]);
    ada.post("/api/tasks/batch", &batch(100)).await.good();
}

#[tokio::test]
async fn two_updates_at_once_both_count_or_one_is_told() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let path = format!("/api/tasks/{task}");
    let (title, priority) = (json!({ "title": "New" }), json!({ "priority": 5 }));

    let both = tokio::join!(ada.patch(&path, &title), ada.patch(&path, &priority));
    assert_eq!((both.0.status, both.1.status), (200, 200));
    let now = ada.get_task(task).await.good();
    assert_eq!((&now["title"], &now["priority"], &now["version"]), (&json!("New"), &json!(5), &json!(3)));

    let known = [("if-match", "\"3\"")];
    let (low, high) = (json!({ "priority": 1 }), json!({ "priority": 2 }));
    let race = tokio::join!(
        ada.send(Method::PATCH, &path, Some(&low), &known),
        ada.send(Method::PATCH, &path, Some(&high), &known)
    );
    let mut statuses = [race.0.status, race.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn every_change_leaves_a_row_in_the_audit_log_without_its_text() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.create_task(json!({ "title": "Very secret" })).await.good();
    app.advance(std::time::Duration::from_secs(1));
    ada.patch(&format!("/api/tasks/{}", task["id"].as_str().unwrap()), &json!({ "title": "More secret" })).await.good();

    let activity = ada.get("/api/auth/activity").await.good();

    let actions: Vec<_> = activity["items"].as_array().unwrap().iter().map(|item| item["action"].clone()).collect();
    assert_eq!(actions[..2], [json!("task.updated"), json!("task.created")]);
    assert!(!activity.to_string().contains("secret"));
}
