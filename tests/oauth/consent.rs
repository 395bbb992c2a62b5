//! The page on which people allow applications something.

use mindflow::oauth::static_clients::NewClient;
use serde_json::json;

use crate::browser::{Browser, CALLBACK, Page, VERIFIER, form_request, link, register};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::databases::Db;

/// Somebody who is signed in, on the page that asks.
async fn asked<'a>(app: &'a TestApp, client: &str, more: &[(&str, &str)]) -> (Browser<'a>, Page) {
    let browser = Browser::new(app);
    let door = browser.open(&link(client, more)).await.is(200);
    let consent = browser.sign_in(&door, "ada@example.com").await.is(200);
    (browser, consent)
}

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_it_leads() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let (_, page) = asked(&app, &client, &[("scope", "read write email")]).await;

    for text in [
        "Calm app",
        "ada@example.com",
        "app.example",
        "unverified",
        "See your tasks",
        "Add, change, complete and delete your tasks",
        "See your e-mail address",
        "Use another account",
    ] {
        assert!(page.html.contains(text), "{text}: {}", page.html);
    }
    assert!(!page.html.contains("See your name"));
}

#[tokio::test]
async fn writing_can_be_unticked_and_nothing_can_be_added() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = asked(&app, &client, &[("scope", "read write")]).await;

    let form = page.form().untick("scope", "write").decide("allow");
    let mut more = form.clone();
    more.fields.push(("scope".to_owned(), "admin".to_owned()));
    more.fields.push(("scope".to_owned(), "profile".to_owned()));
    browser.send(&more).await.code();

    browser.open(&link(&client, &[("scope", "read"), ("prompt", "none")])).await.code();
    for scope in ["read write", "read profile"] {
        let asked = browser.open(&link(&client, &[("scope", scope), ("prompt", "none")])).await;
        assert_eq!(asked.error(), "consent_required", "{scope}");
    }
}

#[tokio::test]
async fn advice_to_untick_is_given_where_that_can_be_done() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let (_, both) = asked(&app, &client, &[("scope", "read write")]).await;
    assert!(both.html.contains("Untick this"), "{}", both.html);
    let (_, alone) = asked(&app, &client, &[("scope", "write")]).await;
    assert!(alone.html.contains("delete your tasks") && !alone.html.contains("Untick"), "{}", alone.html);
}

#[tokio::test]
async fn what_was_allowed_is_not_asked_again_and_what_was_not_is() {
    for db in [Db::Sqlite, Db::Postgres] {
        asked_again_or_not(&TestApp::on(db).await).await;
    }
}

async fn asked_again_or_not(app: &TestApp) {
    app.user("ada").await;
    app.user("bob").await;
    let client = register(app, "Calm app", &[CALLBACK]).await;
    let other = register(app, "Other app", &[CALLBACK]).await;
    let mcp = format!("{}/mcp", app.url());
    let api = format!("{}/api", app.url());
    let (browser, page) = asked(app, &client, &[("scope", "read write"), ("resource", &mcp)]).await;
    browser.send(&page.form().decide("allow")).await.code();

    browser.open(&link(&client, &[("scope", "write"), ("resource", &mcp)])).await.code();
    let both = format!("{}&resource={api}", link(&client, &[("scope", "write"), ("resource", &mcp)]));
    let page = browser.open(&both).await.is(200);
    browser.send(&page.form().decide("allow")).await.code();
    browser.open(&both).await.code();
    browser.open(&link(&client, &[("scope", "write")])).await.code();
    browser.open(&link(&client, &[("scope", "read write"), ("resource", &api)])).await.is(200);
    browser.open(&link(&client, &[("scope", "read write")])).await.is(200);
    browser.open(&link(&client, &[("scope", "read email"), ("resource", &mcp)])).await.is(200);
    browser.open(&link(&other, &[("scope", "read"), ("resource", &mcp)])).await.is(200);
    browser.open(&link(&client, &[("resource", &mcp), ("prompt", "consent")])).await.is(200);
    browser.open(&link(&client, &[("resource", &mcp), ("prompt", "select_account")])).await.is(200);
    let door = browser.open(&link(&client, &[("resource", &mcp), ("prompt", "login")])).await;
    let bobs = browser.sign_in(&door, "bob@example.com").await.is(200);
    assert!(bobs.html.contains("bob@example.com"), "another person is asked");
}

