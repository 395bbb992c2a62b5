//! Tools that change something: what is done is said, what is not done is not.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::support::app::{TestApp, a_task, minutes};

#[tokio::test]
async fn dates_and_priorities_are_understood_as_people_say_them_and_said_back() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Europe/Vienna").await; // Monday, 23 March 2026, 13:00 there
    let chat = Chat::of(&ada).await;

    for (said, kept, shown) in [
        ("friday", "2026-03-27", "Fri 27 Mar 2026"),
        ("monday", "2026-03-30", "Mon 30 Mar 2026"),
        ("friday 5pm", "2026-03-27T16:00:00Z", "Fri 27 Mar 2026, 17:00"),
        ("in 2 weeks", "2026-04-06", "Mon 6 Apr 2026"),
        ("sunday 9am", "2026-03-29T07:00:00Z", "Sun 29 Mar 2026, 09:00"), // clocks change that night
        ("2026-12-24T09:00:00+01:00", "2026-12-24T08:00:00Z", "Thu 24 Dec 2026, 09:00"),
    ] {
        let made = chat.call("create_task", json!({ "title": said, "due_date": said, "priority": "urgent" })).await;
        assert!(made.text.contains(shown), "{said}: {}", made.text);
        let task = made.good()["tasks"][0].clone();
        assert_eq!((&task["due_date"], &task["due_text"]), (&json!(kept), &json!(shown)), "{said}");
        assert_eq!(task["priority"], 5);
    }
    for (arguments, faults) in [
        (json!({ "title": "x", "due_date": "soonish" }), vec!["due_date"]),
        (json!({ "title": "x", "due_date": "2026-02-30", "priority": "blue" }), vec!["priority", "due_date"]),
        (json!({ "title": "x", "priority": 0 }), vec!["priority"]),
        (json!({ "titel": "x", "effort_estimate_minutes": "long" }), vec!["effort_estimate_minutes", "titel", "title"]),
        (
            json!({ "title": "x", "priority": 9, "nope": 1, "due_date": "zz", "labels": 7 }),
            vec!["nope", "priority", "due_date", "labels"],
        ),
        (
            json!({ "tasks": [{ "due_date": "zz", "nope": 1 }] }),
            vec!["tasks[0].title", "tasks[0].due_date", "tasks[0].nope"],
        ),
        (json!({ "title": "  " }), vec!["title"]),
        (json!({}), vec!["title"]),
        (json!({ "title": "x", "tasks": [{ "title": "y" }] }), vec!["title"]),
    ] {
        let mut told = chat.call("create_task", arguments.clone()).await.faults();
        told.sort_unstable();
        let mut faults = faults;
        faults.sort_unstable();
        assert_eq!(told, faults, "{arguments}");
    }
}

#[tokio::test]
async fn several_tasks_are_made_together_or_not_at_all() {
    let app = TestApp::new().await;
    let chat = Chat::of(&app.user("ada").await).await;
    let rows =
        |count: usize| -> Vec<Value> { (0..count).map(|row| json!({ "title": format!("Row {row}") })).collect() };

    assert_eq!(
        chat.call("create_task", json!({ "tasks": rows(25) })).await.good()["tasks"].as_array().unwrap().len(),
        25
    );
    assert_eq!(chat.call("create_task", json!({ "tasks": rows(26) })).await.faults(), ["tasks"]);
    let faulty = json!({ "tasks": [{ "title": "ok" }, { "title": "x", "due_date": "soonish" }, { "title": "y", "priority": 7 }] });
    assert_eq!(chat.call("create_task", faulty).await.faults(), ["tasks[1].due_date", "tasks[2].priority"]);
    let unknown =
        json!({ "tasks": [{ "title": "ok" }, { "title": "x", "parent_id": "01930000-0000-7000-8000-000000000001" }] });
    assert_eq!(chat.call("create_task", unknown).await.faults(), ["tasks[1].parent_id"]);

    assert_eq!(chat.call("get_tasks", json!({})).await.good()["total"], 25);
}

