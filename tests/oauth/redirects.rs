//! Redirect URIs: what may be registered, and what matches. `oauth/redirect.rs` has the long tables.

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

/// What the authorization endpoint makes of a redirect URI: whether it goes on with it.
async fn goes_on(app: &TestApp, client_id: &str, uri: &str) -> bool {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", uri)
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", "s")
        .finish();
    let answer = app.anonymous().get(&format!("/oauth/authorize?{query}")).await;
    assert_eq!(answer.header("location"), None, "{uri}");
    assert!([200, 400].contains(&answer.status), "{uri} {}", answer.status);
    answer.status == 200
}

#[tokio::test]
async fn only_a_registered_redirect_is_gone_on_with() {
    let app = TestApp::new().await;
    let uris = ["https://good.example/cb", "http://127.0.0.1:8080/cb"];
    let made = app.anonymous().post("/oauth/register", &json!({ "redirect_uris": uris })).await.good();
    let client_id = made["client_id"].as_str().unwrap();

    for same in
        ["https://good.example/cb", "http://127.0.0.1:8080/cb", "http://127.0.0.1:51004/cb", "http://127.0.0.1/cb"]
    {
        assert!(goes_on(&app, client_id, same).await, "{same}");
    }
    for near in [
        "https://good.example/cb/",
        "https://good.example/CB",
        "https://GOOD.example/cb",
        "https://good.example:443/cb",
        "https://good.example:8443/cb",
        "http://good.example/cb",
        "https://good.example/cb?x=1",
        "https://good.example/cb#x",
        "https://good.example/cb\0",
        "https://good.example/cb%00",
        "https://good.example/cb/%2f..",
        "https://good.example/x/../cb",
        "https://good.example@evil.example/cb",
        "https://evil.example\\@good.example/cb",
        "https://good.example.evil.example/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "http://127.0.0.2:8080/cb",
        "http://127.0.0.1:8080/CB",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1.evil.example:8080/cb",
        "javascript:alert(1)",
        "//good.example/cb",
    ] {
        assert!(!goes_on(&app, client_id, near).await, "{near}");
    }
}