#[tokio::test]
async fn a_program_on_a_persons_own_device_is_asked_about_each_time() {
    let app = TestApp::new().await;
    app.user("ada").await;
    for uri in ["http://127.0.0.1:4711/cb", "com.example.app:/cb"] {
        let client = register(&app, "Native app", &[uri]).await;
        let (browser, page) = asked(&app, &client, &[("redirect_uri", uri)]).await;
        let answer = browser.send(&page.form().decide("allow")).await.is(303);
        assert!(answer.location().unwrap().starts_with(&format!("{uri}?code=")));

        browser.open(&link(&client, &[("redirect_uri", uri)])).await.is(200);
        let silent = browser.open(&link(&client, &[("redirect_uri", uri), ("prompt", "none")])).await.is(303);
        assert!(silent.location().unwrap().starts_with(&format!("{uri}?error=consent_required")));
    }
}

#[tokio::test]
async fn a_program_that_proves_who_it_is_is_remembered_wherever_it_runs() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let uri = "http://127.0.0.1:4711/cb";
    let fields = json!({ "client_name": "Service", "redirect_uris": [uri] });
    let fields = fields.as_object().unwrap().clone();
    app.app.clients.create_static(NewClient { client_id: Some("service".to_owned()), fields }).await.unwrap();
    let (browser, page) = asked(&app, "service", &[("redirect_uri", uri)]).await;
    browser.send(&page.form().decide("allow")).await.is(303);

    let silent = browser.open(&link("service", &[("redirect_uri", uri), ("prompt", "none")])).await.is(303);

    assert!(silent.location().unwrap().starts_with(&format!("{uri}?code=")), "{:?}", silent.location());
}

#[tokio::test]
async fn a_no_is_told_and_noted() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = asked(&app, &client, &[("state", "s")]).await;

    let brought = browser.send(&page.form().decide("deny")).await.brings(CALLBACK);

    assert_eq!((brought["error"].as_str(), brought["state"].as_str()), ("access_denied", "s"));
    assert_eq!(brought["iss"], app.url());
    assert!(!brought.contains_key("code"));
    let activity = ada.get("/api/auth/activity").await.good();
    assert_eq!(activity["items"][0]["action"], json!("consent.denied"));
    browser.open(&link(&client, &[])).await.is(200);
}

#[tokio::test]
async fn operating_the_server_is_for_operators_and_clients_that_they_made() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let (browser, page) = asked(&app, &client, &[("scope", "read admin")]).await;
    assert!(!page.html.contains("Operate this server"));
    let mut forged = page.form().decide("allow");
    forged.fields.push(("scope".to_owned(), "admin".to_owned()));
    let code = browser.send(&forged).await.code();

    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &client),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let token = form_request(app.anonymous().request(reqwest::Method::POST, "/oauth/token"), &fields);
    assert_eq!(Answer::of(token).await.good()["scope"], "read");
}

#[tokio::test]
async fn an_operator_may_let_their_own_client_operate_the_server_or_not() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.admin("eve").await;
    let fields = json!({
        "client_name": "Console",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
        "scope": "read write admin",
    });
    let fields = fields.as_object().unwrap().clone();
    app.app.clients.create_static(NewClient { client_id: Some("console".to_owned()), fields }).await.unwrap();
    let wish = [("scope", "read admin")];

    let (_, page) = asked(&app, "console", &wish).await;
    assert!(!page.html.contains("Operate this server") && page.html.contains("The operator of this server"));
    let browser = Browser::new(&app);
    let door = browser.open(&link("console", &wish)).await;
    let page = browser.sign_in(&door, "eve@example.com").await.is(200);
    assert!(page.html.contains("Operate this server"));

    browser.send(&page.form().untick("scope", "admin").decide("allow")).await.code();
    let silent = [("scope", "read admin"), ("prompt", "none")];
    assert_eq!(browser.open(&link("console", &silent)).await.error(), "consent_required");
    browser.send(&page.form().decide("allow")).await.code();
    browser.open(&link("console", &silent)).await.code();
}
