//! `/api/events`: what happens, as it happens.

use std::time::Duration;

use mindflow::accounts::Status;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Actor, PASSWORD, TestApp, a_task, hours};
use crate::support::databases::Db;
use crate::support::stream::{Stream, refused};

const BOTH: [Db; 2] = [Db::Sqlite, Db::Postgres];

async fn create(ada: &Actor<'_>, title: &str) -> Value {
    ada.create_task(json!({ "title": title })).await.good()
}

#[tokio::test]
async fn a_change_is_told_with_its_number_its_request_and_the_task_as_it_is() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let mut stream = ada.listen(None).await;

        let body = json!({ "title": "Report" });
        let created = ada.send(Method::POST, "/api/tasks", Some(&body), &[("x-request-id", "mine-1")]).await.good();
        let heard = stream.hears("task.created").await;
        let path = format!("/api/tasks/{}", created["id"].as_str().unwrap());
        ada.patch(&path, &json!({ "priority": 5 })).await.good();
        let updated = stream.hears("task.updated").await;

        let expected = json!({
            "type": "task.created", "entity": "task", "id": created["id"], "version": 1, "at": created["created_at"],
            "via": "api", "request_id": "mine-1", "task": created,
        });
        assert_eq!((heard.id.as_str(), &heard.data), ("1", &expected));
        assert_eq!(updated.id, "2");
        assert_eq!(updated.data["fields"], json!(["priority"]));
        assert_eq!(updated.data["task"]["priority"], 5);
    }
}

#[tokio::test]
async fn the_answer_is_a_stream_that_nobody_keeps_or_packs() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let request = ada.request(Method::GET, "/api/events").header("accept-encoding", "gzip");
    let mut stream = Stream::open(request).await;

    let headers = stream.response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(!headers.contains_key("content-encoding") && !headers.contains_key("content-length"));
    assert_eq!(stream.block().await.unwrap(), "retry: 3000\nevent: ready\nid: 0\ndata: {\"version\":0}");
    let head = ada.send(Method::HEAD, "/api/events", None, &[]).await.is(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
}

#[tokio::test]
async fn what_becomes_of_a_task_names_the_event_whichever_way_it_came() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let mut stream = ada.listen(None).await;
    let path = format!("/api/tasks/{task}");

    ada.send(Method::POST, &format!("{path}/start"), None, &[]).await.good();
    ada.patch(&path, &json!({ "status": "completed" })).await.good();
    ada.send(Method::POST, &format!("{path}/reopen"), None, &[]).await.good();
    let snoozed = ada.snooze_task(task, json!({ "minutes": 60 })).await;
    ada.undo_change(&snoozed.undo_token()).await.good();
    let deleted = ada.delete(&path).await;
    ada.undo_change(&deleted.undo_token()).await.good();
    ada.post("/api/projects", &json!({ "name": "Home" })).await.good();
    ada.post("/api/labels", &json!({ "name": "deep" })).await.good();
    ada.patch("/api/auth/me", &json!({ "time_zone": "Europe/Vienna" })).await.good();
    ada.post("/api/import", &ada.get("/api/export").await.good()).await.good();

    let kinds = [
        "task.started",
        "task.completed",
        "task.reopened",
        "task.snoozed",
        "task.reopened",
        "task.deleted",
        "task.restored",
        "project.created",
        "label.created",
        "user.updated",
        "data.imported",
    ];
    let expected: Vec<_> = (2..).zip(kinds).map(|(number, kind)| (kind.to_owned(), number)).collect();
    assert_eq!(stream.hears_all(kinds.len()).await, expected);
}

