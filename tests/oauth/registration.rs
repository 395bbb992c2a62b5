//! Clients that register themselves, as they see it (RFC 7591, RFC 7592).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::databases::Db;

fn minimal() -> Value {
    json!({ "redirect_uris": ["https://c.example/cb"], "client_name": "C" })
}

async fn register(app: &TestApp, body: &Value) -> Answer {
    app.anonymous().post("/oauth/register", body).await
}

/// Asks as the holder of a registration token.
async fn manage(app: &TestApp, made: &Value, method: Method, body: Option<&Value>) -> Answer {
    let actor = app.anonymous().holding(made["registration_access_token"].as_str().unwrap());
    let path = made["registration_client_uri"].as_str().unwrap().strip_prefix(app.url()).unwrap();
    actor.send(method, path, body, &[]).await
}

#[tokio::test]
async fn a_registration_is_answered_as_the_rfc_says() {
    let app = TestApp::new().await;

    let answer = register(&app, &minimal()).await.is(201);

    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let made = answer.body;
    for field in ["client_id", "client_secret", "registration_access_token", "registration_client_uri"] {
        assert!(made[field].is_string(), "{field}: {made}");
    }
    assert!(made["client_id_issued_at"].is_i64() && made["client_secret_expires_at"] == 0);
    assert_eq!(made["redirect_uris"], json!(["https://c.example/cb"]));
    let metadata = app.anonymous().get("/.well-known/oauth-authorization-server").await.good();
    assert_eq!(metadata["registration_endpoint"], json!(format!("{}/oauth/register", app.url())));
}

#[tokio::test]
async fn public_clients_get_no_secret() {
    let app = TestApp::new().await;
    let mut body = minimal();
    body["token_endpoint_auth_method"] = json!("none");

    let made = register(&app, &body).await.good();

    assert!(made.get("client_secret").is_none() && made.get("client_secret_expires_at").is_none(), "{made}");
}

#[tokio::test]
async fn refusals_carry_the_codes_of_the_rfc() {
    let app = TestApp::new().await;
    let send = |kind: &'static str, body: &'static [u8]| {
        let request = app.anonymous().request(Method::POST, "/oauth/register").header("content-type", kind).body(body);
        Answer::of(request)
    };
    for (kind, body) in [
        ("application/json", &b"{"[..]),
        ("application/json", b"[]"),
        ("application/json", b"\"x\""),
        ("application/json", b""),
        ("application/json", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"redirect_uris=https://c.example/"),
        ("text/plain", b"{\"redirect_uris\":[\"https://c.example/cb\"]}"),
    ] {
        let refused = send(kind, body).await.is(400);
        assert_eq!(refused.body["error"], "invalid_client_metadata", "{kind} {body:?}");
        assert!(refused.body["error_description"].is_string());
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
    let deep = format!("{{\"redirect_uris\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    register(&app, &Value::String(deep)).await.is(400);
    register(&app, &json!({ "redirect_uris": ["https://c.example/"], "x": "x".repeat(200_000) })).await.is(413);
    app.anonymous().get("/oauth/register").await.is(405);
}

#[tokio::test]
async fn a_registration_is_managed_with_its_token() {
    let app = TestApp::new().await;
    let made = register(&app, &minimal()).await.good();

    let read = manage(&app, &made, Method::GET, None).await.is(200);
    assert_eq!((read.header("cache-control"), &read.body["client_id"]), (Some("no-store"), &made["client_id"]));
    assert!(read.body.get("client_secret").is_none());
    let wish = json!({ "client_id": made["client_id"], "redirect_uris": ["https://c.example/new"] });
    let changed = manage(&app, &made, Method::PUT, Some(&wish)).await.is(200);
    assert_eq!(changed.body["redirect_uris"], json!(["https://c.example/new"]));
    let refused = manage(&app, &made, Method::PUT, Some(&minimal())).await.is(400);
    assert_eq!(refused.body["error"], "invalid_client_metadata");
    manage(&app, &made, Method::POST, Some(&wish)).await.is(405);

    let gone = manage(&app, &made, Method::DELETE, None).await.is(204);
    assert_eq!(gone.header("cache-control"), Some("no-store"));
    let refused = manage(&app, &made, Method::GET, None).await.is(401);
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"MindFlow\", error=\"invalid_token\""));
    assert_eq!(refused.body["error"], "invalid_token");
}

