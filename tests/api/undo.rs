//! The way back.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task, hours};

#[tokio::test]
async fn every_change_can_be_taken_back_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report").priority(2).label("work")).await;

    let change = ada.update_task(task, json!({ "title": "Note", "labels": ["home"], "status": "completed" })).await;
    let token = change.undo_token();
    let undone = ada.undo_change(&token).await.good();

    assert_eq!(undone["action"], "task.updated");
    let restored = &undone["tasks"][0];
    assert_eq!((&restored["title"], &restored["labels"]), (&json!("Report"), &json!(["work"])));
    assert_eq!((&restored["status"], &restored["completed_at"]), (&json!("pending"), &Value::Null));
    ada.undo_change(&token).await.is(409).assert_problem("undo-spent");
}

#[tokio::test]
async fn a_deletion_comes_back_whole_and_a_creation_goes() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let whole = ada.has(a_task("Whole")).await;
    ada.has(a_task("Part").part_of(whole)).await;

    let deleted = ada.delete(&format!("/api/tasks/{whole}")).await.is(204);
    ada.undo_change(&deleted.undo_token()).await.good();
    let created = ada.create_task(json!({ "title": "New" })).await.is(201);
    let undone = ada.undo_change(&created.undo_token()).await.good();

    assert_eq!(undone["tasks"], json!([]));
    assert_eq!(ada.list_tasks("sort=created_at").await.titles(), ["Whole", "Part"]);
}

#[tokio::test]
async fn an_undo_never_overwrites_a_later_change() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let first = ada.update_task(task, json!({ "priority": 5 })).await.undo_token();
    ada.update_task(task, json!({ "title": "Note" })).await.good();

    ada.undo_change(&first).await.is(409).assert_problem("undo-overtaken");

    assert_eq!(ada.get_task(task).await.good()["priority"], 5);
}

#[tokio::test]
async fn a_token_is_the_owners_and_lives_a_day() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.has(a_task("Report")).await;
    let token = ada.update_task(task, json!({ "priority": 5 })).await.undo_token();

    eve.undo_change(&token).await.is(404);
    ada.undo_change("made-up").await.is(404);
    app.advance(hours(24));

    ada.undo_change(&token).await.is(409).assert_problem("undo-spent");
}

#[tokio::test]
async fn an_undo_can_be_undone() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let change = ada.update_task(task, json!({ "priority": 5 })).await.undo_token();

    let undo = ada.undo_change(&change).await.undo_token();
    ada.undo_change(&undo).await.good();

    assert_eq!(ada.get_task(task).await.good()["priority"], 5);
}

#[tokio::test]
async fn a_removed_project_or_label_comes_back_with_its_tasks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await.good();
    let id = project["id"].as_str().unwrap();
    let task = ada.create_task(json!({ "title": "Paint", "project_id": id, "labels": ["diy"] })).await.good();
    let task = format!("/api/tasks/{}", task["id"].as_str().unwrap());
    let label = ada.get("/api/labels").await.good()["items"][0]["id"].as_str().unwrap().to_owned();

    let project_gone = ada.delete(&format!("/api/projects/{id}")).await.is(204).undo_token();
    let label_gone = ada.delete(&format!("/api/labels/{label}")).await.is(204).undo_token();
    let bare = ada.get(&task).await.good();
    assert_eq!((&bare["project_id"], &bare["labels"]), (&Value::Null, &json!([])));
    let labelled = ada.undo_change(&label_gone).await.good();
    assert_eq!(labelled["tasks"][0]["labels"], json!(["diy"]));
    let back = ada.undo_change(&project_gone).await.good();
    assert_eq!(back["tasks"][0]["project_id"], json!(id));

    let again = ada.get(&task).await.good();
    assert_eq!((&again["project_id"], &again["labels"]), (&json!(id), &json!(["diy"])));
}

#[tokio::test]
async fn a_batch_is_taken_back_as_one() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let operations = json!({ "operations": [
        { "op": "start", "id": task }, { "op": "complete", "id": task }, { "op": "create", "task": { "title": "New" } },
    ]});

    let token = ada.send(Method::POST, "/api/tasks/batch", Some(&operations), &[]).await.undo_token();
    ada.undo_change(&token).await.good();

    assert_eq!(ada.list_tasks("").await.titles(), ["Report"]);
    assert_eq!(ada.get_task(task).await.good()["status"], "pending");
}

#[tokio::test]
async fn an_undo_that_no_longer_fits_is_overtaken_and_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await.good()["id"].clone();
    let made = ada.create_task(json!({ "title": "Paint", "project_id": project })).await.good();
    let path = format!("/api/tasks/{}", made["id"].as_str().unwrap());
    let moved_out = ada.patch(&path, &json!({ "project_id": null })).await.undo_token();
    ada.delete(&format!("/api/projects/{}", project.as_str().unwrap())).await.is(204);

    ada.undo_change(&moved_out).await.is(409).assert_problem("undo-overtaken");
    assert_eq!(ada.get(&path).await.good()["version"], 2);

    let [whole, part] = [ada.has(a_task("Whole")).await, ada.has(a_task("Part")).await];
    ada.update_task(part, json!({ "parent_id": whole })).await.good();
    let freed = ada.update_task(part, json!({ "parent_id": null })).await.undo_token();
    let turned = ada.update_task(whole, json!({ "parent_id": part })).await.undo_token();

    ada.undo_change(&freed).await.is(409).assert_problem("undo-overtaken");
    assert_eq!(ada.get_task(part).await.good()["parent_id"], Value::Null);
    ada.undo_change(&turned).await.good();
    assert_eq!(ada.undo_change(&freed).await.good()["tasks"][0]["parent_id"], json!(whole));
}

#[tokio::test]
async fn no_undo_tears_a_part_from_its_whole() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let made = ada.create_task(json!({ "title": "Whole" })).await.is(201);
    let whole = made.body["id"].clone();
    let part = ada.create_task(json!({ "title": "Part", "parent_id": whole })).await.is(201);
    let path = format!("/api/tasks/{}", part.body["id"].as_str().unwrap());

    ada.undo_change(&made.undo_token()).await.is(409).assert_problem("undo-overtaken");
    assert_eq!(ada.list_tasks("sort=created_at").await.titles(), ["Whole", "Part"]);

    let part_gone = ada.delete(&path).await.is(204).undo_token();
    ada.delete(&format!("/api/tasks/{}", whole.as_str().unwrap())).await.is(204);
    ada.undo_change(&part_gone).await.is(409).assert_problem("undo-overtaken");
    ada.get(&path).await.is(404);

    let operations = json!({ "operations": [{ "op": "create", "task": { "title": "Both" } }] });
    let batch = ada.post("/api/tasks/batch", &operations).await;
    ada.undo_change(&batch.undo_token()).await.good();
}

#[tokio::test]
async fn a_part_that_comes_back_before_its_whole_comes_back_for_itself() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let whole = ada.has(a_task("Whole")).await;
    let [first, second] =
        [ada.has(a_task("First").part_of(whole)).await, ada.has(a_task("Second").part_of(whole)).await];
    ada.delete(&format!("/api/tasks/{whole}")).await.is(204);
    let restore = async |id| ada.send(Method::POST, &format!("/api/tasks/{id}/restore"), None, &[]).await.good();

    assert_eq!(restore(first).await["parent_id"], Value::Null);
    restore(whole).await;
    assert_eq!(restore(second).await["parent_id"], json!(whole));
    assert_eq!(ada.get_task(first).await.good()["parent_id"], Value::Null);
}
