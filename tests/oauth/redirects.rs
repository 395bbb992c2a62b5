//! Redirect URIs: what may be registered. `oauth/redirect.rs` has the long tables.

use serde_json::json;

use crate::support::app::TestApp;

#[tokio::test]
async fn hosts_of_today_can_register_their_redirects() {
    let app = TestApp::new().await;
    for uri in [
        "https://chatgpt.com/connector/oauth/abc123",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "https://chat.openai.com/aip/g-123/oauth/callback",
        "https://claude.ai/api/mcp/auth_callback",
        "https://vscode.dev/redirect",
        "http://127.0.0.1:33418/",
        "http://localhost:6274/oauth/callback",
        "http://[::1]:3334/oauth/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/oauth2redirect",
    ] {
        let made = app.anonymous().post("/oauth/register", &json!({ "redirect_uris": [uri] })).await.good();
        assert_eq!(made["redirect_uris"], json!([uri]));
    }
}

#[tokio::test]
async fn dangerous_redirects_are_refused() {
    let app = TestApp::new().await;
    for uri in [
        "http://c.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://10.0.0.1/cb",
        "https://good.example@evil.example/cb",
        "https://evil.example\\@good.example/cb",
        "https://c.example/cb#fragment",
        "https://c.example/*",
        "https://*.c.example/cb",
        "https://c.example/\r\nSet-Cookie: a=b",
        "https://c.example/\0",
        "https://c.example/%00",
        "javascript:alert(document.cookie)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "about:blank",
        "blob:https://c.example/x",
        "vbscript:x",
        "wss://c.example/",
        "ftp://c.example/",
        "mailto:a@b.example",
        "intent://c.example/#Intent;end",
        "//c.example/cb",
        "/cb",
        "cb",
        "",
    ] {
        let body = json!({ "redirect_uris": ["https://c.example/good", uri] });
        let refused = app.anonymous().post("/oauth/register", &body).await.is(400);
        assert_eq!(refused.body["error"], "invalid_redirect_uri", "{uri}");
    }
    assert!(app.app.clients.list().await.unwrap().iter().all(|client| !client.is_self_registered()));
}

#[tokio::test]
async fn at_most_twenty_redirects_are_taken() {
    let app = TestApp::new().await;
    let uris = |count: usize| {
        let uris: Vec<String> = (0..count).map(|index| format!("https://c.example/{index}")).collect();
        json!({ "redirect_uris": uris })
    };

    app.anonymous().post("/oauth/register", &uris(20)).await.is(201);
    for count in [21, 2000] {
        let refused = app.anonymous().post("/oauth/register", &uris(count)).await.is(400);
        assert_eq!(refused.body["error"], "invalid_redirect_uri");
    }
}
