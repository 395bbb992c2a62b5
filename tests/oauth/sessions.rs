//! Browsers that stay signed in.

use std::time::Duration;

use mindflow::accounts::browser::BrowserLife;

use crate::browser::{Browser, CALLBACK, link, register};
use crate::support::app::{PASSWORD, TestApp};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn signing_in_replaces_the_cookie_so_that_a_planted_one_is_worth_nothing() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let planted = "a".repeat(43);
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    victim.plant(&planted);
    attacker.plant(&planted);

    let door = victim.open(&link(&client, &[])).await;
    let signed_in = door.form().fill("email", "ada@example.com").fill("password", PASSWORD);
    let answer = victim.send(&signed_in).await.is(303);

    assert_ne!(victim.cookie().unwrap(), planted);
    let cookie = answer.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"), "{cookie}");
    assert_eq!(attacker.open(&link(&client, &[("prompt", "none")])).await.error(), "login_required");
    assert_eq!(victim.open(&link(&client, &[("prompt", "none")])).await.error(), "consent_required");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let app = TestApp::with(|config| config.server.public_url = Some("https://mindflow.example".to_owned())).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let page = Browser::new(&app).open(&link(&client, &[])).await.is(200);

    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-mindflow="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_browser_is_signed_out_by_time() {
    let app = TestApp::with(|config| {
        config.accounts.browser_life = 10 * HOUR;
        config.accounts.browser_idle = 2 * HOUR;
    })
    .await;
    app.user("ada").await;
    let life: BrowserLife = app.app.accounts.browser_life();
    assert_eq!((life.most, life.idle), (10 * HOUR, 2 * HOUR));
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let (used, idle) = (Browser::new(&app), Browser::new(&app));
    for browser in [&used, &idle] {
        let door = browser.open(&link(&client, &[])).await;
        browser.sign_in(&door, "ada@example.com").await.is(200);
    }
    let silent = link(&client, &[("prompt", "none")]);

    for _ in 0..6 {
        app.advance(HOUR * 3 / 2);
        assert_eq!(used.open(&silent).await.error(), "consent_required");
    }
    assert_eq!(idle.open(&silent).await.error(), "login_required");
    app.advance(HOUR);
    assert_eq!(used.open(&silent).await.error(), "login_required", "ten hours are over");
}

#[tokio::test]
async fn a_browser_is_listed_among_the_sessions_and_can_be_ended_there() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;
    browser.sign_in(&door, "ada@example.com").await.is(200);

    let sessions = ada.get("/api/auth/sessions").await.good();
    let session = sessions["items"].as_array().unwrap().iter().find(|item| item["kind"] == "browser").unwrap();
    ada.delete(&format!("/api/auth/sessions/{}", session["id"].as_str().unwrap())).await.good();

    assert_eq!(browser.open(&link(&client, &[("prompt", "none")])).await.error(), "login_required");
}

#[tokio::test]
async fn signing_out_is_asked_first_and_then_done() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    assert!(browser.open("/oauth/sign-out").await.is(200).html.contains("You are signed out"));
    let door = browser.open(&link(&client, &[])).await;
    browser.sign_in(&door, "ada@example.com").await.is(200);
    let silent = link(&client, &[("prompt", "none")]);

    let page = browser.open("/oauth/sign-out").await.is(200);
    assert_eq!(browser.open(&silent).await.error(), "consent_required", "a link alone does nothing");
    let foreign = browser.send_with(&page.form(), &[("sec-fetch-site", "cross-site")]).await.is(403);
    assert_eq!(foreign.header("set-cookie"), "");
    browser.send(&page.form().without("csrf")).await.is(403);
    let done = browser.send(&page.form()).await.is(303);

    assert!(done.header("set-cookie").contains("Max-Age=0"));
    assert!(browser.follow(done).await.is(200).html.contains("You are signed out"));
    assert_eq!(browser.open(&silent).await.error(), "login_required");
}