#[tokio::test]
async fn a_repeated_call_with_its_key_makes_nothing_twice() {
    let app = TestApp::new().await;
    let chat = Chat::of(&app.user("ada").await).await;
    let call = json!({ "title": "Call mum", "idempotency_key": "k-1" });

    let first = chat.call("create_task", call.clone()).await.good();
    let again = chat.call("create_task", call).await;
    assert!(again.text.starts_with("Already done before."));
    assert_eq!(again.good(), first);
    chat.call("create_task", json!({ "title": "Other", "idempotency_key": "k-1" })).await.refused("conflict");
    assert_eq!(chat.call("get_tasks", json!({})).await.good()["total"], 1);
}

#[tokio::test]
async fn an_update_never_wipes_what_was_not_sent() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = a_task("Report").description("all of it").priority(4).due("2026-03-27").minutes(30).label("work");
    let id = ada.has(task).await.to_string();
    let chat = Chat::of(&ada).await;

    let changed = chat.call("update_task", json!({ "id": id, "priority": 5 })).await.good();
    assert_eq!(changed["changed"], true);
    let task = &changed["task"];
    assert_eq!(
        (&task["description"], &task["due_date"], &task["effort_estimate_minutes"], &task["labels"]),
        (&json!("all of it"), &json!("2026-03-27"), &json!(30), &json!(["work"]))
    );
    let cleared = chat.call("update_task", json!({ "id": id, "description": null, "due_date": null })).await.good();
    assert!(cleared["task"].get("description").is_none() && cleared["task"].get("due_date").is_none());
    assert_eq!(cleared["task"]["effort_estimate_minutes"], 30);
    let same = chat.call("update_task", json!({ "id": id, "priority": 5 })).await;
    assert!(same.text.starts_with("Nothing to change"), "{}", same.text);
    assert_eq!(same.good()["changed"], false);
    assert_eq!(
        chat.call("update_task", json!({ "id": id })).await.refused("invalid").data["error"]["faults"][0]["argument"],
        ""
    );
}

#[tokio::test]
async fn tasks_are_completed_snoozed_moved_and_deleted_and_all_of_it_is_taken_back() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Europe/Vienna").await;
    let id = ada.has(a_task("Report").due("2026-03-27")).await;
    let chat = Chat::of(&ada).await;
    let it = json!({ "id": id.to_string() });

    let snoozed = chat.call("snooze_task", json!({ "id": id.to_string(), "phrase": "until monday morning" })).await;
    assert_eq!(snoozed.text, "Snoozed \"Report\" (due Fri 27 Mar 2026, snoozed until Mon 30 Mar 2026, 06:00).");
    assert_eq!(snoozed.good()["task"]["snoozed_until"], "2026-03-30T04:00:00Z");
    let moved = chat.call("reschedule_task", json!({ "id": id.to_string(), "due_date": "tomorrow 9am" })).await.good();
    assert_eq!(moved["task"]["due_text"], "Tue 24 Mar 2026, 09:00");
    assert_eq!(moved["task"]["status"], "snoozed");
    let done = chat.call("complete_task", it.clone()).await.good();
    assert_eq!(done["task"]["status"], "completed");
    assert_eq!(chat.call("complete_task", it.clone()).await.good()["changed"], false);
    let token = chat.call("delete_task", it.clone()).await.good()["undo_token"].clone();
    chat.call("complete_task", it).await.refused("not_found");

    assert_eq!(chat.call("undo", json!({ "undo_token": token })).await.good()["undone"], "task.deleted");
    chat.call("undo", json!({ "undo_token": token })).await.refused("conflict");
    for undone in ["task.completed", "task.updated", "task.snoozed"] {
        assert_eq!(chat.call("undo", json!({})).await.good()["undone"], undone);
    }
    let task = ada.get_task(id).await.good();
    assert_eq!((&task["status"], &task["due_date"]), (&json!("pending"), &json!("2026-03-27")));
}

