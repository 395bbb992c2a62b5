//! What hosts show in a frame.

use serde_json::{Value, json};

use crate::chat::{CLASSIC, Chat};
use crate::support::app::TestApp;

#[tokio::test]
async fn tools_point_at_documents_that_hosts_can_read() {
    let app = TestApp::new().await;
    let chat = Chat::with_scopes(&app.user("ada").await, &["read"], CLASSIC).await;

    let tools = chat.ask("tools/list", json!({})).await["result"]["tools"].clone();
    let shown: Vec<&Value> = tools.as_array().unwrap().iter().filter(|tool| tool["_meta"]["ui"].is_object()).collect();
    assert!(shown.len() >= 8);
    for tool in shown {
        let uri = tool["_meta"]["ui"]["resourceUri"].as_str().unwrap();
        assert_eq!(tool["_meta"]["openai/outputTemplate"], uri);
        let read = chat.ask("resources/read", json!({ "uri": uri })).await["result"]["contents"][0].clone();
        assert_eq!((&read["uri"], &read["mimeType"]), (&json!(uri), &json!("text/html;profile=mcp-app")));
        let html = read["text"].as_str().unwrap();
        assert!(html.len() < 60_000 && html.to_lowercase().starts_with("<!doctype html>"));
        assert_eq!(read["_meta"]["ui"]["csp"]["connectDomains"], json!([]));
    }
    let older = chat.ask("resources/read", json!({ "uri": "ui://mindflow/task-card-0000000000.html" })).await;
    assert!(older["result"]["contents"][0]["text"].is_string());
    assert!(chat.ask("resources/read", json!({ "uri": "ui://mindflow/other-00.html" })).await["error"].is_object());
}

#[tokio::test]
async fn widgets_can_be_turned_off() {
    let app = TestApp::with(|config| config.mcp.widgets = false).await;
    let chat = Chat::with_scopes(&app.user("ada").await, &["read"], CLASSIC).await;

    let tools = chat.ask("tools/list", json!({})).await["result"]["tools"].clone();
    assert!(!tools.to_string().contains("ui://"));
    let list = chat.ask("resources/list", json!({})).await;
    assert!(!list.to_string().contains("ui://"));
    let hello =
        json!({ "protocolVersion": CLASSIC, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    assert!(chat.ask("initialize", hello).await["result"]["capabilities"].get("extensions").is_none());
    assert!(chat.ask("resources/read", json!({ "uri": "ui://mindflow/task-card-00.html" })).await["error"].is_object());
    app.anonymous().get("/widgets/task").await.is(404);
}

#[tokio::test]
async fn the_card_is_a_page_for_who_wants_to_see_it() {
    let app = TestApp::new().await;

    let page = app.anonymous().get("/widgets/task").await.is(200);

    assert!(page.header("x-frame-options").is_none());
    let content = page.header("content-security-policy").unwrap();
    assert!(content.contains("frame-ancestors 'self' https://chatgpt.com") && content.contains("script-src 'sha256-"));
    assert!(page.body.as_str().unwrap().contains("id=\"preview\""));
}
