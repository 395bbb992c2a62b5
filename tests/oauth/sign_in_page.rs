//! The page on which people sign in.

use std::time::Duration;

use mindflow::config::Registration;

use crate::browser::{Browser, CALLBACK, link, register};
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_is_not_told_and_the_form_comes_back() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;

    let mut pages = Vec::new();
    for (email, password) in [("ada@example.com", "wrong password"), ("bob@example.com", PASSWORD)] {
        let form = door.form().fill("email", email).fill("password", password);
        let page = browser.send(&form).await.is(422);
        assert_eq!(page.value("email").as_deref(), Some(email));
        assert_eq!(page.value("password").as_deref(), Some(""), "never repeated");
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("aria-invalid=\"true\""));
        let token = page.value("csrf").unwrap();
        pages.push(page.html.replace(email, "…").replace(&token, "…"));
    }

    assert_eq!(pages[0], pages[1], "known or not is not told");
    let again = door.form().fill("email", "ada@example.com").fill("password", PASSWORD);
    browser.send(&again).await.is(303);
}

#[tokio::test]
async fn fields_have_labels_and_say_what_fills_them() {
    let app = TestApp::new().await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;

    let page = Browser::new(&app).open(&link(&client, &[("login_hint", "ada@example.com")])).await.is(200);

    for (name, fills) in [("email", "username"), ("password", "current-password")] {
        assert!(page.html.contains(&format!("<label for=\"{name}\">")), "{name}");
        assert!(page.html.contains(&format!("autocomplete=\"{fills}\"")), "{name}");
    }
    assert_eq!(page.value("email").as_deref(), Some("ada@example.com"));
    assert!(page.html.contains("<html lang=\"en\">") && page.html.contains("<title>Sign in · MindFlow</title>"));
}

#[tokio::test]
async fn a_new_sign_in_is_asked_for_once() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;
    let consent = browser.sign_in(&door, "ada@example.com").await;
    browser.send(&consent.form().decide("allow")).await.code();

    for more in [[("prompt", "login")], [("max_age", "60")], [("max_age", "0")]] {
        app.advance(Duration::from_secs(61));
        let door = browser.open(&link(&client, &more)).await.is(200);
        assert!(door.html.contains("name=\"password\""), "{more:?}");
        browser.sign_in(&door, "ada@example.com").await.code();
    }
    browser.open(&link(&client, &[("max_age", "60")])).await.code();
}

#[tokio::test]
async fn who_has_no_account_makes_one_on_the_way() {
    let app = TestApp::new().await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[("state", "s")])).await;
    let sign_up = browser.open(&door.link("Create an account")).await.is(200);

    let weak = sign_up.form().fill("email", "no address").fill("password", "short");
    let weak = browser.send(&weak).await.is(422);
    assert!(weak.html.contains("email-fault") && weak.html.contains("password-fault"), "{}", weak.html);
    let good = weak.form().fill("email", "new@example.com").fill("password", PASSWORD).fill("full_name", "New");
    let consent = browser.send(&good).await.is(303);
    let consent = browser.follow(consent).await.is(200);

    assert!(consent.html.contains("new@example.com"));
    assert_eq!(browser.send(&consent.form().decide("allow")).await.brings(CALLBACK)["state"], "s");
}

#[tokio::test]
async fn nobody_makes_an_account_where_registration_is_closed_or_needs_an_invitation() {
    let closed = TestApp::with(|config| config.accounts.registration = Registration::Closed).await;
    let client = register(&closed, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&closed);
    let page = browser.open(&link(&client, &[("prompt", "create")])).await.is(200);
    assert!(!page.html.contains("Create an account"));
    let form = page.form().fill("step", "sign-up").fill("email", "new@example.com").fill("password", PASSWORD);
    browser.send(&form).await.is(403);

    let invite = TestApp::with(|config| config.accounts.registration = Registration::Invite).await;
    let client = register(&invite, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&invite);
    let page = browser.open(&link(&client, &[("prompt", "create")])).await.is(200);
    let form = page.form().fill("email", "new@example.com").fill("password", PASSWORD);
    let refused = browser.send(&form.clone().fill("invite", "guess")).await.is(422);
    assert!(refused.html.contains("invite-fault"));
    let (code, _) = invite.app.accounts.invite().await.unwrap();
    browser
        .send(&refused.form().fill("email", "new@example.com").fill("password", PASSWORD).fill("invite", &code))
        .await
        .is(303);
}

#[tokio::test]
async fn guesses_are_stopped_by_account_whether_there_is_one_or_not() {
    let app = TestApp::with(|config| config.limits.failed_sign_ins = 10).await;
    app.user("ada").await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;
    let guess =
        |email: &str, password: &str| browser.send_owned(door.form().fill("email", email).fill("password", password));

    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            guess(email, "a wrong guess").await.is(422);
        }
        let stopped = guess(email, PASSWORD).await.is(429);
        assert!(stopped.html.contains("too many attempts"), "{email}");
        assert_eq!(stopped.header("retry-after"), "900", "{email}");
    }
    app.advance(Duration::from_mins(15));
    guess("ada@example.com", PASSWORD).await.is(303);
}

#[tokio::test]
async fn guesses_are_stopped_by_address_with_a_page() {
    let app = TestApp::with(|config| config.limits.auth_rate_per_minute = 3).await;
    let client = register(&app, "Calm app", &[CALLBACK]).await;
    let browser = Browser::new(&app);
    let door = browser.open(&link(&client, &[])).await;
    let form = door.form().fill("email", "ada@example.com").fill("password", "a wrong guess");

    let mut last = browser.send(&form).await;
    for _ in 0..3 {
        last = browser.send(&form).await;
    }

    assert_eq!((last.status, last.header("content-type")), (429, "text/html; charset=utf-8"));
    assert!(!last.header("retry-after").is_empty() && last.html.contains("Too many requests"));
}
