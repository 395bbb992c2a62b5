//! The same tools for people with curl.

use serde_json::json;

use crate::support::app::{Actor, TestApp, a_task};

async fn holding<'a>(person: &Actor<'a>, scopes: &[&str]) -> Actor<'a> {
    let token = person.post("/api/auth/tokens", &json!({ "name": "curl", "scopes": scopes })).await.good();
    person.holding(token["token"].as_str().unwrap())
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    let app = TestApp::new().await;
    let ada = holding(&app.user("ada").await, &["read", "write"]).await;

    let tools = ada.get("/mcp/tools").await.good();
    assert_eq!(tools["tools"].as_array().unwrap().len(), 14);
    assert!(tools["tools"][0]["inputSchema"]["properties"]["available_minutes"].is_object());
    let made = ada.post("/mcp/tools/create_task", &json!({ "title": "Call mum", "due_date": "tomorrow" })).await.good();
    assert_eq!(made["structuredContent"]["tasks"][0]["due_date"], "2026-03-24");
    assert_eq!(made["content"][0]["text"], "Created \"Call mum\" (due Tue 24 Mar 2026).");
    let done = ada.post("/mcp/tools/complete_task", &json!({ "query": "mum" })).await.good();
    assert_eq!(done["structuredContent"]["task"]["status"], "completed");
}

#[tokio::test]
async fn what_a_tool_refuses_is_a_problem_document() {
    let app = TestApp::new().await;
    let person = app.user("ada").await;
    let ada = holding(&person, &["read", "write"]).await;
    person.has(a_task("Report for Bob")).await;
    person.has(a_task("Report for Eve")).await;
    let call = async |tool: &str, body: serde_json::Value| ada.post(&format!("/mcp/tools/{tool}"), &body).await;

    assert_eq!(call("create_task", json!({ "title": "", "efort": 1 })).await.faults(), ["/title", "/efort"]);
    assert_eq!(
        call("create_task", json!({ "tasks": [{ "title": "a", "priority": 9 }] })).await.faults(),
        ["/tasks/0/priority"]
    );
    call("complete_task", json!({ "query": "report" })).await.is(409).assert_problem("ambiguous");
    call("complete_task", json!({ "query": "zebra" })).await.is(404).assert_problem("not-found");
    call("fly", json!({})).await.is(404).assert_problem("not-found");
    call("undo", json!({ "undo_token": "nothing" })).await.is(404);
    ada.post("/mcp/tools/undo", &json!([])).await.is(422);
}

#[tokio::test]
async fn the_tools_belong_to_the_resource_of_the_chats() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    ada.get("/mcp/tools").await.is(401);
    let reader = holding(&ada, &["read"]).await;
    let refused = reader.post("/mcp/tools/create_task", &json!({ "title": "x" })).await.is(403);
    assert!(refused.header("www-authenticate").unwrap().contains("/mcp\""));
    refused.assert_problem("insufficient-scope");
}

#[tokio::test]
async fn a_call_may_be_sent_again_and_taken_back_as_any_other_change() {
    let app = TestApp::new().await;
    let person = app.user("ada").await;
    let ada = holding(&person, &["read", "write"]).await;
    person.has(a_task("Ring Paula")).await;
    person.has(a_task("Ring Paula about the party")).await;
    let call = async |tool: &str, body: &serde_json::Value, key: &str| {
        let path = format!("/mcp/tools/{tool}");
        ada.send(reqwest::Method::POST, &path, Some(body), &[("idempotency-key", key)]).await
    };

    for (tool, body) in [
        ("create_task", json!({ "title": "Call mum" })),
        ("snooze_task", json!({ "query": "the party one", "minutes": 5 })),
        ("complete_task", json!({ "query": "ring paula" })),
        ("delete_task", json!({ "query": "call mum" })),
        ("undo", json!({})),
    ] {
        let first = call(tool, &body, tool).await.is(200);
        let token = first.header("undo-token").unwrap_or_else(|| panic!("{tool}")).to_owned();
        assert_eq!(first.body["structuredContent"]["undo_token"], token, "{tool}");
        assert_eq!(first.header("idempotent-replayed"), None);
        let again = call(tool, &body, tool).await.is(200);
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{tool}");
        assert_eq!(again.header("undo-token"), Some(&*token), "{tool}");
        assert_eq!(again.body["structuredContent"], first.body["structuredContent"], "{tool}");
        let other = call(tool, &json!({ "idempotency": "other" }), tool).await.is(422);
        assert_eq!(other.header("idempotent-replayed"), None);
    }
    call("create_task", &json!({ "title": "Other" }), "create_task")
        .await
        .is(422)
        .assert_problem("idempotency-key-reused");
    let differ = call("create_task", &json!({ "title": "Other", "idempotency_key": "a" }), "b").await;
    assert_eq!(differ.is(422).faults(), ["/idempotency_key"]);
    let argument = json!({ "title": "Call mum", "idempotency_key": "create_task" });
    assert_eq!(ada.post("/mcp/tools/create_task", &argument).await.header("idempotent-replayed"), Some("true"));
    let all = json!({ "status": ["pending", "completed", "snoozed"] });
    assert_eq!(ada.post("/mcp/tools/get_tasks", &all).await.good()["structuredContent"]["total"], 3);
}

#[tokio::test]
async fn what_is_missing_is_told_in_the_form_of_the_api() {
    let app = TestApp::new().await;
    let person = app.user("ada").await;
    let ada = holding(&person, &["read", "write"]).await;

    let refused = ada.post("/mcp/tools/complete_task", &json!({})).await.is(422);
    assert!(refused.body["detail"].as_str().unwrap().starts_with("`/id` is missing"), "{}", refused.body);
    let id = person.has(a_task("Report")).await.to_string();
    let refused = ada.post("/mcp/tools/update_task", &json!({ "id": id })).await.is(422);
    assert!(refused.body["detail"].as_str().unwrap().starts_with("The body changes nothing"), "{}", refused.body);
}
