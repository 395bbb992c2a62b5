//! What is taken away: it can come back for a day, then its file goes.

use std::time::Duration;

use serde_json::json;

use super::{BOTH, attach, fetch, of, path, stored};
use crate::support::app::{PASSWORD, TestApp, a_task, hours, minutes};

/// The server sweeps by itself too; what it has taken, it removes beside.
async fn until_stored(app: &TestApp, count: usize) {
    let gone = async {
        while stored(app).len() != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attachment_that_was_deleted_comes_back_by_undo_within_a_day() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;
        let made = attach(&ada, task, "a.txt", "text/plain", b"x").await.good();
        let one = format!("/api/attachments/{}", made["id"].as_str().unwrap());

        let deleted = ada.delete(&one).await.is(204).undo_token();
        ada.get(&one).await.is(404);
        ada.delete(&one).await.is(404);
        app.anonymous().get(path(&app, &made["download_url"])).await.is(404);
        assert_eq!(ada.get(&of(task)).await.header("x-total-count"), Some("0"));
        app.advance(hours(23));
        app.app.attachments.sweep().await.unwrap();
        let undone = ada.undo_change(&deleted).await.good();

        assert_eq!((&undone["action"], &undone["tasks"][0]["id"]), (&json!("attachment.deleted"), &json!(task)));
        let back = ada.get(&one).await.good();
        assert_eq!(fetch(&app, &back).await, b"x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_can_be_taken_back_and_that_too() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;
        let made = attach(&ada, task, "a.txt", "text/plain", b"x").await;
        let one = format!("/api/attachments/{}", made.body["id"].as_str().unwrap());

        let undone = ada.undo_change(&made.undo_token()).await.is(200).undo_token();
        ada.get(&one).await.is(404);
        ada.undo_change(&undone).await.is(200);

        ada.get(&one).await.is(200);
        let deleted = ada.delete(&one).await.is(204).undo_token();
        ada.undo_change(&made.undo_token()).await.is(409).assert_problem("undo-spent");
        ada.undo_change(&deleted).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_with_their_task_and_come_back_with_it() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let whole = ada.has(a_task("Whole")).await;
        let part = ada.has(a_task("Part").part_of(whole)).await;
        let kept = attach(&ada, part, "a.txt", "text/plain", b"x").await.good();
        let before = attach(&ada, part, "b.txt", "text/plain", b"y").await.good();
        let (kept, before) = (kept["id"].as_str().unwrap(), before["id"].as_str().unwrap());
        ada.delete(&format!("/api/attachments/{before}")).await.is(204);

        let deleted = ada.delete(&format!("/api/tasks/{whole}")).await.is(204).undo_token();
        ada.get(&of(part)).await.is(404);
        ada.get(&format!("/api/attachments/{kept}")).await.is(404);
        ada.undo_change(&deleted).await.good();

        ada.get(&format!("/api/attachments/{kept}")).await.is(200);
        // What went by itself before stays away.
        ada.get(&format!("/api/attachments/{before}")).await.is(404);
        ada.delete(&format!("/api/tasks/{part}")).await.is(204);
        ada.post(&format!("/api/tasks/{part}/restore"), &json!(null)).await;
        ada.get(&format!("/api/attachments/{kept}")).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_day_the_files_of_what_is_gone_are_removed() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let (gone, stays) = (ada.has(a_task("Gone")).await, ada.has(a_task("Stays")).await);
        attach(&ada, gone, "a", "text/plain", b"x").await.is(201);
        attach(&ada, stays, "b", "text/plain", b"y").await.is(201);
        let single = attach(&ada, stays, "c", "text/plain", b"z").await.good();
        ada.delete(&format!("/api/tasks/{gone}")).await.is(204);
        ada.delete(&format!("/api/attachments/{}", single["id"].as_str().unwrap())).await.is(204);

        app.advance(hours(25));
        app.app.attachments.sweep().await.unwrap();
        assert_eq!(stored(&app).len(), 3);
        app.advance(minutes(1));
        app.app.attachments.sweep().await.unwrap();

        until_stored(&app, 1).await;
        let back = ada.post(&format!("/api/tasks/{gone}/restore"), &json!(null)).await;
        assert!(back.status < 500);
        let list = ada.get(&of(stays)).await.good();
        assert_eq!(fetch(&app, &list["items"][0]).await, b"y");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_leaves_takes_all_files_along() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let (ada, eve) = (app.user("ada").await, app.user("eve").await);
        let (task, hers) = (ada.has(a_task("Report")).await, eve.has(a_task("Hers")).await);
        let made = attach(&ada, task, "a", "text/plain", b"x").await.good();
        attach(&eve, hers, "b", "text/plain", b"y").await.is(201);

        let goodbye = json!({ "password": PASSWORD });
        ada.send(reqwest::Method::DELETE, "/api/auth/me", Some(&goodbye), &[]).await.is(204);
        app.anonymous().get(path(&app, &made["download_url"])).await.is(404);
        app.app.attachments.sweep().await.unwrap();

        until_stored(&app, 1).await;
        assert_eq!(ada.get(&of(task)).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_with_files_by_now_is_not_taken_back_over_them() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let import = ada.post("/api/import", &json!({ "version": 1, "tasks": [{ "title": "New" }] })).await.undo_token();
    let task = ada.list_tasks("").await.good()["items"][0]["id"].as_str().unwrap().to_owned();
    let request = ada.request(reqwest::Method::POST, &format!("/api/tasks/{task}/attachments")).body("x");
    let made = crate::support::answer::Answer::of(request).await.is(201).good();

    ada.undo_change(&import).await.is(409).assert_problem("undo-overtaken");
    ada.delete(&format!("/api/attachments/{}", made["id"].as_str().unwrap())).await.is(204);
    ada.undo_change(&import).await.is(200);
    app.app.attachments.sweep().await.unwrap();

    until_stored(&app, 0).await;
}