#[tokio::test]
async fn undo_reaches_the_latest_change_through_tools_and_no_further() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let chat = Chat::of(&ada).await;

    chat.call("undo", json!({})).await.refused("not_found");
    chat.call("create_task", json!({ "title": "By tool" })).await.good();
    ada.create_task(json!({ "title": "By hand" })).await.good();
    let undone = chat.call("undo", json!({})).await;
    assert!(undone.text.contains("By tool"), "{}", undone.text);
    assert_eq!(chat.call("get_tasks", json!({})).await.good()["tasks"][0]["title"], "By hand");
    chat.call("create_task", json!({ "title": "Long ago" })).await.good();
    app.advance(minutes(11));
    chat.call("undo", json!({})).await.refused("not_found");
}

#[tokio::test]
async fn a_snooze_without_a_time_to_come_asks_for_one() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Report")).await.to_string();
    let chat = Chat::of(&ada).await;

    for (wish, faults) in [
        (json!({}), &["phrase"][..]),
        (json!({ "phrase": "monday", "minutes": 5 }), &["phrase", "minutes"]),
        (json!({ "minutes": 5, "until": "2026-12-24" }), &["minutes", "until"]),
        (json!({ "phrase": "yesterday" }), &["phrase"]),
        (json!({ "until": "2020-01-01" }), &["until"]),
        (json!({ "until": "2026-02-30" }), &["until"]),
        (json!({ "until": "soonish" }), &["until"]),
        (json!({ "minutes": 0 }), &["minutes"]),
    ] {
        let mut call = wish.clone();
        call["id"] = json!(id);
        assert_eq!(chat.call("snooze_task", call).await.faults(), faults, "{wish}");
    }
    assert_eq!(chat.call("snooze_task", json!({ "minutes": 0, "nope": 1 })).await.faults(), ["minutes", "nope", "id"]);
    let words = chat.call("snooze_task", json!({ "id": id, "until": "tomorrow morning" })).await.good();
    assert_eq!(words["task"]["snoozed_text"], "Tue 24 Mar 2026, 06:00");
}

#[tokio::test]
async fn whole_numbers_count_however_they_are_written() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let chat = Chat::of(&ada).await;
    let token = ada.post("/api/auth/tokens", &json!({ "name": "t", "scopes": ["read", "write"] })).await.good();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_task",
        "arguments":{"title":"x","effort_estimate_minutes":30.0,"priority":4.0}}}"#;

    let request = ada.holding(token["token"].as_str().unwrap()).request(reqwest::Method::POST, "/mcp");
    let request = request.header("content-type", "application/json").body(call);
    let request = request.header("accept", "application/json, text/event-stream");
    crate::support::answer::Answer::of(request).await.is(200);

    let task = chat.call("get_tasks", json!({})).await.good()["tasks"][0].clone();
    assert_eq!((&task["effort_estimate_minutes"], &task["priority"]), (&json!(30), &json!(4)));
}

#[tokio::test]
async fn a_key_stands_for_what_was_said_not_for_what_it_meant_then() {
    let app = TestApp::new().await;
    let chat = Chat::of(&app.user("ada").await).await;
    let call = json!({ "title": "Soon", "due_date": "in 90 minutes", "idempotency_key": "k" });

    let first = chat.call("create_task", call.clone()).await.good();
    app.advance(minutes(5));

    assert_eq!(chat.call("create_task", call).await.good(), first);
}

