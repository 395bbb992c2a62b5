//! Requests that say who is meant (OpenID Connect Core, section 3.1.2.1, `id_token_hint`).

use std::time::Duration;

use reqwest::Method;

use crate::browser::{Browser, CALLBACK, VERIFIER, form_request, link, register};
use crate::connector::text;
use crate::support::answer::Answer;
use crate::support::app::TestApp;

/// The ID token of whoever signs in with this address.
async fn id_token(app: &TestApp, client: &str, email: &str) -> String {
    let browser = Browser::new(app);
    let door = browser.open(&link(client, &[("scope", "openid read")])).await;
    let page = browser.sign_in(&door, email).await;
    let page = if page.status == 200 { browser.send(&page.form().decide("allow")).await } else { page };
    let code = page.code();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", client),
        ("code_verifier", VERIFIER),
    ];
    let tokens = Answer::of(form_request(app.anonymous().request(Method::POST, "/oauth/token"), &form)).await.good();
    text(&tokens, "id_token").to_owned()
}

/// Somebody who is signed in and has allowed the client what it asks for.
async fn connected<'a>(app: &'a TestApp, client: &str, email: &str) -> Browser<'a> {
    let browser = Browser::new(app);
    let door = browser.open(&link(client, &[("scope", "openid read")])).await;
    let page = browser.sign_in(&door, email).await;
    if page.status == 200 {
        browser.send(&page.form().decide("allow")).await.code();
    }
    browser
}

#[tokio::test]
async fn nobody_else_than_who_is_meant_gets_a_code() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let hint = id_token(&app, &client, "ann@example.com").await;
    let (ann, bob) =
        (connected(&app, &client, "ann@example.com").await, connected(&app, &client, "bob@example.com").await);
    let (usual, silent) = (
        link(&client, &[("scope", "openid read"), ("id_token_hint", &hint)]),
        link(&client, &[("scope", "openid read"), ("id_token_hint", &hint), ("prompt", "none")]),
    );

    assert_eq!(bob.open(&silent).await.error(), "login_required");
    let door = bob.open(&usual).await.is(200);
    assert!(door.html.contains("name=\"password\""), "{}", door.html);
    let again = bob.sign_in(&door, "bob@example.com").await.is(200);
    assert!(again.html.contains("name=\"password\""), "still not who is meant");
    bob.sign_in(&again, "ann@example.com").await.code();

    ann.open(&silent).await.code();
    app.advance(Duration::from_hours(24));
    ann.open(&silent).await.code();
}

#[tokio::test]
async fn a_hint_is_an_id_token_of_this_server_for_this_client() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (client, other) =
        (register(&app, "Calm app", &[CALLBACK]).await, register(&app, "Other app", &[CALLBACK]).await);
    let ann = connected(&app, &client, "ann@example.com").await;
    let for_other = id_token(&app, &other, "ann@example.com").await;
    let own = id_token(&app, &client, "ann@example.com").await;
    let (start, _) = own.rsplit_once('.').unwrap();
    let login = serde_json::json!({ "email": "ann@example.com", "password": crate::support::app::PASSWORD });
    let access = app.anonymous().post("/api/auth/login", &login).await.good();

    for wrong in [&for_other, &format!("{start}.AAAA"), text(&access, "access_token"), "nonsense"] {
        let asked = link(&client, &[("scope", "openid"), ("prompt", "none"), ("id_token_hint", wrong)]);
        assert_eq!(ann.open(&asked).await.error(), "invalid_request", "{wrong}");
    }
}