#[tokio::test]
async fn each_event_of_a_change_has_a_number_and_one_can_go_on_between_them() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let mut stream = ada.listen(None).await;

        let operations: Vec<_> =
            (0..70).map(|n| json!({ "op": "create", "task": { "title": n.to_string() } })).collect();
        ada.post("/api/tasks/batch", &json!({ "operations": operations })).await.good();
        let last = create(&ada, "last").await;
        let all = stream.hears_all(71).await;
        let mut again = ada.listen(Some("33")).await;
        let first = again.hears("task.created").await;

        assert_eq!(all, (1..=71).map(|number| ("task.created".to_owned(), number)).collect::<Vec<_>>());
        assert_eq!((first.id.as_str(), &first.data["task"]["title"]), ("34", &json!("33")));
        assert_eq!(again.hears_all(37).await, all[34..]);
        assert_eq!(ada.listen(Some("70")).await.hears("task.created").await.data["id"], last["id"]);
    }
}

#[tokio::test]
async fn who_was_away_is_told_everything_and_a_change_that_changed_nothing_is_no_gap() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    ada.complete_task(task).await.good();
    // Nothing happens, yet it counts.
    ada.complete_task(task).await.good();
    ada.delete(&format!("/api/tasks/{task}")).await.is(204);

    let mut stream = ada.listen(Some("1")).await;
    let mut by_parameter = Stream::open(ada.request(Method::GET, "/api/events?last_event_id=3")).await;

    assert_eq!(stream.hears("task.completed").await.id, "2");
    let deleted = stream.hears("task.deleted").await;
    assert_eq!((deleted.id.as_str(), deleted.data.get("task")), ("4", None), "a task that is gone is not shown");
    by_parameter.hears("ready").await;
    by_parameter.hears("task.deleted").await;
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_so_once() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        create(&ada, "old").await;
        app.advance(hours(49));
        create(&ada, "new").await;
        let before = app.clock.now().minus(hours(48));
        let forget = app.app.store.write(move |tx| Box::pin(async move { tx.delete_old_events(before).await }));
        forget.await.unwrap();

        let mut stream = ada.listen(Some("0")).await;
        let reset = stream.hears("reset").await;
        create(&ada, "newest").await;

        assert_eq!((reset.id.as_str(), &reset.data), ("2", &json!({ "version": 2 })));
        assert_eq!(stream.hears("task.created").await.id, "3");
        // From before a backup that was restored: the server cannot know what the client saw.
        assert_eq!(ada.listen(Some("77")).await.hears("reset").await.id, "3");
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_named() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for wrong in ["abc", "-1", "1.5", "99999999999999999999"] {
        let answer = refused(ada.request(Method::GET, "/api/events").header("last-event-id", wrong)).await;
        assert_eq!(answer.faults(), ["Last-Event-ID:"], "{wrong}");
    }
    assert_eq!(ada.get("/api/events?last_event_id=x").await.faults(), ["?last_event_id"]);
    app.anonymous().get("/api/events").await.is(401).assert_problem("unauthorized");
}

#[tokio::test]
async fn nobody_hears_of_others() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut stream = eve.listen(None).await;

    create(&ada, "secret").await;
    let own = create(&eve, "own").await;

    assert_eq!(stream.hears("task.created").await.data["id"], own["id"]);
}

#[tokio::test]
async fn a_stream_ends_with_what_opened_it_and_no_later_change_is_told() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let login = json!({ "email": "ada@example.com", "password": PASSWORD });
        let other = app.anonymous().post("/api/auth/login", &login).await.good();
        let session = ada.holding(other["access_token"].as_str().unwrap());
        let made = ada.post("/api/auth/tokens", &json!({ "name": "bot", "scopes": ["read"] })).await.good();
        let personal = ada.holding(made["token"].as_str().unwrap());
        let (mut by_session, mut by_token, mut own) =
            (session.listen(None).await, personal.listen(None).await, ada.listen(None).await);

        session.post("/api/auth/logout", &json!({})).await.is(204);
        ada.delete(&format!("/api/auth/tokens/{}", made["id"].as_str().unwrap())).await.is(204);
        create(&ada, "later").await;

        by_session.ends().await;
        by_token.ends().await;
        own.hears("task.created").await;
        app.app.accounts.set_status("ada@example.com", Status::Disabled).await.unwrap();
        own.ends().await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_account_and_with_the_token_s_time() {
    let app = TestApp::with(|config| config.tokens.access_token_life = Duration::from_hours(1)).await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mut hers, mut his) = (ada.listen(None).await, eve.listen(None).await);

    ada.send(Method::DELETE, "/api/auth/me", Some(&json!({ "password": PASSWORD })), &[]).await.is(204);
    hers.ends().await;
    app.advance(hours(2));

    his.ends().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops_so_that_it_can() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut stream = ada.listen(None).await;

    app.app.health.start_draining();

    stream.ends().await;
}

