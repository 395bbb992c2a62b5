//! What a client learns of people (OpenID Connect Core, section 5.3).

use reqwest::Method;
use serde_json::json;

use crate::connector::{Connector, text};
use crate::support::app::TestApp;

#[tokio::test]
async fn each_scope_tells_its_own() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user_in("ada", "Europe/Vienna").await, Connector::public(&app, "notes").await);
    let sub = ada.id().to_string();

    for (scopes, told) in [
        ("openid", json!({ "sub": sub })),
        ("openid email", json!({ "sub": sub, "email": "ada@example.com", "email_verified": false })),
        (
            "openid profile",
            json!({
                "sub": sub, "name": "ada", "zoneinfo": "Europe/Vienna",
                "updated_at": app.clock.now().as_seconds(),
            }),
        ),
    ] {
        let tokens = client.tokens(&ada, scopes).await;
        let holder = app.anonymous().holding(text(&tokens, "access_token"));

        let answer = holder.get("/oauth/userinfo").await.is(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.good(), told, "{scopes}");
        assert_eq!(holder.send(Method::POST, "/oauth/userinfo", None, &[]).await.good(), told);
        holder.get("/api/tasks").await.is(403);
    }
}

#[tokio::test]
async fn nobody_else_is_told_anything() {
    let app = TestApp::new().await;
    let (ada, client) = (app.user("ada").await, Connector::public(&app, "notes").await);
    let tokens = client.tokens(&ada, "read").await;
    let token = text(&tokens, "access_token");

    let narrow = app.anonymous().holding(token).get("/oauth/userinfo").await.is(403);
    assert!(narrow.header("www-authenticate").unwrap().contains("error=\"insufficient_scope\""));
    let none = app.anonymous().get("/oauth/userinfo").await.is(401);
    assert!(!none.header("www-authenticate").unwrap().contains("error"));
    assert_eq!((none.header("cache-control"), &none.body), (Some("no-store"), &json!({})), "nothing was wrong yet");
    for bad in ["x", "a.b.c", text(&tokens, "refresh_token"), ada.token.as_deref().unwrap()] {
        let answer = app.anonymous().holding(bad).get("/oauth/userinfo").await.is(401);
        assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    }
    let twice = app.anonymous().holding(token).get(&format!("/oauth/userinfo?access_token={token}")).await.is(400);
    assert!(twice.header("www-authenticate").unwrap().contains("error=\"invalid_request\""));
    app.anonymous().get(&format!("/oauth/userinfo?access_token={token}")).await.is(401);
}
