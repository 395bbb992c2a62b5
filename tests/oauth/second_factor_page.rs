//! Signing in with a code of an authenticator after the password.

use std::time::Duration;

use serde_json::json;
use totp_rs::{Algorithm, Builder, Secret};

use crate::browser::{Browser, CALLBACK, Page, link, register};
use crate::support::app::{Actor, PASSWORD, TestApp};

/// Sets an authenticator up; gives its secret.
async fn enrol(app: &TestApp, ada: &Actor<'_>) -> String {
    let begun = ada.send(reqwest::Method::POST, "/api/auth/two-factor", None, &[]).await.good();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let code = code(app, &secret);
    ada.post("/api/auth/two-factor/confirm", &json!({ "code": code })).await.good();
    app.advance(Duration::from_mins(1));
    secret
}

/// What the authenticator shows now.
fn code(app: &TestApp, secret: &str) -> String {
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
    let totp = totp.with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(app.clock.now().as_seconds()).unwrap()).to_string()
}

/// Somebody whose password was right.
async fn halfway<'a>(app: &'a TestApp, client: &str) -> (Browser<'a>, Page) {
    let browser = Browser::new(app);
    let door = browser.open(&link(client, &[])).await;
    let form = door.form().fill("email", "ada@example.com").fill("password", PASSWORD);
    let page = browser.send(&form).await.is(200);
    (browser, page)
}

#[tokio::test]
async fn the_password_alone_opens_nothing_and_a_code_is_good_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let secret = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;
    assert!(page.html.contains("autocomplete=\"one-time-code\""));
    assert_eq!(browser.open(&link(&client, &[("prompt", "none")])).await.error(), "login_required");

    let wrong = browser.send(&page.form().fill("code", "000000")).await.is(422);
    let code = code(&app, &secret);
    let answer = browser.send(&wrong.form().fill("code", &code)).await.is(303);
    let consent = browser.follow(answer).await.is(200);
    browser.send(&consent.form().decide("allow")).await.code();

    let (other, page) = halfway(&app, &client).await;
    other.send(&page.form().fill("code", &code)).await.is(422);
}

#[tokio::test]
async fn what_says_that_the_password_was_right_is_bound_to_browser_time_and_password() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let secret = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;
    let ticket = page.value("ticket").unwrap();
    let (stranger, strangers) = halfway(&app, &client).await;
    let good = code(&app, &secret);

    for ticket in [ticket.as_str(), "", "AAAA"] {
        let form = strangers.form().fill("ticket", ticket).fill("code", &good);
        assert!(stranger.send(&form).await.is(422).html.contains("name=\"password\""), "begins anew");
    }
    app.advance(Duration::from_secs(301));
    let late = browser.send(&page.form().fill("code", &code(&app, &secret))).await.is(422);
    assert!(late.html.contains("name=\"password\""));
    let (browser, page) = halfway(&app, &client).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another good password" });
    ada.post("/api/auth/password/change", &change).await.good();
    let changed = browser.send(&page.form().fill("code", &code(&app, &secret))).await.is(422);
    assert!(changed.html.contains("name=\"password\""));
}
