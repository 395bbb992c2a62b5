//! Putting tasks off.

use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task, hours};

#[tokio::test]
async fn a_snoozed_task_comes_back_when_its_time_has_come() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Europe/Vienna").await;
    let report = ada.has(a_task("Write the report").priority(5)).await;

    ada.snooze_task(report, json!({ "minutes": 180 })).await.good();
    ada.get_best_task("").await.is(404).assert_problem("no-candidate");
    app.advance(hours(3));

    assert_eq!(ada.get_best_task("").await.good()["task"]["id"], json!(report));
}

#[tokio::test]
async fn phrases_are_read_in_the_users_zone_and_windows() {
    let app = TestApp::new().await;
    app.set_clock("2026-03-27T13:00:00Z"); // a Friday, 14:00 in Vienna; clocks change on Sunday
    let ada = app.user_in("ada", "Europe/Vienna").await;
    let windows = json!({ "preferences": { "windows": { "morning": ["07:30", "11:00"] } } });
    ada.patch("/api/auth/me", &windows).await.good();
    let task = ada.has(a_task("Report")).await;

    for (phrase, until) in [
        ("tomorrow", "2026-03-28T06:30:00Z"),
        ("tomorrow morning", "2026-03-28T06:30:00Z"),
        ("evening", "2026-03-27T17:00:00Z"),
        ("morning", "2026-03-28T06:30:00Z"),
        ("sunday", "2026-03-29T05:30:00Z"),
        ("next week", "2026-03-30T05:30:00Z"),
        ("friday", "2026-04-03T05:30:00Z"),
    ] {
        let task = ada.snooze_task(task, json!({ "phrase": phrase })).await.good();
        assert_eq!(task["snoozed_until"], until, "{phrase}");
        assert_eq!(task["status"], "snoozed");
    }
}

#[tokio::test]
async fn exactly_one_way_to_say_until_when() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    for body in [json!({}), json!({ "minutes": 5, "phrase": "tomorrow" })] {
        assert_eq!(ada.snooze_task(task, body).await.faults(), [""]);
    }
    for (body, field) in [
        (json!({ "minutes": 0 }), "/minutes"),
        (json!({ "minutes": 525_601 }), "/minutes"),
        (json!({ "minutes": 1.5 }), "/minutes"),
        (json!({ "until": "2026-03-23T11:59:59Z" }), "/until"),
        (json!({ "until": "soon" }), "/until"),
        (json!({ "phrase": "some day" }), "/phrase"),
        (json!({ "phrase": "" }), "/phrase"),
    ] {
        assert_eq!(ada.snooze_task(task, body.clone()).await.faults(), [field], "{body}");
    }
    assert_eq!(ada.get_task(task).await.good()["status"], "pending");
}

#[tokio::test]
async fn reopening_wakes_a_task() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    ada.snooze_task(task, json!({ "until": "2026-03-24" })).await.good();

    let woken = ada.send(reqwest::Method::POST, &format!("/api/tasks/{task}/reopen"), None, &[]).await.good();

    assert_eq!((&woken["status"], &woken["snoozed_until"]), (&json!("pending"), &Value::Null));
}
