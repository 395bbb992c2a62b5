//! Signing in with a code of an authenticator after the password.

use std::time::Duration;

use serde_json::json;

use crate::authenticator::enrol;
use crate::browser::{Browser, CALLBACK, Page, link, register};
use crate::support::app::{PASSWORD, TestApp};

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
    let (device, _) = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;
    assert!(page.html.contains("autocomplete=\"one-time-code\""));
    assert_eq!(browser.open(&link(&client, &[("prompt", "none")])).await.error(), "login_required");

    let wrong = browser.send(&page.form().fill("code", "000000")).await.is(422);
    let code = device.code(&app);
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
    let (device, _) = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;
    let ticket = page.value("ticket").unwrap();
    let (stranger, strangers) = halfway(&app, &client).await;
    let good = device.code(&app);

    for ticket in [ticket.as_str(), "", "AAAA"] {
        let form = strangers.form().fill("ticket", ticket).fill("code", &good);
        assert!(stranger.send(&form).await.is(422).html.contains("name=\"password\""), "begins anew");
    }
    app.advance(Duration::from_secs(301));
    let late = browser.send(&page.form().fill("code", &device.code(&app))).await.is(422);
    assert!(late.html.contains("name=\"password\""));
    let (browser, page) = halfway(&app, &client).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another good password" });
    ada.post("/api/auth/password/change", &change).await.good();
    let changed = browser.send(&page.form().fill("code", &device.code(&app))).await.is(422);
    assert!(changed.html.contains("name=\"password\""));
}

#[tokio::test]
async fn a_recovery_code_opens_the_page_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (_, codes) = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;

    let answer = browser.send(&page.form().fill("code", &codes[0])).await.is(303);
    browser.follow(answer).await.is(200);

    let (other, page) = halfway(&app, &client).await;
    let refused = other.send(&page.form().fill("code", &codes[0])).await.is(422);
    assert!(refused.html.contains("The code is wrong, or was used already."), "{}", refused.html);
    other.send(&refused.form().fill("code", &codes[1])).await.is(303);
    let log = ada.get("/api/auth/activity").await.good().to_string();
    assert!(log.contains("recovery_code.used") && codes.iter().all(|code| !log.contains(code.as_str())));
}

#[tokio::test]
async fn a_page_asks_for_no_code_any_more_once_the_factor_is_taken_away() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (device, _) = enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;
    let proof = json!({ "password": PASSWORD, "code": device.code(&app) });
    ada.send(reqwest::Method::DELETE, "/api/auth/two-factor", Some(&proof), &[]).await.is(204);

    browser.send(&page.form().fill("code", &device.code(&app))).await.is(422);
    let another = Browser::new(&app);
    let door = another.open(&link(&client, &[])).await;

    assert!(another.sign_in(&door, "ada@example.com").await.is(200).html.contains("Calm app"));
}

#[tokio::test]
async fn guesses_of_codes_are_stopped_and_told_when_to_come_again() {
    let app = TestApp::with(|config| config.limits.failed_sign_ins = 3).await;
    let ada = app.user("ada").await;
    enrol(&app, &ada).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (browser, page) = halfway(&app, &client).await;

    for _ in 0..3 {
        browser.send(&page.form().fill("code", "000000")).await.is(422);
    }
    let stopped = browser.send(&page.form().fill("code", "000001")).await.is(429);

    assert_eq!(stopped.header("retry-after"), "840", "guesses count from the first one, a minute ago");
}
