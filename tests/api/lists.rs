//! Finding tasks: filters, orders, pages, words.

use serde_json::{Value, json};

use crate::support::app::{TestApp, a_task, minutes};

#[tokio::test]
async fn a_list_shows_every_status_newest_first() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for title in ["one", "two", "three"] {
        ada.has(a_task(title)).await;
        app.advance(minutes(1));
    }
    let done = ada.has(a_task("done")).await;
    ada.complete_task(done).await.good();

    let answer = ada.list_tasks("").await.is(200);

    assert_eq!(answer.header("x-total-count"), Some("4"));
    assert_eq!(answer.body["next_cursor"], Value::Null);
    assert_eq!(answer.titles(), ["done", "three", "two", "one"]);
}

#[tokio::test]
async fn filters_narrow_together() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let project = ada.post("/api/projects", &json!({ "name": "House" })).await.good();
    let project = project["id"].as_str().unwrap();
    ada.create_task(json!({ "title": "a", "labels": ["Work"], "project_id": project })).await.good();
    ada.create_task(json!({ "title": "b", "labels": ["work"], "status": "in_progress" })).await.good();
    ada.create_task(json!({ "title": "c", "status": "completed", "project_id": project })).await.good();

    for (query, titles) in [
        ("status=pending&status=in_progress", vec!["b", "a"]),
        ("label=WORK", vec!["b", "a"]),
        (&format!("project_id={project}"), vec!["c", "a"]),
        (&format!("project_id={project}&label=work"), vec!["a"]),
        ("label=nothing", vec![]),
        ("updated_since=2026-03-23T12:00:00Z", vec!["c", "b", "a"]),
        ("updated_since=2026-03-23T12:00:01Z", vec![]),
    ] {
        let answer = ada.list_tasks(query).await.is(200);
        assert_eq!(answer.header("x-total-count"), Some(titles.len().to_string().as_str()), "{query}");
        assert_eq!(answer.titles(), titles, "{query}");
    }
}

#[tokio::test]
async fn undated_tasks_come_last_either_way() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("undated")).await;
    ada.has(a_task("late").due("2026-05-01")).await;
    ada.has(a_task("soon").due("2026-04-01").priority(5)).await;

    assert_eq!(ada.list_tasks("sort=due_date").await.titles(), ["soon", "late", "undated"]);
    assert_eq!(ada.list_tasks("sort=-due_date").await.titles(), ["late", "soon", "undated"]);
    assert_eq!(ada.list_tasks("sort=-priority&limit=1").await.titles(), ["soon"]);
}

#[tokio::test]
async fn pages_stay_right_while_tasks_come_and_go() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for sort in ["created_at", "-created_at", "due_date", "-due_date", "priority", "-priority", "score", "-score"] {
        let mut expected = Vec::new();
        for index in 0..7_u8 {
            let task =
                a_task(&format!("{sort} {index}")).priority(index % 5 + 1).due(&format!("2026-04-0{}", index + 1));
            expected.push(ada.has(task.label(sort)).await.to_string());
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ada.list_tasks(&format!("sort={sort}&label={sort}&limit=2{cursor}")).await.good();
            seen.extend(page["items"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned()));
            ada.has(a_task("in between").label("other").priority(3).due("2026-04-03")).await;
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 7, "{sort}");
        seen.sort();
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_question() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("one")).await;
    ada.has(a_task("two")).await;
    let page = ada.list_tasks("limit=1&sort=priority").await.good();
    let cursor = page["next_cursor"].as_str().unwrap();

    assert_eq!(ada.list_tasks(&format!("limit=5&sort=priority&cursor={cursor}")).await.titles().len(), 1);
    for query in
        [format!("limit=1&sort=due_date&cursor={cursor}"), format!("limit=1&cursor={cursor}"), "cursor=made-up".into()]
    {
        assert_eq!(ada.list_tasks(&query).await.faults(), ["?cursor"], "{query}");
    }
    assert_eq!(ada.list_ranked_tasks(&format!("cursor={cursor}")).await.faults(), ["?cursor"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_who_asked() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for actor in [&ada, &eve] {
        for name in ["one", "two"] {
            actor.post("/api/tasks", &json!({ "title": name, "labels": [name] })).await.good();
            actor.post("/api/projects", &json!({ "name": name })).await.good();
            let token = json!({ "name": name, "scopes": ["read"] });
            actor.post("/api/auth/tokens", &token).await.good();
        }
    }

    for path in [
        "/api/tasks?",
        "/api/tasks?sort=-score&",
        "/api/tasks/ranked?",
        "/api/projects?",
        "/api/labels?",
        "/api/auth/tokens?",
        "/api/auth/activity?",
    ] {
        let page = ada.get(&format!("{path}limit=1")).await.good();
        let next = format!("{path}limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        ada.get(&next).await.is(200);
        assert_eq!(eve.get(&next).await.faults(), ["?cursor"], "{path}");
    }
}

#[tokio::test]
async fn the_order_of_statuses_makes_no_other_question() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("one")).await;
    ada.has(a_task("two")).await;

    for path in ["/api/tasks", "/api/tasks/ranked"] {
        let page = ada.get(&format!("{path}?limit=1&status=pending&status=in_progress&status=pending")).await.good();
        let cursor = page["next_cursor"].as_str().unwrap();
        ada.get(&format!("{path}?status=in_progress&status=pending&cursor={cursor}")).await.is(200);
        assert_eq!(ada.get(&format!("{path}?status=pending&cursor={cursor}")).await.faults(), ["?cursor"]);
    }
}