#[tokio::test]
async fn strangers_learn_nothing_of_registrations() {
    let app = TestApp::new().await;
    let (one, other) = (register(&app, &minimal()).await.good(), register(&app, &minimal()).await.good());
    let path = format!("/oauth/register/{}", one["client_id"].as_str().unwrap());
    let somebody = app.user("ada").await;
    let stranger = app.anonymous().holding(other["registration_access_token"].as_str().unwrap());

    let mut told = Vec::new();
    for path in [path.as_str(), "/oauth/register/nobody", "/oauth/register/chatgpt_mindflow"] {
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(&one)), (Method::DELETE, None)] {
            for actor in [&somebody, &stranger] {
                told.push(actor.send(method.clone(), path, body, &[]).await.is(401).body);
            }
            let nobody = app.anonymous().send(method, path, body, &[]).await.is(401);
            assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"MindFlow\""), "{path}");
            assert_eq!((nobody.header("cache-control"), &nobody.body), (Some("no-store"), &json!({})), "{path}");
        }
    }

    assert!(told.iter().all(|body| *body == told[0]), "{told:#?}");
    manage(&app, &one, Method::GET, None).await.is(200);
}

#[tokio::test]
async fn a_flood_of_registrations_is_slowed_down() {
    let app = TestApp::with(|config| config.limits.auth_rate_per_minute = 2).await;

    register(&app, &minimal()).await.is(201);
    register(&app, &minimal()).await.is(201);

    let refused = register(&app, &minimal()).await.is(429);
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn who_registered_much_for_nothing_registers_no_more_and_keeps_nobody_out() {
    let app = TestApp::with(|config| config.oauth.unused_clients_per_address = 1).await;
    register(&app, &minimal()).await.is(201);
    let refused = register(&app, &minimal()).await.is(503);
    assert_eq!(refused.body["error"], "temporarily_unavailable");

    for db in [Db::Sqlite, Db::Postgres] {
        let app = TestApp::start(db, |config| config.oauth.unused_clients = 2).await;
        let mut names = Vec::new();
        for _ in 0..3 {
            app.advance(std::time::Duration::from_secs(1));
            let made = register(&app, &minimal()).await.is(201).good();
            names.push(made["client_id"].as_str().unwrap().to_owned());
        }
        let mut there = Vec::new();
        for name in names {
            there.push(app.app.clients.find(&name).await.is_ok());
        }
        assert_eq!(there, [false, true, true], "the oldest makes room: {db:?}");
    }
}

#[tokio::test]
async fn a_redirect_uri_leaves_room_for_the_answer() {
    let app = TestApp::new().await;

    for uri in ["https://app.example/cb?code=x", "https://app.example/cb?a=b&state=y", "http://127.0.0.1/cb?iss=z"] {
        let refused = register(&app, &json!({ "redirect_uris": [uri], "token_endpoint_auth_method": "none" })).await;
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_redirect_uri")), "{uri}");
    }
    let good = json!({ "redirect_uris": ["https://app.example/cb?tenant=1"], "token_endpoint_auth_method": "none" });
    assert_eq!(register(&app, &good).await.status, 201);
}

#[tokio::test]
async fn an_operator_can_turn_registration_off() {
    let app = TestApp::with(|config| config.oauth.dynamic_registration = false).await;

    let refused = register(&app, &minimal()).await;

    assert!(refused.status == 403 && refused.body["error"] == "access_denied", "{}", refused.body);
    let nonsense = register(&app, &json!([])).await;
    assert!(nonsense.status == 403 && nonsense.body["error"] == "access_denied", "{}", nonsense.body);
    let metadata = app.anonymous().get("/.well-known/oauth-authorization-server").await.good();
    assert!(metadata.get("registration_endpoint").is_none());
}

#[tokio::test]
async fn no_secret_of_a_registration_is_kept_or_logged_in_the_activity() {
    let app = TestApp::new().await;
    let made = register(&app, &minimal()).await.good();

    let stored = format!("{:?}", app.app.store.list_clients().await.unwrap());

    for field in ["client_secret", "registration_access_token"] {
        assert!(!stored.contains(made[field].as_str().unwrap()), "{field}");
    }
}
