//! Who may call.

use serde_json::json;

use crate::chat::{Chat, MODERN, message_of};
use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn without_a_token_the_answer_says_where_to_get_one() {
    let app = TestApp::new().await;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });

    for actor in [app.anonymous(), app.anonymous().holding("mf_nothing"), app.user("ada").await] {
        let answer = actor.post("/mcp", &message).await.is(401);
        let challenge = answer.header("www-authenticate").unwrap();
        let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", app.url());
        assert!(challenge.contains(&metadata) && challenge.contains("scope=\"read write\""), "{challenge}");
    }
    let stale = app.anonymous().holding("mf_nothing").post("/mcp", &message).await;
    assert!(stale.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Call mum")).await;
    let chats = [
        Chat::with_scopes(&ada, &["read"], crate::chat::CLASSIC).await,
        Chat::with_scopes(&ada, &["read"], MODERN).await,
    ];

    for chat in &chats {
        let params = json!({
            "name": "complete_task",
            "arguments": { "id": task.to_string() },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let refused = chat.send(&call).await.is(403);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"read write\""));
        assert!(!chat.call("get_best_task", json!({})).await.is_error);
    }
    assert_eq!(ada.get_task(task).await.good()["status"], "pending");
}

#[tokio::test]
async fn a_challenge_names_all_scopes_at_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let token = ada.post("/api/auth/tokens", &json!({ "name": "t", "scopes": ["write"] })).await.good();
    let writer = ada.holding(token["token"].as_str().unwrap());
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });

    for answer in [
        writer.post("/mcp", &ping).await.is(403),
        writer.post("/mcp/tools/create_task", &json!({ "title": "x" })).await.is(403),
        writer.get("/api/tasks").await.is(403),
        app.anonymous().post("/mcp/tools/create_task", &json!({ "title": "x" })).await.is(401),
    ] {
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("scope=\"read write\""), "{challenge}");
    }
}

#[tokio::test]
async fn nobody_reaches_the_tasks_of_another() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let task = ada.has(a_task("Secret plan")).await;
    let chat = Chat::of(&bob).await;
    let id = task.to_string();

    for tool in ["complete_task", "delete_task", "explain_task", "fetch"] {
        chat.call(tool, json!({ "id": id })).await.refused("not_found");
    }
    chat.call("complete_task", json!({ "query": "secret plan" })).await.refused("not_found");
    chat.call("update_task", json!({ "id": id, "title": "x" })).await.refused("not_found");
    assert_eq!(chat.call("search", json!({ "query": "secret" })).await.good()["results"], json!([]));
    let read = chat.ask("resources/read", json!({ "uri": format!("mindflow://tasks/{id}") })).await;
    assert!(read["error"]["code"].is_i64(), "{read}");
    assert_eq!(ada.get_task(task).await.good()["version"], 1);
}

#[tokio::test]
async fn tools_are_counted_with_everything_else_of_the_user() {
    let app = TestApp::with(|config| config.limits.rate_per_minute = 5).await;
    let ada = app.user("ada").await;
    let chat = Chat::of(&ada).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });

    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(chat.send(&ping).await.status);
    }

    assert_eq!(statuses.last(), Some(&429));
    let refused = chat.send(&ping).await;
    assert!(refused.header("retry-after").is_some());
    drop(message_of(refused));
}