#[tokio::test]
async fn a_list_says_all_that_is_wrong_with_the_question() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    let mut faults = ada
        .list_tasks("limit=0&sort=size&status=open&project_id=7&due_before=soon&q=&colour=red&label=")
        .await
        .faults();

    faults.sort();
    assert_eq!(faults, ["?colour", "?due_before", "?label", "?limit", "?project_id", "?q", "?sort", "?status"]);
    for query in ["limit=1001", "limit=-1", "limit=1e2", "limit=", "limit=1&limit=2"] {
        assert_eq!(ada.list_tasks(query).await.faults(), ["?limit"], "{query}");
    }
}

#[tokio::test]
async fn a_search_finds_words_in_any_case_and_accent_titles_first() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.has(a_task("Buy milk").description("and a crème brûlée from the café")).await;
    ada.has(a_task("Café with Ana")).await;
    ada.has(a_task("Call the dentist")).await;
    let eve = app.user("eve").await;
    eve.has(a_task("Café of hers")).await;

    for (query, titles) in [
        ("cafe", vec!["Café with Ana", "Buy milk"]),
        ("CAFÉ ana", vec!["Café with Ana"]),
        ("dent", vec!["Call the dentist"]),
        ("brulee milk", vec!["Buy milk"]),
        ("milk ana", vec![]),
        ("\"cafe\" OR dentist*", vec![]),
        ("owner:x", vec![]),
        ("NOT milk", vec![]),
    ] {
        let answer = ada.list_tasks(&form_urlencoded(query)).await;
        assert_eq!(answer.titles(), titles, "{query}");
    }
    for signs in ["%22%27*", "%F0%9F%8E%89", "%20"] {
        assert!(ada.list_tasks(&format!("q={signs}")).await.titles().is_empty(), "{signs}");
        assert!(ada.list_ranked_tasks(&format!("q={signs}")).await.titles().is_empty(), "{signs}");
        assert!(ada.list_tasks(&format!("q={signs}&sort=score")).await.titles().is_empty(), "{signs}");
    }
    assert_eq!(ada.list_tasks("q=%FF&limit=5").await.faults(), ["?q"]);
    assert_eq!(ada.list_tasks("q=cafe&sort=created_at").await.titles(), ["Buy milk", "Café with Ana"]);
}

#[tokio::test]
async fn a_search_follows_every_change() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Alpha")).await;

    ada.update_task(task, json!({ "title": "Beta" })).await.good();

    assert_eq!(ada.list_tasks("q=alpha").await.titles(), [""; 0]);
    assert_eq!(ada.list_tasks("q=beta").await.titles(), ["Beta"]);
    ada.delete(&format!("/api/tasks/{task}")).await.is(204);
    assert_eq!(ada.list_tasks("q=beta").await.titles(), [""; 0]);
}

#[tokio::test]
async fn a_kept_page_is_never_older_than_the_last_change() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for index in 0..20 {
        ada.has(a_task(&format!("task {index}"))).await;
        assert_eq!(ada.list_tasks("limit=100").await.titles().len(), index + 1);
    }
}

fn form_urlencoded(words: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish()
}
