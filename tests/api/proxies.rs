//! Who the client is, behind proxies and without.

use reqwest::Method;
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp};

/// The status of a counted request with such a header.
async fn ask(app: &TestApp, headers: &[(&str, &str)]) -> u16 {
    app.anonymous().send(Method::POST, "/oauth/token", None, headers).await.status
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_limit() {
    let app = TestApp::with(|config| {
        config.limits.auth_rate_per_minute = 1;
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;

    for client in ["203.0.113.1", "203.0.113.2", "[2001:db8:1::1]:443"] {
        assert_eq!(ask(&app, &[("x-forwarded-for", client)]).await, 400, "{client}");
        assert_eq!(ask(&app, &[("x-forwarded-for", client)]).await, 429, "{client}");
    }
    assert_eq!(ask(&app, &[("forwarded", "for=\"[2001:db8:2::1]:99\";proto=https")]).await, 400);
    // What a client claims to be before the proxy adds its address changes nothing.
    assert_eq!(ask(&app, &[("x-forwarded-for", "198.51.100.9, 203.0.113.1")]).await, 429);
    // Whoever the proxy does not name is counted as the proxy.
    assert_eq!(ask(&app, &[]).await, 400);
    assert_eq!(ask(&app, &[("x-forwarded-for", "unknown")]).await, 429);
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_chooses_their_address() {
    let app = TestApp::with(|config| config.limits.auth_rate_per_minute = 1).await;

    assert_eq!(ask(&app, &[("x-forwarded-for", "203.0.113.1")]).await, 400);
    for claim in [("x-forwarded-for", "203.0.113.2"), ("forwarded", "for=203.0.113.3"), ("x-real-ip", "203.0.113.4")] {
        assert_eq!(ask(&app, &[claim]).await, 429, "{claim:?}");
    }
}

#[tokio::test]
async fn sessions_and_activity_show_the_client_and_not_the_proxy() {
    let app = TestApp::with(|config| config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    app.user("ada").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });

    let headers = [("x-forwarded-for", "203.0.113.7")];
    let signed_in = app.anonymous().send(Method::POST, "/api/auth/login", Some(&login), &headers).await.good();
    let ada = app.anonymous().holding(signed_in["access_token"].as_str().unwrap());

    let sessions = ada.get("/api/auth/sessions").await.good();
    let addresses: Vec<_> = sessions["items"].as_array().unwrap().iter().map(|session| &session["address"]).collect();
    assert!(addresses.contains(&&json!("203.0.113.7")), "{sessions}");
    let activity = ada.get("/api/auth/activity").await.good();
    assert_eq!(activity["items"][0]["address"], "203.0.113.7", "{activity}");
}
