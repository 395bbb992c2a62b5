//! The page on which people allow devices (RFC 8628).

use serde_json::{Value, json};

use crate::browser::{Browser, Page, form_request};
use crate::support::answer::Answer;
use crate::support::app::TestApp;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device that waits: its client and what it was told.
async fn waiting(app: &TestApp) -> (String, Value) {
    let body = json!({
        "client_name": "Kitchen display",
        "redirect_uris": ["https://app.example/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", DEVICE_CODE],
    });
    let client = app.anonymous().post("/oauth/register", &body).await.good();
    let client_id = client["client_id"].as_str().unwrap().to_owned();
    let fields = [("client_id", client_id.as_str()), ("scope", "read write")];
    let device = post(app, "/oauth/device_authorization", &fields).await.good();
    (client_id, device)
}

async fn post(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    Answer::of(form_request(app.anonymous().request(reqwest::Method::POST, path), fields)).await
}

async fn poll(app: &TestApp, client_id: &str, device: &Value) -> Value {
    let code = device["device_code"].as_str().unwrap();
    let fields = [("grant_type", DEVICE_CODE), ("client_id", client_id), ("device_code", code)];
    post(app, "/oauth/token", &fields).await.body
}

/// The page that asks, for somebody who came by the whole link.
async fn asked<'a>(app: &'a TestApp, device: &Value) -> (Browser<'a>, Page) {
    let browser = Browser::new(app);
    let door = browser.open(device["verification_uri_complete"].as_str().unwrap()).await.is(200);
    assert!(!door.html.contains("Kitchen display"), "nothing is told before sign-in");
    let page = browser.sign_in(&door, "ada@example.com").await.is(200);
    (browser, page)
}

#[tokio::test]
async fn a_device_is_allowed_what_the_person_left_ticked() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (client, device) = waiting(&app).await;

    let (browser, page) = asked(&app, &device).await;
    assert!(page.html.contains("Kitchen display") && page.html.contains(device["user_code"].as_str().unwrap()));
    assert_eq!(poll(&app, &client, &device).await["error"], "authorization_pending", "the link alone does nothing");
    let done = browser.send(&page.form().untick("scope", "write").decide("allow")).await.is(200);

    assert!(done.html.contains("Connected"));
    app.advance(std::time::Duration::from_secs(6));
    assert_eq!(poll(&app, &client, &device).await["scope"], "read");
    let again = browser.open(device["verification_uri_complete"].as_str().unwrap()).await.is(422);
    assert!(again.html.contains("No device waits with this code"));
}

#[tokio::test]
async fn a_code_can_be_typed_and_a_wrong_one_is_told() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (_, device) = waiting(&app).await;
    let browser = Browser::new(&app);
    let door = browser.open("/device").await.is(200);
    let page = browser.sign_in(&door, "ada@example.com").await.is(200);

    let wrong = browser.send(&page.form().fill("user_code", "BBBB-BBBB")).await.is(422);
    assert!(wrong.html.contains("aria-invalid"));
    let typed = device["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
    let page = browser.send(&wrong.form().fill("user_code", &typed)).await.is(200);

    assert!(page.html.contains("Kitchen display") && page.html.contains(device["user_code"].as_str().unwrap()));
}

#[tokio::test]
async fn a_no_ends_it_and_a_foreign_form_does_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (client, device) = waiting(&app).await;
    let (browser, page) = asked(&app, &device).await;

    browser.send_with(&page.form().decide("allow"), &[("origin", "https://evil.example")]).await.is(403);
    browser.send(&page.form().without("csrf").decide("allow")).await.is(403);
    assert_eq!(poll(&app, &client, &device).await["error"], "authorization_pending");
    let done = browser.send(&page.form().decide("deny")).await.is(200);

    assert!(done.html.contains("Not connected"));
    app.advance(std::time::Duration::from_secs(6));
    assert_eq!(poll(&app, &client, &device).await["error"], "access_denied");
}