#[tokio::test]
async fn streams_are_limited_for_one_user_and_for_the_server() {
    let app = TestApp::with(|config| {
        config.events.max_streams = 3;
        config.events.max_streams_per_user = 2;
        // So that who has gone is soon noticed: when something is sent to them.
        config.server.idle_timeout = Duration::from_secs(1);
    })
    .await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let streams = (ada.listen(None).await, ada.listen(None).await, eve.listen(None).await);

    let hers = ada.get("/api/events").await.is(429);
    let his = eve.get("/api/events").await.is(503);

    assert_eq!((hers.header("retry-after"), his.header("retry-after")), (Some("10"), Some("10")));
    hers.assert_problem("too-many-streams");
    drop(streams);
    let all_gone = async {
        while app.app.events.listeners() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_gone).await.unwrap();
    ada.listen(None).await;
}

#[tokio::test]
async fn silence_is_broken_by_comments_before_the_connection_counts_as_idle() {
    let app = TestApp::with(|config| config.server.idle_timeout = Duration::from_secs(1)).await;
    let ada = app.user("ada").await;
    let mut stream = ada.listen(None).await;

    for _ in 0..4 {
        assert_eq!(stream.block().await.unwrap(), ":");
    }

    create(&ada, "Report").await;
    stream.hears("task.created").await;
}

#[tokio::test]
async fn what_changes_with_a_label_or_project_is_told_too() {
    for db in BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let project = ada.post("/api/projects", &json!({ "name": "House" })).await.is(201);
        let mut stream = ada.listen(None).await;
        let task = json!({ "title": "Paint", "labels": ["diy"], "project_id": project.body["id"] });
        let task = ada.create_task(task).await.good();
        ada.create_task(json!({ "title": "Other", "labels": ["diy"] })).await.good();
        let gone = ada.create_task(json!({ "title": "Gone", "labels": ["diy"] })).await.good();
        ada.delete(&format!("/api/tasks/{}", gone["id"].as_str().unwrap())).await.is(204);
        let label = ada.get("/api/labels").await.good()["items"][0]["id"].as_str().unwrap().to_owned();
        let label = format!("/api/labels/{label}");
        let made = stream.hears_all(5).await;

        ada.patch(&label, &json!({ "name": "crafts" })).await.good();
        let renamed = stream.hears_all(3).await;
        let removed = ada.delete(&label).await.is(204).undo_token();
        let without = stream.hears_all(3).await;
        ada.undo_change(&removed).await.good();
        let back = stream.hears_all(3).await;
        ada.delete(project.header("location").unwrap()).await.is(204);
        stream.hears("project.deleted").await;
        let left = stream.hears("task.updated").await;

        let kinds = |events: Vec<(String, i64)>| events.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        assert_eq!(kinds(made), ["label.created", "task.created", "task.created", "task.created", "task.deleted"]);
        assert_eq!(kinds(renamed), ["label.updated", "task.updated", "task.updated"]);
        assert_eq!(kinds(without), ["label.deleted", "task.updated", "task.updated"]);
        assert_eq!(kinds(back), ["label.restored", "task.updated", "task.updated"]);
        assert_eq!((&left.data["id"], &left.data["fields"]), (&task["id"], &json!(["project_id"])));
        assert_eq!(left.data["task"]["project_id"], Value::Null);
    }
}
