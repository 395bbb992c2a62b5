//! Clients that a document at their `client_id` describes, fetched over real HTTPS.

use mindflow::oauth::fetch::{FetchError, Fetcher as _, HttpsFetcher, Reach};
use mindflow::oauth::{ClientKind, ErrorCode};
use serde_json::{Value, json};

use super::site::{Page, Site};
use crate::support::app::TestApp;

const PATH: &str = "/oauth/client.json";

fn document(site: &Site) -> Value {
    json!({
        "client_id": site.url(PATH),
        "client_name": "A client",
        "redirect_uris": ["https://client.example/cb"],
        "logo_uri": site.url("/logo.png"),
        "client_uri": site.url("/home"),
    })
}

async fn both() -> (TestApp, Site) {
    let site = Site::start().await;
    let app = TestApp::with(|config| site.trusted_by(config)).await;
    (app, site)
}

/// Why the document makes no client.
async fn refusal(app: &TestApp, site: &Site) -> String {
    let error = app.app.clients.find(&site.url(PATH)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidClient);
    error.description
}

#[tokio::test]
async fn a_document_is_fetched_once_and_nothing_else_that_it_names() {
    let (app, site) = both().await;
    site.put(PATH, &document(&site));

    for _ in 0..3 {
        let client = app.app.clients.find(&site.url(PATH)).await.unwrap();
        assert_eq!((client.kind, client.name.as_str()), (ClientKind::Document, "A client"));
    }

    assert_eq!((site.hits(PATH), site.connections()), (1, 1), "no logo, no page, no second time");
}

#[tokio::test]
async fn an_answer_that_is_no_document_makes_no_client() {
    let (app, site) = both().await;
    let body = document(&site).to_string();
    let json = "Content-Type: application/json\r\n";
    let elsewhere = format!("Location: {}\r\n{json}", site.url("/elsewhere.json"));
    site.put("/elsewhere.json", &document(&site));
    let large = json!({ "client_id": site.url(PATH), "filler": "x".repeat(1 << 20) }).to_string();
    for (status, headers, body, said) in [
        ("302 Found", elsewhere.as_str(), body.as_str(), "status 302"),
        ("307 Temporary Redirect", elsewhere.as_str(), body.as_str(), "status 307"),
        ("404 Not Found", json, body.as_str(), "status 404"),
        ("201 Created", json, body.as_str(), "status 201"),
        ("500 Oh", json, body.as_str(), "status 500"),
        ("200 OK", "Content-Type: text/html\r\n", body.as_str(), "does not answer with JSON"),
        ("200 OK", "", body.as_str(), "does not answer with JSON"),
        ("200 OK", json, "<html>", "no JSON object"),
        ("200 OK", json, "[]", "no JSON object"),
        ("200 OK", json, large.as_str(), "too much"),
        ("200 OK", json, r#"{"client_id": "https://client.example/c"}"#, "another client_id"),
    ] {
        site.put_with(PATH, status, headers, body);
        let told = refusal(&app, &site).await;
        assert!(told.contains(said), "{status} {headers}: {told}");
    }
    assert_eq!(site.hits("/elsewhere.json"), 0, "redirects are not followed");
    site.put(PATH, &document(&site));
    app.app.clients.find(&site.url(PATH)).await.unwrap();
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let (app, site) = both().await;
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", "x".repeat(1 << 20));
    site.put_page(PATH, Page::Raw(endless));

    assert!(refusal(&app, &site).await.contains("too much"));
}

#[tokio::test]
async fn a_server_that_does_not_go_on_is_given_up() {
    let (app, site) = both().await;
    site.put_page(PATH, Page::Stalled);

    assert!(refusal(&app, &site).await.contains("cannot be reached"));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused() {
    let site = Site::start().await;
    let app = TestApp::with(|config| config.oauth.allow_private_addresses = true).await;
    site.put(PATH, &document(&site));

    assert!(refusal(&app, &site).await.contains("cannot be reached"));
    assert_eq!(site.hits(PATH), 0);
}

#[tokio::test]
async fn not_even_a_connection_is_made_to_what_is_not_public() {
    let site = Site::start().await;
    let roots = std::fs::read(site.authority()).unwrap();
    let app = TestApp::with(|config| config.oauth.extra_root_certificate = Some(site.authority())).await;
    site.put(PATH, &document(&site));

    for url in [site.url(PATH), site.url(PATH).replace("localhost", "127.0.0.1")] {
        assert!(app.app.clients.find(&url).await.is_err());
        let fetcher = HttpsFetcher::new(Reach::Public, Some(roots.clone()));
        let refused = fetcher.fetch(&url.parse().unwrap(), 1000).await.unwrap_err();
        assert_eq!(refused, FetchError::NotPublic, "{url}");
    }

    assert_eq!(site.connections(), 0);
}

#[tokio::test]
async fn what_a_registration_names_is_not_fetched() {
    let (app, site) = both().await;
    let body = json!({
        "redirect_uris": [site.url("/cb")],
        "logo_uri": site.url("/logo.png"),
        "client_uri": site.url("/home"),
        "tos_uri": site.url("/tos"),
        "policy_uri": site.url("/policy"),
        "jwks_uri": site.url("/jwks.json"),
        "sector_identifier_uri": site.url("/sector.json"),
        "request_uris": [site.url("/request.jwt")],
        "initiate_login_uri": site.url("/login"),
        "backchannel_logout_uri": site.url("/logout"),
    });

    app.anonymous().post("/oauth/register", &body).await.is(201);

    assert_eq!(site.connections(), 0);
}

#[tokio::test]
async fn an_operator_can_turn_documents_off() {
    let site = Site::start().await;
    let app = TestApp::with(|config| {
        site.trusted_by(config);
        config.oauth.client_documents = false;
    })
    .await;
    site.put(PATH, &document(&site));

    assert!(app.app.clients.find(&site.url(PATH)).await.is_err());
    let metadata = app.anonymous().get("/.well-known/oauth-authorization-server").await.good();
    assert_eq!(metadata["client_id_metadata_document_supported"], json!(false));
    assert_eq!(site.connections(), 0);
}
