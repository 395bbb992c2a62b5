//! What clients find before they know anything.

use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;

const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

async fn get(app: &TestApp, path: &str) -> Answer {
    app.anonymous().get(path).await
}

#[tokio::test]
async fn every_document_may_be_read_by_every_page_and_kept_for_an_hour() {
    let app = TestApp::new().await;

    for path in [
        SERVER,
        "/.well-known/openid-configuration",
        RESOURCE,
        &format!("{RESOURCE}/mcp"),
        &format!("{RESOURCE}/api"),
        "/oauth/jwks",
        "/.well-known/jwks.json",
    ] {
        let origin = [("origin", "https://elsewhere.example")];
        let answer = app.anonymous().send(Method::GET, path, None, &origin).await.is(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");

        let etag = answer.header("etag").unwrap().to_owned();
        let again = [("if-none-match", etag.as_str())];
        app.anonymous().send(Method::GET, path, None, &again).await.is(304);
        app.anonymous().send(Method::HEAD, path, None, &[]).await.is(200);
        let refused = app.anonymous().send(Method::POST, path, None, &[]).await.is(405);
        assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
        let asked = [("origin", "https://elsewhere.example"), ("access-control-request-method", "GET")];
        let preflight = app.anonymous().send(Method::OPTIONS, path, None, &asked).await.is(204);
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"), "{path}");
    }
}

#[tokio::test]
async fn no_header_of_a_request_shows_up_in_a_document() {
    let app = TestApp::new().await;
    let spoofs = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example;proto=gopher"),
        ("x-original-url", "/evil"),
    ];

    for path in [SERVER, "/.well-known/openid-configuration", RESOURCE, "/.well-known/oauth-protected-resource/mcp"] {
        let honest = get(&app, path).await.good();
        let spoofed = app.anonymous().send(Method::GET, path, None, &spoofs).await.good();
        assert_eq!(honest, spoofed, "{path}");
        assert!(honest.to_string().contains(app.url()) && !honest.to_string().contains("evil"));
    }
    let challenge = app.anonymous().send(Method::GET, "/api/tasks", None, &spoofs).await.is(401);
    assert!(!challenge.header("www-authenticate").unwrap().contains("evil"));
}

#[tokio::test]
async fn the_way_leads_from_a_challenge_to_the_keys() {
    let app = TestApp::new().await;

    let refused = get(&app, "/api/tasks").await.is(401);
    let challenge = refused.header("www-authenticate").unwrap();
    let url = challenge.split("resource_metadata=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(challenge.starts_with("Bearer ") && challenge.contains("scope=\"read\""), "{challenge}");
    assert!(!challenge.contains("error=") && !challenge.contains("offline_access"), "{challenge}");

    let resource = get(&app, url.strip_prefix(app.url()).unwrap()).await.good();
    assert_eq!(resource["resource"], json!(format!("{}/api", app.url())));
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    assert_eq!(issuer, app.url());
    let server = get(&app, SERVER).await.good();
    assert_eq!(server["issuer"], issuer);
    assert_eq!(server, get(&app, "/.well-known/openid-configuration").await.good());
    let keys = get(&app, server["jwks_uri"].as_str().unwrap().strip_prefix(app.url()).unwrap()).await.good();

    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
    let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(!members.contains(&private), "{private}");
    }
}

#[tokio::test]
async fn a_document_is_where_it_belongs_and_nowhere_else() {
    let app = TestApp::new().await;

    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-protected-resource//mcp",
        "/oauth/jwks/",
        "/.well-known/nothing",
    ] {
        get(&app, path).await.is(404);
    }
}

#[tokio::test]
async fn a_server_under_a_path_is_found_both_ways() {
    let app = TestApp::with(|config| config.server.public_url = Some("https://example.org/mindflow".into())).await;

    for path in
        [SERVER, "/.well-known/oauth-authorization-server/mindflow", "/.well-known/openid-configuration/mindflow"]
    {
        assert_eq!(get(&app, path).await.good()["issuer"], "https://example.org/mindflow", "{path}");
    }
    for path in ["/.well-known/oauth-protected-resource/mindflow/mcp", "/.well-known/oauth-protected-resource/mcp"] {
        assert_eq!(get(&app, path).await.good()["resource"], "https://example.org/mindflow/mcp", "{path}");
    }
    let challenge = get(&app, "/api/tasks").await.is(401);
    let expected = "https://example.org/mindflow/.well-known/oauth-protected-resource/api";
    assert!(challenge.header("www-authenticate").unwrap().contains(expected));
}

#[tokio::test]
async fn discovery_is_not_counted_against_the_limits() {
    let app = TestApp::with(|config| {
        config.limits.auth_rate_per_minute = 1;
        config.limits.rate_per_minute = 1;
    })
    .await;

    for _ in 0..5 {
        get(&app, SERVER).await.is(200);
        get(&app, "/oauth/jwks").await.is(200);
    }
}

#[tokio::test]
async fn every_endpoint_that_is_named_is_there() {
    let app = TestApp::new().await;
    let document = get(&app, SERVER).await.good();

    let urls = document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    let mut missing = Vec::new();
    for (name, url) in urls {
        let path = url.as_str().unwrap().strip_prefix(app.url()).unwrap();
        let answer = app.anonymous().send(Method::OPTIONS, path, None, &[]).await;
        missing.extend((answer.status != 204).then(|| format!("{name} {path}: {}", answer.status)));
    }

    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn what_an_operator_turned_off_is_not_offered() {
    let app = TestApp::with(|config| {
        config.oauth.dynamic_registration = false;
        config.oauth.client_documents = false;
    })
    .await;

    let document = get(&app, SERVER).await.good();

    assert_eq!(document.get("registration_endpoint"), None);
    assert_eq!(document["client_id_metadata_document_supported"], false);
}