#[tokio::test]
async fn null_empties_what_can_be_empty_and_is_refused_elsewhere() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Report").label("work").due("2026-03-27")).await.to_string();
    let chat = Chat::of(&ada).await;

    let emptied = chat.call("update_task", json!({ "id": id, "labels": null, "priority": 2 })).await.good();
    assert!(emptied["task"].get("labels").is_none(), "{emptied}");
    assert_eq!(chat.call("update_task", json!({ "id": id, "title": null })).await.faults(), ["title"]);
    let rows = json!({ "tasks": [{ "title": "x", "due_date": null, "labels": null }] });
    chat.call("create_task", rows).await.good();
    let beside = json!({ "tasks": [{ "title": "x" }], "due_date": "friday", "priority": 5 });
    assert_eq!(chat.call("create_task", beside).await.faults(), ["priority", "due_date"]);
}

#[tokio::test]
async fn what_is_done_stays_done_and_what_goes_along_is_said() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let parent = ada.has(a_task("Move house")).await;
    ada.has(a_task("Pack boxes").part_of(parent)).await;
    let done = ada.has(a_task("Old report")).await;
    ada.complete_task(done).await.good();
    let chat = Chat::of(&ada).await;

    chat.call("snooze_task", json!({ "query": "old report", "minutes": 5 })).await.refused("conflict");
    let deleted = chat.call("delete_task", json!({ "id": parent.to_string() })).await;
    assert!(deleted.text.contains("and its 1 subtask"), "{}", deleted.text);
    let since = chat.call("get_tasks", json!({ "status": ["completed"], "updated_since": "yesterday" })).await.good();
    assert!(since["tasks"][0]["completed_at"].is_string());
}

#[tokio::test]
async fn arguments_are_taken_as_models_write_them() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Report").due("2026-03-27")).await.to_string();
    let chat = Chat::of(&ada).await;

    let changed = chat.call("update_task", json!({ "task_id": id, "labels": "work" })).await.good();
    assert_eq!(changed["task"]["labels"], json!(["work"]));
    assert_eq!(chat.call("get_tasks", json!({ "status": "pending" })).await.good()["total"], 1);
    assert_eq!(chat.call("get_tasks", json!({ "status": "done" })).await.faults(), ["status[0]"]);
    assert_eq!(chat.call("fetch", json!({ "task_id": id })).await.good()["id"], id);
    let both = json!({ "task_id": "x", "id": id });
    assert_eq!(chat.call("complete_task", both).await.faults(), ["task_id"]);
}

#[tokio::test]
async fn days_that_have_passed_are_understood() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await; // Monday, 23 March 2026
    let chat = Chat::of(&ada).await;

    let made = chat.call("create_task", json!({ "title": "Late", "due_date": "yesterday" })).await.good();
    assert_eq!(made["tasks"][0]["due_date"], "2026-03-22");
    chat.call("create_task", json!({ "title": "Later", "due_date": "3 days ago" })).await.good();
    for (filter, total) in [
        (json!({ "due_before": "yesterday" }), 1),
        (json!({ "due_after": "yesterday" }), 1),
        (json!({ "due_after": "last week" }), 2),
        (json!({ "due_before": "today", "due_after": "2 days ago" }), 1),
    ] {
        assert_eq!(chat.call("get_tasks", filter.clone()).await.good()["total"], total, "{filter}");
    }
    assert_eq!(chat.call("create_task", json!({ "title": "x", "due_date": "last week" })).await.faults(), ["due_date"]);
}

#[tokio::test]
async fn faults_say_what_was_sent_and_what_there_is() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let chat = Chat::of(&ada).await;

    let nothing = chat.call("update_task", json!({})).await;
    assert!(
        nothing.text.contains("- `id` is missing") && nothing.text.contains("- the call changes nothing"),
        "{}",
        nothing.text
    );
    let policy = chat.call("get_best_task", json!({ "policy": "nope" })).await;
    assert!(policy.text.contains("must be the name of a policy: default"), "{}", policy.text);
    let fetched = chat.call("fetch", json!({ "id": "x" })).await.refused("not_found");
    assert!(fetched.text.contains("search") && !fetched.text.contains("query"), "{}", fetched.text);
}
