//! Due dates and moments, in zones where days are long, short or missing.

use serde_json::json;

use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn a_due_date_comes_back_as_it_was_given() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Europe/Vienna").await;

    for (given, kept) in [
        ("2026-12-24", "2026-12-24"),
        ("2028-02-29", "2028-02-29"),
        ("9999-12-31", "9999-12-31"),
        ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"),
        ("2026-12-24T09:00:00.5+05:30", "2026-12-24T03:30:00.500Z"),
        ("2026-12-24T09:00:00", "2026-12-24T08:00:00Z"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
    ] {
        let task = ada.create_task(json!({ "title": "x", "due_date": given })).await.good();
        assert_eq!(task["due_date"], kept, "{given}");
    }
}

#[tokio::test]
async fn what_is_no_date_is_refused_with_the_reason() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for (given, message) in [
        ("2026-02-30", "is not a day of the calendar"),
        ("2027-02-29", "is not a day of the calendar"),
        ("0000-00-00", "is not a day of the calendar"),
        ("1969-12-31", "must lie in the years 1970 to 9999"),
        ("2026-12-24T23:59:60Z", "has a time of day that does not exist: hours go to 23, minutes and seconds to 59"),
        ("2026-12-24T25:00:00Z", "has a time of day that does not exist: hours go to 23, minutes and seconds to 59"),
    ] {
        let answer = ada.create_task(json!({ "title": "x", "due_date": given })).await.is(422);
        assert_eq!(answer.body["errors"], json!([{ "field": "/due_date", "message": message }]), "{given}");
    }
    for given in ["tomorrow", "2026-1-1", "20261224", "2026-12-24T", "", "10000-01-01", "2026-12-24T10:00:00+0100"] {
        assert_eq!(
            ada.create_task(json!({ "title": "x", "due_date": given })).await.faults(),
            ["/due_date"],
            "{given}"
        );
    }
    for given in [json!(20_261_224), json!(true), json!({}), json!([])] {
        assert_eq!(ada.create_task(json!({ "title": "x", "due_date": given })).await.faults(), ["/due_date"]);
    }
}

#[tokio::test]
async fn lists_by_due_date_count_days_in_the_users_zone() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Pacific/Auckland").await; // UTC+13 on that day
    ada.has(a_task("on the 24th").due("2026-12-24")).await;
    ada.has(a_task("late on the 24th").due("2026-12-24T23:00:00")).await;
    ada.has(a_task("early on the 25th").due("2026-12-25T01:00:00")).await;
    ada.has(a_task("on the 25th").due("2026-12-25")).await;
    ada.has(a_task("some day")).await;

    let all = ada.list_tasks("sort=due_date").await.titles();
    let before = ada.list_tasks("sort=due_date&due_before=2026-12-25").await.titles();
    let after = ada.list_tasks("sort=-due_date&due_after=2026-12-25").await.titles();

    assert_eq!(all, ["late on the 24th", "on the 24th", "early on the 25th", "on the 25th", "some day"]);
    assert_eq!(before, ["late on the 24th", "on the 24th"]);
    assert_eq!(after, ["on the 25th", "early on the 25th"]);
}

#[tokio::test]
async fn whoever_moves_to_another_zone_takes_their_days_along() {
    let app = TestApp::new().await;
    let ada = app.user_in("ada", "Pacific/Auckland").await;
    ada.has(a_task("on the 24th").due("2026-12-24")).await;
    ada.has(a_task("at an instant").due("2026-12-24T13:00:00Z")).await;
    assert_eq!(ada.list_tasks("sort=due_date").await.titles(), ["on the 24th", "at an instant"]);

    ada.patch("/api/auth/me", &json!({ "time_zone": "America/Los_Angeles" })).await.good();

    assert_eq!(ada.list_tasks("sort=due_date").await.titles(), ["at an instant", "on the 24th"]);
    assert_eq!(ada.list_tasks("due_before=2026-12-24").await.titles(), [""; 0]);
}
